//! A vendor that exists in tests only: by the book, at whatever address a test gives it.

use std::sync::Arc;

use jiff::Timestamp;

use super::answer::Expected;
use super::{Answer, Client, Clock, Flow, OAuth, SecretIn, Standard, Vendor};
use crate::config::{CrmSettings, Network};
use crate::net;
use crate::vault::Secret;

/// Its state in every test that needs one.
pub(super) const STATE: &str = "the-right-state";

pub(super) fn vendor() -> Vendor {
    Vendor {
        id: "testland",
        name: "Testland",
        oauth: OAuth {
            authorize_url: "https://testland.test/auth",
            token_url: "https://testland.test/token",
            revoke_url: Some("https://testland.test/revoke"),
            device_url: Some("https://testland.test/device"),
            scopes: &["crm.read", "crm.write"],
            scope_separator: ",",
            extra: &[("prompt", "consent")],
            pkce: true,
            client: Client::Either,
            secret_in: SecretIn::Basic,
            redirect: "http://127.0.0.1:0/callback",
            answer: Answer::Query,
        },
        account_hosts: &[".testland.test"],
        issuer: Some("https://testland.test".into()),
        quirks: Arc::new(Standard),
    }
}

pub(super) fn expected() -> Expected {
    Expected { vendor: vendor(), state: Secret::from(STATE), code_alone: true }
}

/// The time in tests.
pub(super) fn now() -> Timestamp {
    "2026-03-02T10:00:00Z".parse().unwrap()
}

/// The vendor's flow with its endpoints at this base, and a clock that stands still.
pub(super) fn flow(base: &str) -> Flow {
    let settings = CrmSettings { client_id: Some("me".into()), base: Some(base.into()), ..Default::default() };
    let clock: Clock = Arc::new(now);
    let secret = Some(Secret::from("client secret"));
    Flow::new(vendor(), &settings, secret, net::client(&Network::default()).unwrap(), clock).unwrap()
}
