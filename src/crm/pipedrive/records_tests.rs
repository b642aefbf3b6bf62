//! What is sent for a person, and what of a known one is kept.

use super::*;
use crate::crm::{MatchBy, MatchKey, RemoteField};

fn lead(values: &[(&str, &str)]) -> Outgoing {
    let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Outgoing { position: 0, key: "id:1".into(), email: "dana@x.test".into(), values }
}

fn survey() -> Survey {
    let score = RemoteField { name: "abc".into(), kind: "double".into(), ..RemoteField::default() };
    Survey { fields: vec![score], key: MatchKey::LookUp(EMAILS.into()), by: MatchBy::Email }
}

fn person() -> Person {
    serde_json::from_value(json!({
        "id": 7, "name": "Dana", "add_time": "2026-01-01T00:00:00Z", "label_ids": [3],
        "emails": [{"value": "old@x.test", "primary": true}, {"value": "Dana@x.test", "primary": false}],
        "phones": [{"value": "+1 415 555 0100", "primary": true, "label": "home"}],
        "custom_fields": {"abc": 7.5, "empty": null}
    }))
    .unwrap()
}

const LEAD: &[(&str, &str)] =
    &[("name", "Dana W."), ("emails", "Dana@x.test"), ("phones", "+1 415 555 0199"), (LABELS, "9"), ("abc", "8")];

#[test]
fn a_new_person_carries_name_address_number_label_and_custom_fields() {
    let sent = body(&survey(), &lead(LEAD), None);
    let contact = |value: &str| json!([{"value": value, "primary": true, "label": "work"}]);
    let expected = json!({
        "name": "Dana W.", "emails": contact("Dana@x.test"), "phones": contact("+1 415 555 0199"), "label_ids": [9],
        "custom_fields": {"abc": 8.0}
    });
    assert_eq!(sent, expected);
}

#[test]
fn a_known_person_keeps_its_addresses_numbers_and_labels() {
    let sent = body(&survey(), &lead(LEAD), Some(&person()));
    assert!(sent.get("emails").is_none(), "addresses stay as they are");
    assert_eq!(sent["label_ids"], json!([3, 9]));
    assert_eq!(sent["phones"][0], json!({"value": "+1 415 555 0100", "primary": true, "label": "home"}));
    assert_eq!(sent["phones"][1], json!({"value": "+1 415 555 0199", "primary": false, "label": "work"}));
    let again = lead(&[("phones", "14155550100"), (LABELS, "3")]);
    let sent = body(&survey(), &again, Some(&person()));
    assert_eq!((sent["phones"].as_array().map(Vec::len), &sent["label_ids"]), (Some(1), &json!([3])));
}

#[test]
fn a_person_that_holds_a_leads_values_among_others_says_the_same() {
    let same = lead(&[
        ("name", "Dana"),
        ("emails", "dana@x.test"),
        ("phones", "(1) 415-555-0100"),
        (LABELS, "3"),
        ("abc", "7.50"),
    ]);
    let Found::One { id, values, created } = as_found(&person(), &same) else { panic!() };
    assert_eq!((id.as_str(), created.map(|time| time.as_second())), ("7", Some(1_767_225_600)));
    assert!(crate::sync::mapping::says_the_same(&values, &same), "{values:?}");
    let other = lead(&[(LABELS, "30")]);
    let Found::One { values, .. } = as_found(&person(), &other) else { panic!() };
    assert!(!crate::sync::mapping::says_the_same(&values, &other));
}
