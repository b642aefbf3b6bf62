//! Salesforce records: looking leads up by SOQL, writing collections, adding Campaign members.

use http::Method;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::DATA;
use super::errors::RowError;
use crate::crm::api::Api;
use crate::crm::call::Call;
use crate::crm::{Found, MatchKey, Outgoing, Survey, Trouble, Write, Written};
use crate::sync::Outcome;

/// A query's address stays below this many bytes; Salesforce takes 16,384 with all headers.
const QUERY_BYTES: usize = 9_000;

/// More pages of one look-up than this are not read.
const PAGES: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    records: Vec<Map<String, Value>>,
    #[serde(default)]
    next_records_url: Option<String>,
}

/// The name of the organisation.
#[derive(Deserialize)]
pub(super) struct Organisation {
    #[serde(rename = "Name")]
    pub name: String,
    #[serde(rename = "IsSandbox", default)]
    pub is_sandbox: bool,
}

/// The organisation, where the user may see it.
pub(super) async fn organisation(api: &Api) -> Option<Organisation> {
    let rows = query(api, "SELECT Name, IsSandbox FROM Organization LIMIT 1").await.ok()?;
    serde_json::from_value(Value::Object(rows.into_iter().next()?)).ok()
}

/// A SOQL string literal.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('\'');
    for ch in text.chars() {
        match ch {
            '\'' | '\\' => out.extend(['\\', ch]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            ch => out.push(ch),
        }
    }
    out.push('\'');
    out
}

/// All rows of a query.
pub(super) async fn query(api: &Api, soql: &str) -> Result<Vec<Map<String, Value>>, Trouble> {
    let mut page: Page = api.json(Call::get(format!("{DATA}/query")).query("q", soql)).await?;
    let mut rows = page.records;
    for _ in 0..PAGES {
        let Some(next) = page.next_records_url.filter(|next| next.starts_with("/services/data/")) else { break };
        page = api.json(Call::get(next)).await?;
        rows.append(&mut page.records);
    }
    Ok(rows)
}

/// The record id of a row.
pub(super) fn id_of(row: &Map<String, Value>) -> Option<String> {
    row.get("Id").and_then(Value::as_str).map(str::to_owned)
}

/// Looks leads up by the survey's key, in as many queries as their length asks for.
pub(super) async fn find(api: &Api, survey: &Survey, leads: &[Outgoing]) -> Result<Vec<Found>, Trouble> {
    let key = survey.key.field();
    let select = select(key, leads);
    let mut rows = Vec::new();
    for values in pieces(leads.iter().map(|lead| lead.match_value(survey.by)), QUERY_BYTES - encoded_len(&select)) {
        let soql = format!("{select} WHERE {key} IN ({})", values.join(","));
        rows.append(&mut query(api, &soql).await?);
    }
    Ok(leads.iter().map(|lead| found(&rows, key, lead, survey)).collect())
}

fn select(key: &str, leads: &[Outgoing]) -> String {
    let mut names = vec!["Id", "CreatedDate", key];
    for (name, _) in leads.iter().flat_map(|lead| &lead.values) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    format!("SELECT {} FROM Lead", names.join(", "))
}

/// Quoted values in groups of at most this many encoded bytes each; a value alone may be longer.
fn pieces<'a>(values: impl Iterator<Item = &'a str>, budget: usize) -> Vec<Vec<String>> {
    let mut pieces: Vec<Vec<String>> = Vec::new();
    let mut used = 0;
    for value in values.filter(|value| !value.is_empty()) {
        let literal = quoted(value);
        let cost = encoded_len(&literal) + 3;
        match pieces.last_mut() {
            Some(piece) if used + cost <= budget => {
                used += cost;
                piece.push(literal);
            }
            _ => {
                used = cost;
                pieces.push(vec![literal]);
            }
        }
    }
    pieces
}

fn encoded_len(text: &str) -> usize {
    url::form_urlencoded::byte_serialize(text.as_bytes()).map(str::len).sum()
}

fn found(rows: &[Map<String, Value>], key: &str, lead: &Outgoing, survey: &Survey) -> Found {
    let wanted = lead.match_value(survey.by).to_lowercase();
    let holds = |row: &&Map<String, Value>| {
        row.get(key).and_then(Value::as_str).is_some_and(|value| value.trim().to_lowercase() == wanted)
    };
    let mut matching: Vec<_> = rows.iter().filter(holds).collect();
    match (matching.pop(), matching.is_empty()) {
        (None, _) => Found::None,
        (Some(row), true) => Found::One {
            id: id_of(row).unwrap_or_default(),
            values: lead.values.iter().map(|(name, _)| (name.clone(), shown(row.get(name)))).collect(),
            created: row.get("CreatedDate").and_then(Value::as_str).and_then(time),
        },
        (Some(row), false) => Found::Several(matching.into_iter().chain([row]).filter_map(id_of).collect()),
    }
}

/// A time as Salesforce writes it: `2026-01-01T00:00:00.000+0000`.
fn time(text: &str) -> Option<Timestamp> {
    jiff::fmt::strtime::parse("%Y-%m-%dT%H:%M:%S%.f%z", text).ok()?.to_timestamp().ok()
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Row {
    id: String,
    success: bool,
    created: Option<bool>,
    errors: Vec<RowError>,
}

/// Writes leads by one collection call per kind of write; the results come in the order of the records.
pub(super) async fn write(api: &Api, survey: &Survey, leads: &[(Outgoing, Write)]) -> Result<Vec<Written>, Trouble> {
    let records: Vec<Value> = leads.iter().map(|(lead, write)| record(survey, lead, write)).collect();
    let made = |write: &Write| if matches!(write, Write::Update { .. }) { Outcome::Updated } else { Outcome::Created };
    let (method, path) = match (leads.first().map(|(_, write)| write), &survey.key) {
        (None, _) => return Ok(Vec::new()),
        (Some(Write::Upsert), MatchKey::Upsert(field)) => {
            (Method::PATCH, format!("{DATA}/composite/sobjects/Lead/{field}"))
        }
        (Some(Write::Update { .. }), _) => (Method::PATCH, format!("{DATA}/composite/sobjects")),
        (Some(_), _) => (Method::POST, format!("{DATA}/composite/sobjects")),
    };
    // No `Sforce-Duplicate-Rule-Header`: what a duplicate rule warns of is for a person to decide, lead by lead.
    let call = Call::new(method, path).json(json!({"allOrNone": false, "records": records})).once();
    let rows: Vec<Row> = api.json(call).await?;
    let mut rows = rows.into_iter();
    Ok(leads.iter().map(|(_, write)| written(rows.next(), made(write))).collect())
}

fn record(survey: &Survey, lead: &Outgoing, write: &Write) -> Value {
    let mut record = Map::new();
    record.insert("attributes".to_owned(), json!({"type": "Lead"}));
    match (write, &survey.key) {
        (Write::Update { id }, _) => drop(record.insert("id".to_owned(), json!(id))),
        (_, MatchKey::Upsert(field)) => drop(record.insert(field.clone(), json!(lead.key))),
        _ => {}
    }
    for (name, value) in &lead.values {
        let kind = survey.field(name).map_or("", |field| field.kind.as_str());
        record.insert(name.clone(), typed(kind, value));
    }
    Value::Object(record)
}

/// A value as JSON of the field's type; what does not fit goes as text, for Salesforce to judge.
fn typed(kind: &str, value: &str) -> Value {
    let typed = match kind {
        "double" | "currency" | "percent" | "int" | "boolean" => serde_json::from_str(value.trim()).ok(),
        _ => None,
    };
    typed.filter(|typed: &Value| typed.is_number() || typed.is_boolean()).unwrap_or_else(|| json!(value))
}

fn written(row: Option<Row>, otherwise: Outcome) -> Written {
    let Some(row) = row else {
        return Written {
            outcome: Outcome::Unknown,
            remote_id: String::new(),
            reason: "Salesforce's answer does not mention this lead".to_owned(),
            next_step: String::new(),
        };
    };
    if row.success {
        let outcome = match row.created {
            Some(true) => Outcome::Created,
            Some(false) => Outcome::Updated,
            None => otherwise,
        };
        return Written { outcome, remote_id: row.id, reason: String::new(), next_step: String::new() };
    }
    let error = row.errors.into_iter().next().unwrap_or_default();
    Written {
        outcome: if error.passes() { Outcome::Pending } else { Outcome::Failed },
        remote_id: String::new(),
        reason: error.words(),
        next_step: error.next_step(),
    }
}

/// Makes leads members of a Campaign; one that is a member already is fine.
pub(super) async fn add_members(api: &Api, campaign: &str, leads: &[String]) -> Result<Vec<(String, String)>, Trouble> {
    let member =
        |lead: &String| json!({"attributes": {"type": "CampaignMember"}, "CampaignId": campaign, "LeadId": lead});
    let records: Vec<Value> = leads.iter().map(member).collect();
    let body = json!({"allOrNone": false, "records": records});
    let rows: Vec<Row> = api.json(Call::post(format!("{DATA}/composite/sobjects")).json(body)).await?;
    let refused = leads
        .iter()
        .zip(rows)
        .filter(|(_, row)| !row.success && !row.errors.iter().any(|error| error.status_code == "DUPLICATE_VALUE"));
    Ok(refused.map(|(lead, row)| (lead.clone(), row.errors.first().map(RowError::words).unwrap_or_default())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_quote_in_an_address_cannot_end_the_query() {
        assert_eq!(quoted("o'brien\\x\n"), r"'o\'brien\\x\n'");
    }

    #[test]
    fn long_look_ups_are_cut_and_nothing_is_left_out() {
        let long: Vec<String> = (0..200).map(|n| format!("{}{n}@example.com", "ü".repeat(30))).collect();
        let pieces = pieces(long.iter().map(String::as_str), 3_000);
        assert!(pieces.len() > 1);
        assert_eq!(pieces.iter().map(Vec::len).sum::<usize>(), 200);
        assert!(pieces.iter().all(|piece| encoded_len(&piece.join(",")) <= 3_000));
    }

    #[test]
    fn salesforces_times_are_read() {
        assert_eq!(time("2026-01-01T10:00:00.500+0000").unwrap().as_millisecond(), 1_767_261_600_500);
        assert_eq!(time("yesterday"), None);
    }

    #[test]
    fn numbers_travel_as_numbers_and_text_stays_text() {
        assert_eq!(typed("double", "98.5"), json!(98.5));
        assert_eq!(typed("double", "many"), json!("many"));
        assert_eq!(typed("string", "78701"), json!("78701"));
    }

    proptest! {
        #[test]
        fn any_text_stays_one_literal(text in any::<String>()) {
            let literal = quoted(&text);
            let inner = &literal[1..literal.len() - 1];
            let mut escaped = false;
            for ch in inner.chars() {
                prop_assert!(escaped || ch != '\'');
                escaped = !escaped && ch == '\\';
            }
            prop_assert!(!escaped);
        }
    }
}
