//! What would go wrong for a user who typed a code: endless waiting, or words that do not help.

use serde_json::{Value, json};
use wiremock::matchers::{body_string_contains, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::super::Quirks;
use super::super::test_vendor::flow;
use super::*;

/// Replies to the polls, in order; the last one stays.
async fn signing_in(expires_in: u64, polls: &[(u16, Value)]) -> Result<Grant, Failure> {
    let server = MockServer::start().await;
    let code = json!({"device_code": "D", "user_code": "WDJB-MJHT", "verification_url": "https://testland.test/device",
        "expires_in": expires_in, "interval": 0});
    let asked = Mock::given(path("/device")).and(body_string_contains("scope=crm.read%2Ccrm.write"));
    asked.respond_with(ResponseTemplate::new(200).set_body_json(code)).mount(&server).await;
    for (at, (status, body)) in polls.iter().enumerate() {
        let poll = Mock::given(path("/token")).and(body_string_contains("device_code=D"));
        let poll = poll.respond_with(ResponseTemplate::new(*status).set_body_json(body));
        let once = at + 1 < polls.len();
        if once { poll.up_to_n_times(1).mount(&server).await } else { poll.mount(&server).await }
    }
    let flow = flow(&server.uri());
    let code = flow.device_code().await?;
    assert_eq!((code.user_code(), code.page()), ("WDJB-MJHT", "https://testland.test/device"));
    flow.device_tokens(&code).await
}

fn error(code: &str) -> (u16, Value) {
    (400, json!({"error": code}))
}

#[tokio::test]
async fn pending_and_a_hiccup_are_waited_out() {
    let token = (200, json!({"access_token": "A", "token_type": "Bearer"}));
    let pending = || error("authorization_pending");
    let polls = [pending(), (503, json!({})), (503, json!({})), pending(), (503, json!({})), (503, json!({})), token];
    assert_eq!(signing_in(60, &polls).await.unwrap().tokens.access.expose(), "A");
}

#[tokio::test]
async fn a_server_that_stays_broken_is_told_before_the_code_dies() {
    let failure = signing_in(600, &[(503, json!({}))]).await.unwrap_err();
    assert!(failure.message.contains("HTTP 503"), "{failure:?}");
}

#[tokio::test]
async fn a_refusal_and_a_dead_code_say_what_to_do() {
    let refused = signing_in(60, &[error("authorization_pending"), error("access_denied")]).await.unwrap_err();
    assert_eq!((refused.code, refused.message.as_str()), (Code::SignInNeeded, "Testland refused the sign-in."));
    for dead in
        [signing_in(60, &[error("expired_token")]).await, signing_in(0, &[error("authorization_pending")]).await]
    {
        let dead = dead.unwrap_err();
        assert!(dead.message.contains("not confirmed in time") && dead.remedy.contains("new code"), "{dead:?}");
    }
}

/// Sends polls to another data centre, as the answer says.
struct Scattered;

impl Quirks for Scattered {
    fn token_url(&self, callback: &BTreeMap<String, String>) -> Option<String> {
        callback.get("server").map(|server| format!("{server}/token"))
    }

    fn moved(&self, response: &http::Response<Vec<u8>>) -> BTreeMap<String, String> {
        let answer: Value = serde_json::from_slice(response.body()).unwrap();
        answer["server"].as_str().map(|server| ("server".to_owned(), server.to_owned())).into_iter().collect()
    }
}

#[tokio::test]
async fn an_account_in_another_data_centre_is_asked_for_there_from_then_on() {
    let server = MockServer::start().await;
    let there = format!("{}/eu", server.uri());
    let code = json!({"device_code": "D", "user_code": "U", "verification_url": "https://testland.test/device",
        "expires_in": 60, "interval": 0});
    Mock::given(path("/device")).respond_with(ResponseTemplate::new(200).set_body_json(code)).mount(&server).await;
    let elsewhere = json!({"error": "authorization_pending", "server": there});
    Mock::given(path("/token"))
        .respond_with(ResponseTemplate::new(400).set_body_json(elsewhere))
        .expect(1)
        .mount(&server)
        .await;
    let token = json!({"access_token": "A", "token_type": "Bearer"});
    let found = Mock::given(path("/eu/token")).and(body_string_contains("device_code=D"));
    found.respond_with(ResponseTemplate::new(200).set_body_json(token)).mount(&server).await;
    let mut flow = flow(&server.uri());
    flow.vendor.quirks = std::sync::Arc::new(Scattered);
    let code = flow.device_code().await.unwrap();
    let grant = flow.device_tokens(&code).await.unwrap();
    assert_eq!((grant.tokens.access.expose(), grant.callback["server"].as_str()), ("A", there.as_str()));
}
