//! GoHighLevel's refusals in classes and in words; those of its token endpoint in RFC 6749's.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::SPEC;
use crate::crm::call::{ApiReply, by_status, words_of};
use crate::crm::{Crm, Trouble, TroubleKind};

/// An error body. `message` is a text, or a list of texts.
#[derive(Deserialize, Default)]
#[serde(default)]
struct ApiError {
    message: Value,
    meta: Meta,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Meta {
    contact_id: String,
    matching_field: String,
}

impl ApiError {
    fn words(&self) -> String {
        match &self.message {
            Value::String(text) => text.clone(),
            Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; "),
            _ => String::new(),
        }
    }
}

/// A contact that stands in the way of a write, in a location that allows no duplicates.
pub(super) struct InTheWay {
    /// Its id.
    pub contact: String,
    /// The field that both have: `email` or `phone`.
    pub field: String,
    /// The vendor's words.
    pub words: String,
}

/// The contact that a refusal names.
pub(super) fn in_the_way(reply: &ApiReply) -> Option<InTheWay> {
    if reply.status.as_u16() != 400 {
        return None;
    }
    let error = reply.json::<ApiError>()?;
    let words = error.words();
    let Meta { contact_id: contact, matching_field: field } = error.meta;
    (!contact.is_empty() && !field.is_empty()).then_some(InTheWay { contact, field, words })
}

/// The class of an answer that is not a success. A refusal that names the contact in the way is an answer: the write acts on
/// it.
pub(super) fn classify(reply: &ApiReply) -> Option<Trouble> {
    if reply.status.is_success() || in_the_way(reply).is_some() {
        return None;
    }
    let words = reply.json::<ApiError>().unwrap_or_default().words();
    let mut trouble = by_status(SPEC.name, reply, &words)?;
    let said = words.to_lowercase();
    match reply.status.as_u16() {
        // A missing scope comes as 401, too, where no refresh would help.
        401 | 403 if said.contains("scope") => {
            let scopes = SPEC.oauth.map_or(String::new(), |oauth| oauth.scopes.join(" "));
            trouble.kind = TroubleKind::Permission;
            trouble.message = words_of(&format!("GoHighLevel did not grant a scope that is needed: {words}"));
            trouble.next_step = format!("Tick these scopes and connect again: {scopes}.");
        }
        401 | 403 if said.contains("access to this location") => {
            trouble.kind = TroubleKind::Permission;
            trouble.message = words_of(&format!("GoHighLevel does not let this token into the location: {words}"));
            trouble.next_step = "Check the location id, or connect again and choose this location.".to_owned();
        }
        403 if ["plan", "upgrade", "subscription"].iter().any(|word| said.contains(word)) => {
            trouble.kind = TroubleKind::Plan;
            trouble.message = words_of(&format!("This GoHighLevel plan does not include it: {words}"));
            trouble.next_step = "Ask the agency, or GoHighLevel, for a plan with API access.".to_owned();
        }
        429 => of_limits(reply, &mut trouble, &words),
        400 | 422 => trouble.next_step = of_values(&said).to_owned(),
        _ => {}
    }
    Some(trouble)
}

fn of_limits(reply: &ApiReply, trouble: &mut Trouble, words: &str) {
    let wait = super::GoHighLevel.allowance(&reply.headers).map(|allowance| allowance.resets_in_ms.div_ceil(1_000));
    let daily = reply.headers.get("x-ratelimit-daily-remaining").is_some_and(|left| left.as_bytes() == b"0");
    if daily {
        trouble.kind = TroubleKind::Quota { until: None };
        trouble.message = words_of(&format!("GoHighLevel's calls of today are used up: {words}"));
        trouble.next_step = "Nothing to do: it goes on by itself once there are calls again.".to_owned();
    } else if let TroubleKind::Busy { retry_after: retry_after @ None } = &mut trouble.kind {
        *retry_after = Some(wait.unwrap_or_else(|| SPEC.rate.seconds.into()));
    }
}

fn of_values(said: &str) -> &'static str {
    if said.contains("country") {
        "Use a two-letter country code, such as US, in the file."
    } else if said.contains("email") {
        "Correct the e-mail address in the file."
    } else if said.contains("phone") {
        "Correct the phone number in the file: with its country code, such as +1."
    } else {
        "Change the lead as the message says, then retry."
    }
}

/// A refusal of the token endpoint in RFC 6749's shape.
pub(super) fn normalise(response: http::Response<Vec<u8>>) -> http::Response<Vec<u8>> {
    if !response.status().is_client_error() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let rewritten = serde_json::from_slice::<Map<String, Value>>(&body).ok().and_then(|mut error| {
        let words = ApiError { message: error.get("message")?.clone(), meta: Meta::default() }.words();
        let said = words.to_lowercase();
        let code = match parts.status.as_u16() {
            401 => "invalid_client",
            _ if said.contains("invalid grant") => "invalid_grant",
            _ if said.contains("scope") => "invalid_scope",
            _ => "invalid_request",
        };
        error.insert("error".to_owned(), json!(code));
        error.insert("error_description".to_owned(), json!(words));
        serde_json::to_vec(&error).ok()
    });
    parts.headers.remove(http::header::CONTENT_LENGTH);
    http::Response::from_parts(parts, rewritten.unwrap_or(body))
}
