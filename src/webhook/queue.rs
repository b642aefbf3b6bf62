//! What the delivery queue of a webhook keeps, and what it asks of the store: marks on disk before and after each attempt.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::WebhookState;
use super::plan::Planned;
use crate::failure::Failure;
use crate::sync::Outcome;

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
