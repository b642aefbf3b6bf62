//! Pipedrive's refusals in classes and in words; those of its token endpoint, and its list of scopes, in RFC 6749's shape.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{SEARCH_COST, SPEC};
use crate::crm::call::{ApiReply, by_status, words_of};
use crate::crm::{Trouble, TroubleKind};

/// The rolling window that bursts are counted in, in seconds.
const WINDOW: u64 = 2;

#[derive(Deserialize, Default)]
#[serde(default)]
struct ApiError {
    error: Value,
    message: Value,
}

impl ApiError {
    fn words(&self) -> &str {
        self.error.as_str().or_else(|| self.message.as_str()).unwrap_or_default()
    }
}

/// The class of an answer that is not a success.
pub(super) fn classify(reply: &ApiReply) -> Option<Trouble> {
    if reply.status.is_success() {
        return None;
    }
    let error: ApiError = reply.json().unwrap_or_default();
    let words = error.words();
    let said = words.to_lowercase();
    let mut trouble = by_status(SPEC.name, reply, words)?;
    match reply.status.as_u16() {
        403 if said.contains("scope") => {
            let scopes = SPEC.oauth.map_or(String::new(), |oauth| oauth.scopes.join(" and "));
            trouble.message = words_of(&format!("Pipedrive did not grant this app a scope that it needs: {words}"));
            trouble.next_step =
                format!("Give the app the scopes {scopes} in the Developer Hub, then connect Pipedrive again.");
        }
        403 if ["plan", "upgrade", "subscription"].iter().any(|word| said.contains(word)) => {
            trouble.kind = TroubleKind::Plan;
            trouble.message = words_of(&format!("This Pipedrive plan does not include it: {words}"));
            trouble.next_step = "Ask whoever pays for Pipedrive for a plan that includes it.".to_owned();
        }
        403 if said.contains("contact sync") => {
            trouble.kind = TroubleKind::Refused;
            trouble.next_step = "Set up contact sync in Pipedrive, or do not map job_title and notes.".to_owned();
        }
        403 => {
            trouble.next_step =
                "Ask your Pipedrive administrator for the permission to add and edit people and labels.".to_owned();
        }
        429 => of_limits(reply, &mut trouble, words),
        400 | 422 => trouble.next_step = of_values(&said).to_owned(),
        404 => trouble.next_step = "It may have been deleted in Pipedrive: retry.".to_owned(),
        _ => {}
    }
    Some(trouble)
}

fn of_limits(reply: &ApiReply, trouble: &mut Trouble, words: &str) {
    let number = |name: &str| reply.headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    let day_left = number("x-daily-ratelimit-token-remaining");
    if day_left.is_some_and(|left| left < SEARCH_COST) || words.to_lowercase().contains("daily") {
        trouble.kind = TroubleKind::Quota { until: None };
        trouble.message = words_of(&format!("Pipedrive's API budget of the company for today is used up: {words}"));
        trouble.next_step =
            "It goes on by itself after Pipedrive's midnight; more comes with plan and seats.".to_owned();
    } else if let TroubleKind::Busy { retry_after } = &mut trouble.kind {
        let asked = retry_after.unwrap_or(0).max(number("x-ratelimit-reset").unwrap_or(0));
        *retry_after = Some(asked.max(WINDOW));
    }
}

fn of_values(said: &str) -> &'static str {
    if said.contains("email") {
        "Correct the e-mail address in the file."
    } else if said.contains("phone") {
        "Correct the phone number in the file."
    } else if said.contains("custom_fields") {
        "Change the value that the message names, or do not map it, then retry."
    } else {
        "Change the lead as the message says, then retry."
    }
}

/// A token answer in the standard's shape: scopes with blanks between them, a refusal's words under their name.
pub(super) fn normalise(response: http::Response<Vec<u8>>) -> http::Response<Vec<u8>> {
    let (mut parts, body) = response.into_parts();
    let rewritten = serde_json::from_slice::<Map<String, Value>>(&body).ok().and_then(|mut answer| {
        if let Some(scopes) = answer.get("scope").and_then(Value::as_str) {
            answer.insert(
                "scope".to_owned(),
                json!(scopes.split([',', ' ']).filter(|scope| !scope.is_empty()).collect::<Vec<_>>().join(" ")),
            );
        }
        if let Some(words) = answer.get("message").filter(|words| words.is_string()).cloned() {
            answer.entry("error_description").or_insert(words);
        }
        serde_json::to_vec(&answer).ok()
    });
    parts.headers.remove(http::header::CONTENT_LENGTH);
    http::Response::from_parts(parts, rewritten.unwrap_or(body))
}
