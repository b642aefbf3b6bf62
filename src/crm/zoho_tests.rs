//! What Zoho describes, refuses and counts, read as it writes it.

use http::StatusCode;
use serde_json::json;

use super::*;
use crate::crm::TroubleKind;

fn survey(more: Value) -> Survey {
    let mut rows = json!([
        {"api_name": "Last_Name", "field_label": "Last Name", "data_type": "text", "length": 80, "system_mandatory": true, "unique": {}},
        {"api_name": "Email", "field_label": "Email", "data_type": "email", "length": 100, "unique": {}},
        {"api_name": "Owner", "data_type": "ownerlookup"},
        {"api_name": "Tag", "data_type": "text"},
        {"api_name": "Created_Time", "data_type": "datetime", "operation_type": {"api_create": false, "api_update": false}},
        {"api_name": "Lookalike_Score", "data_type": "double", "length": 16}
    ]);
    rows.as_array_mut().unwrap().push(more);
    survey_of(serde_json::from_value(rows).unwrap())
}

#[test]
fn a_unique_field_named_for_leads_is_the_key_and_e_mail_otherwise() {
    let field = |name: &str, unique: Value| survey(json!({"api_name": name, "data_type": "text", "unique": unique}));
    for plain in [field("Lookalike_Id", json!({})), field("Erp_Number", json!({"case_sensitive": false}))] {
        assert_eq!((plain.key, plain.by), (MatchKey::LookUp("Email".into()), MatchBy::Email));
    }
    let own = field("My_Lead_Id", json!({"case_sensitive": false}));
    assert_eq!((own.key, own.by), (MatchKey::LookUp("My_Lead_Id".into()), MatchBy::LeadKey));
}

#[test]
fn what_a_lead_cannot_fill_is_not_offered_for_mapping() {
    let survey = survey(json!({"api_name": "City", "data_type": "text"}));
    let names: Vec<_> = survey.fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["Last_Name", "Email", "Lookalike_Score", "City"]);
    assert!(survey.fields[0].required && survey.fields[0].length == 80);
    assert_eq!(survey.fields[2].length, 0, "digits are no length of text");
}

fn reply(status: u16, credits: Option<&'static str>, body: Value) -> ApiReply {
    let mut headers = HeaderMap::new();
    if let Some(credits) = credits {
        headers.insert("x-api-credits-remaining", HeaderValue::from_static(credits));
    }
    ApiReply { status: StatusCode::from_u16(status).unwrap(), headers, body: serde_json::to_vec(&body).unwrap() }
}

#[test]
fn refusals_say_what_to_ask_for() {
    let said = |status, code: &str| {
        let error = json!({"code": code, "message": "words", "status": "error", "details": {"permissions": ["Api_X"]}});
        let inside = Zoho.classify(&reply(status, None, json!({"data": [error]}))).unwrap();
        assert_eq!(Zoho.classify(&reply(status, None, error)).unwrap(), inside, "in rows or not");
        inside
    };
    assert_eq!(said(401, "INVALID_TOKEN").kind, TroubleKind::Credentials);
    let scope = said(401, "OAUTH_SCOPE_MISMATCH");
    assert!(
        scope.kind == TroubleKind::Permission && scope.next_step.contains("ZohoCRM.settings.tags.ALL"),
        "{scope:?}"
    );
    let access = said(403, "NO_PERMISSION");
    assert!(access.kind == TroubleKind::Permission && access.next_step.contains("Api_X"), "{access:?}");
    assert_eq!(said(400, "INVALID_MODULE").kind, TroubleKind::Permission);
    assert_eq!(said(400, "INVALID_DATA").kind, TroubleKind::Refused);
}

#[test]
fn rows_that_all_failed_are_not_a_refused_request() {
    let row = |path: &str| json!({"code": "INVALID_DATA", "status": "error", "details": {"json_path": path}});
    let judged = |rows: Value| Zoho.classify(&reply(400, None, json!({"data": rows})));
    assert_eq!(judged(json!([row("$.data[0].Email"), row("$.data[1].City")])), None);
    assert_eq!(judged(json!([row("$.data")])).unwrap().kind, TroubleKind::Refused);
    let tag = json!({"tags": [{"code": "DUPLICATE_DATA", "status": "error"}]});
    assert_eq!(Zoho.classify(&reply(400, None, tag)), None);
}

#[test]
fn a_used_up_day_is_told_from_too_many_calls_at_once() {
    let busy = |credits| Zoho.classify(&reply(429, credits, json!({"code": "TOO_MANY_REQUESTS"}))).unwrap().kind;
    assert_eq!(busy(None), TroubleKind::Busy { retry_after: None });
    assert_eq!(busy(Some("20000")), TroubleKind::Busy { retry_after: None });
    assert_eq!(busy(Some("0")), TroubleKind::Quota { until: None });
}

#[test]
fn credits_are_kept_for_a_whole_upsert() {
    let left = |credits| Zoho.allowance(&reply(200, credits, json!({})).headers).map(|allowance| allowance.remaining);
    assert_eq!((left(None), left(Some("25000")), left(Some("9"))), (None, Some(2_500), Some(0)));
}

#[test]
fn calls_are_counted_in_hundreds() {
    let survey = survey(json!({"api_name": "City", "data_type": "text"}));
    assert_eq!(Zoho.calls(&survey, 1_000, false), 1 + 10 + 10);
    assert_eq!(Zoho.calls(&survey, 1_001, true), 1 + 11 + 11 + 1 + 3);
}
