//! The fields of a practice CRM contact, and what their values may be.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

/// A field of a contact.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct ContactField {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    #[serde(rename = "type")]
    pub(super) kind: Kind,
    pub(super) max_length: usize,
    pub(super) required: bool,
    pub(super) unique: bool,
}

/// What a field's value has to look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Text,
    Email,
    Url,
    Number,
}

const fn text(name: &'static str, label: &'static str, max_length: usize) -> ContactField {
    ContactField { name, label, kind: Kind::Text, max_length, required: false, unique: false }
}

const fn typed(name: &'static str, label: &'static str, kind: Kind, max_length: usize) -> ContactField {
    ContactField { name, label, kind, max_length, required: false, unique: false }
}

/// Every field a contact has.
pub(super) const FIELDS: &[ContactField] = &[
    ContactField { unique: true, ..text("external_id", "External ID", 64) },
    ContactField { unique: true, ..typed("email", "E-mail", Kind::Email, 254) },
    text("first_name", "First name", 40),
    ContactField { required: true, ..text("last_name", "Last name", 80) },
    text("phone", "Phone", 40),
    text("company", "Company", 120),
    text("title", "Job title", 100),
    text("industry", "Industry", 60),
    typed("website", "Website", Kind::Url, 200),
    text("street", "Street", 120),
    text("city", "City", 60),
    text("state", "State", 40),
    text("postal_code", "Postal code", 20),
    text("country", "Country", 60),
    typed("employees", "Employees", Kind::Number, 20),
    typed("revenue", "Annual revenue", Kind::Number, 20),
    typed("score", "Likeness score", Kind::Number, 20),
    text("reasons", "Why", 500),
    text("tags", "Tags", 200),
    text("notes", "Notes", 2000),
];

/// Why a row was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct RowError {
    pub(super) code: &'static str,
    pub(super) field: String,
    pub(super) message: String,
}

impl RowError {
    pub(super) fn new(code: &'static str, field: &str, message: impl Into<String>) -> RowError {
        RowError { code, field: field.to_owned(), message: message.into() }
    }
}

/// The row's values as text, each one checked against its field.
pub(super) fn check_values(row: &Map<String, Value>) -> Result<BTreeMap<String, String>, RowError> {
    let mut values = BTreeMap::new();
    for (name, value) in row.iter().filter(|(name, _)| *name != "id") {
        let Some(field) = FIELDS.iter().find(|field| field.name == name) else {
            return Err(RowError::new("unknown_field", name, format!("There is no field '{name}'.")));
        };
        let value = match value {
            Value::Null => String::new(),
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            _ => return Err(RowError::new("wrong_type", name, format!("{} takes text or a number.", field.label))),
        };
        check_value(field, &value)?;
        values.insert(name.clone(), value);
    }
    Ok(values)
}

fn check_value(field: &ContactField, value: &str) -> Result<(), RowError> {
    if value.is_empty() {
        return Ok(());
    }
    let length = value.chars().count();
    if length > field.max_length {
        let message = format!("{} holds at most {} characters, this has {length}.", field.label, field.max_length);
        return Err(RowError::new("too_long", field.name, message));
    }
    let (good, wanted) = match field.kind {
        Kind::Text => (true, ""),
        Kind::Email => (is_email(value), "an e-mail address"),
        Kind::Url => {
            (value.starts_with("https://") || value.starts_with("http://"), "an address with http:// or https://")
        }
        Kind::Number => (value.parse::<f64>().is_ok_and(f64::is_finite), "a number"),
    };
    if good {
        return Ok(());
    }
    Err(RowError::new("invalid", field.name, format!("{} is not {wanted}.", field.label)))
}

/// One `@` with something before it, a dotted name after it, no blanks: what sign-up forms check.
pub(super) fn is_email(text: &str) -> bool {
    let Some((mailbox, host)) = text.split_once('@') else { return false };
    !mailbox.is_empty()
        && !text.contains(char::is_whitespace)
        && !host.contains('@')
        && host.split('.').count() >= 2
        && host.split('.').all(|label| !label.is_empty())
}
