//! Zoho leads: looking them up by COQL, writing them by upsert, tagging them.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::errors::{Row, Rows};
use crate::crm::api::Api;
use crate::crm::call::{Call, words_of};
use crate::crm::{Found, MatchBy, Outgoing, Survey, Trouble, TroubleKind, Write, Written};
use crate::sync::Outcome;

/// The field that finds a lead when the account has none for its key, and beside it.
pub(super) const EMAIL: &str = "Email";

/// Rows per page of a query: more cost more credits.
const PAGE: usize = 200;

/// More pages of one look-up than this are not read.
const PAGES: usize = 50;

/// The longest name a tag takes.
const TAG_NAME: usize = 25;

#[derive(Deserialize, Default)]
#[serde(default)]
struct Page {
    data: Vec<Map<String, Value>>,
    info: Info,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Info {
    more_records: bool,
}

/// The field that holds the lead's key, where the account has one.
fn key_field(survey: &Survey) -> Option<&str> {
    (survey.by == MatchBy::LeadKey).then(|| survey.key.field())
}

/// Looks leads up by their key, where the account has a field for it, and by e-mail.
pub(super) async fn find(api: &Api, survey: &Survey, leads: &[Outgoing]) -> Result<Vec<Found>, Trouble> {
    let Some(query) = query(survey, leads) else { return Ok(leads.iter().map(|_| Found::None).collect()) };
    let mut rows = Vec::new();
    for page in 0..PAGES {
        let select = format!("{query} limit {}, {PAGE}", page * PAGE);
        let reply = api.send(Call::post("/crm/v8/coql").json(json!({"select_query": select}))).await?;
        // Nothing found is an answer without a body.
        if reply.body.is_empty() {
            break;
        }
        let Some(mut answer) = reply.json::<Page>() else {
            return Err(Trouble {
                kind: TroubleKind::Vendor,
                message: "Zoho answered a look-up with something that cannot be read.".to_owned(),
                next_step: String::new(),
            });
        };
        rows.append(&mut answer.data);
        if !answer.info.more_records {
            break;
        }
    }
    Ok(leads.iter().map(|lead| found(&rows, survey, lead)).collect())
}

/// The query that finds leads; `None` when no value can be looked for.
fn query(survey: &Survey, leads: &[Outgoing]) -> Option<String> {
    let mut names = vec!["id", "Created_Time", EMAIL];
    let mapped = leads.iter().flat_map(|lead| &lead.values).map(|(name, _)| name.as_str());
    for name in key_field(survey).into_iter().chain(mapped) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let list =
        |field: &str, values: Vec<String>| (!values.is_empty()).then(|| format!("{field} in ({})", values.join(", ")));
    let by_key =
        key_field(survey).and_then(|field| list(field, leads.iter().filter_map(|lead| quoted(&lead.key)).collect()));
    let by_email = list(EMAIL, leads.iter().filter_map(|lead| quoted(&lead.email)).collect());
    let condition = match (by_key, by_email) {
        (Some(key), Some(email)) => format!("(({key}) or ({email}))"),
        (Some(one), None) | (None, Some(one)) => format!("({one})"),
        (None, None) => return None,
    };
    Some(format!("select {} from Leads where {condition}", names.join(", ")))
}

/// A COQL literal. What would need an escape is not looked for: the upsert that follows matches it by itself.
fn quoted(text: &str) -> Option<String> {
    let quote = if text.contains('\'') { '"' } else { '\'' };
    let plain = !text.is_empty() && !text.contains(['\\', quote]) && !text.contains(char::is_control);
    plain.then(|| format!("{quote}{text}{quote}"))
}

fn found(rows: &[Map<String, Value>], survey: &Survey, lead: &Outgoing) -> Found {
    let holding = |field: &str, wanted: &str| -> Vec<&Map<String, Value>> {
        let wanted = wanted.to_lowercase();
        let holds = |row: &&Map<String, Value>| shown(row.get(field)).trim().to_lowercase() == wanted;
        rows.iter().filter(holds).collect()
    };
    let mut matching = key_field(survey).map(|field| holding(field, &lead.key)).unwrap_or_default();
    if matching.is_empty() && !lead.email.is_empty() {
        matching = holding(EMAIL, &lead.email);
    }
    match matching.as_slice() {
        [] => Found::None,
        [row] => Found::One {
            id: shown(row.get("id")),
            values: lead.values.iter().map(|(name, _)| (name.clone(), shown(row.get(name)))).collect(),
            created: row.get("Created_Time").and_then(Value::as_str).and_then(|time| time.parse::<Timestamp>().ok()),
        },
        several => Found::Several(several.iter().map(|row| shown(row.get("id"))).collect()),
    }
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => items.iter().map(|item| shown(Some(item))).collect::<Vec<_>>().join(";"),
        Some(other) => other.to_string(),
    }
}

/// Writes leads by one upsert; the rows of the answer come in the order of the leads. New leads go by upsert as well, so
/// that one which somebody else has made meanwhile is not made twice.
pub(super) async fn write(api: &Api, survey: &Survey, leads: &[(Outgoing, Write)]) -> Result<Vec<Written>, Trouble> {
    let data: Vec<Value> = leads.iter().map(|(lead, write)| row(survey, lead, write)).collect();
    let checks: Vec<&str> = key_field(survey).into_iter().chain([EMAIL]).collect();
    let body = json!({"data": data, "duplicate_check_fields": checks});
    let answer: Rows = api.json(Call::post("/crm/v8/Leads/upsert").json(body).once()).await?;
    let mut rows = answer.data.unwrap_or_default().into_iter();
    Ok(leads.iter().map(|(_, write)| written(rows.next(), write)).collect())
}

fn row(survey: &Survey, lead: &Outgoing, write: &Write) -> Value {
    let mut row = Map::new();
    if let Write::Update { id } = write {
        row.insert("id".to_owned(), json!(id));
    }
    if let Some(field) = key_field(survey) {
        row.insert(field.to_owned(), json!(lead.key));
    }
    for (name, value) in &lead.values {
        let kind = survey.field(name).map_or("", |field| field.kind.as_str());
        row.insert(name.clone(), typed(kind, value));
    }
    Value::Object(row)
}

/// A value as JSON of the field's type; what does not fit goes as text, for Zoho to judge.
fn typed(kind: &str, value: &str) -> Value {
    let typed: Option<Value> = match kind {
        "double" | "currency" | "percent" | "integer" | "boolean" => serde_json::from_str(value.trim()).ok(),
        "multiselectpicklist" => {
            Some(value.split(';').map(str::trim).filter(|item| !item.is_empty()).map(Value::from).collect())
        }
        _ => None,
    };
    let fits = |typed: &Value| typed.is_number() || typed.is_boolean() || typed.is_array();
    typed.filter(fits).unwrap_or_else(|| json!(value))
}

fn written(row: Option<Row>, write: &Write) -> Written {
    let Some(row) = row else {
        return Written {
            outcome: Outcome::Unknown,
            remote_id: String::new(),
            reason: "Zoho's answer does not mention this lead".to_owned(),
            next_step: String::new(),
        };
    };
    if row.status == "success" {
        let outcome = match (row.action.as_deref(), write) {
            (Some("insert"), _) | (None, Write::Create) => Outcome::Created,
            _ => Outcome::Updated,
        };
        return Written { outcome, remote_id: row.detail("id"), reason: String::new(), next_step: String::new() };
    }
    Written { outcome: Outcome::Failed, remote_id: String::new(), reason: row.words(), next_step: row.next_step() }
}

/// Makes sure that there is a tag for this list, and answers its name. One that is there already is fine.
pub(super) async fn open_tag(api: &Api, name: &str) -> Result<String, Trouble> {
    let name = tag_name(name);
    let call = Call::post("/crm/v8/settings/tags").query("module", "Leads").json(json!({"tags": [{"name": name}]}));
    let answer: Rows = api.json(call).await?;
    match answer.tags.unwrap_or_default().first() {
        Some(tag) if tag.status != "success" && tag.code != "DUPLICATE_DATA" => Err(Trouble {
            kind: TroubleKind::Refused,
            message: words_of(&format!("Zoho does not make the tag '{name}': {}", tag.words())),
            next_step: "Choose another name in the sync settings, or delete tags that nobody uses.".to_owned(),
        }),
        _ => Ok(name),
    }
}

/// A list's name as a tag's. A longer one keeps its beginning and gets a digest, so that two lists that begin alike do not
/// share a tag.
fn tag_name(list: &str) -> String {
    let list = list.trim();
    if list.chars().count() <= TAG_NAME {
        return list.to_owned();
    }
    let digest: String = Sha256::digest(list).iter().take(2).map(|byte| format!("{byte:02x}")).collect();
    let beginning: String = list.chars().take(TAG_NAME - 1 - digest.len()).collect();
    format!("{} {digest}", beginning.trim_end())
}

/// Puts a tag on leads, beside those that they have.
pub(super) async fn add_tag(api: &Api, tag: &str, leads: &[String]) -> Result<Vec<(String, String)>, Trouble> {
    let body = json!({"tags": [{"name": tag}], "ids": leads, "over_write": false});
    let answer: Rows = api.json(Call::post("/crm/v8/Leads/actions/add_tags").json(body)).await?;
    let rows = answer.data.unwrap_or_default();
    let refused = leads.iter().zip(rows).filter(|(_, row)| row.status != "success");
    Ok(refused.map(|(lead, row)| (lead.clone(), row.words())).collect())
}

#[cfg(test)]
#[path = "records_tests.rs"]
mod tests;
