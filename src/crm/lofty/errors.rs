//! Lofty's refusals in classes and in words, and what its headers say about calls left.

use http::HeaderMap;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::SPEC;
use crate::crm::call::{ApiReply, by_status, words_of};
use crate::crm::limiter::Allowance;
use crate::crm::{Trouble, TroubleKind};

/// The window of the vendor's limit.
const WINDOW_MS: u64 = 60_000;

/// An error body. `code` is a number or a word.
#[derive(Deserialize, Default)]
#[serde(default)]
struct ApiError {
    code: Value,
    message: String,
}

impl ApiError {
    fn code(&self) -> String {
        match &self.code {
            Value::String(word) => word.clone(),
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        }
    }
}

/// The class of an answer that is not a success.
pub(super) fn classify(reply: &ApiReply) -> Option<Trouble> {
    if reply.status.is_success() {
        return None;
    }
    let error: ApiError = reply.json().unwrap_or_default();
    let code = error.code();
    let words = if code.is_empty() { error.message.clone() } else { format!("{} ({code})", error.message) };
    let mut trouble = by_status(SPEC.name, reply, &words)?;
    match (reply.status.as_u16(), code.as_str()) {
        (403, "200100") => {
            trouble.message = words_of(&format!("This app may not make a call that is needed: {words}"));
            trouble.next_step = "Grant the app the endpoints for leads (list, read, create, update), me and custom \
                fields in Lofty's developer portal (its scope), then connect again."
                .to_owned();
        }
        (403, _) if error.message.to_lowercase().contains("not enabled") => {
            trouble.kind = TroubleKind::Plan;
            trouble.message = words_of(&format!("This Lofty account has no API access: {words}"));
            trouble.next_step =
                "Ask Lofty, or the account's owner, for a plan or an add-on with API access.".to_owned();
        }
        (403, _) => {
            trouble.next_step = "Ask the owner of the Lofty team for the right to see and change leads.".to_owned();
        }
        (429, _) => {
            if let TroubleKind::Busy { retry_after: retry_after @ None } = &mut trouble.kind {
                let resets = allowance(&reply.headers, Timestamp::now()).map(|allowance| allowance.resets_in_ms);
                *retry_after = Some(resets.unwrap_or(WINDOW_MS).div_ceil(1_000));
            }
        }
        (400, code) => {
            trouble.next_step = match code {
                "200057" => "Fill in the address in the file, or do not map it.",
                _ => "Correct e-mail, phone and address in the file, then retry.",
            }
            .to_owned();
        }
        (404, _) => trouble.next_step = "The lead was removed in Lofty: restore it there, then retry.".to_owned(),
        _ => {}
    }
    Some(trouble)
}

/// Calls left in this minute. The reset is documented as seconds since 1970, and shown as a small number.
pub(super) fn allowance(headers: &HeaderMap, now: Timestamp) -> Option<Allowance> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    let resets_in_ms = match number("x-ratelimit-reset") {
        None => WINDOW_MS,
        Some(seconds @ 0..=60) => seconds * 1_000,
        Some(millis @ 61..=WINDOW_MS) => millis,
        Some(epoch) => {
            let now = u64::try_from(now.as_second()).unwrap_or_default();
            epoch.saturating_sub(now).saturating_mul(1_000)
        }
    };
    Some(Allowance {
        remaining: u32::try_from(number("x-ratelimit-remaining")?).unwrap_or(u32::MAX),
        resets_in_ms: resets_in_ms.min(WINDOW_MS),
        limit: number("x-ratelimit-limit").and_then(|limit| u32::try_from(limit).ok()),
    })
}
