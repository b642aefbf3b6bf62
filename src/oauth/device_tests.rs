//! What would go wrong for a user who typed a code: endless waiting, or words that do not help.

use serde_json::{Value, json};
use wiremock::matchers::{body_string_contains, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

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
