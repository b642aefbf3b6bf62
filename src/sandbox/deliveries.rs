//! What the practice webhook receiver knows: endpoints, their secrets, how they answer, and the deliveries that came.
//!
//! Secrets stay in memory: after a restart the page asks for them anew.

use std::collections::{BTreeMap, VecDeque};

use http::HeaderMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::webhook::signature::{SigningKey, verify};

/// Deliveries kept.
const KEPT: usize = 500;
/// A body up to this size is kept in memory, so that a secret pasted later can still check it.
const CHECKED_LATER: usize = 64 * 1024;
/// Endpoints kept; each is made by its first call.
const HOOKS: usize = 100;

/// What the signature says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "reason", rename_all = "snake_case")]
pub(super) enum Signature {
    /// Signed with the secret of this endpoint.
    Verified,
    /// The secret of this endpoint is not known.
    Unknown,
    /// Not signed with it, for this reason.
    Wrong(String),
}

/// How an endpoint answers a good delivery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "left", rename_all = "snake_case")]
pub(super) enum Answers {
    /// 200.
    #[default]
    Fine,
    /// 503 for this many more deliveries, then 200.
    Unavailable(u32),
    /// 410, until told otherwise.
    Gone,
}

/// One endpoint.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Hook {
    pub(super) answers: Answers,
    #[serde(skip)]
    pub(super) secret: Option<SigningKey>,
}

/// One request that came.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Delivery {
    pub(super) time: Timestamp,
    pub(super) hook: String,
    pub(super) id: String,
    pub(super) attempt: u32,
    pub(super) leads: u64,
    pub(super) status: u16,
    pub(super) signature: Signature,
    pub(super) start: String,
    #[serde(skip)]
    signed: Option<Signed>,
}

/// The parts of a request that its signature covers, and the signature.
#[derive(Debug)]
struct Signed {
    id: String,
    timestamp: String,
    signature: String,
    body: Vec<u8>,
}

/// All endpoints and deliveries, the newest delivery first.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Inbox {
    pub(super) hooks: BTreeMap<String, Hook>,
    pub(super) deliveries: VecDeque<Delivery>,
    pub(super) received: u64,
}

/// Whether this can be an endpoint's name: letters, digits, `-` and `_`, at most 64.
pub(super) fn is_hook_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

impl Inbox {
    /// The endpoint of this name, made when there is room; `None` when the name is not one or there are too many.
    pub(super) fn hook(&mut self, name: &str) -> Option<&mut Hook> {
        if !is_hook_name(name) || (self.hooks.len() >= HOOKS && !self.hooks.contains_key(name)) {
            return None;
        }
        Some(self.hooks.entry(name.to_owned()).or_default())
    }

    /// Takes the secret of an endpoint and checks with it what came before.
    pub(super) fn learn_secret(&mut self, name: &str, secret: SigningKey) {
        for delivery in self.deliveries.iter_mut().filter(|delivery| delivery.hook == name) {
            if let (Signature::Unknown, Some(signed)) = (&delivery.signature, &delivery.signed) {
                delivery.signature = signed.check(&secret, delivery.time);
            }
        }
        if let Some(hook) = self.hook(name) {
            hook.secret = Some(secret);
        }
    }

    /// Notes a request and answers its status; `None` when there is no such endpoint.
    pub(super) fn take(&mut self, name: &str, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Option<u16> {
        let signed = Signed::read(headers, body);
        let hook = self.hook(name)?;
        let signature = match (&hook.secret, &signed) {
            (None, _) => Signature::Unknown,
            (Some(secret), Ok(signed)) => signed.check(secret, now),
            (Some(_), Err(missing)) => Signature::Wrong(missing.clone()),
        };
        let status = if matches!(signature, Signature::Wrong(_)) { 401 } else { hook.answer() };
        let id = headers.get("webhook-id").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let earlier = self.deliveries.iter().find(|kept| !id.is_empty() && kept.id == id && kept.hook == name);
        self.received += 1;
        let delivery = Delivery {
            time: now,
            hook: name.to_owned(),
            attempt: earlier.map_or(1, |kept| kept.attempt + 1),
            id,
            leads: count_leads(body),
            status,
            signature,
            start: String::from_utf8_lossy(&body[..body.len().min(2000)]).into_owned(),
            signed: signed.ok().filter(|_| body.len() <= CHECKED_LATER),
        };
        self.deliveries.push_front(delivery);
        self.deliveries.truncate(KEPT);
        Some(status)
    }
}

impl Hook {
    fn answer(&mut self) -> u16 {
        match self.answers {
            Answers::Fine => 200,
            Answers::Gone => 410,
            Answers::Unavailable(left) => {
                self.answers = if left > 1 { Answers::Unavailable(left - 1) } else { Answers::Fine };
                503
            }
        }
    }
}

impl Signed {
    fn read(headers: &HeaderMap, body: &[u8]) -> Result<Signed, String> {
        let header = |name: &str| {
            let value = headers.get(name).and_then(|value| value.to_str().ok()).filter(|value| !value.is_empty());
            value.map(str::to_owned).ok_or_else(|| format!("the header {name} is missing"))
        };
        Ok(Signed {
            id: header("webhook-id")?,
            timestamp: header("webhook-timestamp")?,
            signature: header("webhook-signature")?,
            body: body.to_vec(),
        })
    }

    fn check(&self, secret: &SigningKey, received: Timestamp) -> Signature {
        let keys = std::slice::from_ref(secret);
        match verify(keys, &self.id, &self.timestamp, &self.signature, &self.body, received) {
            Ok(()) => Signature::Verified,
            Err(forged) => Signature::Wrong(forged.to_string()),
        }
    }
}

/// How many leads a body seems to carry: the length of the array that is the body, its `data`, or the `leads` of either.
fn count_leads(body: &[u8]) -> u64 {
    let Ok(body) = serde_json::from_slice::<serde_json::Value>(body) else { return 1 };
    let inner = body.get("data").unwrap_or(&body);
    let array = inner.as_array().or_else(|| inner.get("leads").and_then(serde_json::Value::as_array));
    array.map_or(1, |leads| leads.len() as u64)
}
