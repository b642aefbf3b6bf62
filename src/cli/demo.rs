//! `leadferry demo`: the interface in a folder of its own, with sample leads and a practice CRM and webhook on this machine.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::interface;
use super::out::Out;
use super::session::Ground;
use crate::config::paths::Paths;
use crate::failure::{Code, Failure};
use crate::sandbox::{self, Options, Sandbox, write_samples};
use crate::{net, tui};

/// The verbs; without one the demo starts.
#[derive(Debug, Subcommand)]
pub enum Demo {
    /// Approve the device code that a sign-in of the running demo shows
    Approve {
        /// The code
        code: String,
    },
    /// Show what arrived at the running demo's practice CRM and webhook
    Status,
}

/// Starts the demo, or speaks to the one that runs.
pub async fn run(verb: Option<Demo>, flags: &[String], out: &mut Out) -> Result<u8, Failure> {
    let home = home()?;
    match verb {
        None => start(&home, flags, out).await,
        Some(Demo::Approve { code }) => {
            let client = net::client(&Ground::at(Paths::under(&home), flags, out)?.config.network)?;
            sandbox::approve(&client, &home, &code).await?;
            if out.is_json() {
                out.json(&json!({ "approved": true, "code": code }))?;
            } else {
                out.line("Approved; the sign-in goes on by itself.")?;
            }
            Ok(0)
        }
        Some(Demo::Status) => {
            let client = net::client(&Ground::at(Paths::under(&home), flags, out)?.config.network)?;
            let status = sandbox::status(&client, &home).await?;
            if out.is_json() {
                out.json(&json!({ "status": status.lines().collect::<Vec<_>>() }))?;
            } else {
                out.page(&status)?;
            }
            Ok(0)
        }
    }
}

/// The demo's own folder, apart from real lists and connections.
fn home() -> Result<PathBuf, Failure> {
    Ok(Paths::from_env(|name| std::env::var_os(name))?.data.join("demo"))
}

async fn start(home: &Path, flags: &[String], out: &mut Out) -> Result<u8, Failure> {
    let paths = Paths::under(home);
    paths.create()?;
    let sandbox = Sandbox::start(home, &Options::default()).await?;
    sandbox.write_config(home)?;
    let (prospects, _) = write_samples(home)?;
    let ended = if std::io::stdout().is_terminal() && !out.is_json() {
        let ground = Ground::ready(paths, flags, out)?;
        let demo = tui::Demo {
            page: format!("{}/", sandbox.origin()),
            token: sandbox.token().to_owned(),
            hook_url: sandbox.hook_url("leads"),
        };
        interface::show(
            &ground,
            tui::Start { file: Some(prospects), demo: Some(demo), spill: ground.paths.data.clone() },
        )
        .await
    } else {
        serve(home, &sandbox, &prospects, out).await.map(|()| 0)
    };
    sandbox.stop().await?;
    ended
}

/// Without a terminal only the practice servers run, so that commands with this `LEADFERRY_HOME` can use them.
async fn serve(home: &Path, sandbox: &Sandbox, prospects: &Path, out: &mut Out) -> Result<(), Failure> {
    let (home, prospects) = (home.to_string_lossy(), prospects.to_string_lossy());
    let (page, hook) = (format!("{}/", sandbox.origin()), sandbox.hook_url("leads"));
    if out.is_json() {
        out.json(&json!({
            "home": home, "page": page, "token": sandbox.token(), "webhook_url": hook, "prospects": prospects,
        }))?;
    } else {
        out.line(format!("The practice CRM and webhook run until ctrl-c. Their page: {page}"))?;
        out.line(format!("In another shell: export LEADFERRY_HOME='{home}'"))?;
        out.line(format!("  leadferry list save First '{prospects}' --top 20"))?;
        out.line("  leadferry connect practice --method device")?;
        out.line("  leadferry sync run First --to crm:practice")?;
        out.line(format!("  leadferry webhook add bridge --url {hook}"))?;
    }
    out.flush()?;
    let mut end = signal(SignalKind::terminate()).map_err(|error| {
        Failure::new(Code::Failed, format!("The demo cannot wait for its end: {error}."), "Start it again.")
    })?;
    tokio::select! {
        _ = end.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(())
}
