//! Pipedrive persons: searching by e-mail, creating, changing by id. A change keeps the numbers and labels that are there.

use http::Method;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::fields::{self, EMAILS, LABELS, PHONES, Paging};
use crate::crm::api::Api;
use crate::crm::call::Call;
use crate::crm::{Found, Outgoing, Survey, Trouble, TroubleKind, Written};
use crate::lead::fold_email;
use crate::sync::Outcome;

const PERSONS: &str = "/api/v2/persons";

/// A person changed this lately may be hidden from the search; by how long it lags behind is not documented.
const RECENT_SECONDS: i64 = 60;

/// Pages of recent persons that are read at most, 500 each.
const RECENT_PAGES: usize = 10;

#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Deserialize)]
struct Matches {
    #[serde(default)]
    items: Vec<Match>,
}

#[derive(Deserialize)]
struct Match {
    item: Summary,
}

/// A person as the search shows it.
#[derive(Deserialize)]
struct Summary {
    id: u64,
    #[serde(default)]
    emails: Vec<String>,
}

#[derive(Deserialize)]
struct Page {
    data: Vec<Person>,
    #[serde(default)]
    additional_data: Option<Paging>,
}

/// A person as it is read.
#[derive(Deserialize)]
struct Person {
    id: u64,
    #[serde(default)]
    emails: Option<Vec<Contact>>,
    #[serde(default)]
    phones: Option<Vec<Contact>>,
    #[serde(default)]
    label_ids: Option<Vec<i64>>,
    #[serde(default)]
    custom_fields: Option<Map<String, Value>>,
    #[serde(flatten)]
    values: Map<String, Value>,
}

/// One number or address of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Contact {
    value: String,
    primary: bool,
    label: Option<String>,
}

impl Contact {
    fn new(value: &str, primary: bool) -> Self {
        Contact { value: value.to_owned(), primary, label: Some("work".to_owned()) }
    }
}

impl Person {
    /// What the person holds where a lead would write `ours`: that very value where it is one of several.
    fn held(&self, name: &str, ours: &str) -> String {
        match name {
            // It was found by one of its addresses, and none is taken away.
            EMAILS => ours.to_owned(),
            PHONES => {
                let phones = self.phones.as_deref().unwrap_or_default();
                let same = phones.iter().any(|phone| same_number(&phone.value, ours));
                if same { ours.to_owned() } else { phones.first().map(|phone| phone.value.clone()).unwrap_or_default() }
            }
            LABELS => {
                let labels = self.label_ids.as_deref().unwrap_or_default();
                if labels.iter().any(|label| label.to_string() == ours) { ours.to_owned() } else { String::new() }
            }
            name if fields::is_custom(name) => fields::shown(self.custom_fields.as_ref().and_then(|all| all.get(name))),
            name => fields::shown(self.values.get(name)),
        }
    }

    fn has_email(&self, email: &str) -> bool {
        self.emails.iter().flatten().any(|own| fold_email(&own.value) == email)
    }

    fn created(&self) -> Option<Timestamp> {
        self.values.get("add_time")?.as_str()?.parse().ok()
    }
}

/// Numbers differ in how they are written, and perhaps in nothing else.
fn same_number(one: &str, other: &str) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let (one_digits, other_digits) = (digits(one), digits(other));
    if one_digits.is_empty() { one.trim() == other.trim() } else { one_digits == other_digits }
}

/// Looks for the persons of leads' e-mails: by a search each, and among those changed lately, which the search may not show yet.
pub(super) async fn find(api: &Api, leads: &[Outgoing]) -> Result<Vec<Found>, Trouble> {
    let mut searched = Vec::with_capacity(leads.len());
    for lead in leads {
        searched.push(search(api, lead).await?);
    }
    let recent = if searched.iter().any(Vec::is_empty) { recent(api).await? } else { Vec::new() };
    let mut found = Vec::with_capacity(leads.len());
    for (lead, mut ids) in leads.iter().zip(searched) {
        let fresh = recent.iter().filter(|person| ids.is_empty() && person.has_email(&lead.email));
        let fresh: Vec<&Person> = fresh.collect();
        ids.extend(fresh.iter().map(|person| person.id));
        found.push(match (ids.as_slice(), fresh.first()) {
            ([], _) => Found::None,
            ([_], Some(person)) => as_found(person, lead),
            ([id], None) => match read(api, &id.to_string()).await {
                Ok(person) => as_found(&person, lead),
                // Deleted since the search took note of it.
                Err(trouble) if trouble.kind == TroubleKind::Missing => Found::None,
                Err(trouble) => return Err(trouble),
            },
            (several, _) => Found::Several(several.iter().map(u64::to_string).collect()),
        });
    }
    Ok(found)
}

/// The ids of persons with this e-mail; the search shows summaries only.
async fn search(api: &Api, lead: &Outgoing) -> Result<Vec<u64>, Trouble> {
    let call = Call::get(format!("{PERSONS}/search"))
        .query("term", &lead.email)
        .query("fields", "email")
        .query("exact_match", "true");
    let matches = api.json::<Answer<Matches>>(call).await?.data.items;
    let fits = |found: &Match| found.item.emails.iter().any(|email| fold_email(email) == lead.email);
    Ok(matches.into_iter().filter(fits).map(|found| found.item.id).collect())
}

/// The persons changed within the last moments.
async fn recent(api: &Api) -> Result<Vec<Person>, Trouble> {
    let since = api.vendor_time(Timestamp::now()).as_second() - RECENT_SECONDS;
    let since = Timestamp::from_second(since).unwrap_or_default().to_string();
    let (mut persons, mut cursor) = (Vec::new(), None::<String>);
    for _ in 0..RECENT_PAGES {
        let call = Call::get(PERSONS).query("updated_since", &since).query("limit", "500");
        let call = match &cursor {
            Some(cursor) => call.query("cursor", cursor),
            None => call,
        };
        let page: Page = api.json(call).await?;
        persons.extend(page.data);
        cursor = page.additional_data.and_then(|paging| paging.next_cursor);
        if cursor.is_none() {
            break;
        }
    }
    Ok(persons)
}

fn as_found(person: &Person, lead: &Outgoing) -> Found {
    let values = lead.values.iter().map(|(name, ours)| (name.clone(), person.held(name, ours))).collect();
    Found::One { id: person.id.to_string(), values, created: person.created() }
}

async fn read(api: &Api, id: &str) -> Result<Person, Trouble> {
    Ok(api.json::<Answer<Person>>(Call::get(PERSONS).segment(id)).await?.data)
}

/// Makes a person.
pub(super) async fn create(api: &Api, survey: &Survey, lead: &Outgoing) -> Result<Written, Trouble> {
    let call = Call::post(PERSONS).json(body(survey, lead, None)).once();
    let made = api.json::<Answer<Person>>(call).await?.data;
    Ok(written(Outcome::Created, &made.id.to_string()))
}

/// Changes a person. Lists of numbers and labels are replaced by what is sent, so the person is read first.
pub(super) async fn update(api: &Api, survey: &Survey, lead: &Outgoing, id: &str) -> Result<Written, Trouble> {
    let person = read(api, id).await?;
    let body = body(survey, lead, Some(&person));
    // The same again changes nothing, so a repeat after a lost answer is harmless.
    api.send(Call::new(Method::PATCH, PERSONS).segment(id).json(body)).await?;
    Ok(written(Outcome::Updated, id))
}

fn written(outcome: Outcome, id: &str) -> Written {
    Written { outcome, remote_id: id.to_owned(), reason: String::new(), next_step: String::new() }
}

/// A person as requests carry it: new, or joined to what the known one holds.
fn body(survey: &Survey, lead: &Outgoing, known: Option<&Person>) -> Value {
    let (mut body, mut custom) = (Map::new(), Map::new());
    for (name, value) in &lead.values {
        match name.as_str() {
            EMAILS if known.is_some() => {}
            EMAILS => drop(body.insert(name.clone(), json!([Contact::new(value, true)]))),
            PHONES => drop(body.insert(name.clone(), json!(joined_phones(known, value)))),
            LABELS => drop(body.insert(name.clone(), json!(joined_labels(known, value)))),
            name if fields::is_custom(name) => {
                let kind = survey.field(name).map_or("", |field| field.kind.as_str());
                custom.insert(name.to_owned(), fields::typed(kind, value));
            }
            _ => drop(body.insert(name.clone(), json!(value))),
        }
    }
    if !custom.is_empty() {
        body.insert("custom_fields".to_owned(), Value::Object(custom));
    }
    Value::Object(body)
}

fn joined_phones(known: Option<&Person>, value: &str) -> Vec<Contact> {
    let mut phones = known.and_then(|person| person.phones.clone()).unwrap_or_default();
    if !phones.iter().any(|phone| same_number(&phone.value, value)) {
        phones.push(Contact::new(value, !phones.iter().any(|phone| phone.primary)));
    }
    phones
}

fn joined_labels(known: Option<&Person>, value: &str) -> Vec<i64> {
    let mut labels = known.and_then(|person| person.label_ids.clone()).unwrap_or_default();
    if let Ok(label) = value.parse()
        && !labels.contains(&label)
    {
        labels.push(label);
    }
    labels
}

/// Puts a label on persons; what they have already stays.
pub(super) async fn add_label(api: &Api, label: &str, persons: &[String]) -> Result<Vec<(String, String)>, Trouble> {
    let mut refused = Vec::new();
    for id in persons {
        let added = async {
            let labels = joined_labels(Some(&read(api, id).await?), label);
            api.send(Call::new(Method::PATCH, PERSONS).segment(id).json(json!({LABELS: labels}))).await
        };
        match added.await {
            Ok(_) => {}
            Err(trouble) if matches!(trouble.kind, TroubleKind::Refused | TroubleKind::Missing) => {
                refused.push((id.clone(), trouble.message));
            }
            Err(trouble) => return Err(trouble),
        }
    }
    Ok(refused)
}

#[cfg(test)]
#[path = "records_tests.rs"]
mod tests;
