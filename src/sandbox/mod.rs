//! The practice CRM and webhook receiver behind `leadferry demo`: real sign-in, real refusals, real signatures, on this machine.
//!
//! The rest of the program knows them by an ordinary configuration ([`Sandbox::write_config`]) and reaches them over loopback. They
//! hold practice data: whoever can use this machine may sign in.

mod address;
mod api;
mod certificate;
mod contacts;
mod deliveries;
mod devices;
mod dialog;
mod fields;
mod files;
mod grants;
mod ground;
mod hooks;
mod limit;
mod mint;
mod page;
mod sample;
mod settings;
mod sign_in;

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use jiff::Timestamp;
use tokio::task::JoinSet;

pub use address::{approve, status};
pub use grants::CLIENT_ID;
pub use page::{Seen, SeenContact, SeenDelivery, SeenHook, SeenList};
pub use sample::{PROSPECTS, SEEDS, write_samples};

use self::address::Address;
use self::certificate::Authority;
use self::ground::Ground;
use crate::failure::{Code, Failure};
use crate::vault::Secret;
use crate::webhook::signature::SigningKey;

/// Where the time comes from; tests bring their own.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How long calls under way may take when the sandbox closes.
const DRAIN: Duration = Duration::from_secs(1);

/// How to start.
#[derive(Clone)]
pub struct Options {
    /// The port of page, sign-in and CRM; 0 = the one of last time, else a free one.
    pub port: u16,
    /// The port of the webhook receiver; 0 likewise.
    pub hooks_port: u16,
    /// Where the time comes from.
    pub clock: Clock,
}

impl Default for Options {
    fn default() -> Self {
        Options { port: 0, hooks_port: 0, clock: Arc::new(Timestamp::now) }
    }
}

/// The running practice CRM and webhook receiver. Dropping it closes the ports and writes the data down.
pub struct Sandbox {
    ground: Arc<Ground>,
    folder: PathBuf,
    handle: Handle<SocketAddr>,
    tasks: JoinSet<()>,
    /// Held for as long as the sandbox runs: one demo per folder.
    _lock: File,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Sandbox").field("page", &self.ground.origin).finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Starts both servers for the demo whose folder is `home`; what they keep lies in its folder `sandbox`. Needs a tokio runtime.
    ///
    /// # Errors
    /// [`Code::Store`] when a demo runs in this folder already; [`Code::Failed`] when the folder cannot be written or a port
    /// that was asked for is taken.
    pub async fn start(home: &Path, options: &Options) -> Result<Sandbox, Failure> {
        let home = &std::path::absolute(home).unwrap_or_else(|_| home.to_owned());
        let folder = home.join("sandbox");
        files::make_folder(&folder)?;
        let last = Address::read(home);
        let Some(lock) = files::lock(&folder.join("lock"))? else {
            let at = last.map(|last| format!(", its page is {}/", last.page)).unwrap_or_default();
            return Err(Failure::new(
                Code::Store,
                format!("A demo runs in {} already{at}.", home.display()),
                "Use that one, or close it first.",
            ));
        };
        let (last_page, last_hooks) = last.map(|last| last.ports()).unwrap_or_default();
        let (listener, origin) = listen(options.port, last_page, "http")?;
        let (hooks_listener, hooks_origin) = listen(options.hooks_port, last_hooks, "https")?;
        let authority = Authority::open(&folder)?;
        let tls = RustlsConfig::from_config(authority.server_config((options.clock)())?);
        let token = mint::derived(authority.key_bytes(), "practice token", "practice_");
        let clock = options.clock.clone();
        let ground = Ground::new(folder.join("practice.json"), clock, (origin, hooks_origin), token)?;
        Address::of(&ground).write(home)?;

        let handle = Handle::new();
        let mut tasks = JoinSet::new();
        let page = axum_server::from_tcp(listener).map_err(|error| no_port(&error))?.handle(handle.clone());
        let service = page_routes(ground.clone()).into_make_service();
        tasks.spawn(async move { ended(page.serve(service).await) });
        let hooks =
            axum_server::from_tcp_rustls(hooks_listener, tls).map_err(|error| no_port(&error))?.handle(handle.clone());
        let service = hooks::routes(ground.clone()).into_make_service();
        tasks.spawn(async move { ended(hooks.serve(service).await) });
        tasks.spawn(ground::keep_saved(ground.clone()));
        Ok(Sandbox { ground, folder, handle, tasks, _lock: lock })
    }

    /// `http://127.0.0.1:PORT`: its page is at `/`, and it is the `base` of the practice CRM.
    pub fn origin(&self) -> &str {
        &self.ground.origin
    }

    /// The address of a webhook endpoint of this name (letters, digits, `-`, `_`); endpoints need not be made first.
    pub fn hook_url(&self, name: &str) -> String {
        format!("{}/hooks/{name}", self.ground.hooks_origin)
    }

    /// The certificate authority to trust, PEM.
    pub fn ca_path(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// The token that works without a sign-in; meant to be shown, the same at every start.
    pub fn token(&self) -> &str {
        &self.ground.token
    }

    /// Tells an endpoint its signing secret, as its page's form does; deliveries that came before are checked, too.
    ///
    /// # Errors
    /// [`Code::Usage`] when the secret or the endpoint's name is none.
    pub fn learn_secret(&self, hook: &str, secret: &Secret) -> Result<(), Failure> {
        let secret = SigningKey::parse(secret)?;
        if !deliveries::is_hook_name(hook) {
            let message = format!("'{hook}' is not an endpoint's name.");
            return Err(Failure::new(Code::Usage, message, "Use letters, digits, - and _."));
        }
        self.ground.change(|world| world.inbox.learn_secret(hook, secret));
        Ok(())
    }

    /// What arrived so far.
    pub fn seen(&self) -> Seen {
        page::seen(&self.ground)
    }

    /// Closes the ports, lets calls under way end (one second at most), and writes the data down.
    ///
    /// # Errors
    /// [`Code::Failed`] when the data cannot be written.
    pub async fn stop(mut self) -> Result<(), Failure> {
        self.close();
        while self.tasks.join_next().await.is_some() {}
        self.ground.save()
    }

    fn close(&self) {
        self.ground.closing.cancel();
        self.handle.graceful_shutdown(Some(DRAIN));
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.close();
        self.tasks.detach_all();
        if let Err(failure) = self.ground.save() {
            tracing::warn!(%failure, "the practice data was not written down");
        }
    }
}

fn page_routes(ground: Arc<Ground>) -> Router {
    Router::new()
        .route("/", get(page::page))
        .route("/page.js", get(page::script))
        .route("/style.css", get(page::style))
        .route("/events", get(page::events))
        .route("/status", get(page::status))
        .route("/secret", post(page::learn_secret))
        .route("/answers", post(page::set_answers))
        .route("/oauth/authorize", get(sign_in::authorize))
        .route("/oauth/decide", post(sign_in::decide))
        .route("/oauth/token", post(sign_in::token))
        .route("/oauth/device", post(sign_in::start_device))
        .route("/oauth/revoke", post(sign_in::revoke))
        .route("/device", get(sign_in::device_page).post(sign_in::decide_device))
        .route("/api/me", get(api::me))
        .route("/api/fields", get(api::fields))
        .route("/api/contacts/batch", post(api::batch))
        .route("/api/contacts/find", post(api::find))
        .route("/api/lists", post(api::open_list))
        .route("/api/lists/{id}/members", post(api::add_members))
        .layer(axum::middleware::from_fn(dialog::guard))
        .with_state(ground)
}

/// Takes the port asked for, or last time's if it is free, or any; answers the listener and its origin.
fn listen(wanted: u16, last: u16, scheme: &str) -> Result<(TcpListener, String), Failure> {
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let bound = if wanted == 0 { bind(last).or_else(|_| bind(0)) } else { bind(wanted) };
    let listener = bound.map_err(|error| {
        Failure::new(
            Code::Failed,
            format!("The demo could not listen on 127.0.0.1, port {wanted}: {error}."),
            "Choose another port, or none to take a free one.",
        )
    })?;
    let port = listener.set_nonblocking(true).and_then(|()| listener.local_addr()).map_err(|error| no_port(&error))?;
    let origin = format!("{scheme}://{port}");
    Ok((listener, origin))
}

fn no_port(error: &std::io::Error) -> Failure {
    Failure::new(Code::Failed, format!("The demo could not use its port: {error}."), "Start the demo again.")
}

fn ended(served: std::io::Result<()>) {
    if let Err(error) = served {
        tracing::warn!(%error, "a server of the demo ended");
    }
}

#[cfg(test)]
#[path = "tests/mod.rs"]
mod tests;
