//! Zoho's error codes in classes and in words, for whole requests and for single rows.

use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{DEAREST, SPEC};
use crate::crm::call::{ApiReply, by_status, words_of};
use crate::crm::{Trouble, TroubleKind};

/// What Zoho says about one row, or about a whole request.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub(super) struct Row {
    pub code: String,
    pub status: String,
    pub action: Option<String>,
    message: Option<String>,
    details: Option<Map<String, Value>>,
}

/// An answer: rows, or one error outside of rows.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Rows {
    pub data: Option<Vec<Row>>,
    pub tags: Option<Vec<Row>>,
    #[serde(flatten)]
    whole: Row,
}

impl Row {
    /// A detail as text; empty when there is none.
    pub(super) fn detail(&self, name: &str) -> String {
        match self.details.as_ref().and_then(|details| details.get(name)) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        }
    }

    /// The vendor's words with its code and the field it is about.
    pub(super) fn words(&self) -> String {
        let message = self.message.as_deref().unwrap_or_default();
        let field = self.detail("api_name");
        let field = if field.is_empty() { String::new() } else { format!(": {field}") };
        let code = if self.code.is_empty() { String::new() } else { format!(" ({})", self.code) };
        words_of(format!("{message}{field}{code}").trim())
    }

    /// What a person can do about a refused row.
    pub(super) fn next_step(&self) -> String {
        let field = words_of(&self.detail("api_name"));
        let longest = words_of(&self.detail("maximum_length"));
        match self.code.as_str() {
            "MANDATORY_NOT_FOUND" => format!("Fill in {field} in the file, or map a column to it."),
            "INVALID_DATA" if !longest.is_empty() => format!("Shorten {field} in the file to {longest} characters."),
            "INVALID_DATA" if field == "id" => "The record is gone in Zoho: retry to make it anew.".to_owned(),
            "INVALID_DATA" => format!("Correct {field} in the file, or do not map it."),
            "DUPLICATE_DATA" => {
                "Another record of Zoho holds the same value, perhaps a converted lead or a contact: find it there."
                    .to_owned()
            }
            _ => "Change the lead as the message says, then retry.".to_owned(),
        }
    }
}

/// The credits that an answer says are left.
pub(super) fn credits_left(headers: &HeaderMap) -> Option<u32> {
    headers.get("x-api-credits-remaining")?.to_str().ok()?.trim().parse().ok()
}

/// The class of an answer that is not a success. Rows that were all refused come with status 400: they are told apart from
/// a refused request by the place they name, and are for the caller to judge.
pub(super) fn classify(reply: &ApiReply) -> Option<Trouble> {
    if reply.status.is_success() {
        return None;
    }
    let answer: Rows = reply.json().unwrap_or_default();
    let in_rows = |rows: &[Row]| !rows.is_empty() && rows.iter().all(|row| row.detail("json_path").contains("]."));
    if reply.status == StatusCode::BAD_REQUEST
        && (answer.data.as_deref().is_some_and(in_rows) || answer.tags.as_ref().is_some_and(|tags| !tags.is_empty()))
    {
        return None;
    }
    let error = answer.data.or(answer.tags).and_then(|rows| rows.into_iter().next()).unwrap_or(answer.whole);
    let words = error.words();
    let mut trouble = by_status("Zoho", reply, &words)?;
    match (reply.status.as_u16(), error.code.as_str()) {
        (_, "OAUTH_SCOPE_MISMATCH") => {
            let scopes = SPEC.oauth.map_or(String::new(), |oauth| oauth.scopes.join(","));
            trouble.kind = TroubleKind::Permission;
            trouble.message = words_of(&format!("This sign-in at Zoho lacks a scope that is needed: {words}"));
            trouble.next_step = format!("Connect Zoho again and allow these scopes: {scopes}.");
        }
        (403, "NO_PERMISSION") => {
            let named = words_of(&error.detail("permissions"));
            let named = if named.is_empty() { String::new() } else { format!(" (missing: {named})") };
            trouble.next_step = format!(
                "Ask your Zoho administrator for \"Zoho CRM API Access\" and for viewing, creating and editing Leads in \
                 your profile{named}."
            );
        }
        (400, "INVALID_MODULE") => {
            trouble.kind = TroubleKind::Permission;
            trouble.next_step = "Ask your Zoho administrator to show the module Leads to your profile.".to_owned();
        }
        (429, _) if credits_left(&reply.headers).is_some_and(|credits| credits < DEAREST) => {
            trouble.kind = TroubleKind::Quota { until: None };
            trouble.message = words_of(&format!("Zoho's API credits of the last 24 hours are used up: {words}"));
            trouble.next_step = "It goes on by itself; more credits come with a higher edition.".to_owned();
        }
        _ => {}
    }
    Some(trouble)
}
