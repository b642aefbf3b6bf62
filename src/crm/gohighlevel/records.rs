//! GoHighLevel contacts: searching by e-mail, creating, changing by id, putting a tag on; what was not taken is told.

use http::Method;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::errors::{InTheWay, in_the_way};
use super::fields::{self, COMPANY, EMAIL, PHONE};
use crate::crm::api::Api;
use crate::crm::call::{ApiReply, Call, words_of};
use crate::crm::{Found, Outgoing, Survey, Trouble, TroubleKind, Write, Written};
use crate::lead::fold_email;
use crate::sync::Outcome;

/// Contacts of one e-mail that a look-up wants to know of.
const MATCHES: usize = 10;

#[derive(Deserialize)]
struct Matches {
    #[serde(default)]
    contacts: Vec<Contact>,
}

#[derive(Deserialize)]
struct Answer {
    contact: Contact,
}

/// A contact as answers show it.
#[derive(Deserialize)]
struct Contact {
    id: String,
    #[serde(flatten)]
    values: Map<String, Value>,
}

impl Contact {
    fn text(&self, name: &str) -> String {
        if fields::is_standard(name) { shown(self.values.get(name)) } else { self.custom(name) }
    }

    fn custom(&self, id: &str) -> String {
        let fields = self.values.get("customFields").and_then(Value::as_array);
        let field = fields.into_iter().flatten().find(|field| field.get("id").and_then(Value::as_str) == Some(id));
        let value =
            field.and_then(|field| ["value", "fieldValue", "field_value"].iter().find_map(|key| field.get(key)));
        shown(value)
    }

    /// Whether it has this folded address, as its first or as a further one.
    fn has_email(&self, email: &str) -> bool {
        let further = self.values.get("additionalEmails").and_then(Value::as_array);
        let further =
            further.into_iter().flatten().filter_map(|entry| entry.as_str().or_else(|| entry.get(EMAIL)?.as_str()));
        fold_email(&self.text(EMAIL)) == email || further.map(fold_email).any(|other| other == email)
    }

    /// What it holds for a field, in the lead's spelling where that is the same.
    fn held(&self, lead: &Outgoing, name: &str, ours: &str) -> String {
        let held = self.text(name);
        let same = if name == EMAIL { self.has_email(&lead.email) } else { fields::is_same(name, &held, ours) };
        if same { ours.to_owned() } else { held }
    }

    fn created(&self) -> Option<Timestamp> {
        self.values.get("dateAdded")?.as_str()?.parse().ok()
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

/// Looks one lead up by its e-mail.
pub(super) async fn find(api: &Api, location: &str, lead: &Outgoing) -> Result<Found, Trouble> {
    if lead.email.is_empty() {
        return Ok(Found::None);
    }
    let body = json!({
        "locationId": location,
        "pageLimit": MATCHES,
        "filters": [{"field": EMAIL, "operator": "eq", "value": lead.email}],
    });
    let answer: Matches = api.json(Call::post("/contacts/search").json(body)).await?;
    let mut contacts: Vec<Contact> =
        answer.contacts.into_iter().filter(|contact| contact.has_email(&lead.email)).collect();
    if contacts.len() > 1 {
        return Ok(Found::Several(contacts.into_iter().map(|contact| contact.id).collect()));
    }
    let Some(contact) = contacts.pop() else { return Ok(Found::None) };
    let values = lead.values.iter().map(|(name, ours)| (name.clone(), contact.held(lead, name, ours))).collect();
    Ok(Found::One { values, created: contact.created(), id: contact.id })
}

/// Makes a contact. A location without duplicates refuses one whose e-mail it has after all (the search lags behind): then
/// that contact is changed; and one whose phone another has: then it is made without.
pub(super) async fn create(api: &Api, survey: &Survey, location: &str, lead: &Outgoing) -> Result<Written, Trouble> {
    let mut body = fields::body(survey, lead.values.iter());
    body.insert("locationId".to_owned(), json!(location));
    let call = |body: &Map<String, Value>| Call::post("/contacts").segment("").json(json!(body)).once();
    let mut reply = api.send(call(&body)).await?;
    if is_by_phone(&reply) && body.remove(PHONE).is_some() {
        reply = api.send(call(&body)).await?;
    }
    match in_the_way(&reply) {
        Some(other) if other.field == EMAIL => update(api, survey, lead, &other.contact).await,
        other => Ok(written(&reply, other, lead, &Write::Create)),
    }
}

/// Changes the contact of this id. The e-mail stays: the contact was found by it, perhaps as a further one, which would
/// otherwise take the first one's place.
pub(super) async fn update(api: &Api, survey: &Survey, lead: &Outgoing, id: &str) -> Result<Written, Trouble> {
    let changes = lead.values.iter().filter(|(name, _)| name != EMAIL && name != COMPANY);
    let mut body = fields::body(survey, changes);
    let call = |body: &Map<String, Value>| Call::new(Method::PUT, "/contacts").segment(id).json(json!(body));
    let mut reply = api.send(call(&body)).await?;
    if is_by_phone(&reply) && body.remove(PHONE).is_some() {
        reply = api.send(call(&body)).await?;
    }
    Ok(written(&reply, in_the_way(&reply), lead, &Write::Update { id: id.to_owned() }))
}

fn is_by_phone(reply: &ApiReply) -> bool {
    in_the_way(reply).is_some_and(|other| other.field == PHONE)
}

/// What a write's answer says, with what of the lead it did not take.
fn written(reply: &ApiReply, in_the_way: Option<InTheWay>, lead: &Outgoing, write: &Write) -> Written {
    if let Some(other) = in_the_way {
        return Written {
            outcome: Outcome::Failed,
            remote_id: String::new(),
            reason: words_of(&format!(
                "Another contact of this location has the same {}: {}",
                other.field, other.words
            )),
            next_step: "Merge the two in GoHighLevel, or correct the lead, then retry.".to_owned(),
        };
    }
    let contact = reply.json::<Answer>().map(|answer| answer.contact);
    let (outcome, known) = match write {
        Write::Update { id } => (Outcome::Updated, id.as_str()),
        Write::Create | Write::Upsert => (Outcome::Created, ""),
    };
    let remote_id = contact.as_ref().map_or(known, |contact| &contact.id).to_owned();
    if remote_id.is_empty() {
        let reason = "GoHighLevel's answer names no contact".to_owned();
        return Written { outcome: Outcome::Unknown, remote_id, reason, next_step: String::new() };
    }
    let left_out = contact.map_or_else(Vec::new, |contact| left_out(&contact, lead));
    let (reason, next_step) = match left_out.first() {
        None => (String::new(), String::new()),
        Some(first) => {
            let next_step = match *first {
                PHONE => "Another contact has this number: find it in GoHighLevel and merge the two, or leave it so.",
                COMPANY => "Change the business name by hand: GoHighLevel takes it for new contacts only.",
                _ => "Compare the contact in GoHighLevel with the lead.",
            };
            (format!("Written, but GoHighLevel did not take: {}", left_out.join(", ")), next_step.to_owned())
        }
    };
    Written { outcome, remote_id, reason, next_step }
}

/// The fields that GoHighLevel is known to drop without a word, where its answer shows that it did.
fn left_out(contact: &Contact, lead: &Outgoing) -> Vec<&'static str> {
    let dropped = |name: &&str| {
        let ours = lead.values.iter().find(|(ours, _)| ours == *name);
        ours.is_some_and(|(_, ours)| contact.held(lead, name, ours) != *ours)
    };
    [PHONE, COMPANY, EMAIL].into_iter().filter(dropped).collect()
}

#[derive(Deserialize)]
struct Tagged {
    #[serde(rename = "errorCount", default)]
    errors: usize,
    #[serde(default)]
    responses: Vec<Value>,
}

impl Tagged {
    /// The contacts that the answer names as refused; `None` when it does not name all of them.
    fn refused(&self) -> Option<Vec<(String, String)>> {
        let text = |response: &Value, name: &str| response.get(name).and_then(Value::as_str).map(str::to_owned);
        let refused: Vec<_> = self
            .responses
            .iter()
            .filter(|response| text(response, "type").as_deref() == Some("error"))
            .filter_map(|response| Some((text(response, "contactId")?, words_of(&text(response, "message")?))))
            .collect();
        (refused.len() == self.errors).then_some(refused)
    }
}

/// Puts a tag on contacts by one call; one by one when the vendor refuses so many, or does not say which it refused.
pub(super) async fn tag(
    api: &Api,
    location: &str,
    tag: &str,
    contacts: &[String],
) -> Result<Vec<(String, String)>, Trouble> {
    let body = json!({"contacts": contacts, "tags": [tag], "locationId": location});
    match api.json::<Tagged>(Call::post("/contacts/bulk/tags/update/add").json(body)).await {
        Ok(answer) => {
            if let Some(refused) = answer.refused() {
                return Ok(refused);
            }
        }
        Err(trouble) if !is_refusal(&trouble) => return Err(trouble),
        Err(_) => {}
    }
    let mut refused = Vec::new();
    for contact in contacts {
        let call = Call::post("/contacts").segment(contact).segment("tags").json(json!({"tags": [tag]}));
        match api.send(call).await {
            Ok(_) => {}
            Err(trouble) if is_refusal(&trouble) => refused.push((contact.clone(), trouble.message)),
            Err(trouble) => return Err(trouble),
        }
    }
    Ok(refused)
}

fn is_refusal(trouble: &Trouble) -> bool {
    matches!(trouble.kind, TroubleKind::Refused | TroubleKind::Missing)
}

#[cfg(test)]
#[path = "records_tests.rs"]
mod tests;
