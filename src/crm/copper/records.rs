//! Copper leads and people: looked up by search, written one by one, tagged ten by ten. Copper replaces lists and addresses
//! whole, so a record is read before it is changed and nothing that stood in it is lost.

use http::Method;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::errors;
use crate::crm::api::Api;
use crate::crm::call::Call;
use crate::crm::{Found, Outgoing, Survey, Trouble, Write, Written};
use crate::sync::Outcome;

/// Records per page of a search: the most there is.
const PAGE: usize = 200;

/// More pages of one look-up than this are not read.
const PAGES: usize = 50;

/// What kind e-mails and phone numbers are filed under.
const CATEGORY: &str = "work";

/// What a lead becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Leads,
    People,
}

impl Kind {
    /// The kind that a survey found; the field of its e-mail tells.
    pub(super) fn of(survey: &Survey) -> Kind {
        if survey.key.field() == Kind::People.email() { Kind::People } else { Kind::Leads }
    }

    /// As it stands in paths and bulk bodies.
    pub(super) fn plural(self) -> &'static str {
        match self {
            Kind::Leads => "leads",
            Kind::People => "people",
        }
    }

    /// As custom fields name it.
    pub(super) fn singular(self) -> &'static str {
        match self {
            Kind::Leads => "lead",
            Kind::People => "person",
        }
    }

    /// The field that holds the e-mail: one of a lead, a list of a person.
    pub(super) fn email(self) -> &'static str {
        match self {
            Kind::Leads => "email",
            Kind::People => "emails",
        }
    }
}

/// The name by which a custom field is mapped.
pub(super) fn custom(id: u64) -> String {
    format!("custom_fields.{id}")
}

/// A record as Copper shows it.
#[derive(Deserialize, Default)]
#[serde(transparent)]
struct Record(Map<String, Value>);

impl Record {
    fn id(&self) -> String {
        text(self.0.get("id"))
    }

    fn list(&self, name: &str) -> Vec<Value> {
        self.0.get(name).and_then(Value::as_array).cloned().unwrap_or_default()
    }

    fn tags(&self) -> Vec<String> {
        self.list("tags").iter().map(|tag| text(Some(tag))).collect()
    }

    fn emails(&self) -> Vec<String> {
        let one = self.0.get("email").into_iter().cloned();
        one.chain(self.list("emails")).map(|email| text(email.get("email"))).filter(|email| !email.is_empty()).collect()
    }

    fn holds(&self, email: &str) -> bool {
        self.emails().iter().any(|held| held.trim().to_lowercase() == email)
    }

    /// The value of a field by its mapped name; of a list the one that equals ours, else the first.
    fn shown(&self, name: &str, ours: &str) -> String {
        let pick = |values: Vec<String>| {
            let same = values.iter().find(|value| value.trim().eq_ignore_ascii_case(ours.trim())).cloned();
            same.or_else(|| values.into_iter().next()).unwrap_or_default()
        };
        match name.split_once('.') {
            Some(("address", part)) => text(self.0.get("address").and_then(|address| address.get(part))),
            Some(("custom_fields", id)) => {
                let fields = self.list("custom_fields");
                let field = fields.iter().find(|field| text(field.get("custom_field_definition_id")) == id);
                text(field.and_then(|field| field.get("value")))
            }
            _ if matches!(name, "email" | "emails") => pick(self.emails()),
            _ if name == "phone_numbers" => {
                pick(self.list(name).iter().map(|phone| text(phone.get("number"))).collect())
            }
            _ => text(self.0.get(name)),
        }
    }
}

fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// Looks records up by e-mail.
pub(super) async fn find(api: &Api, kind: Kind, leads: &[Outgoing]) -> Result<Vec<Found>, Trouble> {
    let emails: Vec<&str> = leads.iter().map(|lead| lead.email.as_str()).filter(|email| !email.is_empty()).collect();
    let mut records: Vec<Record> = Vec::new();
    for page in 1..=PAGES {
        if emails.is_empty() {
            break;
        }
        let body = json!({"emails": emails, "page_size": PAGE, "page_number": page});
        let mut found: Vec<Record> = api.json(search(kind).json(body)).await?;
        let last = found.len() < PAGE;
        records.append(&mut found);
        if last {
            break;
        }
    }
    Ok(leads.iter().map(|lead| found(&records, lead)).collect())
}

fn search(kind: Kind) -> Call {
    Call::post(format!("/{}/search", kind.plural()))
}

fn found(records: &[Record], lead: &Outgoing) -> Found {
    let matching: Vec<&Record> =
        records.iter().filter(|record| !lead.email.is_empty() && record.holds(&lead.email)).collect();
    match matching.as_slice() {
        [] => Found::None,
        [record] => Found::One {
            id: record.id(),
            values: lead.values.iter().map(|(name, ours)| (name.clone(), record.shown(name, ours))).collect(),
            created: record
                .0
                .get("date_created")
                .and_then(Value::as_i64)
                .and_then(|seconds| Timestamp::from_second(seconds).ok()),
        },
        several => Found::Several(several.iter().map(|record| record.id()).collect()),
    }
}

/// Writes one lead. A new one goes by upsert where there is one, so that it is not made twice.
pub(super) async fn write(api: &Api, survey: &Survey, lead: &Outgoing, write: &Write) -> Result<Written, Trouble> {
    let kind = Kind::of(survey);
    let held = match write {
        Write::Update { id } => match by_ids(api, kind, std::slice::from_ref(id)).await?.pop() {
            Some(record) => Some(record),
            None => return Ok(gone()),
        },
        Write::Create | Write::Upsert => None,
    };
    let properties = properties(survey, lead, held.as_ref());
    let call = match (kind, write) {
        (Kind::Leads, _) => {
            let own = held.as_ref().and_then(|held| held.emails().into_iter().next());
            let by = json!({"field_name": "email", "field_value": own.unwrap_or_else(|| lead.email.clone())});
            Call::new(Method::PUT, "/leads/upsert").json(json!({"properties": properties, "match": by}))
        }
        (Kind::People, Write::Update { id }) => Call::new(Method::PUT, "/people").segment(id).json(properties),
        (Kind::People, _) => Call::post("/people").json(properties),
    };
    let record: Record = api.json(call.once()).await?;
    let outcome = if held.is_some() { Outcome::Updated } else { Outcome::Created };
    Ok(Written { outcome, remote_id: record.id(), reason: String::new(), next_step: String::new() })
}

async fn by_ids(api: &Api, kind: Kind, ids: &[String]) -> Result<Vec<Record>, Trouble> {
    let ids: Vec<u64> = ids.iter().filter_map(|id| id.parse().ok()).collect();
    let body = json!({"ids": ids, "page_size": PAGE, "page_number": 1});
    let records: Vec<Record> = api.json(search(kind).json(body)).await?;
    // Records that were not asked for would be another's: a search that does not know `ids` answers all.
    Ok(records.into_iter().filter(|record| ids.iter().any(|id| id.to_string() == record.id())).collect())
}

fn gone() -> Written {
    Written {
        outcome: Outcome::Failed,
        remote_id: String::new(),
        reason: "Copper does not show this record any more".to_owned(),
        next_step: "Retry to make it anew.".to_owned(),
    }
}

/// What a lead writes: all of a new record, and of one that is there only what differs, with its lists and address whole.
fn properties(survey: &Survey, lead: &Outgoing, held: Option<&Record>) -> Value {
    let kind = Kind::of(survey);
    let mut out = Map::new();
    if held.is_none() && !lead.values.iter().any(|(name, _)| name == kind.email()) {
        put(&mut out, survey, None, kind.email(), &lead.email);
    }
    for (name, value) in &lead.values {
        // The record was found by its e-mail: it has it.
        let has_it = |held: &Record| name == kind.email() || held.shown(name, value).trim() == value.trim();
        if !held.is_some_and(has_it) {
            put(&mut out, survey, held, name, value);
        }
    }
    if let (Kind::Leads, Some(held)) = (kind, held) {
        // An upsert is refused without a name.
        out.entry("name").or_insert_with(|| json!(held.shown("name", "")));
    }
    Value::Object(out)
}

fn put(out: &mut Map<String, Value>, survey: &Survey, held: Option<&Record>, name: &str, value: &str) {
    let list = |name: &str| held.map(|held| held.list(name)).unwrap_or_default();
    match name.split_once('.') {
        Some(("address", part)) => {
            let before = || held.and_then(|held| held.0.get("address")).filter(|address| address.is_object()).cloned();
            let address = out.entry("address").or_insert_with(|| before().unwrap_or_else(|| json!({})));
            if let Some(address) = address.as_object_mut() {
                address.insert(part.to_owned(), json!(value));
            }
        }
        Some(("custom_fields", id)) => {
            let kind = survey.field(name).map_or("", |field| field.kind.as_str());
            let field = json!({"custom_field_definition_id": id.parse::<u64>().ok(), "value": typed(kind, value)});
            if let Some(fields) = out.entry("custom_fields").or_insert_with(|| json!([])).as_array_mut() {
                fields.push(field);
            }
        }
        _ if name == "email" => drop(out.insert(name.to_owned(), json!({"email": value, "category": CATEGORY}))),
        _ if name == "emails" => drop(out.insert(name.to_owned(), json!([{"email": value, "category": CATEGORY}]))),
        _ if name == "phone_numbers" => {
            let mut numbers = list(name);
            numbers.push(json!({"number": value, "category": CATEGORY}));
            out.insert(name.to_owned(), Value::Array(numbers));
        }
        _ => drop(out.insert(name.to_owned(), json!(value))),
    }
}

/// A value as JSON of the field's type; what does not fit goes as text, for Copper to judge.
fn typed(kind: &str, value: &str) -> Value {
    let typed: Option<Value> = match kind {
        "float" | "percentage" | "currency" | "checkbox" => serde_json::from_str(value.trim()).ok(),
        _ => None,
    };
    typed.filter(|typed| typed.is_number() || typed.is_boolean()).unwrap_or_else(|| json!(value))
}

/// Puts a tag on records, beside those that they have.
pub(super) async fn add_tag(
    api: &Api,
    kind: Kind,
    tag: &str,
    records: &[String],
) -> Result<Vec<(String, String)>, Trouble> {
    let held = by_ids(api, kind, records).await?;
    let missing = records.iter().filter(|id| !held.iter().any(|record| record.id() == **id));
    let mut refused: Vec<(String, String)> = missing.map(|id| (id.clone(), gone().reason)).collect();
    let untagged: Vec<&Record> =
        held.iter().filter(|record| !record.tags().iter().any(|held| held.eq_ignore_ascii_case(tag))).collect();
    if untagged.is_empty() {
        return Ok(refused);
    }
    let rows: Vec<Value> = untagged
        .iter()
        .map(|record| {
            let tags: Vec<String> = record.tags().into_iter().chain([tag.to_owned()]).collect();
            json!({"id": record.0.get("id"), "tags": tags})
        })
        .collect();
    let mut body = Map::new();
    body.insert(kind.plural().to_owned(), Value::Array(rows));
    let call = Call::post(format!("/{}/bulk_update", kind.plural())).json(Value::Object(body));
    let answers: Vec<Map<String, Value>> = api.json(call).await?;
    let failed = untagged.iter().zip(answers).filter(|(_, answer)| answer.get("success") == Some(&Value::Bool(false)));
    refused.extend(
        failed.map(|(record, answer)| (record.id(), errors::words(answer.get("message").unwrap_or(&Value::Null)))),
    );
    Ok(refused)
}

#[cfg(test)]
#[path = "records_tests.rs"]
mod tests;
