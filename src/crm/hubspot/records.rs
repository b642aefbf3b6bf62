//! HubSpot contacts: batch read for look-ups, batch upsert for writes, answers matched by trace id or key, never by order.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::crm::api::Api;
use crate::crm::call::{Call, words_of};
use crate::crm::{Found, MatchBy, Outgoing, Survey, Trouble, Write, Written};
use crate::sync::Outcome;

const BATCH_READ: &str = "/crm/objects/2026-03/contacts/batch/read";
const BATCH_UPSERT: &str = "/crm/objects/2026-03/contacts/batch/upsert";

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Batch {
    results: Vec<Contact>,
    errors: Vec<BatchError>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Contact {
    id: String,
    new: Option<bool>,
    properties: Map<String, Value>,
    created_at: Option<Timestamp>,
    object_write_trace_id: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct BatchError {
    category: String,
    message: String,
    context: HashMap<String, Value>,
}

impl Contact {
    fn property(&self, name: &str) -> String {
        match self.properties.get(name) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        }
    }
}

impl BatchError {
    /// The values of a context entry: a list of texts, or one text.
    fn context(&self, name: &str) -> Vec<&str> {
        match self.context.get(name) {
            Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(text)) => vec![text],
            _ => Vec::new(),
        }
    }

    fn next_step(&self) -> &'static str {
        match self.category.as_str() {
            "CONFLICT" => "Another contact holds this e-mail: merge the two in HubSpot, or correct the address.",
            _ if self.message.contains("INVALID_EMAIL") => "Correct the e-mail address in the file.",
            "VALIDATION_ERROR" => "Change the value that the message names, or do not map it, then retry.",
            _ => "Change the lead as the message says, then retry.",
        }
    }
}

/// Looks contacts up by the survey's key; keys are unique in HubSpot.
pub(super) async fn find(api: &Api, survey: &Survey, leads: &[Outgoing]) -> Result<Vec<Found>, Trouble> {
    let key = survey.key.field();
    let mut properties = vec![key];
    for (name, _) in leads.iter().flat_map(|lead| &lead.values) {
        if !properties.contains(&name.as_str()) {
            properties.push(name);
        }
    }
    let keys = leads.iter().map(|lead| lead.match_value(survey.by)).filter(|value| !value.is_empty());
    let inputs: Vec<Value> = keys.map(|value| json!({"id": value})).collect();
    if inputs.is_empty() {
        return Ok(leads.iter().map(|_| Found::None).collect());
    }
    let body = json!({"idProperty": key, "properties": properties, "inputs": inputs});
    let answer: Batch = api.json(Call::post(BATCH_READ).json(body)).await?;
    let by_key: HashMap<String, &Contact> =
        answer.results.iter().map(|contact| (contact.property(key).to_lowercase(), contact)).collect();
    let found = |lead: &Outgoing| match by_key.get(&lead.match_value(survey.by).to_lowercase()) {
        None => Found::None,
        Some(contact) => Found::One {
            id: contact.id.clone(),
            values: lead.values.iter().map(|(name, _)| (name.clone(), contact.property(name))).collect(),
            created: contact.created_at,
        },
    };
    Ok(leads.iter().map(found).collect())
}

fn trace_id(lead: &Outgoing) -> String {
    format!("lead-{}", lead.position)
}

fn input(survey: &Survey, lead: &Outgoing) -> Value {
    let key = survey.key.field();
    let value = lead.match_value(survey.by);
    let mut properties: Map<String, Value> =
        lead.values.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    properties.insert(key.to_owned(), json!(value));
    json!({"id": value, "idProperty": key, "objectWriteTraceId": trace_id(lead), "properties": properties})
}

/// Writes contacts by one upsert.
pub(super) async fn write(api: &Api, survey: &Survey, leads: &[(Outgoing, Write)]) -> Result<Vec<Written>, Trouble> {
    let inputs: Vec<Value> = leads.iter().map(|(lead, _)| input(survey, lead)).collect();
    let answer: Batch = api.json(Call::post(BATCH_UPSERT).json(json!({"inputs": inputs})).once()).await?;
    Ok(leads.iter().map(|(lead, _)| written(survey, &answer, lead)).collect())
}

fn written(survey: &Survey, answer: &Batch, lead: &Outgoing) -> Written {
    let (trace, key) = (trace_id(lead), lead.match_value(survey.by));
    let is_it = |contact: &&Contact| match &contact.object_write_trace_id {
        Some(echoed) => *echoed == trace,
        None => holds(&contact.property(survey.key.field()), key, survey.by),
    };
    if let Some(contact) = answer.results.iter().find(is_it) {
        let outcome = if contact.new == Some(true) { Outcome::Created } else { Outcome::Updated };
        return Written { outcome, remote_id: contact.id.clone(), reason: String::new(), next_step: String::new() };
    }
    let about_it = |error: &&BatchError| {
        let traces = error.context("objectWriteTraceId");
        let named = ["id", "ids"].into_iter().flat_map(|name| error.context(name)).any(|id| holds(id, key, survey.by));
        traces.contains(&trace.as_str()) || (traces.is_empty() && named)
    };
    match answer.errors.iter().find(about_it) {
        Some(error) => Written {
            outcome: Outcome::Failed,
            remote_id: String::new(),
            reason: words_of(&format!("{} ({})", error.message, error.category)),
            next_step: error.next_step().to_owned(),
        },
        None => Written {
            outcome: Outcome::Unknown,
            remote_id: String::new(),
            reason: "HubSpot's answer does not mention this lead".to_owned(),
            next_step: String::new(),
        },
    }
}

fn holds(value: &str, key: &str, by: MatchBy) -> bool {
    match by {
        MatchBy::Email => value.trim().to_lowercase() == key,
        MatchBy::LeadKey => value == key,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crm::MatchKey;

    fn lead(position: u64, email: &str) -> Outgoing {
        Outgoing { position, key: format!("id:{position}"), email: email.into(), values: Vec::new() }
    }

    fn survey() -> Survey {
        Survey { fields: Vec::new(), key: MatchKey::Upsert("email".into()), by: MatchBy::Email }
    }

    fn answer(answer: Value) -> Batch {
        serde_json::from_value(answer).unwrap()
    }

    #[test]
    fn answers_in_another_order_find_their_leads() {
        let batch = answer(json!({
            "results": [
                {"id": "2", "new": false, "properties": {"email": "b@x.test"}, "objectWriteTraceId": "lead-2"},
                {"id": "1", "new": true, "properties": {"email": "a@x.test"}}
            ],
            "errors": [{"category": "VALIDATION_ERROR", "message": "bad", "context": {"objectWriteTraceId": ["lead-3"]}}]
        }));
        let outcome = |position, email| written(&survey(), &batch, &lead(position, email));
        assert_eq!((outcome(1, "a@x.test").outcome, outcome(1, "a@x.test").remote_id), (Outcome::Created, "1".into()));
        assert_eq!(outcome(2, "b@x.test").outcome, Outcome::Updated);
        assert_eq!(outcome(3, "c@x.test").outcome, Outcome::Failed);
        assert!(outcome(3, "c@x.test").reason.contains("bad"));
        assert_eq!(outcome(4, "d@x.test").outcome, Outcome::Unknown, "not mentioned at all");
    }

    #[test]
    fn an_error_without_a_trace_is_found_by_the_key() {
        let batch =
            answer(json!({"errors": [{"category": "CONFLICT", "message": "taken", "context": {"id": ["A@x.test"]}}]}));
        assert_eq!(written(&survey(), &batch, &lead(1, "a@x.test")).outcome, Outcome::Failed);
        assert_eq!(written(&survey(), &batch, &lead(2, "b@x.test")).outcome, Outcome::Unknown);
    }
}
