//! HubSpot's refusals of whole requests in classes and in words.

use serde::Deserialize;
use serde_json::Value;

use super::SPEC;
use crate::crm::call::{ApiReply, by_status, words_of};
use crate::crm::{Trouble, TroubleKind};

/// An error of a whole request.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ApiError {
    message: String,
    category: String,
    policy_name: String,
    errors: Vec<ErrorDetail>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ErrorDetail {
    context: ErrorContext,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ErrorContext {
    required_granular_scopes: Vec<String>,
    required_scopes: Vec<String>,
}

/// The class of an answer that is not a success.
pub(super) fn classify(reply: &ApiReply) -> Option<Trouble> {
    if reply.status.is_success() {
        return None;
    }
    let error: ApiError = reply.json().unwrap_or_default();
    let words = match (error.message.is_empty(), error.category.is_empty()) {
        (false, false) => format!("{} ({})", error.message, error.category),
        _ => error.message.clone(),
    };
    let mut trouble = by_status("HubSpot", reply, &words)?;
    match (reply.status.as_u16(), error.category.as_str()) {
        (403, "MISSING_SCOPES") => {
            let scopes = error.errors.into_iter().flat_map(|detail| {
                detail.context.required_granular_scopes.into_iter().chain(detail.context.required_scopes)
            });
            let named = words_of(&scopes.collect::<Vec<_>>().join(" "));
            let named =
                if named.is_empty() { SPEC.oauth.map_or(String::new(), |oauth| oauth.scopes.join(" ")) } else { named };
            trouble.message = words_of(&format!("HubSpot did not grant this app a scope that it needs: {words}"));
            trouble.next_step = format!("Tick these scopes in the app's settings and connect again: {named}.");
        }
        (403, _) if reply.json::<Value>().is_some() => {
            trouble.kind = TroubleKind::Plan;
            trouble.message = words_of(&format!("This HubSpot account's subscription does not allow it: {words}"));
            trouble.next_step =
                "Ask HubSpot, or a Super Admin, which plan includes the API call and lift the block.".to_owned();
        }
        (429, _) if error.policy_name == "DAILY" => {
            trouble.kind = TroubleKind::Quota { until: None };
            trouble.message = words_of(&format!("HubSpot's calls of today are used up: {}", error.message));
            trouble.next_step = "It goes on by itself after midnight of the account's time zone.".to_owned();
        }
        (429, _) => {
            if let TroubleKind::Busy { retry_after: retry_after @ None } = &mut trouble.kind {
                *retry_after = Some(if error.policy_name == "SECONDLY" { 1 } else { SPEC.rate.seconds.into() });
            }
        }
        _ => {}
    }
    Some(trouble)
}
