//! The engine: owns the store and every task; answers requests and tells events.
//!
//! A request is carried out by the file of its subject: `activity`, `connections`, `deliveries`, `lists`, `runs`, `sign_ins`,
//! `webhooks`.

mod activity;
mod connections;
mod crm_run;
mod deliveries;
mod lists;
pub mod messages;
mod records;
mod run_leads;
mod run_life;
mod runs;
mod sign_ins;
mod webhook_log;
mod webhook_plan;
mod webhook_run;
mod webhooks;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use ulid::Ulid;

use crate::config::Config;
use crate::config::paths::Paths;
use crate::failure::{Code, Failure};
use crate::list::catalogue::Catalogue;
use crate::net::{self, Tls};
use crate::store::Store;
use crate::webhook::send::Sender;
use messages::{Event, Reply, Request};

/// How many events a slow listener may lag behind before it misses some; what matters can be asked for again.
const EVENTS_KEPT: usize = 4_096;
/// How long what is under way may take to end when the engine stops.
const DRAIN: Duration = Duration::from_secs(15);

/// A handle on the running engine; cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

impl std::fmt::Debug for Engine {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Engine")
    }
}

struct Inner {
    store: Store,
    lists: Catalogue,
    config: Config,
    http: reqwest::Client,
    sender: Sender,
    events: broadcast::Sender<Event>,
    apis: connections::Apis,
    sign_ins: sign_ins::SignIns,
    runs: run_life::Runs,
    /// Held while a connection or webhook is read, changed and written back.
    changing: tokio::sync::Mutex<()>,
    ids: Mutex<ulid::Generator>,
    /// Cancelled when the engine stops: what is unfinished then stays unfinished and goes on later.
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Engine {
    /// Opens the store and starts the engine, waiting at most this long for another process to let go of the data.
    ///
    /// # Errors
    /// [`Code::Store`] when the store is held, damaged or newer than this program; [`Code::Usage`] when a setting does not fit.
    pub async fn start(paths: &Paths, config: Config, wait: Duration) -> Result<Engine, Failure> {
        let tls = Tls::load(&config.network)?;
        let http = net::client_with(&config.network, &tls, |builder| builder)?;
        let sender = Sender::new(&config.network, &tls)?;
        let paths = paths.clone();
        let opened = tokio::task::spawn_blocking(move || Store::open(&paths, wait)).await;
        let store = opened.map_err(|_| {
            Failure::new(
                Code::Store,
                "Opening the store was broken off.",
                "Run 'leadferry doctor' to see what is wrong.",
            )
        })??;
        let engine = Engine(Arc::new(Inner {
            lists: Catalogue::new(store.clone()),
            store,
            config,
            http,
            sender,
            events: broadcast::channel(EVENTS_KEPT).0,
            apis: connections::Apis::default(),
            sign_ins: sign_ins::SignIns::default(),
            runs: run_life::Runs::default(),
            changing: tokio::sync::Mutex::default(),
            ids: Mutex::default(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }));
        activity::prune(&engine.0).await?;
        Ok(engine)
    }

    /// Carries out one request.
    ///
    /// # Errors
    /// A [`Failure`] in words for a person.
    pub async fn call(&self, request: Request) -> Result<Reply, Failure> {
        let inner = &self.0;
        if inner.stop.is_cancelled() {
            return Err(Failure::new(Code::Cancelled, "leadferry is ending.", "Start it again."));
        }
        match request {
            Request::BeginList { .. }
            | Request::PutBlock { .. }
            | Request::CommitList { .. }
            | Request::DropDraft { .. }
            | Request::Lists
            | Request::List { .. }
            | Request::Block { .. }
            | Request::RenameList { .. }
            | Request::DeleteList { .. } => lists::call(inner, request).await,

            Request::Connect(_) | Request::AnswerSignIn { .. } | Request::CancelSignIn { .. } => {
                sign_ins::call(inner, request).await
            }

            Request::Connections
            | Request::TestConnection { .. }
            | Request::Fields { .. }
            | Request::RemoveConnection { .. } => connections::call(inner, request).await,

            Request::Plan { .. }
            | Request::StartRun { .. }
            | Request::ResumeRuns
            | Request::CancelRun { .. }
            | Request::RetryRun { .. }
            | Request::Runs { .. }
            | Request::Run { .. } => runs::call(inner, request).await,

            Request::SaveWebhook { .. }
            | Request::Webhooks
            | Request::Webhook { .. }
            | Request::TestWebhook { .. }
            | Request::SetWebhookActive { .. }
            | Request::RotateSecret { .. }
            | Request::RemoveWebhook { .. } => webhooks::call(inner, request).await,

            Request::Deliveries { .. } | Request::Replay { .. } => deliveries::call(inner, request).await,

            Request::Record { .. }
            | Request::Events { .. }
            | Request::KeepNotice(_)
            | Request::Notices { .. }
            | Request::Remember { .. }
            | Request::Recall { .. }
            | Request::Doctor => activity::call(inner, request).await,
        }
    }

    /// What happens from now on.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.0.events.subscribe()
    }

    /// The settings it runs with.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// Ends every task, waiting a while for requests under way, and lets go of the store. What is unfinished goes on at the
    /// next start.
    pub async fn stop(self) {
        self.0.stop.cancel();
        self.0.tasks.close();
        let _ = tokio::time::timeout(DRAIN, self.0.tasks.wait()).await;
    }
}

impl Inner {
    /// Tells an event to everybody who listens; nobody need.
    fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }

    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// An id that sorts behind every earlier one, also within a millisecond.
    fn new_id(&self) -> Ulid {
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        ids.generate().unwrap_or_else(|_| Ulid::new())
    }
}

/// A request that reached the wrong file: only a fault of this program makes it.
fn misrouted() -> Failure {
    Failure::new(Code::Failed, "The engine sent this wish to the wrong place.", "Report this.")
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "kill_tests.rs"]
mod kill_tests;
