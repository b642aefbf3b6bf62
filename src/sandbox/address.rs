//! Where the running sandbox is, written down for `leadferry demo approve` and `leadferry demo status` in a second shell.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use url::Url;

use super::files;
use super::ground::Ground;
use crate::failure::{Code, Failure};

/// The most that is read of an answer.
const ANSWER: usize = 64 * 1024;

/// `sandbox/address.json`; readable by its owner alone.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Address {
    /// `http://127.0.0.1:PORT`
    pub(super) page: String,
    /// `https://127.0.0.1:PORT`
    hooks: String,
    /// What the forms send back; another one at every start.
    form_key: String,
}

impl Address {
    pub(super) fn of(ground: &Ground) -> Address {
        Address { page: ground.origin.clone(), hooks: ground.hooks_origin.clone(), form_key: ground.form_key.clone() }
    }

    pub(super) fn read(home: &Path) -> Option<Address> {
        serde_json::from_slice(&std::fs::read(path(home)).ok()?).ok()
    }

    pub(super) fn write(&self, home: &Path) -> Result<(), Failure> {
        files::write_private(&path(home), &serde_json::to_vec_pretty(self).unwrap_or_default())
    }

    /// The ports of page and webhook receiver; 0 where the address is none.
    pub(super) fn ports(&self) -> (u16, u16) {
        let port = |address: &str| Url::parse(address).ok().and_then(|url| url.port()).unwrap_or(0);
        (port(&self.page), port(&self.hooks))
    }
}

fn path(home: &Path) -> PathBuf {
    home.join("sandbox").join("address.json")
}

/// Approves the device code that a sign-in shows, from a second shell. `home` is the demo's folder; the client comes from `net`.
///
/// # Errors
/// [`Code::Failed`] when no demo runs there, [`Code::NotFound`] when no sign-in waits under this code.
pub async fn approve(client: &reqwest::Client, home: &Path, code: &str) -> Result<(), Failure> {
    let address = Address::read(home).ok_or_else(not_running)?;
    let form = [("code", code), ("decision", "allow"), ("key", &address.form_key)];
    let sent = client.post(format!("{}/device", address.page)).form(&form).send().await;
    match sent.map_err(|_| not_running())?.status().as_u16() {
        200 => Ok(()),
        404 => Err(Failure::new(
            Code::NotFound,
            format!("No sign-in waits under the code '{code}'."),
            "Look at the code again, or start a new sign-in in the demo.",
        )),
        _ => Err(not_running()),
    }
}

/// What arrived so far, in lines of text, from a second shell; foreign text in it is cleaned.
///
/// # Errors
/// [`Code::Failed`] when no demo runs there.
pub async fn status(client: &reqwest::Client, home: &Path) -> Result<String, Failure> {
    let address = Address::read(home).ok_or_else(not_running)?;
    let sent = client.get(format!("{}/status", address.page)).send().await;
    let answer = sent.and_then(reqwest::Response::error_for_status).map_err(|_| not_running())?;
    let body = crate::net::read_body(answer, ANSWER).await.map_err(|_| not_running())?.ok_or_else(not_running)?;
    let lines = crate::text::clean_lines(&String::from_utf8_lossy(&body));
    Ok(lines.iter().map(|line| format!("{line}\n")).collect())
}

fn not_running() -> Failure {
    Failure::new(Code::Failed, "No demo is running.", "Start it with: leadferry demo")
}
