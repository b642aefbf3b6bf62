//! Keeps the tokens of one connection alive: refreshes before expiry and after a 401, once for all who wait, and hands out a
//! rotated token only after it is stored.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use jiff::SignedDuration;

use super::words::Doing;
use super::{Flow, Grant, Tokens};
use crate::failure::{Code, Failure};
use crate::vault::Secret;

/// An access token is renewed when less than this is left of it.
const MARGIN: SignedDuration = SignedDuration::from_secs(60);
/// The waits before the second and the third try of a refresh.
const AGAIN_AFTER: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(1)];

/// Stores new tokens durably; returns once they are on disk.
pub type Persist = Box<dyn Fn(Tokens) -> BoxFuture<'static, Result<(), Failure>> + Send + Sync>;

/// A refresh under way, for all who wait for it.
type Flight = Shared<BoxFuture<'static, Result<Tokens, Failure>>>;

/// The tokens of one connection. Cheap to clone; all clones share one state.
#[derive(Clone)]
pub struct TokenKeeper(Arc<Inner>);

struct Inner {
    flow: Flow,
    callback: std::collections::BTreeMap<String, String>,
    persist: Persist,
    state: Mutex<State>,
}

struct State {
    /// Stored, and what is handed out.
    tokens: Tokens,
    /// Received but not yet stored: the old refresh token may be dead already, so these must not be lost.
    unstored: Option<Tokens>,
    /// The refresh under way.
    flight: Option<Flight>,
    /// The vendor ended the connection: nothing is asked any more.
    over: Option<Failure>,
}

impl TokenKeeper {
    /// Keeps this grant; `persist` stores rotated tokens.
    pub fn new(flow: Flow, grant: Grant, persist: Persist) -> TokenKeeper {
        let state = State { tokens: grant.tokens, unstored: None, flight: None, over: None };
        TokenKeeper(Arc::new(Inner { flow, callback: grant.callback, persist, state: Mutex::new(state) }))
    }

    /// Tokens that are good for the next call, refreshed first when less than a minute is left of them.
    ///
    /// # Errors
    /// [`Code::SignInNeeded`] when the vendor ended the connection; else why the refresh did not work.
    pub async fn current(&self) -> Result<Tokens, Failure> {
        let now = (self.0.flow.clock)();
        let (tokens, flight) = {
            let mut state = self.0.state();
            if let Some(over) = &state.over {
                return Err(over.clone());
            }
            if !state.tokens.dies_within(MARGIN, now) {
                return Ok(state.tokens.clone());
            }
            (state.tokens.clone(), self.0.join_refresh(&mut state))
        };
        match flight.await {
            // The vendor is away for a moment, and the token is still good for this call.
            Err(failure) if failure.code == Code::Failed && !tokens.dies_within(SignedDuration::ZERO, now) => {
                Ok(tokens)
            }
            outcome => outcome,
        }
    }

    /// New tokens after the vendor answered 401 to `stale`. When somebody has renewed them meanwhile, those.
    ///
    /// # Errors
    /// As [`TokenKeeper::current`].
    pub async fn refresh_after_401(&self, stale: &Secret) -> Result<Tokens, Failure> {
        let flight = {
            let mut state = self.0.state();
            if let Some(over) = &state.over {
                return Err(over.clone());
            }
            if state.tokens.access.expose() != stale.expose() {
                return Ok(state.tokens.clone());
            }
            self.0.join_refresh(&mut state)
        };
        flight.await
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs under the lock, so a poisoned one is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The refresh under way, or a new one. It runs as a task: who waits may be cancelled, but an answer with a rotated token
    /// must be stored all the same.
    fn join_refresh(self: &Arc<Self>, state: &mut State) -> Flight {
        if let Some(flight) = &state.flight {
            return flight.clone();
        }
        let task = tokio::spawn(Arc::clone(self).refresh());
        let flight = async move {
            task.await.unwrap_or_else(|_| Err(Failure::new(Code::Cancelled, "The program is ending.", "")))
        };
        let flight = flight.boxed().shared();
        state.flight = Some(flight.clone());
        flight
    }

    async fn refresh(self: Arc<Self>) -> Result<Tokens, Failure> {
        let outcome = self.renew().await;
        let mut state = self.state();
        state.flight = None;
        match &outcome {
            Ok(tokens) => {
                state.tokens = tokens.clone();
                state.unstored = None;
            }
            Err(failure) if failure.code == Code::SignInNeeded => state.over = Some(failure.clone()),
            Err(_) => {}
        }
        outcome
    }

    /// Asks the vendor (unless an answer still waits to be stored), then stores.
    async fn renew(&self) -> Result<Tokens, Failure> {
        let unstored = self.state().unstored.clone();
        let tokens = match unstored {
            Some(tokens) => tokens,
            None => {
                let tokens = self.ask().await?;
                self.state().unstored = Some(tokens.clone());
                tokens
            }
        };
        (self.persist)(tokens.clone()).await?;
        Ok(tokens)
    }

    async fn ask(&self) -> Result<Tokens, Failure> {
        let vendor = &self.flow.vendor;
        let old = self.state().tokens.clone();
        if old.refresh.is_none() {
            return Err(vendor.cannot_renew());
        }
        let mut waits = AGAIN_AFTER.iter();
        loop {
            match self.flow.refresh(&old, &self.callback).await {
                Ok(tokens) => return Ok(tokens),
                Err(trouble) => match waits.next().filter(|_| trouble.is_passing()) {
                    Some(wait) => {
                        tracing::info!(vendor = vendor.id, %trouble, "a refresh did not work, trying again");
                        tokio::time::sleep(*wait).await;
                    }
                    None => return Err(trouble.failure(vendor, Doing::Refresh)),
                },
            }
        }
    }
}

impl fmt::Debug for TokenKeeper {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("TokenKeeper").field(&self.0.flow.vendor.id).finish()
    }
}

#[cfg(test)]
#[path = "keeper_tests.rs"]
mod tests;
