//! What Salesforce describes, refuses and counts, read as it writes it.

use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::*;
use crate::crm::TroubleKind;

fn describe(more: &[Value]) -> Survey {
    let field = |name: &str, kind: &str, length: usize, nillable: bool| json!({"name": name, "label": name, "type": kind, "length": length, "createable": true, "updateable": true, "nillable": nillable});
    let mut fields = vec![
        field("LastName", "string", 80, false),
        field("Company", "string", 255, false),
        field("Email", "email", 80, true),
        field("Lookalike_Score__c", "double", 18, true),
        json!({"name": "Status", "type": "picklist", "length": 255, "createable": true, "updateable": true, "nillable": false, "defaultedOnCreate": true}),
        json!({"name": "CreatedDate", "type": "datetime", "nillable": false}),
    ];
    fields.extend_from_slice(more);
    survey_of(serde_json::from_value(json!({"fields": fields})).unwrap())
}

fn key_field(name: &str, unique: bool) -> Value {
    json!({"name": name, "type": "string", "length": 64, "createable": true, "updateable": true, "nillable": true, "externalId": true, "unique": unique})
}

#[test]
fn a_unique_external_id_named_for_leads_is_the_key_and_e_mail_otherwise() {
    assert_eq!(describe(&[]).key, MatchKey::LookUp("Email".into()));
    assert_eq!(describe(&[key_field("Lookalike_Id__c", false)]).key, MatchKey::LookUp("Email".into()));
    assert_eq!(describe(&[key_field("Erp_Number__c", true)]).key, MatchKey::LookUp("Email".into()));
    let named = describe(&[key_field("My_Lead_Id__c", true), key_field("Lookalike_Id__c", true)]);
    assert_eq!((named.key, named.by), (MatchKey::Upsert("Lookalike_Id__c".into()), MatchBy::LeadKey));
}

#[test]
fn only_what_a_person_must_give_is_required_and_only_text_has_a_length() {
    let survey = describe(&[]);
    let required: Vec<_> = survey.fields.iter().filter(|field| field.required).map(|field| &field.name).collect();
    assert_eq!(required, ["LastName", "Company"]);
    assert_eq!(survey.field("Lookalike_Score__c").unwrap().length, 0);
    assert!(survey.field("CreatedDate").is_none(), "cannot be written");
}

fn trouble(status: u16, body: Value) -> Trouble {
    let body = serde_json::to_vec(&body).unwrap();
    let reply = ApiReply { status: StatusCode::from_u16(status).unwrap(), headers: HeaderMap::new(), body };
    Salesforce.classify(&reply).unwrap()
}

#[test]
fn refusals_say_what_to_ask_for() {
    let said = |status, code: &str| trouble(status, json!([{"errorCode": code, "message": "words"}]));
    assert_eq!(said(401, "INVALID_SESSION_ID").kind, TroubleKind::Credentials);
    assert_eq!(said(403, "REQUEST_LIMIT_EXCEEDED").kind, TroubleKind::Quota { until: None });
    let plan = said(403, "API_DISABLED_FOR_ORG");
    assert!(plan.kind == TroubleKind::Plan && plan.next_step.contains("Enterprise"));
    let access = said(403, "INSUFFICIENT_ACCESS_OR_READONLY");
    assert!(access.kind == TroubleKind::Permission && access.next_step.contains("Marketing User"));
    assert_eq!(said(400, "INVALID_FIELD").kind, TroubleKind::Refused);
    assert_eq!(trouble(403, json!({"error": "Bad_OAuth_Token"})).kind, TroubleKind::Credentials);
}

#[test]
fn the_day_is_not_overdrawn() {
    let allowance = |text| {
        let mut headers = HeaderMap::new();
        headers.insert("sforce-limit-info", HeaderValue::from_static(text));
        Salesforce.allowance(&headers).map(|allowance| allowance.remaining)
    };
    assert_eq!(allowance("api-usage=14999/15000"), Some(1));
    assert_eq!(allowance("api-usage=15001/15000, per-app-api-usage=1/2"), Some(0));
    assert_eq!(allowance("something else"), None);
}

#[test]
fn calls_are_counted_in_collections_of_200() {
    let (by_id, by_email) = (describe(&[key_field("Lookalike_Id__c", true)]), describe(&[]));
    assert_eq!(Salesforce.calls(&by_id, 1_000, false), 1 + 5);
    assert_eq!(Salesforce.calls(&by_email, 1_001, true), 1 + 6 + 6 + 2 + 6);
}
