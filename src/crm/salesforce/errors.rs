//! Salesforce's error codes in classes and in words, for whole requests and for single records.

use serde::Deserialize;

use crate::crm::call::{ApiReply, by_status, words_of};
use crate::crm::{Trouble, TroubleKind};

/// An error of a whole request.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ApiError {
    error_code: String,
    message: String,
    error: String,
}

/// The class of an answer that is not a success.
pub(super) fn classify(reply: &ApiReply) -> Option<Trouble> {
    if reply.status.is_success() {
        return None;
    }
    let error = reply.json::<Vec<ApiError>>().and_then(|errors| errors.into_iter().next());
    let error = error.or_else(|| reply.json()).unwrap_or_default();
    let code = if error.error_code.is_empty() { error.error } else { error.error_code };
    let words = if code.is_empty() { error.message } else { format!("{} ({code})", error.message) };
    let mut trouble = by_status("Salesforce", reply, words.trim())?;
    match code.as_str() {
        "INVALID_SESSION_ID" | "Bad_OAuth_Token" | "INVALID_AUTH_HEADER" => {
            trouble.kind = TroubleKind::Credentials;
            trouble.next_step = "Connect Salesforce again.".to_owned();
        }
        "REQUEST_LIMIT_EXCEEDED" => {
            trouble.kind = TroubleKind::Quota { until: None };
            trouble.message = words_of(&format!("Salesforce's API calls of the last 24 hours are used up: {words}"));
            trouble.next_step = "It goes on by itself; more calls come with more licences or an API add-on.".to_owned();
        }
        "API_DISABLED_FOR_ORG" | "API_CURRENTLY_DISABLED" => {
            trouble.kind = TroubleKind::Plan;
            trouble.message = words_of(&format!("This Salesforce edition has no API access: {words}"));
            trouble.next_step =
                "Ask Salesforce for API access (Enterprise, Unlimited, Performance or Developer edition, or the add-on)."
                    .to_owned();
        }
        code if code.starts_with("INSUFFICIENT_ACCESS") => {
            trouble.kind = TroubleKind::Permission;
            trouble.next_step =
                "Ask your Salesforce administrator for \"API Enabled\", Create and Edit on Leads, and for \
                Campaigns the \"Marketing User\" tick; or connect again with the scope api."
                    .to_owned();
        }
        "NOT_FOUND" | "INVALID_TYPE" if matches!(reply.status.as_u16(), 400 | 404) => {
            trouble.kind = TroubleKind::Permission;
            trouble.message = words_of(&format!("Salesforce does not show this kind of record to this user: {words}"));
            trouble.next_step = "Ask your Salesforce administrator for access to Leads and Campaigns.".to_owned();
        }
        "SERVER_UNAVAILABLE" | "UNABLE_TO_LOCK_ROW" if trouble.kind == TroubleKind::Refused => {
            trouble.kind = TroubleKind::Vendor;
        }
        _ => {}
    }
    Some(trouble)
}

/// An error of one record of a collection.
#[derive(Deserialize, Default, Debug)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RowError {
    pub status_code: String,
    pub message: String,
    pub fields: Vec<String>,
}

impl RowError {
    /// Whether the same record may well be taken a moment later.
    pub(super) fn passes(&self) -> bool {
        matches!(self.status_code.as_str(), "UNABLE_TO_LOCK_ROW" | "SERVER_UNAVAILABLE" | "QUERY_TIMEOUT")
    }

    /// The vendor's words with its code.
    pub(super) fn words(&self) -> String {
        words_of(&format!("{} ({})", self.message, self.status_code))
    }

    /// What a person can do about it.
    pub(super) fn next_step(&self) -> String {
        let fields = words_of(&self.fields.join(", "));
        match self.status_code.as_str() {
            "DUPLICATES_DETECTED" => {
                "A duplicate rule of this account found a record like it: edit that record in Salesforce, or ask the \
                 administrator to change the rule."
                    .to_owned()
            }
            "DUPLICATE_VALUE" | "DUPLICATE_EXTERNAL_ID" => {
                "Another record holds the same value: find it in Salesforce and merge the two.".to_owned()
            }
            "REQUIRED_FIELD_MISSING" => format!("Fill in {fields} in the file, or map a column to it."),
            "STRING_TOO_LONG" => format!("Shorten {fields} in the file."),
            "INVALID_EMAIL_ADDRESS" => "Correct the e-mail address in the file.".to_owned(),
            "FIELD_CUSTOM_VALIDATION_EXCEPTION" => {
                "A validation rule of this account refuses it: change the value, or ask the administrator.".to_owned()
            }
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST" | "FIELD_INTEGRITY_EXCEPTION" => {
                format!("Use one of the values that Salesforce lists for {fields}, or do not map it.")
            }
            "CANNOT_UPDATE_CONVERTED_LEAD" => {
                "This lead was converted in Salesforce: work on its contact there.".to_owned()
            }
            code if code.starts_with("INSUFFICIENT_ACCESS") => {
                "Ask your Salesforce administrator for edit access to this record.".to_owned()
            }
            "ENTITY_IS_DELETED" => "The record is in Salesforce's recycle bin: restore it there.".to_owned(),
            _ => "Change the lead as the message says, then retry.".to_owned(),
        }
    }
}
