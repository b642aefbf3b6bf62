//! What GoHighLevel refuses, counts and is asked, read and written as it wants it.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::*;

fn reply(status: u16, headers: &[(&'static str, &'static str)], body: &Value) -> ApiReply {
    let headers = headers
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect::<HeaderMap>();
    ApiReply { status: StatusCode::from_u16(status).unwrap(), headers, body: serde_json::to_vec(body).unwrap() }
}

fn trouble(status: u16, message: &Value) -> Trouble {
    GoHighLevel.classify(&reply(status, &[], &json!({"statusCode": status, "message": message}))).unwrap()
}

#[test]
fn refusals_say_what_to_ask_for() {
    for status in [401, 403] {
        let scope = trouble(status, &json!("The token is not authorized for this scope."));
        assert!(scope.kind == TroubleKind::Permission && scope.next_step.contains("contacts.write"), "{scope:?}");
    }
    assert_eq!(trouble(401, &json!("Invalid JWT")).kind, TroubleKind::Credentials);
    let place = trouble(403, &json!("The token does not have access to this location."));
    assert!(place.kind == TroubleKind::Permission && place.next_step.contains("location id"));
    assert_eq!(trouble(403, &json!("This feature is not available on your plan")).kind, TroubleKind::Plan);
    let values = trouble(422, &json!(["email must be an email", "country must be a valid enum value"]));
    assert!(values.message.contains("an email; country") && values.next_step.contains("two-letter"), "{values:?}");
}

#[test]
fn a_used_up_day_is_told_from_a_used_up_window() {
    let body = json!({"statusCode": 429, "message": "Too Many Requests"});
    let classify = |headers| GoHighLevel.classify(&reply(429, headers, &body)).unwrap().kind;
    assert_eq!(classify(&[("x-ratelimit-daily-remaining", "0")]), TroubleKind::Quota { until: None });
    assert_eq!(classify(&[]), TroubleKind::Busy { retry_after: Some(10) });
    let allowance = |headers| GoHighLevel.allowance(&reply(200, headers, &json!({})).headers);
    let window = [("x-ratelimit-remaining", "7"), ("x-ratelimit-max", "25"), ("x-ratelimit-daily-remaining", "99")];
    assert_eq!(allowance(&window), Some(Allowance { remaining: 7, resets_in_ms: 10_000, limit: Some(25) }));
    assert_eq!(allowance(&[("x-ratelimit-daily-remaining", "0")]).unwrap().resets_in_ms, 3_600_000);
    assert_eq!(allowance(&[]), None);
}

#[test]
fn a_refusal_that_names_the_contact_in_the_way_is_left_to_the_write() {
    let body =
        json!({"statusCode": 400, "message": "no duplicates", "meta": {"contactId": "c1", "matchingField": "phone"}});
    assert!(GoHighLevel.classify(&reply(400, &[], &body)).is_none());
    assert_eq!(trouble(400, &json!("no duplicates")).kind, TroubleKind::Refused);
}

#[test]
fn an_ended_connection_is_known_by_the_words_of_the_token_endpoint() {
    let normalised = |status: u16, message: Value| {
        let body = serde_json::to_vec(&json!({"statusCode": status, "message": message, "error": "Bad"})).unwrap();
        let answer = http::Response::builder().status(status).body(body).unwrap();
        let body: Value = serde_json::from_slice(GoHighLevel.normalise_response(answer).body()).unwrap();
        body["error"].as_str().unwrap().to_owned()
    };
    assert_eq!(normalised(400, json!("Invalid grant: refresh token is invalid")), "invalid_grant");
    assert_eq!(normalised(401, json!("Invalid client credentials")), "invalid_client");
    assert_eq!(normalised(422, json!(["Location is not active"])), "invalid_request");
}

#[test]
fn the_token_asked_for_is_one_of_a_location() {
    let request = http::Request::builder().uri("https://x.test/oauth/token").body(b"grant_type=refresh_token".to_vec());
    let encoded = GoHighLevel.encode_request(request.unwrap());
    assert_eq!(encoded.body(), b"grant_type=refresh_token&user_type=Location");
}

fn survey() -> Survey {
    let custom = json!({"customFields": [
        {"id": "score", "name": "Lookalike Score", "dataType": "NUMERICAL", "model": "contact"},
        {"id": "kinds", "name": "Kinds", "dataType": "MULTIPLE_OPTIONS"},
        {"id": "deal", "name": "Deal", "dataType": "TEXT", "model": "opportunity"},
        {"id": "photo", "name": "Photo", "dataType": "FILE_UPLOAD"},
    ]});
    let fields = fields::all(serde_json::from_value(custom).unwrap());
    Survey { fields, key: MatchKey::LookUp("email".into()), by: MatchBy::Email }
}

#[test]
fn custom_fields_are_found_by_their_label_and_written_by_their_id() {
    let survey = survey();
    assert_eq!(survey.meant("lookalike score").unwrap().name, "score");
    assert!(survey.field("deal").is_none() && survey.field("photo").is_none(), "not a contact's, or not writable");
    let values = [("firstName", "Dana"), ("country", "United States"), ("score", "87"), ("kinds", "a; b")];
    let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let body = fields::body(&survey, values.iter());
    let custom = json!([{"id": "score", "field_value": 87}, {"id": "kinds", "field_value": ["a", "b"]}]);
    assert_eq!(Value::Object(body), json!({"firstName": "Dana", "country": "US", "customFields": custom}));
}

#[test]
fn what_the_vendor_respells_counts_as_the_same() {
    for (name, held, ours) in [
        ("phone", "+14155550100", "(415) 555-0100"),
        ("country", "US", "usa"),
        ("country", "DE", "de"),
        ("email", "dana@x.test", "Dana@X.test"),
    ] {
        assert!(fields::is_same(name, held, ours), "{name}: {held} and {ours}");
    }
    assert!(!fields::is_same("phone", "+14155550100", "+14155550101"));
    assert!(!fields::is_same("phone", "+14155550100", ""));
    assert!(!fields::is_same("city", "Austin", "austin"));
}

#[test]
fn each_lead_takes_a_look_up_and_a_create() {
    assert_eq!(GoHighLevel.calls(&survey(), 100, false), 1 + 200);
    assert_eq!(GoHighLevel.calls(&survey(), 101, true), 1 + 202 + 2);
}
