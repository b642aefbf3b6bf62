//! Starts the peer servers that tests run against, and ends them with the test. Without their folder (`PEERS_DIR`, or
//! `../shared/peers`), its `node_modules` or Node, [`start`] says on standard error what is missing and answers `None`.

use std::fmt;
use std::io::{BufRead, BufReader, Write, stderr};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// How long a peer may take to say that it is ready; the first start of one makes keys and certificates.
const READY: Duration = Duration::from_secs(60);
/// Peers that name their own port in what they serve cannot let the system pick it: a free one is looked for here.
const NEED_A_PORT: &[&str] = &["oauth-server"];

/// A running peer. Dropping it ends the process.
pub struct Peer {
    /// The one line it printed when it was ready.
    pub ready: serde_json::Value,
    /// Its (first) port on 127.0.0.1.
    pub port: u16,
    child: Child,
}

/// Starts the peer of this name with these variables. `("PORT", "0")`, the default, takes a free port.
///
/// # Panics
/// When the peer is there but does not start: that is not a reason to skip.
pub fn start(name: &str, variables: &[(&str, &str)]) -> Option<Peer> {
    let folder = peers_folder().join(name);
    let missing = if !folder.join("server.mjs").is_file() {
        Some(format!("{} is not there", folder.display()))
    } else if !folder.join("node_modules").is_dir() {
        Some(format!("{} has no node_modules", folder.display()))
    } else if Command::new("node").arg("--version").stdout(Stdio::null()).status().is_err() {
        Some("node is not installed".to_owned())
    } else {
        None
    };
    if let Some(missing) = missing {
        // Past the test harness's capture, so that a run without peers does not look like a full one.
        let _ = writeln!(stderr(), "skipped: a test against the peer {name}: {missing}");
        return None;
    }
    // A free port can be taken by somebody else between the look and the start.
    for _ in 0..3 {
        if let Some(peer) = launch(name, &folder, variables) {
            return Some(peer);
        }
    }
    panic!("the peer {name} did not start; its words are on standard error");
}

fn launch(name: &str, folder: &Path, variables: &[(&str, &str)]) -> Option<Peer> {
    let mut command = Command::new("node");
    command.arg("server.mjs").current_dir(folder).env("PORT", "0").env("EXIT_ON_STDIN_EOF", "1");
    if let Some(specs) = specs_folder() {
        command.env("SPECS_DIR", specs);
    }
    command.envs(variables.iter().copied());
    let asked = variables.iter().find(|(key, _)| *key == "PORT").map_or("0", |(_, value)| *value);
    let mut port = asked.parse().unwrap_or(0);
    if port == 0 && NEED_A_PORT.contains(&name) {
        port = TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
        command.env("PORT", port.to_string());
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
    let output = child.stdout.take()?;
    let (say, heard) = mpsc::channel();
    // Reads on to the end, so that a talkative peer never blocks on a full pipe.
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let _ = say.send(line);
        }
    });
    let mut peer = Peer { ready: serde_json::Value::Null, port, child };
    loop {
        let line = heard.recv_timeout(READY).ok()?;
        if let Ok(value) = serde_json::from_str::<serde_json::Value>(&line)
            && value["ready"] == true
        {
            let said = value["port"].as_u64().or(value["ports"]["https"].as_u64());
            peer.port = said.and_then(|said| u16::try_from(said).ok()).unwrap_or(peer.port);
            peer.ready = value;
            return Some(peer);
        }
    }
}

fn peers_folder() -> PathBuf {
    std::env::var_os("PEERS_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/peers"), PathBuf::from)
}

/// Where the vendors' specification files are when the peers run from a copy that has none beside it.
fn specs_folder() -> Option<PathBuf> {
    std::env::var_os("SPECS_DIR")
        .map(PathBuf::from)
        .or_else(|| Some(peers_folder().join("../crm/specs")))
        .into_iter()
        .chain([Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/crm/specs")])
        .find_map(|folder| folder.canonicalize().ok())
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "peer on 127.0.0.1:{} ({})", self.port, self.ready)
    }
}
