//! Pipedrive's sign-in page, credentials, limits and refusals, read as it writes them.

use http::StatusCode;
use serde_json::json;

use super::*;
use crate::crm::TroubleKind;
use crate::vault::Secret;

fn reply(status: u16, headers: &[(&'static str, &'static str)], body: Value) -> ApiReply {
    let headers = headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
    let body = serde_json::to_vec(&body).unwrap();
    ApiReply { status: StatusCode::from_u16(status).unwrap(), headers: headers.collect(), body }
}

fn trouble(status: u16, headers: &[(&'static str, &'static str)], error: &str) -> Trouble {
    Pipedrive.classify(&reply(status, headers, json!({"success": false, "error": error}))).unwrap()
}

#[test]
fn the_sign_in_page_is_asked_for_no_scopes() {
    let address = "https://oauth.pipedrive.com/oauth/authorize?client_id=a%2Bb&scope=base&state=s";
    let asked = Pipedrive.authorize_url(address.parse().unwrap());
    assert_eq!(asked.query(), Some("client_id=a%2Bb&state=s"));
}

#[test]
fn an_api_token_and_an_access_token_go_where_each_belongs() {
    let (token, fields) = (Secret::new("t"), Default::default());
    let signed = |is_static| {
        let mut headers = HeaderMap::new();
        Pipedrive.authorise(&mut headers, &Credential { token: &token, is_static, fields: &fields });
        headers
    };
    assert_eq!(signed(true)["x-api-token"], "t");
    assert!(!signed(true).contains_key("authorization"));
    assert_eq!(signed(false)["authorization"], "Bearer t");
}

#[test]
fn token_answers_become_what_the_standard_says() {
    let rewritten = |body: &[u8]| -> Value {
        serde_json::from_slice(Pipedrive.normalise_response(http::Response::new(body.to_vec())).body()).unwrap()
    };
    assert_eq!(rewritten(br#"{"access_token":"a","scope":"base,contacts:full"}"#)["scope"], "base contacts:full");
    let refused = rewritten(br#"{"success":false,"error":"invalid_grant","message":"used"}"#);
    assert_eq!((&refused["error"], &refused["error_description"]), (&json!("invalid_grant"), &json!("used")));
}

#[test]
fn a_used_up_day_is_waited_for_otherwise_than_a_used_up_moment() {
    let moment = trouble(429, &[("x-ratelimit-reset", "1")], "Rate limit exceeded");
    assert_eq!(moment.kind, TroubleKind::Busy { retry_after: Some(2) });
    let asked = trouble(429, &[("retry-after", "5"), ("x-ratelimit-reset", "1")], "Rate limit exceeded");
    assert_eq!(asked.kind, TroubleKind::Busy { retry_after: Some(5) });
    for day in [
        trouble(429, &[("x-daily-ratelimit-token-remaining", "3")], "Rate limit exceeded"),
        trouble(429, &[], "Daily rate limit exceeded"),
    ] {
        assert_eq!(day.kind, TroubleKind::Quota { until: None });
        assert!(day.message.contains("used up"), "{day:?}");
    }
}

#[test]
fn what_is_missing_is_named() {
    let scope = trouble(403, &[], "Scope and URL mismatch");
    assert!(scope.kind == TroubleKind::Permission && scope.next_step.contains("contacts:full"), "{scope:?}");
    assert_eq!(trouble(403, &[], "Feature not available on the current plan").kind, TroubleKind::Plan);
    assert_eq!(trouble(402, &[], "Payment required").kind, TroubleKind::Plan);
    let sync = trouble(403, &[], "These fields are available only when contact sync is enabled");
    assert_eq!(sync.kind, TroubleKind::Refused);
    assert_eq!(trouble(401, &[], "unauthorized access").kind, TroubleKind::Credentials);
    let bad = trouble(400, &[], "Validation failed: emails: x is not valid");
    assert!(bad.kind == TroubleKind::Refused && bad.next_step.contains("e-mail"), "{bad:?}");
}

#[test]
fn headers_lower_the_ceiling_and_end_the_day() {
    let mut headers = reply(
        200,
        &[("x-ratelimit-limit", "20"), ("x-ratelimit-remaining", "3"), ("x-ratelimit-reset", "2")],
        json!({}),
    )
    .headers;
    assert_eq!(Pipedrive.allowance(&headers), Some(Allowance { remaining: 3, resets_in_ms: 2_000, limit: Some(20) }));
    headers.insert("x-daily-ratelimit-token-remaining", HeaderValue::from_static("19"));
    assert_eq!(Pipedrive.allowance(&headers).map(|allowance| allowance.remaining), Some(0));
    assert_eq!(Pipedrive.allowance(&HeaderMap::new()), None);
}

#[test]
fn the_company_that_signed_in_names_its_own_address() {
    let token = json!({"api_domain": "https://acme.pipedrive.com"});
    let named = Pipedrive.account_base(token.as_object().unwrap());
    assert_eq!(named.as_deref(), Some("https://acme.pipedrive.com"));
}
