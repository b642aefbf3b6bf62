//! The worker of one webhook: sends its deliveries, several at once, tries again what failed, and gives way to a busy endpoint.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::queue::{Ended, Pending, Progress, Queue, QueueLog, later};
use super::request::Request;
use super::send::{Attempt, Sender};
use super::signature::SigningKey;
use super::verdict::{self, Verdict};
use super::{WebhookSpec, WebhookState, template};
use crate::failure::{Code, Failure};
use crate::sync::Outcome;

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Tells a number from 0 to 1.
pub type Chance = Arc<dyn Fn() -> f64 + Send + Sync>;

/// What a request goes out on.
#[async_trait]
pub trait Wire: Send + Sync {
    /// Sends once.
    async fn send(&self, request: &Request) -> Attempt;
}

#[async_trait]
impl Wire for Sender {
    async fn send(&self, request: &Request) -> Attempt {
        Sender::send(self, request).await
    }
}

/// Where deliveries go, as it is now: a mended address or credential counts for what is queued already.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The settings.
    pub spec: WebhookSpec,
    /// The signing keys: one, or two during a rotation.
    pub keys: Vec<SigningKey>,
    /// Requests under way at once.
    pub concurrency: usize,
}

/// Sends the deliveries of one webhook.
#[derive(Clone)]
pub struct Worker {
    endpoint: Arc<Endpoint>,
    wire: Arc<dyn Wire>,
    log: Arc<dyn QueueLog>,
    clock: Clock,
    chance: Chance,
}

impl Worker {
    /// A worker with the system's clock and randomness.
    pub fn new(endpoint: Endpoint, wire: Arc<dyn Wire>, log: Arc<dyn QueueLog>) -> Worker {
        // Without randomness retries come back together, which is no reason to send nothing.
        let chance = || getrandom::u32().map_or(0.5, |number| f64::from(number) / f64::from(u32::MAX));
        Worker { endpoint: Arc::new(endpoint), wire, log, clock: Arc::new(Timestamp::now), chance: Arc::new(chance) }
    }

    /// The same with a clock and chance of one's own.
    pub fn with_time(self, clock: Clock, chance: Chance) -> Worker {
        Worker { clock, chance, ..self }
    }

    /// Sends what comes in through `deliveries` until that closes and everything has an outcome. With `patience` it ends
    /// earlier, when the next try is further away than that. Fails when the log fails.
    pub async fn run(
        &self,
        mut deliveries: mpsc::Receiver<Pending>,
        patience: Option<Duration>,
        stop: CancellationToken,
    ) -> Result<Ended, Failure> {
        let mut under_way = FuturesUnordered::new();
        let mut queue = Queue::new(self.endpoint.concurrency);
        let mut told = None;
        loop {
            let now = (self.clock)();
            if queue.halt.is_none() {
                while under_way.len() < queue.limit
                    && let Some(pending) = queue.next(now, &mut deliveries)
                {
                    under_way.push(self.attempt(pending));
                }
            }
            if under_way.is_empty() {
                if let Some(halt) = queue.halt {
                    return halt;
                }
                if let Some(ended) = queue.end(now, patience) {
                    return Ok(ended);
                }
                if let Some(until) = queue.waits_until(now).filter(|until| told != Some(*until)) {
                    told = Some(until);
                    self.log.waits(until).await;
                }
            }
            let wake = queue.wake(now);
            tokio::select! {
                biased;
                () = stop.cancelled(), if queue.deadline.is_none() => queue.stop(),
                // What is still under way stays marked as such, and is sent again under the same id.
                () = tokio::time::sleep_until(queue.deadline.unwrap_or_else(Instant::now)), if queue.deadline.is_some() => {
                    return queue.halt.unwrap_or(Ok(Ended::Stopped));
                }
                Some(done) = under_way.next() => self.settle(&mut queue, done).await,
                received = deliveries.recv(), if queue.takes(now) && under_way.len() < queue.limit => queue.received(received, now),
                () = tokio::time::sleep(wake.unwrap_or_default()), if wake.is_some() => {}
            }
        }
    }

    async fn attempt(&self, mut pending: Pending) -> Result<(Pending, Verdict, Timestamp), Failure> {
        let body = match self.log.body(&pending.planned).await {
            Err(failure) if failure.code == Code::Store => return Err(failure),
            Err(failure) => return self.park(pending, failure.message).await,
            Ok(body) if template::hash(&body) != pending.planned.hash => {
                return self.park(pending, "Its body is no longer what was queued, so it is not sent.".into()).await;
            }
            Ok(body) => body,
        };
        let at = (self.clock)();
        let Endpoint { spec, keys, .. } = &*self.endpoint;
        let request = match Request::sign(spec, keys, &pending.planned.id, at, body) {
            Err(failure) => return Ok((pending, Verdict::Pause(failure.message), at)),
            Ok(request) => request,
        };
        pending.attempts += 1;
        self.log.started(&pending.planned.id, pending.attempts, at).await?;
        let attempt = self.wire.send(&request).await;
        let now = (self.clock)();
        let verdict = verdict::judge(&attempt, pending.attempts, &spec.retry, now, (self.chance)());
        let (outcome, next_try, reason) = match &verdict {
            Verdict::Delivered => (Outcome::Delivered, None, String::new()),
            Verdict::Parked(reason) => (Outcome::Parked, None, reason.clone()),
            Verdict::Retry(after) | Verdict::Slow { after, .. } => {
                (Outcome::Pending, Some(later(now, *after)), String::new())
            }
            Verdict::Pause(reason) | Verdict::Disable(reason) => (Outcome::Pending, None, reason.clone()),
        };
        pending.due = next_try;
        let (attempts, answer, ms) = (pending.attempts, attempt.answer(), attempt.ms);
        let progress = Progress { outcome, attempts, answer, reason, ms, time: at, next_try };
        self.log.ended(&pending.planned, &progress).await?;
        Ok((pending, verdict, now))
    }

    /// Gives up a delivery that cannot be sent at all.
    async fn park(&self, pending: Pending, reason: String) -> Result<(Pending, Verdict, Timestamp), Failure> {
        let time = (self.clock)();
        let progress = Progress {
            outcome: Outcome::Parked,
            attempts: pending.attempts,
            answer: String::new(),
            reason: reason.clone(),
            ms: 0,
            time,
            next_try: None,
        };
        self.log.ended(&pending.planned, &progress).await?;
        Ok((pending, Verdict::Parked(reason), time))
    }

    async fn settle(&self, queue: &mut Queue, done: Result<(Pending, Verdict, Timestamp), Failure>) {
        let (pending, verdict, at) = match done {
            Ok(done) => done,
            Err(failure) => return queue.halt_with(Err(failure)),
        };
        let (state, reason) = match verdict {
            Verdict::Delivered => return queue.speed_up(self.endpoint.concurrency),
            Verdict::Parked(_) => return,
            Verdict::Retry(_) => return queue.wait(pending, at),
            Verdict::Slow { endpoint, .. } => {
                queue.slow_down(later(at, endpoint));
                return queue.wait(pending, at);
            }
            Verdict::Pause(reason) => (WebhookState::Paused, reason),
            Verdict::Disable(reason) => (WebhookState::Disabled, reason),
        };
        // Others under way will say the same: once is enough.
        if !matches!(queue.halt, Some(Ok(Ended::Halted(..)) | Err(_))) {
            let told = self.log.halted(state, &reason).await;
            queue.halt_with(told.map(|()| Ended::Halted(state, reason)));
        }
    }
}

#[cfg(test)]
#[path = "worker_tests.rs"]
mod tests;
