//! The payloads that ship with the program, and the made-up lead that tries them.

use crate::lead::{Column, Field, Lead, Schema};

/// A payload that ships with the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready {
    /// Its name in the settings of a webhook.
    pub name: &'static str,
    /// What it is for, for a person.
    pub about: &'static str,
    /// Its text: a start for a template of one's own.
    pub text: &'static str,
}

/// The ready payloads, the usual one first.
pub const READY: [Ready; 3] = [
    Ready {
        name: "standard",
        about: "Standard Webhooks envelope: type, timestamp, data",
        text: include_str!("../../assets/templates/standard.json.j2"),
    },
    Ready {
        name: "flat",
        about: "The lead's fields alone; an array when batched",
        text: include_str!("../../assets/templates/flat.json.j2"),
    },
    Ready {
        name: "slack",
        about: "A message for a Slack incoming webhook",
        text: include_str!("../../assets/templates/slack.json.j2"),
    },
];

/// A made-up lead with every standard field, for a test when no lead is at hand.
pub fn sample() -> (Schema, Lead) {
    let columns = SAMPLE.map(|(field, _)| Column { header: field.name().into(), field: Some(field) });
    let cells = SAMPLE.map(|(_, value)| value.to_owned());
    (Schema { columns: columns.into() }, Lead { cells: cells.into() })
}

const SAMPLE: [(Field, &str); 21] = [
    (Field::Id, "sample-1"),
    (Field::FirstName, "Dana"),
    (Field::LastName, "Whitfield"),
    (Field::FullName, "Dana Whitfield"),
    (Field::Email, "dana@whitfield.test"),
    (Field::Phone, "+1 512 555 0100"),
    (Field::Company, "Whitfield Homes"),
    (Field::Title, "Owner"),
    (Field::Industry, "Real estate"),
    (Field::Website, "https://whitfield.test"),
    (Field::Street, "1 Example Street"),
    (Field::City, "Austin"),
    (Field::State, "TX"),
    (Field::PostalCode, "78701"),
    (Field::Country, "US"),
    (Field::Employees, "12"),
    (Field::Revenue, "1500000"),
    (Field::Tags, "investor"),
    (Field::Notes, "A made-up lead for a test"),
    (Field::Score, "98"),
    (Field::Reasons, "Industry=Real estate 4.1x"),
];
