//! Outgoing webhooks: endpoint settings, payload, signature, network guard, sending.
//!
//! A run goes through it like this: [`plan`] turns a list version into deliveries, which the engine makes durable;
//! [`worker`] works them off over a [`queue`]; [`template`] renders a body, [`request`] signs it, [`send`] sends it past the
//! [`guard`], and [`verdict`] says what the answer means.

pub mod guard;
pub mod plan;
pub mod queue;
mod ranges;
pub mod ready;
pub mod request;
pub mod retry;
pub mod send;
pub mod signature;
pub mod spec;
pub mod template;
pub mod verdict;
pub mod worker;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::vault::Secret;

/// How a webhook is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum HttpMethod {
    /// The usual one.
    #[default]
    Post,
    /// For endpoints that replace.
    Put,
    /// For endpoints that merge.
    Patch,
}

/// How a request proves who sends it, besides the signature.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Auth {
    /// The signature alone.
    #[default]
    None,
    /// A key in a header of the receiver's choice.
    ApiKey {
        /// The header's name.
        header: String,
        /// The key.
        #[serde(with = "crate::vault::sealed")]
        key: Secret,
    },
    /// `Authorization: Bearer …`
    Bearer {
        /// The token.
        #[serde(with = "crate::vault::sealed")]
        token: Secret,
    },
    /// `Authorization: Basic …`
    Basic {
        /// The user.
        user: String,
        /// The password.
        #[serde(with = "crate::vault::sealed")]
        password: Secret,
    },
}

/// Whether a webhook sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookState {
    /// It sends.
    #[default]
    Active,
    /// A person, or a 401 or 403, paused it; what is queued waits.
    Paused,
    /// The receiver said 410 Gone.
    Disabled,
}

/// One configured outgoing endpoint, without its signing secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WebhookSpec {
    /// Its name; unique, compared without case.
    pub name: String,
    /// Where requests go. HTTPS only.
    pub url: String,
    /// Always `outgoing`.
    pub stage: String,
    /// Always `leads`.
    pub category: String,
    /// POST, PUT or PATCH.
    pub method: HttpMethod,
    /// More than the signature.
    pub auth: Auth,
    /// More headers, in order.
    pub headers: Vec<(String, String)>,
    /// The payload: a ready template's name, or `custom` with the text in `template_text`.
    pub template: String,
    /// A template of one's own (minijinja over a lead, JSON-aware).
    pub template_text: String,
    /// Leads per request; 1 unless batched.
    pub batch: u32,
    /// Only leads that match go out; the filter language; empty = all.
    pub filter: String,
    /// Delays between attempts, in seconds; attempts = delays + 1.
    pub retry: Vec<u64>,
}

impl Default for WebhookSpec {
    /// What an empty form holds: the stage and category are preset, the payload is the standard envelope.
    fn default() -> Self {
        WebhookSpec {
            name: String::new(),
            url: String::new(),
            stage: "outgoing".into(),
            category: "leads".into(),
            method: HttpMethod::default(),
            auth: Auth::default(),
            headers: Vec::new(),
            template: ready::READY[0].name.into(),
            template_text: String::new(),
            batch: 1,
            filter: String::new(),
            retry: retry::DEFAULT.into(),
        }
    }
}

/// A webhook as lists show it: nothing secret in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookSummary {
    /// The webhook's id; never changes.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its address with the path masked: the path can be a secret.
    pub url: String,
    /// Whether it sends.
    pub state: WebhookState,
    /// Why it is paused or disabled.
    pub reason: String,
    /// Deliveries waiting.
    pub waiting: u64,
    /// Deliveries given up.
    pub parked: u64,
    /// When it last took something.
    pub last_delivered: Option<Timestamp>,
}

/// One request of a run, as the log shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliverySummary {
    /// The `webhook-id`: never changes over attempts.
    pub id: String,
    /// The webhook's name.
    pub webhook: String,
    /// The run it belongs to; empty for a test.
    pub run: String,
    /// Leads in it, for a person.
    pub leads: String,
    /// What became of it.
    pub outcome: crate::sync::Outcome,
    /// How often it was tried.
    pub attempts: u32,
    /// The last answer: `200`, `503`, or a sentence when there was none.
    pub answer: String,
    /// How long the last try took.
    pub ms: u64,
    /// When it was last tried, or queued.
    pub time: Timestamp,
    /// When it is tried next.
    pub next_try: Option<Timestamp>,
}

/// One request and its answer, exactly, with secrets masked: what a test shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// The status, or 0 when there was no answer.
    pub status: u16,
    /// From dialling to the end of the answer.
    pub ms: u64,
    /// What was sent.
    pub request: RequestSeen,
    /// What came back.
    pub response: ResponseSeen,
}

/// A request as it went out; secret values are masked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestSeen {
    /// POST, PUT or PATCH.
    pub method: String,
    /// The address, path masked.
    pub url: String,
    /// The headers in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// An answer as it came in, cut at 64 KB; foreign text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseSeen {
    /// The headers in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
    /// Why there was no answer; empty when there was one.
    pub error: String,
}
