//! The running sandbox, asked over its own ports as the rest of the program and a browser ask it.

mod api;
mod crm;
mod hooks;
mod pages;
mod sign_in;

use std::sync::Mutex;

use jiff::SignedDuration;
use reqwest::Client;
use tempfile::TempDir;

use super::*;

/// A sandbox in a folder of its own, with a clock that only the test moves.
struct Demo {
    home: TempDir,
    clock: Arc<Mutex<Timestamp>>,
    sandbox: Sandbox,
    client: Client,
}

impl Demo {
    async fn start() -> Demo {
        let clock = Arc::new(Mutex::new(Timestamp::now()));
        Demo::start_by(clock.clone(), held(&clock)).await
    }

    /// For flows that wait by themselves between two calls.
    async fn in_real_time() -> Demo {
        Demo::start_by(Arc::default(), Arc::new(Timestamp::now)).await
    }

    async fn start_by(clock: Arc<Mutex<Timestamp>>, shown: Clock) -> Demo {
        let home = tempfile::tempdir().expect("a folder");
        let sandbox = start_in(home.path(), shown).await;
        let client = crate::net::client(&sandbox.config().network).expect("a client");
        Demo { home, clock, sandbox, client }
    }

    async fn restart(self) -> Demo {
        self.sandbox.stop().await.expect("stopped");
        let sandbox = start_in(self.home.path(), held(&self.clock)).await;
        Demo { sandbox, ..self }
    }

    fn now(&self) -> Timestamp {
        *self.clock.lock().expect("a clock")
    }

    fn pass(&self, seconds: i64) {
        *self.clock.lock().expect("a clock") += SignedDuration::from_secs(seconds);
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sandbox.origin())
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> reqwest::Response {
        self.client.post(self.url(path)).form(form).send().await.expect("an answer")
    }

    async fn get(&self, path: &str) -> reqwest::Response {
        self.client.get(self.url(path)).send().await.expect("an answer")
    }
}

fn held(clock: &Arc<Mutex<Timestamp>>) -> Clock {
    let clock = clock.clone();
    Arc::new(move || *clock.lock().expect("a clock"))
}

async fn start_in(home: &Path, clock: Clock) -> Sandbox {
    Sandbox::start(home, &Options { clock, ..Options::default() }).await.expect("a sandbox")
}

/// The value of a hidden field of a page.
fn hidden(page: &str, name: &str) -> String {
    let from = page.find(&format!("name=\"{name}\" value=\"")).expect("the field") + name.len() + 15;
    page[from..].split('"').next().expect("a value").to_owned()
}
