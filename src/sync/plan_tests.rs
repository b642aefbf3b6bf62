//! What "confirm sync settings" tells before anything is sent.

use super::*;
use crate::crm::RemoteField;
use crate::crm::registry::by_id;
use crate::lead::{Column, Field};

fn plan(mode: Mode) -> Plan {
    let crm = by_id("hubspot").unwrap();
    let field = |name: &str| RemoteField { name: name.into(), ..RemoteField::default() };
    let fields = vec![field("email"), field("lastname"), RemoteField { length: 5, ..field("city") }];
    let survey = Survey { fields, key: MatchKey::Upsert("email".into()), by: MatchBy::Email };
    let column = |field: Field| Column { header: field.name().into(), field: Some(field) };
    let schema = Schema { columns: [Field::LastName, Field::Email, Field::City].map(column).into() };
    let (mut settings, warnings) = default_settings(crm, &survey, &schema, "Top");
    assert_eq!((warnings.len(), settings.group.as_str()), (0, "Top"));
    settings.mode = mode;
    let lead = |cells: [&str; 3]| Lead { cells: cells.map(str::to_owned).into() };
    let mut leads: Vec<Lead> = (0..200).map(|n| lead(["A", &format!("{n}@x.test"), "Bonn"])).collect();
    leads.extend([lead(["A", "", "Bonn"]), lead(["A", " 7@X.test", "Bonn"]), lead(["A", "new@x.test", "Cologne"])]);
    let mut planner = Planner::new(crm, &survey, &schema, &settings, "Top");
    planner.add(leads.iter().map(|lead| ("", lead)));
    let destination = Destination::Crm { platform: "hubspot".into(), account: String::new() };
    planner.finish(
        destination,
        "Top",
        2,
        &Account { name: "Acme".into(), user: "d@acme.test".into(), ..Account::default() },
    )
}

#[test]
fn leads_that_cannot_go_are_counted_by_reason() {
    let plan = plan(Mode::Upsert);
    assert_eq!((plan.leads, plan.account.as_str()), (203, "Acme (d@acme.test)"));
    let expected =
        ["1 lead without an e-mail", "1 lead with the key or e-mail of an earlier one", "1 lead will fail: Shorten"];
    assert_eq!(plan.warnings.len(), 3);
    assert!(
        plan.warnings.iter().zip(expected).all(|(warning, words)| warning.starts_with(words)),
        "{:?}",
        plan.warnings
    );
}

#[test]
fn calls_are_those_of_the_leads_that_go_and_of_the_look_ups_a_mode_needs() {
    assert_eq!(plan(Mode::Upsert).calls, 1 + 2 + 2 + 1);
    assert_eq!(plan(Mode::Create).calls, 1 + 2 + 2 + 1 + 2);
}
