//! What Copper describes and refuses, read as it writes it, and how calls are signed.

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::{Value, json};

use super::*;
use crate::crm::TroubleKind;
use crate::lead::{Column, Schema};
use crate::oauth::Method;
use crate::sync::mapping::default_mapping;
use crate::vault::Secret;

fn account(enabled: Value) -> Kind {
    let account = json!({"id": 1, "name": "A", "settings": {"setting_enable_leads": enabled}});
    serde_json::from_value::<CopperAccount>(account).unwrap().kind()
}

fn survey(kind: Kind) -> Survey {
    let custom = json!([
        {"id": 7, "name": "Lookalike Score", "data_type": "Float", "available_on": ["lead", "person"]},
        {"id": 8, "name": "Stage", "data_type": "Dropdown", "available_on": ["lead"]},
        {"id": 9, "name": "Budget", "data_type": "Currency", "available_on": ["opportunity"]}
    ]);
    survey_of(kind, serde_json::from_value(custom).unwrap())
}

#[test]
fn leads_become_people_only_where_leads_are_switched_off() {
    assert_eq!(
        (account(json!(true)), account(json!(null)), account(json!(false))),
        (Kind::Leads, Kind::Leads, Kind::People)
    );
    assert_eq!(Kind::of(&survey(Kind::Leads)), Kind::Leads);
    assert_eq!(Kind::of(&survey(Kind::People)), Kind::People);
}

#[test]
fn the_name_is_put_together_and_the_accounts_own_fields_are_met_by_their_labels() {
    let columns = [Field::FirstName, Field::LastName, Field::Email, Field::Score];
    let columns = columns.map(|field| Column { header: field.name().into(), field: Some(field) });
    let (rows, warnings) = default_mapping(&SPEC, &survey(Kind::People), &Schema { columns: columns.into() });
    let to = |from: &str| rows.iter().find(|row| row.from == from).map(|row| row.to.as_str());
    assert_eq!((to("full_name"), to("email"), to("score")), (Some("name"), Some("emails"), Some("custom_fields.7")));
    assert_eq!(warnings, Vec::<String>::new());
}

#[test]
fn fields_of_other_records_or_of_options_are_not_offered() {
    let survey = survey(Kind::Leads);
    let own: Vec<_> = survey.fields.iter().filter(|field| field.name.starts_with("custom")).collect();
    assert_eq!(own.len(), 1);
    assert_eq!((own[0].name.as_str(), own[0].kind.as_str()), ("custom_fields.7", "float"));
    let required: Vec<_> = survey.fields.iter().filter(|field| field.required).map(|field| &field.name).collect();
    assert_eq!(required, ["name"]);
}

#[test]
fn an_api_key_goes_with_its_owner_and_an_access_token_alone() {
    let signed = |is_static: bool, fields: &[(&str, &str)]| {
        let fields: BTreeMap<String, String> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut headers = HeaderMap::new();
        Copper.authorise(&mut headers, &Credential { token: &Secret::from("T"), fields: &fields, is_static });
        headers
    };
    let key = signed(true, &[("email", "dana@x.test")]);
    assert_eq!(key["x-pw-accesstoken"], "T");
    assert_eq!(
        (&key["x-pw-useremail"], &key["x-pw-application"]),
        (&"dana@x.test".parse().unwrap(), &"developer_api".parse().unwrap())
    );
    assert!(!key.contains_key("authorization"));
    assert_eq!(signed(false, &[("email", "dana@x.test")])["authorization"], "Bearer T");
    assert_eq!(crate::crm::sign_in::methods(&SPEC), [Method::Token, Method::Paste], "nothing can listen for a POST");
}

fn trouble(status: u16, message: Value) -> Trouble {
    let body = serde_json::to_vec(&json!({"success": false, "status": status, "message": message})).unwrap();
    let reply = ApiReply { status: StatusCode::from_u16(status).unwrap(), headers: HeaderMap::new(), body };
    Copper.classify(&reply).unwrap()
}

#[test]
fn refusals_say_what_to_do() {
    let key = trouble(401, json!("Unauthorized"));
    assert!(key.kind == TroubleKind::Credentials && key.next_step.contains("its owner's"), "{key:?}");
    assert_eq!(trouble(403, json!("Feature not enabled")).kind, TroubleKind::Plan);
    assert_eq!(trouble(403, json!("Forbidden")).kind, TroubleKind::Permission);
    assert_eq!(trouble(429, json!("Rate limit exceeded")).kind, TroubleKind::Busy { retry_after: None });
    let several = trouble(422, json!("Multiple leads match: 1, 2"));
    assert!(several.kind == TroubleKind::Refused && several.next_step.contains("Merge"), "{several:?}");
    let field = trouble(422, json!({"email": [{"error": "invalid"}]}));
    assert!(field.message.contains("email: invalid") && field.next_step.contains("Correct email"), "{field:?}");
}

#[test]
fn calls_are_one_per_lead_and_the_look_ups_and_tags_around_them() {
    let survey = survey(Kind::Leads);
    assert_eq!(Copper.calls(&survey, 250, false), 2 + 3 + 250);
    assert_eq!(Copper.calls(&survey, 101, true), 2 + 2 + 101 + 1 + 2 * 11);
}
