//! monday's errors in classes and in words: they come under HTTP 200 as well as under statuses, each with a code.

use jiff::{SignedDuration, Timestamp, ToSpan, tz::TimeZone};
use serde_json::Value;

use super::SPEC;
use super::graph::Answer;
use crate::crm::call::{ApiReply, by_status, words_of};
use crate::crm::{Trouble, TroubleKind};

/// The class of an answer that is not a success. Where a part of a document went through, or one thing of it was refused, the
/// answer is a success here and whoever asked looks at the errors.
pub(super) fn classify(reply: &ApiReply) -> Option<Trouble> {
    let answer: Answer = reply.json().unwrap_or_default();
    let error = answer.errors.first();
    if !reply.status.is_success() {
        let trouble = by_status(SPEC.name, reply, error.map_or("", words))?;
        return Some(match error.map(of) {
            // A code says more than the status, except about the sign-in.
            Some(coded) if trouble.kind != TroubleKind::Credentials && coded.kind != TroubleKind::Refused => {
                with_wait(coded, &trouble)
            }
            _ if reply.status.as_u16() == 423 => locked(trouble),
            _ => trouble,
        });
    }
    let some_went_through = answer.data.iter().flatten().any(|(_, value)| !value.is_null());
    let trouble = of(error.filter(|_| !some_went_through)?);
    let of_one_thing = matches!(trouble.kind, TroubleKind::Refused | TroubleKind::Missing);
    let placed = error.is_some_and(|error| error.get("path").is_some_and(Value::is_array));
    (!(of_one_thing && placed)).then_some(trouble)
}

/// The wait of the header, where the body tells none.
fn with_wait(coded: Trouble, by_status: &Trouble) -> Trouble {
    match (&coded.kind, &by_status.kind) {
        (TroubleKind::Busy { retry_after: None }, TroubleKind::Busy { retry_after }) => {
            Trouble { kind: TroubleKind::Busy { retry_after: *retry_after }, ..coded }
        }
        _ => coded,
    }
}

fn locked(trouble: Trouble) -> Trouble {
    let next_step = "Nothing to do: it is tried again by itself once the board is free.".to_owned();
    Trouble { kind: TroubleKind::Vendor, next_step, ..trouble }
}

fn words(error: &Value) -> &str {
    error.as_str().or_else(|| error.get("message")?.as_str()).unwrap_or_default()
}

/// The class of one error, and its words.
pub(super) fn of(error: &Value) -> Trouble {
    let said = words(error);
    let code = error.pointer("/extensions/code").and_then(Value::as_str).unwrap_or_default();
    let detail = |name: &str| error.pointer(&format!("/extensions/error_data/{name}"));
    let wait = detail("retry_in_seconds").and_then(Value::as_f64).filter(|seconds| (0.0..=1e6).contains(seconds));
    let wait = wait.map(|seconds| seconds.ceil() as u64);
    // Codes come in more than one spelling; without one, the words have to do.
    let told = if code.is_empty() { said } else { code };
    let folded: String = told.to_lowercase().chars().filter(|ch| !matches!(ch, '_' | ' ')).collect();
    let has = |parts: &[&str]| parts.iter().any(|part| folded.contains(part));
    let words = if code.is_empty() { words_of(said) } else { words_of(&format!("{said} ({code})")) };
    let trouble = |kind, message: String, next_step: &str| Trouble {
        kind,
        message: words_of(&message),
        next_step: next_step.to_owned(),
    };
    if has(&["dailylimit"]) {
        let message = format!("The API calls of today are used up in this monday.com account: {words}");
        let until = until(Timestamp::now(), wait);
        return trouble(TroubleKind::Quota { until }, message, "It goes on by itself; larger plans have more calls.");
    }
    if has(&["complexity", "concurrency", "ratelimit", "fieldlimit"]) {
        let message = format!("monday.com asks us to slow down: {words}");
        return trouble(TroubleKind::Busy { retry_after: wait }, message, "Nothing to do: it goes on by itself.");
    }
    if has(&["notauthenticated", "invalidtoken"]) {
        let message = format!("monday.com does not accept the sign-in any more: {words}");
        return trouble(TroubleKind::Credentials, message, "Connect monday.com again.");
    }
    if has(&["unauthorized", "missingrequiredpermissions", "forbidden"]) {
        return not_allowed(said, &words);
    }
    if has(&["internalservererror", "resourcelocked"]) {
        let message = format!("monday.com has trouble of its own: {words}");
        return trouble(TroubleKind::Vendor, message, "Nothing to do: it is tried again by itself.");
    }
    if has(&["notfound", "invalidboardid"]) {
        return trouble(TroubleKind::Missing, words, "It may have been deleted in monday.com: retry.");
    }
    let next_step = match detail("column_name").and_then(Value::as_str) {
        Some(column) => format!("Change the value of {} in the file, or do not map it.", words_of(column)),
        None => "Change the lead as the message says, then retry.".to_owned(),
    };
    trouble(TroubleKind::Refused, words, &next_step)
}

fn not_allowed(said: &str, words: &str) -> Trouble {
    if said.to_lowercase().contains("plan") {
        return Trouble {
            kind: TroubleKind::Plan,
            message: words_of(&format!("This monday.com plan does not include it: {words}")),
            next_step: "Ask the account's administrator for a plan with API access.".to_owned(),
        };
    }
    let scopes = SPEC.oauth.map_or(String::new(), |oauth| oauth.scopes.join(", "));
    Trouble {
        kind: TroubleKind::Permission,
        message: words_of(&format!("monday.com does not allow this: {words}")),
        next_step: format!(
            "The app needs the scopes {scopes}, and you the right to edit the board; then connect again."
        ),
    }
}

/// When calls are there again: as told, else at the next midnight of UTC.
fn until(now: Timestamp, wait: Option<u64>) -> Option<Timestamp> {
    match wait.and_then(|wait| i64::try_from(wait).ok()) {
        Some(wait) => now.checked_add(SignedDuration::from_secs(wait)).ok(),
        None => {
            let today = now.to_zoned(TimeZone::UTC).start_of_day().ok()?;
            Some(today.checked_add(1.day()).ok()?.timestamp())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_used_up_day_ends_as_told_or_at_midnight() {
        let now: Timestamp = "2026-03-04T22:30:00Z".parse().unwrap();
        assert_eq!(until(now, Some(60)).unwrap().to_string(), "2026-03-04T22:31:00Z");
        assert_eq!(until(now, None).unwrap().to_string(), "2026-03-05T00:00:00Z");
    }
}
