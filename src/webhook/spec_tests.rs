//! What the form says while one types, and what it never lets through.

use super::*;
use crate::vault::Secret;
use proptest::prelude::*;

fn good() -> WebhookSpec {
    WebhookSpec { name: "crm-bridge".into(), url: "https://hooks.example.com/leads".into(), ..WebhookSpec::default() }
}

fn complaints(spec: &WebhookSpec) -> Vec<Complaint> {
    check(spec, &Guard::new(&[]).unwrap())
}

fn complaint(spec: WebhookSpec) -> (SpecField, String) {
    let found = complaints(&spec);
    assert_eq!(found.len(), 1, "{found:?}");
    (found[0].field, found[0].message.clone())
}

#[test]
fn ordinary_settings_pass() {
    assert_eq!(complaints(&good()), []);
}

#[test]
fn an_address_that_cannot_be_called_says_so_at_once() {
    for (url, words) in [
        ("", "https://"),
        ("hooks.example.com/x", "begin with https://"),
        ("http://hooks.example.com/x", "Only https://"),
        ("ftp://hooks.example.com/x", "Only https://"),
        ("https://", "not an address"),
        ("https://u:p@hooks.example.com/", "under Auth"),
        ("https://hooks.example.com/#x", "after #"),
        ("https://10.0.0.1/", "a private network"),
        ("https://localhost:8443/", "this machine"),
    ] {
        let (field, message) = complaint(WebhookSpec { url: url.into(), ..good() });
        assert!(field == SpecField::Url && message.contains(words), "{url}: {message}");
    }
}

#[test]
fn headers_cannot_smuggle_a_second_request_or_replace_the_signature() {
    for (name, value, words) in [
        ("X-A", "1\r\nX-B: 2", "line break"),
        ("X-A", "a\0b", "control"),
        ("X A", "1", "cannot be the name"),
        ("X-A\r\nX-B", "1", "cannot be the name"),
        ("", "1", "cannot be the name"),
        ("Webhook-Signature", "v1,x", "by leadferry"),
        ("Host", "a.example", "by leadferry"),
        ("Content-Length", "0", "by leadferry"),
        ("Transfer-Encoding", "chunked", "by leadferry"),
        ("Authorization", "Bearer x", "under Auth"),
    ] {
        let (field, message) = complaint(WebhookSpec { headers: vec![(name.into(), value.into())], ..good() });
        assert!(field == SpecField::Headers && message.contains(words), "{name}: {message}");
    }
    assert_eq!(complaints(&WebhookSpec { headers: vec![("X-Team".into(), "Köln".into())], ..good() }), []);
}

#[test]
fn each_field_has_its_own_complaint() {
    let key = |header: &str, key: &str| Auth::ApiKey { header: header.into(), key: Secret::new(key) };
    let cases = [
        (WebhookSpec { name: " ".into(), ..good() }, SpecField::Name),
        (WebhookSpec { auth: key("X-Key", "a\nb"), ..good() }, SpecField::Auth),
        (WebhookSpec { auth: key("Host", "a"), ..good() }, SpecField::Auth),
        (WebhookSpec { auth: Auth::Bearer { token: Secret::new("") }, ..good() }, SpecField::Auth),
        (
            WebhookSpec { auth: Auth::Basic { user: "a:b".into(), password: Secret::new("c") }, ..good() },
            SpecField::Auth,
        ),
        (WebhookSpec { template: "custom".into(), template_text: "{".into(), ..good() }, SpecField::Template),
        (WebhookSpec { template: "other".into(), ..good() }, SpecField::Template),
        (WebhookSpec { batch: 0, ..good() }, SpecField::Batch),
        (WebhookSpec { batch: 1_001, ..good() }, SpecField::Batch),
        (WebhookSpec { filter: "(state = TX".into(), ..good() }, SpecField::Filter),
        (WebhookSpec { retry: vec![1; 40], ..good() }, SpecField::Retry),
    ];
    for (spec, field) in cases {
        assert_eq!(complaint(spec).0, field);
    }
}

#[test]
fn lists_and_logs_show_where_but_not_the_secret_path() {
    assert_eq!(masked_url("https://hooks.slack.test/services/T0/B0/s3cr3t?k=1"), "https://hooks.slack.test/…");
    assert_eq!(masked_url("https://hooks.example.com:8443"), "https://hooks.example.com:8443");
    assert_eq!(masked_url("s3cr3t"), "…");
}

proptest! {
    #[test]
    fn any_text_can_be_typed_into_any_field(text in any::<String>(), name in any::<String>()) {
        let spec = WebhookSpec {
            url: text.clone(), headers: vec![(name.clone(), text.clone())], auth: Auth::Bearer { token: Secret::new(text) }, name, ..good()
        };
        let _ = complaints(&spec);
    }
}
