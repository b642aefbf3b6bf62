//! What every page and call of the sandbox shares: the practice data, the clock, the addresses, and the news that something changed.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Clock;
use super::contacts::Book;
use super::deliveries::Inbox;
use super::files;
use super::grants::Grants;
use super::limit::Limits;
use super::mint::Mint;
use crate::failure::Failure;

/// How long changes are gathered before they are written down.
const SAVE_DELAY: Duration = Duration::from_millis(500);

/// Everything that came and was given out; kept in one file, except for what `serde` skips.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct World {
    pub(super) book: Book,
    pub(super) inbox: Inbox,
    pub(super) grants: Grants,
    #[serde(skip)]
    pub(super) limits: Limits,
}

/// Shared by all handlers.
pub(super) struct Ground {
    world: Mutex<World>,
    mint: Mutex<Mint>,
    file: PathBuf,
    clock: Clock,
    changes: watch::Sender<u64>,
    /// Ends the open live pages and the writer.
    pub(super) closing: CancellationToken,
    /// `http://127.0.0.1:PORT`
    pub(super) origin: String,
    /// `https://127.0.0.1:PORT`
    pub(super) hooks_origin: String,
    /// The token that works without a sign-in.
    pub(super) token: String,
    /// What every form sends back, so that no other site can post it.
    pub(super) form_key: String,
}

impl Ground {
    /// Reads what an earlier demo kept in `file`; a file that cannot be read counts as empty: it is practice data.
    pub(super) fn new(
        file: PathBuf,
        clock: Clock,
        (origin, hooks_origin): (String, String),
        token: String,
    ) -> Result<Arc<Ground>, Failure> {
        let kept = std::fs::read(&file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let mut mint = Mint::new()?;
        let form_key = mint.token("pf_");
        Ok(Arc::new(Ground {
            world: Mutex::new(kept.unwrap_or_default()),
            mint: Mutex::new(mint),
            file,
            clock,
            changes: watch::Sender::new(0),
            closing: CancellationToken::new(),
            origin,
            hooks_origin,
            token,
            form_key,
        }))
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// The data, to read. A panic in another handler leaves it usable: practice data is better than none.
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn mint(&self) -> MutexGuard<'_, Mint> {
        self.mint.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the data and tells the live pages and the writer.
    pub(super) fn change<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        let answer = act(&mut self.world());
        self.changes.send_modify(|turn| *turn += 1);
        answer
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Writes the data down.
    pub(super) fn save(&self) -> Result<(), Failure> {
        let bytes = serde_json::to_vec(&*self.world()).unwrap_or_default();
        files::write_private(&self.file, &bytes)
    }
}

/// Writes the data down a moment after each change, until the sandbox closes.
pub(super) async fn keep_saved(ground: Arc<Ground>) {
    let mut changes = ground.changes();
    loop {
        tokio::select! {
            () = ground.closing.cancelled() => return,
            changed = changes.changed() => if changed.is_err() { return },
        }
        tokio::time::sleep(SAVE_DELAY).await;
        changes.mark_unchanged();
        let writer = ground.clone();
        let saved = tokio::task::spawn_blocking(move || writer.save()).await;
        if let Ok(Err(failure)) = saved {
            tracing::warn!(%failure, "the practice data was not written down");
        }
    }
}
