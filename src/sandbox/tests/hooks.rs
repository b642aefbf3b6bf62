use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::StatusCode;
use sha2::Sha256;

use super::*;

const BODY: &str = r#"{"type":"leads","data":[{"email":"jo@example.com"},{"email":"\u001b[2Jsam@example.com"}]}"#;

fn secret(byte: u8) -> Secret {
    Secret::new(format!("whsec_{}", STANDARD.encode([byte; 32])))
}

impl Demo {
    async fn deliver(&self, id: &str, key: u8, sent: i64) -> reqwest::Response {
        let mut mac = Hmac::<Sha256>::new_from_slice(&[key; 32]).expect("any length");
        mac.update(format!("{id}.{sent}.{BODY}").as_bytes());
        let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        let call = self.client.post(self.sandbox.hook_url("bridge")).body(BODY);
        let call = call.header("webhook-id", id).header("webhook-timestamp", sent.to_string());
        call.header("webhook-signature", signature).send().await.expect("an answer")
    }
}

/// A wrong signature would show as verified, or a right one as wrong.
#[tokio::test]
async fn signatures_are_checked_once_the_secret_is_known() {
    let demo = Demo::start().await;
    let now = demo.now().as_second();
    assert_eq!(demo.deliver("msg_1", 7, now).await.status(), StatusCode::OK);
    assert_eq!(demo.sandbox.seen().latest[0].verified, None);
    demo.sandbox.learn_secret("bridge", &secret(7)).expect("a secret");
    assert_eq!(demo.sandbox.seen().latest[0].verified, Some(true), "what came before is checked, too");

    assert_eq!(demo.deliver("msg_2", 7, now).await.status(), StatusCode::OK);
    assert_eq!(demo.deliver("msg_3", 8, now).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(demo.deliver("msg_4", 7, now - 301).await.status(), StatusCode::UNAUTHORIZED);
    let bare = demo.client.post(demo.sandbox.hook_url("bridge")).body(BODY).send().await.expect("an answer");
    assert_eq!(bare.status(), StatusCode::UNAUTHORIZED);
    let seen = demo.sandbox.seen();
    let verified: Vec<_> = seen.latest.iter().map(|delivery| delivery.verified).collect();
    assert_eq!(verified, [Some(false), Some(false), Some(false), Some(true), Some(true)]);
    assert_eq!(seen.latest[3].leads, 2);
    assert!(seen.latest[0].signature.as_str().contains("webhook-id is missing"));

    assert!(demo.sandbox.learn_secret("bridge", &Secret::new("whsec_short")).is_err());
    assert!(demo.sandbox.learn_secret("../x", &secret(1)).is_err());
}

/// Retries could not be practised.
#[tokio::test]
async fn the_switches_bring_trouble_and_the_tries_are_counted() {
    let demo = Demo::start().await;
    let page = demo.get("/").await.text().await.expect("a page");
    let key = hidden(&page, "key");
    let set = async |answer: &str, key: &str| {
        let form = [("key", key), ("hook", "bridge"), ("answer", answer), ("times", "2")];
        demo.post("/answers", &form).await.status()
    };
    assert_eq!(set("503", "made up").await, StatusCode::FORBIDDEN);
    assert_eq!(set("503", &key).await, StatusCode::SEE_OTHER);
    let now = demo.now().as_second();
    let refused = demo.deliver("msg_1", 7, now).await;
    assert_eq!(
        (refused.status(), &refused.headers()["retry-after"]),
        (StatusCode::SERVICE_UNAVAILABLE, &"2".parse().expect("text"))
    );
    assert_eq!(demo.deliver("msg_1", 7, now).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(demo.deliver("msg_1", 7, now).await.status(), StatusCode::OK);
    assert_eq!(demo.sandbox.seen().latest[0].attempt, 3);
    assert_eq!(set("410", &key).await, StatusCode::SEE_OTHER);
    assert_eq!(demo.deliver("msg_2", 7, now).await.status(), StatusCode::GONE);
    let demo = demo.restart().await;
    assert_eq!(demo.deliver("msg_2", 7, now).await.status(), StatusCode::GONE, "a restart changes nothing");
}

/// The practice authority, once trusted, could vouch for any site.
#[tokio::test]
async fn the_certificate_is_good_for_loopback_under_each_of_its_names() {
    let demo = Demo::start().await;
    let port = demo.sandbox.hook_url("x").rsplit(':').next().and_then(|rest| rest.split('/').next().map(str::to_owned));
    let local = format!("https://localhost:{}/hooks/x", port.expect("a port"));
    assert_eq!(demo.client.get(local).send().await.expect("trusted").status(), StatusCode::METHOD_NOT_ALLOWED);
    let strangers = crate::net::client(&crate::config::Network::default()).expect("a client");
    assert!(strangers.get(demo.sandbox.hook_url("x")).send().await.is_err(), "nobody else trusts it");
    let ca = std::fs::read(demo.sandbox.ca_path()).expect("there");
    let demo = demo.restart().await;
    assert_eq!(std::fs::read(demo.sandbox.ca_path()).expect("there"), ca, "the authority is kept");
    assert!(demo.client.get(demo.sandbox.hook_url("x")).send().await.is_ok(), "and still signs");
}
