//! What Lofty refuses, counts and is asked, read and written as it wants it.

use http::{HeaderName, StatusCode};
use serde_json::{Value, json};

use super::*;
use crate::crm::TroubleKind;
use crate::vault::Secret;

fn trouble(status: u16, code: Value, message: &str) -> Trouble {
    let body = serde_json::to_vec(&json!({"code": code, "message": message})).unwrap();
    let reply = ApiReply { status: StatusCode::from_u16(status).unwrap(), headers: HeaderMap::new(), body };
    Lofty.classify(&reply).unwrap()
}

#[test]
fn refusals_say_what_to_ask_for() {
    let scope = trouble(403, json!(200_100), "Sorry, the vendor does not have permission for this API.");
    assert!(scope.kind == TroubleKind::Permission && scope.next_step.contains("developer portal"));
    let plan = trouble(403, json!("PERMISSION_DENIED"), "API access is not enabled for this account.");
    assert_eq!(plan.kind, TroubleKind::Plan);
    assert_eq!(trouble(403, json!("PERMISSION_DENIED"), "no").kind, TroubleKind::Permission);
    assert_eq!(trouble(401, json!("BAD_CREDENTIALS"), "no").kind, TroubleKind::Credentials);
    assert_eq!(trouble(404, json!(20_006), "LEAD_NOT_EXIST").kind, TroubleKind::Missing);
    assert_eq!(trouble(429, Value::Null, "Too Many Requests").kind, TroubleKind::Busy { retry_after: Some(60) });
    let address = trouble(400, json!(200_057), "PROPERTY_ADDRESS_EMPTY");
    assert!(address.kind == TroubleKind::Refused && address.next_step.contains("address"));
}

#[test]
fn a_reset_is_read_as_an_epoch_and_as_a_small_number() {
    let now = "2026-03-02T10:00:00Z".parse::<jiff::Timestamp>().unwrap();
    let resets = |reset: &str| {
        let pairs = [("x-ratelimit-reset", reset), ("x-ratelimit-remaining", "3"), ("x-ratelimit-limit", "100")];
        let header = |(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        errors::allowance(&pairs.into_iter().map(header).collect(), now).unwrap().resets_in_ms
    };
    assert_eq!(resets(&(now.as_second() + 25).to_string()), 25_000);
    assert_eq!(resets(&(now.as_second() - 25).to_string()), 0);
    assert_eq!(resets("21000"), 21_000);
    assert_eq!(resets("40"), 40_000);
    assert_eq!(errors::allowance(&HeaderMap::new(), now), None);
}

#[test]
fn the_sign_in_page_knows_the_app_by_another_name() {
    let address =
        url::Url::parse("https://lofty.com/page/vendor-auth.html?response_type=code&client_id=me&state=a%20b");
    let address = Lofty.authorize_url(address.unwrap());
    assert_eq!(address.query(), Some("response_type=code&clientId=me&state=a+b"));
}

fn token_request(uri: &str, basic: Option<&str>, body: &str) -> http::Request<Vec<u8>> {
    let mut request = http::Request::builder().uri(uri);
    if let Some(basic) = basic {
        request = request.header(header::AUTHORIZATION, basic);
    }
    Lofty.encode_request(request.body(body.as_bytes().to_vec()).unwrap())
}

#[test]
fn each_kind_of_app_goes_to_the_token_endpoint_that_is_described_for_it() {
    let own = SPEC.oauth.unwrap().token_url;
    // `me:secret`
    let with = token_request(own, Some("Basic bWU6c2VjcmV0"), "grant_type=refresh_token");
    assert_eq!(
        (with.uri().to_string().as_str(), with.body().as_slice()),
        (own, &b"grant_type=refresh_token&client_id=me"[..])
    );
    let without = token_request(own, None, "client_id=me");
    assert_eq!(without.uri(), "https://api.lofty.com/oauth/token");
    let simulated = token_request("http://127.0.0.1:9500/lofty/api/user-web/oauth/token", None, "client_id=me");
    assert_eq!(simulated.uri(), "http://127.0.0.1:9500/lofty/oauth/token");
    let configured = token_request("https://proxy.test/token", None, "client_id=me");
    assert_eq!(configured.uri(), "https://proxy.test/token");
}

#[test]
fn a_refused_refresh_ends_the_connection_in_whatever_words() {
    let error = |status: u16, body: Value| {
        let answer = http::Response::builder().status(status).body(serde_json::to_vec(&body).unwrap()).unwrap();
        let body: Value = serde_json::from_slice(Lofty.normalise_response(answer).body()).unwrap();
        body["error"].as_str().unwrap().to_owned()
    };
    assert_eq!(error(400, json!({"code": 20_012, "message": "refresh token expired"})), "invalid_grant");
    assert_eq!(error(401, json!({"code": "BAD_CREDENTIALS"})), "invalid_client");
    assert_eq!(error(400, json!({"error": "unsupported_grant_type"})), "unsupported_grant_type");
}

#[test]
fn an_api_key_and_an_access_token_are_told_apart() {
    let signed = |is_static| {
        let mut headers = HeaderMap::new();
        let credential = Credential { token: &Secret::new("k"), is_static, fields: &Default::default() };
        Lofty.authorise(&mut headers, &credential);
        headers[header::AUTHORIZATION].to_str().unwrap().to_owned()
    };
    assert_eq!((signed(true), signed(false)), ("token k".to_owned(), "Bearer k".to_owned()));
}

fn survey() -> Survey {
    let custom = json!([
        {"attributeName": "Lookalike score", "attributeType": "number"},
        {"attributeName": "city", "attributeType": "text"},
    ]);
    let fields = fields::all(serde_json::from_value(custom).unwrap());
    Survey { fields, key: MatchKey::LookUp("emails".into()), by: MatchBy::Email }
}

fn lead(values: &[(&str, &str)]) -> Outgoing {
    let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Outgoing { position: 0, key: "id:1".into(), email: "dana@x.test".into(), values }
}

#[test]
fn values_take_the_shapes_that_the_vendor_has_for_them() {
    let survey = survey();
    assert_eq!(survey.fields.iter().filter(|field| field.name == "city").count(), 1, "the address's own");
    let lead = lead(&[
        ("firstName", "Dana"),
        ("emails", "Dana@x.test"),
        ("city", "Austin"),
        ("tagsAdd", "vip; hot,"),
        ("Lookalike score", "87"),
        ("list tag", "Q3"),
    ]);
    let shape = json!({
        "firstName": "Dana",
        "emails": ["Dana@x.test"],
        "property": {"city": "Austin"},
        "tagsAdd": ["vip", "hot", "Q3"],
        "customAttributeList": [{"attributeName": "Lookalike score", "attributeType": "number", "value": "87"}],
    });
    assert_eq!(Value::Object(fields::body(&survey, &lead)), shape);
    assert_eq!(
        fields::body(&survey, &self::lead(&[("firstName", "Dana")])).len(),
        1,
        "no empty address, no empty tags"
    );
}

#[test]
fn what_a_lead_holds_is_seen_however_the_answer_shows_it() {
    let held: fields::Held = serde_json::from_value(json!({
        "leadId": 651_095_960_136_641_i64,
        "emails": ["other@x.test", "DANA@x.test"],
        "phones": ["4155550100"],
        "tags": [{"tagName": "vip"}, "hot"],
        "leadPropertyList": [{"city": "Austin", "state": "TX"}],
        "customAttributes": [{"attributeName": "Lookalike score", "value": "87"}],
    }))
    .unwrap();
    let ours = [
        ("emails", "Dana@x.test"),
        ("phones", "+1 (415) 555-0100"),
        ("tagsAdd", "hot, vip"),
        ("list tag", "vip"),
        ("city", "Austin"),
        ("Lookalike score", "87"),
    ];
    let lead = lead(&ours);
    for (name, value) in ours {
        assert_eq!(held.held(&lead, name, value), value, "{name}");
    }
    for (name, value) in [("phones", "+1 415 555 0101"), ("list tag", "Q3"), ("tagsAdd", "vip, Q3"), ("city", "Dallas")]
    {
        assert_eq!(held.held(&lead, name, value), "", "{name}");
    }
    assert!(held.has_address(json!({"city": "Austin"}).as_object().unwrap()));
    assert!(!held.has_address(json!({"city": "Austin", "zipCode": "78701"}).as_object().unwrap()));
}

#[test]
fn each_lead_takes_a_look_up_and_a_create_and_the_tag_is_free() {
    assert_eq!(Lofty.calls(&survey(), 100, true), 1 + 200);
}
