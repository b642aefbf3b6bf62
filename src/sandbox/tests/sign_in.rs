use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::StatusCode;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::*;

const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters-0123";
const REDIRECT: &str = "http://127.0.0.1:4567/callback";

fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER))
}

fn request(challenge: &str) -> Vec<(&'static str, &str)> {
    vec![
        ("response_type", "code"),
        ("client_id", CLIENT_ID),
        ("redirect_uri", REDIRECT),
        ("scope", "contacts lists"),
        ("state", "st&te"),
        ("code_challenge", challenge),
        ("code_challenge_method", "S256"),
    ]
}

impl Demo {
    async fn authorize(&self, request: &[(&str, &str)]) -> reqwest::Response {
        self.client.get(self.url("/oauth/authorize")).query(request).send().await.expect("an answer")
    }

    /// Opens the consent page and presses a button: where the browser is sent.
    async fn decide(&self, decision: &str) -> HashMap<String, String> {
        let page = self.authorize(&request(&challenge())).await.text().await.expect("a page");
        let form = [
            ("request", &*hidden(&page, "request")),
            ("key", &hidden(&page, "key")),
            ("user", "sam@example.com"),
            ("decision", decision),
        ];
        sent_back(&self.post("/oauth/decide", &form).await)
    }

    async fn code(&self) -> String {
        self.decide("allow").await["code"].clone()
    }

    async fn token(&self, form: &[(&str, &str)]) -> (StatusCode, Value) {
        let answer = self.post("/oauth/token", form).await;
        (answer.status(), answer.json().await.expect("JSON"))
    }

    async fn redeem(&self, code: &str, redirect: &str, verifier: &str) -> (StatusCode, Value) {
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", CLIENT_ID),
            ("code", code),
            ("redirect_uri", redirect),
            ("code_verifier", verifier),
        ];
        self.token(&form).await
    }

    async fn refresh(&self, token: &Value) -> (StatusCode, Value) {
        let token = token.as_str().expect("a refresh token");
        self.token(&[("grant_type", "refresh_token"), ("client_id", CLIENT_ID), ("refresh_token", token)]).await
    }

    async fn me(&self, token: &Value) -> (StatusCode, Value) {
        let token = token.as_str().expect("an access token");
        let answer = self.client.get(self.url("/api/me")).bearer_auth(token).send().await.expect("an answer");
        (answer.status(), answer.json().await.expect("JSON"))
    }

    async fn poll(&self, device_code: &str) -> (StatusCode, Value) {
        let grant_type = "urn:ietf:params:oauth:grant-type:device_code";
        self.token(&[("grant_type", grant_type), ("client_id", CLIENT_ID), ("device_code", device_code)]).await
    }

    async fn start_device(&self) -> (String, String) {
        let answer = self.post("/oauth/device", &[("client_id", CLIENT_ID), ("scope", "contacts lists")]).await;
        let answer: Value = answer.json().await.expect("JSON");
        let text = |name: &str| answer[name].as_str().expect("text").to_owned();
        assert_eq!(text("verification_uri"), self.url("/device"));
        (text("device_code"), text("user_code"))
    }
}

fn sent_back(answer: &reqwest::Response) -> HashMap<String, String> {
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let to = Url::parse(answer.headers()["location"].to_str().expect("text")).expect("an address");
    assert_eq!(to.as_str().split('?').next(), Some(REDIRECT));
    to.query_pairs().into_owned().collect()
}

fn refused((status, body): (StatusCode, Value), error: &str) {
    assert_eq!((status, body["error"].as_str()), (StatusCode::BAD_REQUEST, Some(error)), "{body}");
}

/// The sign-in of the demo would not come through, or the account shown would be another.
#[tokio::test]
async fn consent_leads_to_tokens_for_the_person_who_signed_in() {
    let demo = Demo::start().await;
    let back = demo.decide("allow").await;
    assert_eq!((back["state"].as_str(), back["iss"].as_str()), ("st&te", demo.sandbox.origin()));
    let (status, tokens) = demo.redeem(&back["code"], REDIRECT, VERIFIER).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&"Bearer".into(), &3600.into()));
    let (_, me) = demo.me(&tokens["access_token"]).await;
    assert_eq!(me["user"]["email"], "sam@example.com");
    demo.pass(3600);
    assert_eq!(demo.me(&tokens["access_token"]).await.0, StatusCode::UNAUTHORIZED, "an hour later");
}

/// A mistake in our PKCE would not be noticed by practising.
#[tokio::test]
async fn a_code_needs_the_right_verifier() {
    let demo = Demo::start().await;
    refused(demo.redeem(&demo.code().await, REDIRECT, &VERIFIER.replace('a', "b")).await, "invalid_grant");
    refused(demo.redeem(&demo.code().await, REDIRECT, "").await, "invalid_request");
    for (left_out, error) in [("code_challenge", "PKCE"), ("code_challenge_method", "S256")] {
        let challenge = challenge();
        let without: Vec<_> = request(&challenge).into_iter().filter(|(name, _)| *name != left_out).collect();
        let back = sent_back(&demo.authorize(&without).await);
        assert_eq!((back["error"].as_str(), back["state"].as_str()), ("invalid_request", "st&te"));
        assert!(back["error_description"].contains(error));
    }
}

/// A stolen code would work a second time, or for another app's address.
#[tokio::test]
async fn a_code_works_once_for_ten_minutes_and_for_its_own_redirect() {
    let demo = Demo::start().await;
    let code = demo.code().await;
    refused(demo.redeem(&code, "http://127.0.0.1:9999/callback", VERIFIER).await, "invalid_grant");
    let (_, tokens) = demo.redeem(&code, REDIRECT, VERIFIER).await;
    refused(demo.redeem(&code, REDIRECT, VERIFIER).await, "invalid_grant");
    assert_eq!(demo.me(&tokens["access_token"]).await.0, StatusCode::UNAUTHORIZED, "what the code gave is void");
    let late = demo.code().await;
    demo.pass(600);
    refused(demo.redeem(&late, REDIRECT, VERIFIER).await, "invalid_grant");
}

/// The page would send a code to an address that is not the app's.
#[tokio::test]
async fn a_foreign_redirect_or_client_is_told_on_the_page() {
    let demo = Demo::start().await;
    let challenge = challenge();
    for foreign in [
        "http://127.0.0.1/other",
        "https://example.com/callback",
        "http://127.0.0.1:1/callback?x=1",
        "http://127.0.0.1.example.com/callback",
    ] {
        let mut request = request(&challenge);
        request[2].1 = foreign;
        let answer = demo.authorize(&request).await;
        assert_eq!((answer.status(), answer.headers().get("location")), (StatusCode::BAD_REQUEST, None), "{foreign}");
    }
    let mut request = request(&challenge);
    request[1].1 = "<script>";
    let answer = demo.authorize(&request).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert!(!answer.text().await.expect("a page").contains("<script>"));
}

/// Deny would look like a crash instead of a decision.
#[tokio::test]
async fn deny_comes_back_as_access_denied_and_a_page_works_once() {
    let demo = Demo::start().await;
    let back = demo.decide("deny").await;
    assert_eq!((back["error"].as_str(), back["state"].as_str()), ("access_denied", "st&te"));
    assert!(!back.contains_key("code"));

    let page = demo.authorize(&request(&challenge())).await.text().await.expect("a page");
    let (number, key) = (hidden(&page, "request"), hidden(&page, "key"));
    let form = [("request", &*number), ("key", "made up"), ("decision", "allow")];
    assert_eq!(demo.post("/oauth/decide", &form).await.status(), StatusCode::FORBIDDEN);
    let form = [("request", &*number), ("key", &key), ("decision", "allow")];
    assert_eq!(demo.post("/oauth/decide", &form).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(demo.post("/oauth/decide", &form).await.status(), StatusCode::GONE);
}

/// Browsers would block the way back from the consent page, as they hold form answers to the page's policy.
#[tokio::test]
async fn the_policy_of_the_consent_page_lets_the_answer_through() {
    let demo = Demo::start().await;
    let answer = demo.authorize(&request(&challenge())).await;
    let policy = answer.headers()["content-security-policy"].to_str().expect("text");
    assert!(policy.contains("form-action 'self' http://127.0.0.1:4567;"), "{policy}");
}

/// A connection would end after an hour, or an old refresh token would stay good for whoever finds it.
#[tokio::test]
async fn refresh_rotates_and_reuse_ends_the_sign_in() {
    let demo = Demo::start().await;
    let (_, first) = demo.redeem(&demo.code().await, REDIRECT, VERIFIER).await;
    let (status, second) = demo.refresh(&first["refresh_token"]).await;
    assert_eq!(status, StatusCode::OK);
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    assert_eq!(demo.me(&second["access_token"]).await.0, StatusCode::OK);
    refused(demo.refresh(&first["refresh_token"]).await, "invalid_grant");
    assert_eq!(demo.me(&second["access_token"]).await.0, StatusCode::UNAUTHORIZED);
    refused(demo.refresh(&second["refresh_token"]).await, "invalid_grant");
}

/// "Remove connection" would leave a working token behind.
#[tokio::test]
async fn a_revoked_token_ends_the_sign_in() {
    let demo = Demo::start().await;
    let (_, tokens) = demo.redeem(&demo.code().await, REDIRECT, VERIFIER).await;
    let token = tokens["refresh_token"].as_str().expect("text");
    assert_eq!(demo.post("/oauth/revoke", &[("token", token)]).await.status(), StatusCode::OK);
    assert_eq!(demo.me(&tokens["access_token"]).await.0, StatusCode::UNAUTHORIZED);
}

/// Over SSH, without a browser, nobody could finish the demo.
#[tokio::test]
async fn a_device_code_is_approved_from_a_second_shell() {
    let demo = Demo::start().await;
    let (device, user_code) = demo.start_device().await;
    refused(demo.poll(&device).await, "authorization_pending");
    refused(demo.poll(&device).await, "slow_down");
    let typed = user_code.to_lowercase().replace('-', " ");
    approve(&demo.client, demo.home.path(), &typed).await.expect("approved");
    demo.pass(8);
    let (status, tokens) = demo.poll(&device).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(demo.me(&tokens["access_token"]).await.1["user"]["email"], "robin@practice.test");
    refused(demo.poll(&device).await, "expired_token");
    let again = approve(&demo.client, demo.home.path(), &user_code).await.expect_err("it was used");
    assert_eq!(again.code, Code::NotFound);
}

/// The device page would approve what was denied, or a code for ever.
#[tokio::test]
async fn a_device_code_can_be_denied_and_runs_out() {
    let demo = Demo::start().await;
    let (device, user_code) = demo.start_device().await;
    let page = demo.get(&format!("/device?code={user_code}")).await.text().await.expect("a page");
    let form = [("code", &*user_code), ("key", &hidden(&page, "key")), ("decision", "deny")];
    assert_eq!(demo.post("/device", &form).await.status(), StatusCode::OK);
    refused(demo.poll(&device).await, "access_denied");

    let (device, user_code) = demo.start_device().await;
    demo.pass(600);
    assert_eq!(demo.get(&format!("/device?code={user_code}")).await.status(), StatusCode::NOT_FOUND);
    refused(demo.poll(&device).await, "expired_token");
}

/// After closing the demo one would have to sign in again each time.
#[tokio::test]
async fn a_sign_in_and_the_token_outlive_a_restart() {
    let demo = Demo::start().await;
    let (_, tokens) = demo.redeem(&demo.code().await, REDIRECT, VERIFIER).await;
    let (origin, token) = (demo.sandbox.origin().to_owned(), demo.sandbox.token().to_owned());
    let demo = demo.restart().await;
    assert_eq!((demo.sandbox.origin(), demo.sandbox.token()), (&*origin, &*token), "the same address and token");
    assert_eq!(demo.me(&tokens["access_token"]).await.0, StatusCode::OK);
    assert_eq!(demo.refresh(&tokens["refresh_token"]).await.0, StatusCode::OK);
    assert_eq!(demo.me(&token.into()).await.0, StatusCode::OK);
    let kept = std::fs::read_to_string(demo.home.path().join("sandbox/practice.json")).expect("kept");
    assert!(!kept.contains(tokens["refresh_token"].as_str().expect("text")), "no token lies on the disk");
}
