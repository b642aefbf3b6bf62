//! The worker of one webhook: sends its deliveries, several at once, tries again what failed, and gives way to a busy endpoint.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::queue::{Ended, Pending, Progress, QueueLog};
use super::request::Request;
use super::send::{Attempt, Sender};
use super::signature::SigningKey;
use super::verdict::{self, Verdict};
use super::{WebhookSpec, WebhookState, template};
use crate::failure::{Code, Failure};
use crate::sync::Outcome;

/// How long a stop waits for what is under way.
const DRAIN: Duration = Duration::from_secs(10);
/// Deliveries that wait for a retry in memory; more stay with whoever feeds the worker.
const MOST_WAITING: usize = 10_000;
/// Sleeps are cut into pieces, so that a clock that jumped or a machine that slept is noticed.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

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

/// What waits, and how fast the endpoint may be used.
struct Queue {
    /// By time, then by order of arrival.
    waiting: BTreeMap<(Timestamp, u64), Pending>,
    arrived: u64,
    open: bool,
    /// Requests under way at once, for now.
    limit: usize,
    /// Nothing is sent before.
    not_before: Timestamp,
    halt: Option<Result<Ended, Failure>>,
    /// When a stop no longer waits.
    deadline: Option<Instant>,
}

impl Queue {
    fn new(concurrency: usize) -> Queue {
        Queue {
            waiting: BTreeMap::new(),
            arrived: 0,
            open: true,
            limit: concurrency.max(1),
            not_before: Timestamp::MIN,
            halt: None,
            deadline: None,
        }
    }

    /// What can be sent now: what waited long enough, else something new.
    fn next(&mut self, now: Timestamp, deliveries: &mut mpsc::Receiver<Pending>) -> Option<Pending> {
        if now < self.not_before {
            return None;
        }
        loop {
            if let Some(first) = self.waiting.first_entry()
                && first.key().0 <= now
            {
                return Some(first.remove());
            }
            if !self.takes(now) {
                return None;
            }
            match deliveries.try_recv() {
                Ok(pending) => self.received(Some(pending), now),
                Err(mpsc::error::TryRecvError::Disconnected) => self.received(None, now),
                Err(mpsc::error::TryRecvError::Empty) => return None,
            }
        }
    }

    /// Whether more can be taken in.
    fn takes(&self, now: Timestamp) -> bool {
        self.open && self.halt.is_none() && self.waiting.len() < MOST_WAITING && self.not_before <= now
    }

    fn received(&mut self, received: Option<Pending>, now: Timestamp) {
        match received {
            Some(pending) => self.wait(pending, now),
            None => self.open = false,
        }
    }

    fn wait(&mut self, pending: Pending, now: Timestamp) {
        self.arrived += 1;
        self.waiting.insert((pending.due.unwrap_or(now), self.arrived), pending);
    }

    /// When the next thing can be sent, as far as that is known.
    fn next_try(&self, now: Timestamp) -> Option<Timestamp> {
        let waiting = self.waiting.first_key_value().map(|((due, _), _)| (*due).max(self.not_before));
        let new = (self.open && self.not_before > now).then_some(self.not_before);
        waiting.into_iter().chain(new).min()
    }

    /// Whether it is over, with nothing under way.
    fn end(&self, now: Timestamp, patience: Option<Duration>) -> Option<Ended> {
        if !self.open && self.waiting.is_empty() {
            return Some(Ended::Settled);
        }
        let next = self.next_try(now).filter(|_| !self.takes(now))?;
        (next > later(now, patience?)).then_some(Ended::Waiting(next))
    }

    /// How long to sleep at most; `None` when only a delivery or an answer can go on.
    fn wake(&self, now: Timestamp) -> Option<Duration> {
        let next = self.next_try(now).filter(|next| self.halt.is_none() && *next > now)?;
        Some(Duration::try_from(next.duration_since(now)).unwrap_or_default().min(LONGEST_SLEEP))
    }

    fn slow_down(&mut self, until: Timestamp) {
        self.limit = 1;
        self.not_before = self.not_before.max(until);
    }

    fn speed_up(&mut self, concurrency: usize) {
        self.limit = (self.limit * 2).min(concurrency.max(1));
    }

    fn stop(&mut self) {
        self.deadline = Some(Instant::now() + DRAIN);
        self.halt.get_or_insert(Ok(Ended::Stopped));
    }

    fn halt_with(&mut self, halt: Result<Ended, Failure>) {
        // The first failure says most.
        if !matches!(self.halt, Some(Err(_))) {
            self.halt = Some(halt);
        }
    }
}

fn later(now: Timestamp, by: Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
#[path = "worker_tests.rs"]
mod tests;
