//! The fields of a GoHighLevel contact, and how their values look in requests: custom fields by id, countries as codes.

use serde::Deserialize;
use serde_json::{Map, Number, Value, json};

use crate::crm::{RemoteField, Survey};

/// The field that finds a contact.
pub(super) const EMAIL: &str = "email";
/// The field that may belong to somebody else already.
pub(super) const PHONE: &str = "phone";
/// The field that only a new contact takes.
pub(super) const COMPANY: &str = "companyName";
const COUNTRY: &str = "country";

/// Standard fields by their name in requests, with their label.
const STANDARD: &[(&str, &str)] = &[
    ("firstName", "First name"),
    ("lastName", "Last name"),
    (EMAIL, "Email"),
    (PHONE, "Phone"),
    (COMPANY, "Business name"),
    ("address1", "Street address"),
    ("city", "City"),
    ("state", "State"),
    ("postalCode", "Postal code"),
    (COUNTRY, "Country"),
    ("website", "Website"),
    ("source", "Contact source"),
    ("dateOfBirth", "Date of birth"),
    ("timezone", "Time zone"),
];

/// Names of countries as leads have them, by the code that the vendor wants.
const COUNTRIES: &[(&str, &[&str])] = &[
    ("US", &["usa", "u.s.", "u.s.a.", "united states", "united states of america"]),
    ("CA", &["canada"]),
    ("GB", &["uk", "u.k.", "united kingdom", "great britain", "england", "scotland", "wales"]),
    ("AU", &["australia"]),
    ("NZ", &["new zealand"]),
    ("IE", &["ireland"]),
    ("DE", &["germany", "deutschland"]),
    ("FR", &["france"]),
    ("ES", &["spain"]),
    ("MX", &["mexico"]),
    ("IN", &["india"]),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CustomFields {
    #[serde(default)]
    custom_fields: Vec<CustomField>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CustomField {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    data_type: String,
    #[serde(default)]
    model: String,
}

/// All fields that a mapping may name; a custom field's name is its id.
pub(super) fn all(custom: CustomFields) -> Vec<RemoteField> {
    let standard = STANDARD.iter().map(|(name, label)| RemoteField {
        name: (*name).to_owned(),
        label: (*label).to_owned(),
        kind: "TEXT".to_owned(),
        unique: *name == EMAIL,
        ..RemoteField::default()
    });
    let writable = custom.custom_fields.into_iter().filter(|field| {
        field.model != "opportunity" && !matches!(field.data_type.as_str(), "FILE_UPLOAD" | "SIGNATURE")
    });
    let custom = writable.map(|field| RemoteField {
        name: field.id,
        label: field.name,
        kind: field.data_type,
        ..RemoteField::default()
    });
    standard.chain(custom).collect()
}

/// Values as the vendor takes them, those of custom fields in a list of their own.
pub(super) fn body<'a>(survey: &Survey, values: impl Iterator<Item = &'a (String, String)>) -> Map<String, Value> {
    let (mut body, mut custom) = (Map::new(), Vec::new());
    for (name, value) in values {
        if is_standard(name) {
            body.insert(name.clone(), json!(on_the_wire(name, value)));
        } else {
            let kind = survey.field(name).map_or("", |field| field.kind.as_str());
            custom.push(json!({"id": name, "field_value": custom_value(kind, value)}));
        }
    }
    if !custom.is_empty() {
        body.insert("customFields".to_owned(), Value::Array(custom));
    }
    body
}

/// Whether this is no custom field.
pub(super) fn is_standard(name: &str) -> bool {
    STANDARD.iter().any(|(standard, _)| *standard == name)
}

fn custom_value(kind: &str, value: &str) -> Value {
    match kind {
        "NUMERICAL" | "MONETORY" => serde_json::from_str::<Number>(value).map_or_else(|_| json!(value), Value::Number),
        "MULTIPLE_OPTIONS" | "CHECKBOX" => json!(value.split(';').map(str::trim).collect::<Vec<_>>()),
        _ => json!(value),
    }
}

fn on_the_wire(name: &str, value: &str) -> String {
    if name != COUNTRY {
        return value.to_owned();
    }
    let folded = value.trim().to_lowercase();
    let known = COUNTRIES.iter().find(|(_, names)| names.contains(&folded.as_str()));
    match known {
        Some((code, _)) => (*code).to_owned(),
        None if folded.len() == 2 => folded.to_uppercase(),
        None => value.to_owned(),
    }
}

/// Whether what a contact holds is what this value becomes there.
pub(super) fn is_same(name: &str, held: &str, ours: &str) -> bool {
    match name {
        PHONE => same_phone(held, ours),
        EMAIL => held.trim().to_lowercase() == ours.trim().to_lowercase(),
        _ => held.trim() == on_the_wire(name, ours),
    }
}

/// Numbers are stored with their country's code, which a lead's may lack.
fn same_phone(held: &str, ours: &str) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let (held, ours) = (digits(held), digits(ours));
    held == ours || (ours.len() >= 7 && held.ends_with(&ours))
}
