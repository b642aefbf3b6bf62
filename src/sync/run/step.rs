//! One step of a run at the vendor: tried until it is answered, refused, or only a person can help.

use std::future::Future;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Course, Stop, failure_of};
use crate::crm::{Trouble, TroubleKind};
use crate::sync::{RunState, backoff};

/// How often a step is tried while something on the way answers in the vendor's place.
const BLOCKED_TRIES: u32 = 4;

/// The wait for a used-up quota whose end the vendor does not tell.
const QUOTA_WAIT: SignedDuration = SignedDuration::from_hours(1);

/// A wait is slept in pieces, so that a machine that was asleep goes on in time.
const NAP: Duration = Duration::from_secs(30);

impl Course<'_> {
    /// A step that the run cannot do without: being refused stops it.
    pub(super) async fn need<T, F>(&mut self, step: impl FnMut() -> F) -> Result<T, Stop>
    where
        F: Future<Output = Result<T, Trouble>> + Send,
    {
        self.attempt(step).await?.map_err(|trouble| Stop::Failure(failure_of(&trouble)))
    }

    /// Tries a step until it is answered. The inner error is a refusal, or an unclear end of a write.
    pub(super) async fn attempt<T, F>(&mut self, mut step: impl FnMut() -> F) -> Result<Result<T, Trouble>, Stop>
    where
        F: Future<Output = Result<T, Trouble>> + Send,
    {
        let mut blocked = 0;
        loop {
            if self.tools.cancel.is_cancelled() {
                return Err(Stop::Cancelled);
            }
            let trouble = match step().await {
                Ok(answer) => {
                    self.attempts = 0;
                    return Ok(Ok(answer));
                }
                Err(trouble) => trouble,
            };
            match trouble.kind {
                TroubleKind::Refused | TroubleKind::Missing | TroubleKind::Unclear => return Ok(Err(trouble)),
                TroubleKind::Credentials | TroubleKind::Permission | TroubleKind::Plan => {
                    return Err(Stop::Failure(failure_of(&trouble)));
                }
                TroubleKind::Blocked => {
                    blocked += 1;
                    if blocked >= BLOCKED_TRIES {
                        return Err(Stop::Failure(failure_of(&trouble)));
                    }
                    self.back_off(&trouble, None).await?;
                }
                TroubleKind::Vendor => self.back_off(&trouble, None).await?,
                TroubleKind::Busy { retry_after } => self.back_off(&trouble, retry_after).await?,
                TroubleKind::Quota { until } => {
                    let now = (self.tools.now)();
                    let until = until.unwrap_or_else(|| now.saturating_add(QUOTA_WAIT).unwrap_or(now));
                    self.wait_until(&trouble, until).await?;
                }
            }
        }
    }

    /// Waits as long as the failures in a row ask for.
    pub(super) async fn back_off(&mut self, trouble: &Trouble, asked: Option<u64>) -> Result<(), Stop> {
        let wait = backoff::wait(self.attempts, (self.tools.jitter)(), asked);
        self.attempts = self.attempts.saturating_add(1);
        let now = (self.tools.now)();
        let until = SignedDuration::try_from(wait).ok().and_then(|wait| now.checked_add(wait).ok()).unwrap_or(now);
        self.wait_until(trouble, until).await
    }

    async fn wait_until(&mut self, trouble: &Trouble, until: Timestamp) -> Result<(), Stop> {
        self.summary.state = RunState::Waiting;
        self.summary.next_try = Some(until);
        self.summary.trouble = Some(failure_of(trouble));
        (self.tools.progress)(&self.summary);
        loop {
            let rest = Duration::try_from(until.duration_since((self.tools.now)())).unwrap_or_default();
            if rest.is_zero() {
                break;
            }
            tokio::select! {
                () = self.tools.cancel.cancelled() => return Err(Stop::Cancelled),
                () = tokio::time::sleep(rest.min(NAP)) => {}
            }
        }
        self.summary.state = RunState::Running;
        self.summary.next_try = None;
        self.summary.trouble = None;
        (self.tools.progress)(&self.summary);
        Ok(())
    }
}
