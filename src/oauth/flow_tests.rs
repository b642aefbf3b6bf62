//! What would go wrong for a user if a request or an answer strayed: refused sign-ins, secrets sent elsewhere, useless words.

use std::collections::HashMap;
use std::sync::Arc;

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use wiremock::matchers::{body_string_contains, header, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::super::test_vendor::{flow, now, vendor};
use super::super::{Quirks, Standard};
use super::*;

fn redirect() -> Url {
    Url::parse("http://127.0.0.1:4711/callback").unwrap()
}

fn code(params: &[(&str, &str)]) -> Authorization {
    let params = params.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Authorization { code: Secret::from("C0DE"), params }
}

async fn answering(reply: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(path("/token")).respond_with(reply).mount(&server).await;
    server
}

fn token() -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({"access_token": "A", "token_type": "Bearer", "expires_in": 60}))
}

async fn failure(reply: ResponseTemplate) -> Failure {
    let server = answering(reply).await;
    let flow = flow(&server.uri());
    flow.exchange(flow.begin(&redirect()), code(&[])).await.unwrap_err()
}

#[test]
fn the_sign_in_address_holds_all_that_the_vendor_wants_and_is_new_each_time() {
    let flow = flow("https://proxy.test/x");
    let pending = flow.begin(&redirect());
    let url = pending.authorize_url;
    let query: HashMap<String, String> = url.query_pairs().into_owned().collect();
    assert!(url.as_str().starts_with("https://proxy.test/x/auth?"), "{url}");
    assert_eq!(query["scope"], "crm.read,crm.write");
    assert_eq!(query["prompt"], "consent");
    assert_eq!(query["redirect_uri"], redirect().as_str());
    assert_eq!(query["state"], pending.expected.state.expose());
    assert_eq!(query["code_challenge_method"], "S256");
    let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(pending.verifier.unwrap().secret()));
    assert_eq!(query["code_challenge"], digest);
    let again = flow.begin(&redirect());
    assert_ne!(again.expected.state.expose(), query["state"]);
}

#[tokio::test]
async fn the_code_is_traded_with_verifier_redirect_and_secret() {
    let server = MockServer::start().await;
    Mock::given(path("/token"))
        .and(header("authorization", "Basic bWU6Y2xpZW50K3NlY3JldA=="))
        .and(body_string_contains("code_verifier="))
        .and(body_string_contains("redirect_uri=http%3A%2F%2F127.0.0.1%3A4711%2Fcallback"))
        .and(body_string_contains("code=C0DE"))
        .respond_with(token())
        .mount(&server)
        .await;
    let flow = flow(&server.uri());
    let grant = flow.exchange(flow.begin(&redirect()), code(&[("location", "eu")])).await.unwrap();
    assert_eq!(grant.tokens.access.expose(), "A");
    assert_eq!(grant.tokens.expires_at.unwrap().duration_since(now()).as_secs(), 60);
    assert_eq!(grant.callback["location"], "eu");
}

#[tokio::test]
async fn every_bad_answer_is_told_in_words() {
    let html = || ResponseTemplate::new(200).set_body_raw("<html>hello</html>", "text/html");
    let error =
        |code: &str| ResponseTemplate::new(400).set_body_json(json!({"error": code, "error_description": "because."}));
    for (reply, words, remedy) in [
        (ResponseTemplate::new(500), "HTTP 500", "few minutes"),
        (html(), "page instead of data", "proxy"),
        (ResponseTemplate::new(404).set_body_string("nope"), "HTTP 404", "[crm.testland]"),
        (ResponseTemplate::new(302).insert_header("location", "https://evil.test/"), "HTTP 302", "[crm.testland]"),
        (ResponseTemplate::new(200).set_body_json(json!({"ok": true})), "could not be understood", "[crm.testland]"),
        (ResponseTemplate::new(200).set_body_bytes(vec![b'x'; 2 << 20]), "larger than 1 MB", "[crm.testland]"),
        (error("invalid_grant"), "code of this sign-in: because.", "Sign in again"),
        (error("invalid_client"), "client id or secret: because.", "client_secret"),
        (error("invalid_scope"), "permissions asked for: because.", "crm.read, crm.write"),
        (error("whatever"), "refused the sign-in: because.", "[crm.testland]"),
        (ResponseTemplate::new(400).set_body_json(json!({"message": "bad code"})), "bad code", "sign in again"),
        (ResponseTemplate::new(429).insert_header("retry-after", "3600"), "wait 3600 s", "few minutes"),
    ] {
        let failure = failure(reply).await;
        assert!(failure.message.contains(words) && failure.message.contains("Testland"), "{words}: {failure:?}");
        assert!(failure.remedy.contains(remedy), "{remedy}: {failure:?}");
    }
}

#[tokio::test]
async fn no_answer_repeats_a_token_in_an_error() {
    let reply = json!({"access_token": "hunter2", "token_type": "Bearer", "expires_in": "hunter2"});
    let failure = failure(ResponseTemplate::new(200).set_body_json(reply)).await;
    assert!(!format!("{failure:?}").contains("hunter2"), "{failure:?}");
}

#[tokio::test]
async fn a_vendor_that_is_not_there_is_told_as_such() {
    let flow = flow("http://127.0.0.1:9");
    let failure = flow.exchange(flow.begin(&redirect()), code(&[])).await.unwrap_err();
    assert!(failure.message.contains("no connection") && failure.remedy.contains("network"), "{failure:?}");
}

#[tokio::test]
async fn json_under_another_name_and_status_is_taken() {
    let reply =
        ResponseTemplate::new(201).set_body_raw(r#"{"access_token":"A","token_type":"Bearer"}"#, "text/javascript");
    let server = answering(reply).await;
    let flow = flow(&server.uri());
    assert!(flow.exchange(flow.begin(&redirect()), code(&[])).await.is_ok());
}

/// Speaks JSON, says no inside 200, and sends accounts to another place.
struct Odd;

impl Quirks for Odd {
    fn encode_request(&self, request: http::Request<Vec<u8>>) -> http::Request<Vec<u8>> {
        request.map(|form| {
            let fields: HashMap<_, _> = url::form_urlencoded::parse(&form).into_owned().collect();
            json!(fields).to_string().into_bytes()
        })
    }

    fn normalise_response(&self, response: http::Response<Vec<u8>>) -> http::Response<Vec<u8>> {
        response.map(|body| String::from_utf8(body).unwrap().replace("accessToken", "access_token").into_bytes())
    }

    fn token_url(&self, callback: &BTreeMap<String, String>) -> Option<String> {
        callback.get("accounts").cloned()
    }
}

#[tokio::test]
async fn a_vendors_quirks_stand_around_every_call() {
    let server = MockServer::start().await;
    let odd = ResponseTemplate::new(200).set_body_json(json!({"accessToken": "A", "token_type": "Bearer"}));
    Mock::given(path("/token")).and(body_string_contains(r#""code":"C0DE""#)).respond_with(odd).mount(&server).await;
    let flow = with_quirks(Odd, &server.uri());
    let grant = flow.exchange(flow.begin(&redirect()), code(&[])).await.unwrap();
    assert_eq!(grant.tokens.access.expose(), "A");
}

fn with_quirks(quirks: impl Quirks + 'static, base: &str) -> Flow {
    let settings = CrmSettings { client_id: Some("me".into()), base: Some(base.into()), ..Default::default() };
    let vendor = Vendor { quirks: Arc::new(quirks), ..vendor() };
    let http = net::client(&Default::default()).unwrap();
    Flow::new(vendor, &settings, None, http, Arc::new(now)).unwrap()
}

#[test]
fn a_callback_cannot_send_the_secret_to_a_stranger() {
    let flow = with_quirks(Odd, "http://127.0.0.1:9500/zoho");
    let url = |named: &str| flow.token_url(&code(&[("accounts", named)]).params).to_string();
    assert_eq!(url("https://eu.testland.test/token"), "https://eu.testland.test/token");
    assert_eq!(url("http://127.0.0.1:9500/zoho/dc/eu/token"), "http://127.0.0.1:9500/zoho/dc/eu/token");
    for stranger in
        ["https://evil.test/token", "http://eu.testland.test/token", "https://a@eu.testland.test/", "nonsense"]
    {
        assert_eq!(url(stranger), "http://127.0.0.1:9500/zoho/token", "{stranger}");
    }
}

#[test]
fn a_missing_client_id_or_secret_names_the_setting() {
    let new = |client, id: Option<&str>| {
        let mut vendor = vendor();
        vendor.oauth.client = client;
        vendor.quirks = Arc::new(Standard);
        let settings = CrmSettings { client_id: id.map(str::to_owned), ..Default::default() };
        Flow::new(vendor, &settings, None, net::client(&Default::default()).unwrap(), Arc::new(now)).err()
    };
    let failure = new(Client::Public, None).unwrap();
    assert!(failure.remedy.contains("`client_id` under [crm.testland]"), "{failure:?}");
    let failure = new(Client::Confidential, Some("me")).unwrap();
    assert!(failure.remedy.contains("`client_secret` under [crm.testland]"), "{failure:?}");
    assert!(new(Client::Either, Some("me")).is_none());
}

#[tokio::test]
async fn removing_a_connection_ends_it_at_the_vendor() {
    let server = MockServer::start().await;
    Mock::given(path("/revoke"))
        .and(body_string_contains("token=R"))
        .respond_with(ResponseTemplate::new(200))
        .mount(&server)
        .await;
    let flow = flow(&server.uri());
    let mut tokens = Tokens::fixed(Secret::from("A"));
    tokens.refresh = Some(Secret::from("R"));
    let grant = Grant { tokens, callback: BTreeMap::new() };
    assert_eq!(flow.revoke(&grant).await, Ok(true));
    server.reset().await;
    let failure = flow.revoke(&grant).await.unwrap_err();
    assert!(failure.message.contains("404") && failure.remedy.contains("Testland itself"), "{failure:?}");
}

/// Says that accounts are elsewhere, at whatever address the callback names.
struct Scattered;

impl Quirks for Scattered {
    fn token_url(&self, callback: &BTreeMap<String, String>) -> Option<String> {
        callback.get("server").map(|server| format!("{server}/token"))
    }

    fn revoke_url(&self, callback: &BTreeMap<String, String>) -> Option<String> {
        callback.get("server").map(|server| format!("{server}/revoke"))
    }
}

#[tokio::test]
async fn a_connection_ends_at_the_data_centre_that_it_lives_in_and_nowhere_else() {
    let server = MockServer::start().await;
    let revoked = |place| Mock::given(path(place)).respond_with(ResponseTemplate::new(200)).expect(1);
    revoked("/eu/revoke").mount(&server).await;
    revoked("/revoke").mount(&server).await;
    let mut flow = flow(&server.uri());
    flow.vendor.quirks = Arc::new(Scattered);
    for place in [format!("{}/eu", server.uri()), "https://testland.example.com".into()] {
        let callback = BTreeMap::from([("server".to_owned(), place)]);
        let grant = Grant { tokens: Tokens::fixed(Secret::from("A")), callback };
        assert_eq!(flow.revoke(&grant).await, Ok(true));
    }
}
