//! The delivery queue of a webhook: what is sent when, and what it asks of the store: marks on disk before and after each
//! attempt. The sending itself is the worker's.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::WebhookState;
use super::plan::Planned;
use crate::failure::Failure;
use crate::sync::Outcome;

/// How long a stop waits for what is under way.
const DRAIN: Duration = Duration::from_secs(10);
/// Deliveries that wait for a retry in memory; more stay with whoever feeds the worker.
const MOST_WAITING: usize = 10_000;
/// Sleeps are cut into pieces, so that a clock that jumped or a machine that slept is noticed.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// A delivery that has no final outcome yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// What is to be sent.
    pub planned: Planned,
    /// Attempts so far, one that was under way when the process ended included.
    pub attempts: u32,
    /// When it is tried; `None` = now.
    pub due: Option<Timestamp>,
}

/// How a delivery stands after an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// `Delivered`, `Parked`, or `Pending` when it is tried again.
    pub outcome: Outcome,
    /// Attempts so far.
    pub attempts: u32,
    /// The answer in one line: `200`, `503`, or a sentence. Foreign text in part.
    pub answer: String,
    /// Why it was parked, or what it waits for; empty when it was delivered.
    pub reason: String,
    /// How long the attempt took; 0 when nothing was sent.
    pub ms: u64,
    /// When it was tried.
    pub time: Timestamp,
    /// When it is tried next; `None` when it waits for a person.
    pub next_try: Option<Timestamp>,
}

/// The queue's door to the disk. Each call answers when the mark is durable; calls come from many deliveries at once, so that
/// they can share a commit. A failure stops the worker: without marks nothing may be sent.
#[async_trait]
pub trait QueueLog: Send + Sync {
    /// The body, rendered again from what the run froze. A failure other than [`Code::Store`](crate::failure::Code::Store)
    /// parks this delivery alone.
    async fn body(&self, planned: &Planned) -> Result<Vec<u8>, Failure>;

    /// An attempt is about to be made: the `attempts`th, at this time.
    async fn started(&self, id: &str, attempts: u32, at: Timestamp) -> Result<(), Failure>;

    /// How the delivery stands now.
    async fn ended(&self, planned: &Planned, progress: &Progress) -> Result<(), Failure>;

    /// Nothing is under way, and nothing will be sent before this time.
    async fn waits(&self, _until: Timestamp) {}

    /// The endpoint made the webhook pause or be disabled.
    async fn halted(&self, state: WebhookState, reason: &str) -> Result<(), Failure>;
}

/// Why a worker ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Every delivery it was given has an outcome.
    Settled,
    /// What is left is tried at this time, further away than its patience.
    Waiting(Timestamp),
    /// The webhook is paused or disabled, with the reason; what is left waits.
    Halted(WebhookState, String),
    /// It was told to stop; what was still under way is sent again under the same id.
    Stopped,
}

/// What waits, and how fast the endpoint may be used.
pub(super) struct Queue {
    /// By time, then by order of arrival.
    waiting: BTreeMap<(Timestamp, u64), Pending>,
    arrived: u64,
    open: bool,
    /// Requests under way at once, for now.
    pub(super) limit: usize,
    /// Nothing is sent before.
    not_before: Timestamp,
    pub(super) halt: Option<Result<Ended, Failure>>,
    /// When a stop no longer waits.
    pub(super) deadline: Option<Instant>,
}

impl Queue {
    pub(super) fn new(concurrency: usize) -> Queue {
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
    pub(super) fn next(&mut self, now: Timestamp, deliveries: &mut mpsc::Receiver<Pending>) -> Option<Pending> {
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
    pub(super) fn takes(&self, now: Timestamp) -> bool {
        self.open && self.halt.is_none() && self.waiting.len() < MOST_WAITING && self.not_before <= now
    }

    pub(super) fn received(&mut self, received: Option<Pending>, now: Timestamp) {
        match received {
            Some(pending) => self.wait(pending, now),
            None => self.open = false,
        }
    }

    pub(super) fn wait(&mut self, pending: Pending, now: Timestamp) {
        self.arrived += 1;
        self.waiting.insert((pending.due.unwrap_or(now), self.arrived), pending);
    }

    /// When the next thing can be sent, as far as that is known.
    pub(super) fn next_try(&self, now: Timestamp) -> Option<Timestamp> {
        let waiting = self.waiting.first_key_value().map(|((due, _), _)| (*due).max(self.not_before));
        let new = (self.open && self.not_before > now).then_some(self.not_before);
        waiting.into_iter().chain(new).min()
    }

    /// Whether it is over, with nothing under way.
    pub(super) fn end(&self, now: Timestamp, patience: Option<Duration>) -> Option<Ended> {
        if !self.open && self.waiting.is_empty() {
            return Some(Ended::Settled);
        }
        let next = self.waits_until(now)?;
        (next > later(now, patience?)).then_some(Ended::Waiting(next))
    }

    /// With nothing under way: the time before which nothing will be sent.
    pub(super) fn waits_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.next_try(now).filter(|next| *next > now && !self.takes(now))
    }

    /// How long to sleep at most; `None` when only a delivery or an answer can go on.
    pub(super) fn wake(&self, now: Timestamp) -> Option<Duration> {
        let next = self.next_try(now).filter(|next| self.halt.is_none() && *next > now)?;
        Some(Duration::try_from(next.duration_since(now)).unwrap_or_default().min(LONGEST_SLEEP))
    }

    pub(super) fn slow_down(&mut self, until: Timestamp) {
        self.limit = 1;
        self.not_before = self.not_before.max(until);
    }

    pub(super) fn speed_up(&mut self, concurrency: usize) {
        self.limit = (self.limit * 2).min(concurrency.max(1));
    }

    pub(super) fn stop(&mut self) {
        self.deadline = Some(Instant::now() + DRAIN);
        self.halt.get_or_insert(Ok(Ended::Stopped));
    }

    pub(super) fn halt_with(&mut self, halt: Result<Ended, Failure>) {
        // The first failure says most.
        if !matches!(self.halt, Some(Err(_))) {
            self.halt = Some(halt);
        }
    }
}

/// A time after another; never past what a timestamp can hold.
pub(super) fn later(now: Timestamp, by: Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}
