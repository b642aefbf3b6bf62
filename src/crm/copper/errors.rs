//! Copper's refusals in classes and in words.

use serde::Deserialize;
use serde_json::Value;

use crate::crm::call::{ApiReply, by_status, words_of};
use crate::crm::{Trouble, TroubleKind};

#[derive(Deserialize, Default)]
#[serde(default)]
struct ApiError {
    message: Value,
    error: Value,
}

/// The class of an answer that is not a success.
pub(super) fn classify(reply: &ApiReply) -> Option<Trouble> {
    if reply.status.is_success() {
        return None;
    }
    let error: ApiError = reply.json().unwrap_or_default();
    let message = if error.message.is_null() { error.error } else { error.message };
    let words = words(&message);
    let mut trouble = by_status("Copper", reply, &words)?;
    match reply.status.as_u16() {
        401 => trouble.next_step.push_str(" With an API key the e-mail has to be its owner's."),
        403 if words.to_lowercase().contains("feature") => {
            trouble.kind = TroubleKind::Plan;
            trouble.message = words_of(&format!("Copper has this feature switched off, or the plan lacks it: {words}"));
            trouble.next_step = "Ask your Copper administrator to switch it on, or for a plan with it.".to_owned();
        }
        422 => trouble.next_step = next_step(&message, &words),
        _ => {}
    }
    Some(trouble)
}

/// What Copper says: one text, or errors by field.
pub(super) fn words(message: &Value) -> String {
    match message {
        Value::Null => String::new(),
        Value::String(text) => words_of(text),
        Value::Object(fields) => {
            let told = fields.iter().map(|(field, errors)| format!("{field}: {}", reasons(errors)));
            words_of(&told.collect::<Vec<_>>().join("; "))
        }
        other => words_of(&other.to_string()),
    }
}

fn reasons(errors: &Value) -> String {
    let reason = |error: &Value| match error.get("error").unwrap_or(error) {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    errors.as_array().map_or_else(|| reason(errors), |errors| errors.iter().map(reason).collect::<Vec<_>>().join(", "))
}

fn next_step(message: &Value, words: &str) -> String {
    if words.to_lowercase().contains("match") {
        return "Merge these leads in Copper, then retry.".to_owned();
    }
    match message.as_object().and_then(|fields| fields.keys().next()) {
        Some(field) if field == "emails" && words.contains("in use") => {
            "Another person in Copper holds this e-mail by now: retry to update that one.".to_owned()
        }
        Some(field) => words_of(&format!("Correct {field} in the file, or do not map it.")),
        None => "Change the lead as the message says, then retry.".to_owned(),
    }
}
