//! The practice CRM's contacts and lists: what a contact may hold, how it is recognised, what is refused and in which words.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::fields::{FIELDS, RowError, check_values};
use crate::lead::fold_email;

/// One contact: values by field name, none of them empty.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Contact {
    pub(super) id: String,
    pub(super) values: BTreeMap<String, String>,
    pub(super) changed: Timestamp,
    /// Grows with every change of any contact: the order in which the page shows them.
    pub(super) turn: u64,
}

impl Contact {
    pub(super) fn value(&self, field: &str) -> &str {
        self.values.get(field).map_or("", String::as_str)
    }
}

/// One list of contacts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ContactList {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) members: BTreeSet<String>,
}

/// By what a batch recognises its contacts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum MatchBy {
    #[default]
    ExternalId,
    Email,
}

impl MatchBy {
    pub(super) fn field(self) -> &'static str {
        match self {
            MatchBy::ExternalId => "external_id",
            MatchBy::Email => "email",
        }
    }
}

/// What became of one row of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub(super) enum RowResult {
    Created { id: String },
    Updated { id: String },
    Unchanged { id: String },
    Failed { error: RowError },
}

/// All contacts and lists.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(from = "Kept")]
pub(super) struct Book {
    pub(super) contacts: Vec<Contact>,
    pub(super) lists: Vec<ContactList>,
    turn: u64,
    /// Places of contacts by unique field and folded value.
    #[serde(skip)]
    index: HashMap<(&'static str, String), usize>,
}

/// A book as it is kept, without what can be made again.
#[derive(Deserialize)]
struct Kept {
    contacts: Vec<Contact>,
    lists: Vec<ContactList>,
    turn: u64,
}

impl From<Kept> for Book {
    fn from(kept: Kept) -> Book {
        let mut book = Book { contacts: kept.contacts, lists: kept.lists, turn: kept.turn, index: HashMap::new() };
        for place in 0..book.contacts.len() {
            book.point_at(place);
        }
        book
    }
}

impl Book {
    fn point_at(&mut self, place: usize) {
        for field in ["external_id", "email"] {
            let value = self.contacts[place].value(field);
            if !value.is_empty() {
                self.index.insert((field, folded(field, value)), place);
            }
        }
    }

    /// The contact with this value in a unique field.
    pub(super) fn find(&self, by: MatchBy, value: &str) -> Option<&Contact> {
        self.place(by.field(), value).map(|place| &self.contacts[place])
    }

    fn place(&self, field: &'static str, value: &str) -> Option<usize> {
        self.index.get(&(field, folded(field, value))).copied()
    }

    /// Creates or updates one contact from a row's values. A value of `""` or null empties the field.
    pub(super) fn upsert(&mut self, by: MatchBy, row: &Map<String, Value>, now: Timestamp) -> RowResult {
        match self.try_upsert(by, row, now) {
            Ok(result) => result,
            Err(error) => RowResult::Failed { error },
        }
    }

    fn try_upsert(&mut self, by: MatchBy, row: &Map<String, Value>, now: Timestamp) -> Result<RowResult, RowError> {
        let values = check_values(row)?;
        let place = match row.get("id").and_then(Value::as_str) {
            Some(id) => {
                let place = self.contacts.iter().position(|contact| contact.id == id);
                Some(place.ok_or_else(|| RowError::new("not_found", "id", format!("There is no contact {id}.")))?)
            }
            None => {
                let key = values.get(by.field()).filter(|value| !value.is_empty()).ok_or_else(|| {
                    RowError::new("required", by.field(), format!("{} is needed to recognise the contact.", by.field()))
                })?;
                self.place(by.field(), key)
            }
        };
        self.check_unique(&values, place)?;
        let mut after = place.map(|place| self.contacts[place].values.clone()).unwrap_or_default();
        for (field, value) in values {
            if value.is_empty() {
                after.remove(&field);
            } else {
                after.insert(field, value);
            }
        }
        for field in FIELDS.iter().filter(|field| field.required) {
            if !after.contains_key(field.name) {
                return Err(RowError::new("required", field.name, format!("{} is missing.", field.label)));
            }
        }
        Ok(self.put(place, after, now))
    }

    fn put(&mut self, place: Option<usize>, values: BTreeMap<String, String>, now: Timestamp) -> RowResult {
        self.turn += 1;
        let Some(place) = place else {
            let id = format!("c_{}", self.contacts.len() + 1);
            self.contacts.push(Contact { id: id.clone(), values, changed: now, turn: self.turn });
            self.point_at(self.contacts.len() - 1);
            return RowResult::Created { id };
        };
        let id = self.contacts[place].id.clone();
        if self.contacts[place].values == values {
            return RowResult::Unchanged { id };
        }
        for field in ["external_id", "email"] {
            let key = (field, folded(field, self.contacts[place].value(field)));
            self.index.remove(&key);
        }
        let contact = &mut self.contacts[place];
        (contact.values, contact.changed, contact.turn) = (values, now, self.turn);
        self.point_at(place);
        RowResult::Updated { id }
    }

    fn check_unique(&self, values: &BTreeMap<String, String>, place: Option<usize>) -> Result<(), RowError> {
        for field in ["external_id", "email"] {
            let Some(value) = values.get(field).filter(|value| !value.is_empty()) else { continue };
            if let Some(holder) = self.place(field, value)
                && Some(holder) != place
            {
                let message = format!("Contact {} already has this {field}.", self.contacts[holder].id);
                return Err(RowError::new("duplicate", field, message));
            }
        }
        Ok(())
    }

    /// The id of the list of this name, made when there is none.
    pub(super) fn open_list(&mut self, name: &str) -> (String, bool) {
        let wanted = name.to_lowercase();
        if let Some(list) = self.lists.iter().find(|list| list.name.to_lowercase() == wanted) {
            return (list.id.clone(), false);
        }
        let id = format!("l_{}", self.lists.len() + 1);
        self.lists.push(ContactList { id: id.clone(), name: name.to_owned(), members: BTreeSet::new() });
        (id, true)
    }

    /// Adds contacts to a list: how many were added, how many were there, which do not exist. `None` = no such list.
    pub(super) fn add_members(&mut self, list: &str, ids: &[String]) -> Option<(u64, u64, Vec<String>)> {
        let (mut added, mut there, mut unknown) = (0, 0, Vec::new());
        let contacts = self.contacts.len();
        let list = self.lists.iter_mut().find(|kept| kept.id == list)?;
        for id in ids {
            let number = id.strip_prefix("c_").and_then(|digits| digits.parse::<usize>().ok());
            match number {
                Some(number) if (1..=contacts).contains(&number) => {
                    if list.members.insert(format!("c_{number}")) {
                        added += 1;
                    } else {
                        there += 1;
                    }
                }
                _ => unknown.push(id.clone()),
            }
        }
        Some((added, there, unknown))
    }
}

fn folded(field: &str, value: &str) -> String {
    if field == "email" { fold_email(value) } else { value.to_owned() }
}

#[cfg(test)]
#[path = "contacts_tests.rs"]
mod tests;
