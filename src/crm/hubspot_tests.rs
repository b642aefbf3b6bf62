//! HubSpot's answers, read as it writes them: batches in any order, refusals, token answers.

use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::*;

fn survey(properties: Value) -> Survey {
    survey_of(serde_json::from_value(json!({"results": properties})).unwrap())
}

#[test]
fn a_unique_property_for_the_lead_is_the_key_and_e_mail_otherwise() {
    let email = json!({"name": "email", "type": "string", "hasUniqueValue": true});
    let plain = survey(json!([email, {"name": "lead_external_id", "type": "string", "hasUniqueValue": false}]));
    assert_eq!((plain.key, plain.by), (MatchKey::Upsert("email".into()), MatchBy::Email));
    let own = survey(json!([email, {"name": "lead_external_id", "type": "string", "hasUniqueValue": true}]));
    assert_eq!((own.key, own.by), (MatchKey::Upsert("lead_external_id".into()), MatchBy::LeadKey));
}

#[test]
fn what_hubspot_calculates_is_not_offered_for_mapping() {
    let read_only = json!({"name": "hs_x", "modificationMetadata": {"readOnlyValue": true}});
    let survey =
        survey(json!([read_only, {"name": "score", "calculated": true}, {"name": "createdate"}, {"name": "city"}]));
    assert_eq!(survey.fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>(), ["city"]);
}

fn trouble(status: u16, body: Value) -> Trouble {
    let body = serde_json::to_vec(&body).unwrap();
    let reply = ApiReply { status: StatusCode::from_u16(status).unwrap(), headers: HeaderMap::new(), body };
    HubSpot.classify(&reply).unwrap()
}

#[test]
fn a_missing_scope_is_named() {
    let body = json!({"category": "MISSING_SCOPES", "message": "no", "errors": [{"context": {"requiredGranularScopes": ["crm.lists.write"]}}]});
    let named = trouble(403, body);
    assert!(named.kind == TroubleKind::Permission && named.next_step.contains("crm.lists.write"), "{named:?}");
    let unnamed = trouble(403, json!({"category": "MISSING_SCOPES", "message": "no"}));
    assert!(unnamed.next_step.contains("crm.objects.contacts.write"), "{unnamed:?}");
}

#[test]
fn a_used_up_day_is_waited_for_otherwise_than_a_used_up_moment() {
    let limit =
        |policy: &str| trouble(429, json!({"errorType": "RATE_LIMIT", "policyName": policy, "message": "m"})).kind;
    assert_eq!(limit("DAILY"), TroubleKind::Quota { until: None });
    assert_eq!(limit("SECONDLY"), TroubleKind::Busy { retry_after: Some(1) });
    assert_eq!(limit("TEN_SECONDLY_ROLLING"), TroubleKind::Busy { retry_after: Some(10) });
}

#[test]
fn headers_lower_the_ceiling() {
    let mut headers = HeaderMap::new();
    for (name, value) in [("max", "100"), ("remaining", "3"), ("interval-milliseconds", "10000")] {
        let name = http::HeaderName::from_bytes(format!("x-hubspot-ratelimit-{name}").as_bytes()).unwrap();
        headers.insert(name, HeaderValue::from_static(value));
    }
    let allowance = Allowance { remaining: 3, resets_in_ms: 10_000, limit: Some(100) };
    assert_eq!(HubSpot.allowance(&headers), Some(allowance));
    headers.insert("x-hubspot-ratelimit-daily-remaining", HeaderValue::from_static("0"));
    assert_eq!(HubSpot.allowance(&headers).map(|allowance| allowance.remaining), Some(0));
}

#[test]
fn scopes_become_what_the_standard_says() {
    let answer = http::Response::new(br#"{"access_token":"a","scopes":["oauth","crm.lists.read"]}"#.to_vec());
    let body: Value = serde_json::from_slice(HubSpot.normalise_response(answer).body()).unwrap();
    assert_eq!(body["scope"], "oauth crm.lists.read");
    let page = HubSpot.normalise_response(http::Response::new(b"<html>".to_vec()));
    assert_eq!(page.body(), b"<html>");
}

#[test]
fn calls_are_counted_in_batches_of_100() {
    let survey = survey(json!([]));
    assert_eq!(HubSpot.calls(&survey, 1_000, false), 1 + 10);
    assert_eq!(HubSpot.calls(&survey, 1_001, true), 1 + 11 + 2 + 2);
}
