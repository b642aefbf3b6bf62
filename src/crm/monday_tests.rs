//! monday's credentials, token requests and errors, read as it writes them.

use http::StatusCode;

use super::*;
use crate::crm::TroubleKind;
use crate::vault::Secret;

fn classified(status: u16, body: Value) -> Option<Trouble> {
    let body = serde_json::to_vec(&body).unwrap();
    Monday.classify(&ApiReply { status: StatusCode::from_u16(status).unwrap(), headers: HeaderMap::new(), body })
}

fn kind(status: u16, body: Value) -> Option<TroubleKind> {
    classified(status, body).map(|trouble| trouble.kind)
}

fn error(code: &str) -> Value {
    json!({"errors": [{"message": "m", "extensions": {"code": code, "error_data": {"retry_in_seconds": 12.2}}}]})
}

#[test]
fn the_token_endpoint_is_sent_json() {
    let form = b"grant_type=authorization_code&code=a%2Bb".to_vec();
    let request = http::Request::builder().header("content-length", "40").body(form).unwrap();
    let sent = Monday.encode_request(request);
    assert_eq!(sent.headers()["content-type"], "application/json");
    assert!(!sent.headers().contains_key("content-length"));
    let body: Value = serde_json::from_slice(sent.body()).unwrap();
    assert_eq!(body, json!({"grant_type": "authorization_code", "code": "a+b"}));
}

#[test]
fn a_personal_token_goes_without_a_word_before_it() {
    let (token, fields) = (Secret::new("t"), Default::default());
    for (is_static, expected) in [(true, "t"), (false, "Bearer t")] {
        let mut headers = HeaderMap::new();
        Monday.authorise(&mut headers, &Credential { token: &token, is_static, fields: &fields });
        assert_eq!((&headers["authorization"], &headers["api-version"]), (&value(expected), &value("2026-10")));
    }
}

fn value(text: &'static str) -> HeaderValue {
    HeaderValue::from_static(text)
}

#[test]
fn limits_are_told_apart_whatever_the_status() {
    for status in [200, 429] {
        let busy = Some(TroubleKind::Busy { retry_after: Some(13) });
        for code in
            ["COMPLEXITY_BUDGET_EXHAUSTED", "ComplexityException", "maxConcurrencyExceeded", "IP_RATE_LIMIT_EXCEEDED"]
        {
            assert_eq!(kind(status, error(code)), busy, "{code}");
        }
        let day = classified(status, error("DAILY_LIMIT_EXCEEDED")).unwrap();
        assert!(matches!(day.kind, TroubleKind::Quota { until: Some(_) }) && day.message.contains("today"), "{day:?}");
    }
    assert_eq!(kind(423, json!({})), Some(TroubleKind::Vendor));
}

#[test]
fn what_is_missing_is_named() {
    let scope = classified(403, error("UserUnauthorizedException")).unwrap();
    assert!(scope.kind == TroubleKind::Permission && scope.next_step.contains("boards:write"), "{scope:?}");
    let plan =
        json!({"errors": [{"message": "not on this plan", "extensions": {"code": "UserUnauthorizedException"}}]});
    assert_eq!(kind(403, plan), Some(TroubleKind::Plan));
    assert_eq!(kind(401, json!({"errors": ["Not Authenticated"]})), Some(TroubleKind::Credentials));
    assert_eq!(kind(200, json!({"errors": ["Not Authenticated"]})), Some(TroubleKind::Credentials));
}

#[test]
fn one_bad_lead_is_not_a_bad_document() {
    let bad = json!({"message": "no", "path": ["m1"], "extensions": {"code": "ColumnValueException"}});
    assert_eq!(kind(200, json!({"data": {"m0": {"id": "1"}, "m1": null}, "errors": [bad]})), None);
    assert_eq!(kind(200, json!({"data": {"m1": null}, "errors": [bad]})), None);
    let unplaced = json!({"message": "cannot be parsed", "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"}});
    assert_eq!(kind(200, json!({"errors": [unplaced]})), Some(TroubleKind::Refused));
    let everywhere = json!({"message": "no", "path": ["m0"], "extensions": {"code": "UserUnauthorizedException"}});
    assert_eq!(kind(200, json!({"data": {"m0": null}, "errors": [everywhere]})), Some(TroubleKind::Permission));
}
