//! What would go wrong for a user if an answer were misread: calls with dead tokens, lost refresh tokens, leaked secrets.

use serde_json::json;

use super::*;

fn now() -> Timestamp {
    "2026-03-02T10:00:00Z".parse().unwrap()
}

fn read(answer: Value, before: Option<&Tokens>) -> Tokens {
    let answer: TokenAnswer = serde_json::from_value(answer).unwrap();
    Tokens::from_answer(&answer, &["crm.read"], before, now())
}

fn jwt(claims: Value) -> String {
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

#[test]
fn what_the_vendor_adds_is_kept() {
    let tokens = read(
        json!({"access_token": "A", "token_type": "Bearer", "instance_url": "https://x.test", "n": {"a": [1]}}),
        None,
    );
    assert_eq!(tokens.extra["instance_url"], "https://x.test");
    assert_eq!(tokens.extra["n"], json!({"a": [1]}));
    assert!(!tokens.extra.contains_key("access_token"), "a secret ended up among the plain fields");
    assert_eq!(tokens.scopes, ["crm.read"]);
    assert_eq!(tokens.expires_at, None);
}

#[test]
fn a_refresh_keeps_what_it_does_not_renew() {
    let first = json!({"access_token": "A", "token_type": "bearer", "refresh_token": "R", "scope": "x y", "api_domain": "d", "expires_in": 60});
    let before = read(first, None);
    let after = read(json!({"access_token": "B", "token_type": "bearer", "expires_in": 60}), Some(&before));
    assert_eq!(after.access.expose(), "B");
    assert_eq!(after.refresh.unwrap().expose(), "R");
    assert_eq!(after.scopes, ["x", "y"]);
    assert_eq!(after.extra["api_domain"], "d");
}

#[test]
fn expiry_comes_from_the_answer_else_from_the_token_itself() {
    let life = |answer| read(answer, None).expires_at.map(|dies| dies.duration_since(now()).as_secs());
    let token = |claims| json!({"access_token": jwt(claims), "token_type": "bearer"});
    assert_eq!(life(json!({"access_token": "A", "token_type": "bearer", "expires_in": 90})), Some(90));
    assert_eq!(life(token(json!({"exp": now().as_second() + 30}))), Some(30));
    // The server's clock is an hour ahead of ours: the token still lives for five minutes.
    assert_eq!(life(token(json!({"iat": now().as_second() + 3600, "exp": now().as_second() + 3900}))), Some(300));
    assert_eq!(life(token(json!({"sub": "me"}))), None);
    assert_eq!(life(token(json!({"exp": 1e300}))), None);
    assert_eq!(life(json!({"access_token": "a.b.c", "token_type": "bearer"})), None);
}

#[test]
fn tokens_survive_the_store_and_never_show_in_a_debug_line() {
    let tokens = read(
        json!({"access_token": "hunter2", "token_type": "b", "refresh_token": "hunter3", "id_token": "hunter4"}),
        None,
    );
    assert!(serde_json::to_string(&tokens).is_err(), "tokens can be written outside the store");
    let sealed = crate::vault::sealed::while_sealing(|| serde_json::to_string(&tokens)).unwrap();
    let back: Tokens = serde_json::from_str(&sealed).unwrap();
    assert_eq!(back.access.expose(), "hunter2");
    assert_eq!(back.refresh.as_ref().unwrap().expose(), "hunter3");
    assert!(!format!("{tokens:?}").contains("hunter"), "{tokens:?}");
}
