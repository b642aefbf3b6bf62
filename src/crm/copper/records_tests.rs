//! What would go wrong for a user between a lead and its Copper record: numbers or addresses lost, the wrong record changed.

use super::*;
use crate::crm::{MatchBy, MatchKey, RemoteField};

fn survey(kind: Kind) -> Survey {
    let score = RemoteField { name: custom(7), kind: "float".into(), ..RemoteField::default() };
    Survey { fields: vec![score], key: MatchKey::LookUp(kind.email().into()), by: MatchBy::Email }
}

fn lead(values: &[(&str, &str)]) -> Outgoing {
    let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Outgoing { position: 0, key: "k".into(), email: "dana@x.test".into(), values }
}

fn record(record: Value) -> Record {
    serde_json::from_value(record).unwrap()
}

fn held() -> Record {
    record(json!({
        "id": 8, "name": "Dana W", "email": {"email": "Dana@x.test", "category": "work"}, "title": "Owner",
        "address": {"street": "1 Main St", "city": "Austin", "state": null},
        "phone_numbers": [{"number": "1", "category": "home"}],
        "custom_fields": [{"custom_field_definition_id": 7, "value": 7.5}],
        "date_created": 1_767_261_600, "tags": ["VIP"]
    }))
}

#[test]
fn a_new_record_has_all_and_its_e_mail_even_when_nobody_mapped_it() {
    let one = lead(&[
        ("name", "Dana"),
        ("phone_numbers", "2"),
        ("address.city", "Waco"),
        ("address.state", "TX"),
        ("custom_fields.7", "98.5"),
    ]);
    let number = json!([{"number": "2", "category": "work"}]);
    let score = json!([{"custom_field_definition_id": 7, "value": 98.5}]);
    assert_eq!(
        properties(&survey(Kind::Leads), &one, None),
        json!({"name": "Dana", "email": {"email": "dana@x.test", "category": "work"}, "phone_numbers": number,
            "address": {"city": "Waco", "state": "TX"}, "custom_fields": score})
    );
    let person = properties(&survey(Kind::People), &lead(&[("name", "D"), ("emails", "Dana@x.test")]), None);
    assert_eq!(person, json!({"name": "D", "emails": [{"email": "Dana@x.test", "category": "work"}]}));
}

#[test]
fn a_record_that_is_there_gets_what_differs_and_loses_nothing() {
    let one = lead(&[
        ("email", "dana@x.test"),
        ("phone_numbers", "2"),
        ("address.state", "TX"),
        ("title", "Owner"),
        ("custom_fields.7", "7.5"),
    ]);
    let numbers = json!([{"number": "1", "category": "home"}, {"number": "2", "category": "work"}]);
    assert_eq!(
        properties(&survey(Kind::Leads), &one, Some(&held())),
        json!({"name": "Dana W", "phone_numbers": numbers,
            "address": {"street": "1 Main St", "city": "Austin", "state": "TX"}})
    );
    let known = lead(&[("phone_numbers", "1"), ("name", "Dana W")]);
    assert_eq!(properties(&survey(Kind::People), &known, Some(&held())), json!({}));
}

#[test]
fn a_record_is_found_by_any_of_its_e_mails_and_shows_the_value_that_fits() {
    let one = lead(&[("phone_numbers", "2"), ("custom_fields.7", "7.5"), ("address.city", "Austin"), ("details", "x")]);
    let person = record(json!({"id": 9, "emails": [{"email": "a@x.test"}, {"email": "DANA@x.test"}],
        "phone_numbers": [{"number": "1"}, {"number": "2"}]}));
    let Found::One { id, values, .. } = found(&[person], &one) else { panic!() };
    assert_eq!((id.as_str(), values[0].1.as_str()), ("9", "2"));
    let Found::One { values, created, .. } = found(&[held(), record(json!({"id": 1}))], &one) else { panic!() };
    let shown: Vec<_> = values.iter().map(|(_, value)| value.as_str()).collect();
    assert_eq!(shown, ["1", "7.5", "Austin", ""]);
    assert_eq!(created.unwrap().as_second(), 1_767_261_600);
    assert_eq!(found(&[held(), held()], &one), Found::Several(vec!["8".into(), "8".into()]));
}
