//! The fields of a Lofty lead, and how their values look in requests and answers: lists, an address, custom attributes.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::crm::{Outgoing, RemoteField, Survey};

/// The field that finds a lead; a list there.
pub(super) const EMAILS: &str = "emails";
/// Phone numbers; a list there.
pub(super) const PHONES: &str = "phones";
/// Tags to add; those that are there stay.
pub(super) const TAGS: &str = "tagsAdd";
/// The tag of the lead list: added like the others, and no field that a mapping may name.
pub(super) const LIST_TAG: &str = "list tag";

/// The parts of an address.
const ADDRESS: &[&str] = &["streetAddress", "city", "state", "zipCode"];

/// Standard fields: name in requests, label, most characters (what is longer would be cut without a word).
const STANDARD: &[(&str, &str, usize)] = &[
    ("firstName", "First name", 30),
    ("lastName", "Last name", 30),
    (EMAILS, "Email", 0),
    (PHONES, "Phone", 20),
    ("streetAddress", "Street address", 0),
    ("city", "City", 0),
    ("state", "State", 0),
    ("zipCode", "Zip code", 0),
    ("source", "Source", 0),
    ("stage", "Stage", 19),
    ("referredBy", "Referred by", 0),
    (TAGS, "Tags to add", 0),
];

/// A custom field, as the team defines it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CustomField {
    attribute_name: String,
    #[serde(default)]
    attribute_type: String,
}

/// All fields that a mapping may name.
pub(super) fn all(custom: Vec<CustomField>) -> Vec<RemoteField> {
    let standard = STANDARD.iter().map(|(name, label, length)| RemoteField {
        name: (*name).to_owned(),
        label: (*label).to_owned(),
        kind: "text".to_owned(),
        length: *length,
        required: *name == "firstName",
        unique: *name == EMAILS,
    });
    let own = custom.into_iter().filter(|field| !is_standard(&field.attribute_name)).map(|field| RemoteField {
        label: field.attribute_name.clone(),
        name: field.attribute_name,
        kind: field.attribute_type,
        ..RemoteField::default()
    });
    standard.chain(own).collect()
}

fn is_standard(name: &str) -> bool {
    name == LIST_TAG || STANDARD.iter().any(|(standard, ..)| *standard == name)
}

/// A lead's values as the vendor takes them.
pub(super) fn body(survey: &Survey, lead: &Outgoing) -> Map<String, Value> {
    let (mut body, mut address, mut tags, mut custom) = (Map::new(), Map::new(), Vec::new(), Vec::new());
    for (name, value) in &lead.values {
        match name.as_str() {
            EMAILS | PHONES => {
                body.insert(name.clone(), json!([value]));
            }
            LIST_TAG => tags.push(value.as_str()),
            TAGS => tags.extend(split_tags(value)),
            part if ADDRESS.contains(&part) => {
                address.insert(name.clone(), json!(value));
            }
            standard if is_standard(standard) => {
                body.insert(name.clone(), json!(value));
            }
            own => {
                let kind = survey.field(own).map_or("text", |field| &field.kind);
                custom.push(json!({"attributeName": own, "attributeType": kind, "value": value}));
            }
        }
    }
    for (name, value) in [("property", Value::Object(address)), (TAGS, json!(tags))] {
        // An address of which nothing is known is refused.
        if value.as_object().is_some_and(|parts| !parts.is_empty()) || !tags.is_empty() && value.is_array() {
            body.insert(name.to_owned(), value);
        }
    }
    if !custom.is_empty() {
        body.insert("customAttributeList".to_owned(), Value::Array(custom));
    }
    body
}

fn split_tags(value: &str) -> impl Iterator<Item = &str> {
    value.split([',', ';']).map(str::trim).filter(|tag| !tag.is_empty())
}

/// A lead as answers show it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Held {
    /// Its id; 64 bits.
    pub lead_id: i64,
    #[serde(flatten)]
    values: Map<String, Value>,
}

impl Held {
    /// Whether it has this folded address.
    pub(super) fn has_email(&self, email: &str) -> bool {
        self.list(EMAILS).any(|held| held.trim().to_lowercase() == email)
    }

    /// Its phone numbers.
    pub(super) fn phones(&self) -> Vec<&str> {
        self.list(PHONES).collect()
    }

    /// Whether one of its phone numbers is this one, however it is written.
    pub(super) fn has_phone(&self, phone: &str) -> bool {
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let ours = digits(phone);
        self.list(PHONES).map(digits).any(|held| {
            let (short, long) = if held.len() < ours.len() { (&held, &ours) } else { (&ours, &held) };
            short == long || (short.len() >= 7 && long.ends_with(short.as_str()))
        })
    }

    /// Whether one of its addresses has all these parts.
    pub(super) fn has_address(&self, parts: &Map<String, Value>) -> bool {
        let holds = |address: &&Value| parts.iter().all(|(name, ours)| text(address.get(name)) == text(Some(ours)));
        self.addresses().any(|address| holds(&address))
    }

    fn addresses(&self) -> impl Iterator<Item = &Value> {
        let several = self.values.get("leadPropertyList").and_then(Value::as_array).into_iter().flatten();
        self.values.get("property").into_iter().chain(several)
    }

    fn list(&self, name: &str) -> impl Iterator<Item = &str> {
        self.values.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    fn has_tag(&self, tag: &str) -> bool {
        let tags = self.values.get("tags").and_then(Value::as_array).into_iter().flatten();
        tags.filter_map(|held| held.as_str().or_else(|| held.get("tagName")?.as_str())).any(|held| held == tag)
    }

    /// What it holds for a field, in the lead's spelling where it holds that too.
    pub(super) fn held(&self, lead: &Outgoing, name: &str, ours: &str) -> String {
        let has = |it: bool| if it { ours.to_owned() } else { String::new() };
        match name {
            EMAILS => has(self.has_email(&lead.email)),
            PHONES => has(self.has_phone(ours)),
            LIST_TAG => has(self.has_tag(ours)),
            TAGS => has(split_tags(ours).all(|tag| self.has_tag(tag))),
            part if ADDRESS.contains(&part) => has(self.addresses().any(|address| text(address.get(part)) == ours)),
            standard if is_standard(standard) => text(self.values.get(standard)),
            own => self.custom(own),
        }
    }

    fn custom(&self, name: &str) -> String {
        let list = ["customAttributes", "customAttributeList"].iter().find_map(|key| self.values.get(*key)?.as_array());
        let is_it = |field: &&Value| field.get("attributeName").and_then(Value::as_str) == Some(name);
        text(list.into_iter().flatten().find(is_it).and_then(|field| field.get("value")))
    }

    /// When it was made.
    pub(super) fn created(&self) -> Option<jiff::Timestamp> {
        self.values.get("createTime")?.as_str()?.parse().ok()
    }
}

fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(other) => other.to_string(),
    }
}
