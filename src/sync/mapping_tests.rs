//! What a lead turns into for an account, and what is refused before anything is sent.

use proptest::prelude::*;

use super::*;
use crate::crm::MatchKey;
use crate::crm::registry::by_id;
use crate::lead::Column;
use crate::sync::Mode;

fn spec() -> &'static Spec {
    by_id("salesforce").unwrap().spec()
}

fn field(name: &str, kind: &str, length: usize, required: bool) -> RemoteField {
    RemoteField { name: name.into(), kind: kind.into(), length, required, ..RemoteField::default() }
}

fn survey(by: MatchBy) -> Survey {
    let fields = vec![
        field("LastName", "string", 10, true),
        field("FirstName", "string", 10, false),
        field("Email", "email", 80, false),
        field("Lookalike_Score__c", "double", 0, false),
        field("Lookalike_List__c", "string", 80, false),
        field("Lookalike_Id__c", "string", 20, false),
    ];
    let key = match by {
        MatchBy::LeadKey => MatchKey::Upsert("Lookalike_Id__c".into()),
        MatchBy::Email => MatchKey::LookUp("Email".into()),
    };
    Survey { fields, key, by }
}

fn schema(columns: &[&str]) -> Schema {
    let column = |name: &&str| Column { header: (*name).into(), field: Field::from_name(name) };
    Schema { columns: columns.iter().map(column).collect() }
}

fn lead(cells: &[&str]) -> Lead {
    Lead { cells: cells.iter().map(|cell| (*cell).to_owned()).collect() }
}

fn settings(mapping: Vec<MappingRow>) -> Settings {
    Settings { mode: Mode::Upsert, mapping, group: String::new() }
}

#[test]
fn a_first_sync_fills_what_the_account_has_and_says_what_it_lacks() {
    let schema = schema(&["full_name", "email", "company", "score", "Lead Colour"]);
    let (rows, warnings) = default_mapping(spec(), &survey(MatchBy::Email), &schema);
    let to = |from: &str| rows.iter().find(|row| row.from == from).map(|row| row.to.as_str());
    assert_eq!((to("first_name"), to("last_name")), (Some("FirstName"), Some("LastName")), "from the full name");
    assert_eq!((to("score"), to(LIST_NAME)), (Some("Lookalike_Score__c"), Some("Lookalike_List__c")));
    assert_eq!((to("company"), to("Lead Colour")), (Some(""), Some("")), "offered, not sent");
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("Company"), "{warnings:?}");
}

#[test]
fn a_field_whose_name_is_an_id_is_found_by_its_label() {
    let mut survey = survey(MatchBy::Email);
    survey.fields.retain(|field| field.name != "Lookalike_Score__c");
    survey.fields.push(RemoteField { label: "lookalike_score__c".into(), ..field("f-4711", "double", 0, false) });
    let (rows, warnings) = default_mapping(spec(), &survey, &schema(&["score"]));
    assert_eq!((rows[0].to.as_str(), warnings), ("f-4711", Vec::new()));
}

#[test]
fn a_full_name_is_split_and_empty_values_are_not_sent() {
    let schema = schema(&["full_name", "email", "score"]);
    let survey = survey(MatchBy::Email);
    let settings = settings(default_mapping(spec(), &survey, &schema).0);
    let mapping = Mapping::new(spec(), &survey, &schema, &settings, "My list");
    let outgoing = mapping.outgoing(3, "id:3", &lead(&["Dana Whitfield", " Dana@X.test ", " "]));
    let values: Vec<_> = outgoing.values.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let expected =
        [("FirstName", "Dana"), ("LastName", "Whitfield"), ("Email", "Dana@X.test"), ("Lookalike_List__c", "My list")];
    assert_eq!(values, expected);
    assert_eq!(outgoing.email, "dana@x.test");
}

#[test]
fn a_field_the_account_does_not_have_is_told_and_never_sent() {
    let (schema, survey) = (schema(&["email", "Colour"]), survey(MatchBy::Email));
    let settings = settings(vec![row("Colour", "Colour__c"), row("Shape", "LastName"), row("email", "Email")]);
    let mapping = Mapping::new(spec(), &survey, &schema, &settings, "l");
    assert_eq!(mapping.outgoing(0, "k", &lead(&["a@x.test", "red"])).values.len(), 1);
    assert!(
        mapping.warnings[0].contains("Colour__c") && mapping.warnings[1].contains("Shape"),
        "{:?}",
        mapping.warnings
    );
}

#[test]
fn the_rule_a_lead_breaks_is_named() {
    let (schema, survey) = (schema(&["last_name", "email", "score"]), survey(MatchBy::Email));
    let settings = settings(default_mapping(spec(), &survey, &schema).0);
    let mapping = Mapping::new(spec(), &survey, &schema, &settings, "l");
    let refusal = |cells: &[&str], create| {
        mapping.refusal(&mapping.outgoing(0, "k", &lead(cells)), create).map(|refusal| refusal.reason)
    };
    assert_eq!(refusal(&["Whitfield", "a@x.test", "98.5"], true), None);
    assert!(refusal(&["", "a@x.test", "1"], true).unwrap().contains("without LastName"));
    assert_eq!(refusal(&["", "a@x.test", "1"], false), None, "an update may leave it as it is");
    assert!(refusal(&["Whitfield-Montgomery", "a@x.test", ""], true).unwrap().contains("20 characters long"));
    assert!(refusal(&["Whit", "a@x.test", "high"], true).unwrap().contains("'high' is none"));
    assert!(mapping.no_key(&mapping.outgoing(0, "k", &lead(&["W", "", ""]))).is_some());
}

#[test]
fn the_key_keeps_its_own_field_and_fits_into_it() {
    let (schema, survey) = (schema(&["id", "last_name"]), survey(MatchBy::LeadKey));
    let settings = settings(vec![row("last_name", "LastName"), row("id", "Lookalike_Id__c")]);
    let mapping = Mapping::new(spec(), &survey, &schema, &settings, "l");
    let short = mapping.outgoing(0, "id:7", &lead(&["7", "W"]));
    assert_eq!((short.key.as_str(), short.values.len()), ("id:7", 1));
    let long = |id: &str| mapping.outgoing(0, id, &lead(&[id, "W"])).key;
    let (a, b) = (long(&format!("id:{}1", "x".repeat(30))), long(&format!("id:{}2", "x".repeat(30))));
    assert!(a != b && a.len() == 20 && b.len() == 20);
}

#[test]
fn equal_values_are_recognised_however_the_vendor_shows_them() {
    assert!(same_value("98.0", "98") && same_value("dana@x.test", "Dana@X.test") && same_value("a", "a "));
    assert!(!same_value("7871", "07871") && !same_value("", "x") && !same_value("ACME", "Acme"));
}

proptest! {
    #[test]
    fn no_cell_makes_the_mapping_panic_or_send_a_field_twice(cells in proptest::collection::vec(any::<String>(), 0..5)) {
        let (schema, survey) = (schema(&["full_name", "last_name", "email", "score"]), survey(MatchBy::Email));
        let settings = settings(default_mapping(spec(), &survey, &schema).0);
        let mapping = Mapping::new(spec(), &survey, &schema, &settings, "l");
        let outgoing = mapping.outgoing(0, "k", &Lead { cells });
        let names: std::collections::BTreeSet<_> = outgoing.values.iter().map(|(name, _)| name).collect();
        prop_assert_eq!(names.len(), outgoing.values.len());
        let _ = mapping.refusal(&outgoing, true);
    }
}
