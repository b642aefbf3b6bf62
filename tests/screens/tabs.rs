//! The tabs besides the first, with rows and without.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use leadferry::app::Call;
use leadferry::crm::Account;
use leadferry::engine::messages::{ConnectionSummary, KeptNotice, Reply};
use leadferry::events::{AnalyticsEvent, EventName};
use leadferry::failure::{Code, Failure};
use leadferry::list::{ListSummary, Provenance};
use leadferry::oauth::Method;
use leadferry::sync::{Destination, Outcome, RunState, RunSummary};
use leadferry::webhook::{DeliverySummary, WebhookState, WebhookSummary};

use super::script::{Script, now};

pub fn connections() -> Vec<ConnectionSummary> {
    let connection = |platform: &str, name: &str| ConnectionSummary {
        platform: platform.into(),
        account: String::new(),
        who: Account {
            id: "1".into(),
            name: name.into(),
            user: "dana@acme.test".into(),
            environment: "sandbox".into(),
        },
        method: Method::Browser,
        connected: now(),
        trouble: None,
        last_sync: Some(now()),
    };
    let trouble = Failure::new(Code::SignInNeeded, "HubSpot does not take the token any more.", "Connect again.");
    vec![
        connection("salesforce", "Acme Inc."),
        ConnectionSummary { trouble: Some(trouble), last_sync: None, ..connection("hubspot", "Acme Hub") },
    ]
}

pub fn run(state: RunState) -> RunSummary {
    let counts = [(Outcome::Created, 400), (Outcome::Updated, 10), (Outcome::Failed, 2), (Outcome::Pending, 1_088)];
    RunSummary {
        id: "01J0000000000000000000TEST".into(),
        list: "Top Investors".into(),
        version: 3,
        destination: Destination::Crm { platform: "salesforce".into(), account: String::new() },
        state,
        started: now(),
        ended: None,
        next_try: None,
        total: 1_500,
        counts: BTreeMap::from(counts),
        trouble: None,
    }
}

/// A session whose tabs all have rows.
pub fn filled() -> Script {
    let mut script = Script::open();
    let list = |name: &str, leads| ListSummary {
        id: name.into(),
        name: name.into(),
        version: 2,
        leads,
        saved: now(),
        provenance: Provenance {
            source: "lookalike".into(),
            file: "prospects.csv".into(),
            filter: "state = TX and score >= 80".into(),
        },
    };
    let webhook = |name: &str, state, reason: &str| WebhookSummary {
        id: name.into(),
        name: name.into(),
        url: "https://hooks.example.com/…".into(),
        state,
        reason: reason.into(),
        waiting: 12,
        parked: 1,
        last_delivered: Some(now()),
    };
    script.answer(Call::Lists, Ok(Reply::Lists(vec![list("Top Investors", 12_480), list("Dentists in Texas", 37)])));
    script.answer(Call::Connections, Ok(Reply::Connections(connections())));
    let paused = webhook("old-one", WebhookState::Paused, "The receiver answered 401: check its key.");
    script.answer(Call::Webhooks, Ok(Reply::Webhooks(vec![paused, webhook("crm-bridge", WebhookState::Active, "")])));
    script.press("5");
    script.answer(Call::Activity, Ok(Reply::Runs(vec![run(RunState::Stopped)])));
    script.answer(
        Call::Activity,
        Ok(Reply::Deliveries(vec![DeliverySummary {
            id: "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W".into(),
            webhook: "crm-bridge".into(),
            run: "01J".into(),
            leads: "Dana Whitfield".into(),
            outcome: Outcome::Parked,
            attempts: 4,
            answer: "422".into(),
            ms: 1_234,
            time: now(),
            next_try: None,
        }])),
    );
    script.answer(
        Call::Activity,
        Ok(Reply::Notices(vec![KeptNotice {
            time: now(),
            kind: "error".into(),
            text: "Failed to save leads: the disk is full.".into(),
        }])),
    );
    script.answer(
        Call::Activity,
        Ok(Reply::Events(vec![AnalyticsEvent {
            event: EventName::LeadsSynced,
            platform: "salesforce".into(),
            lead_count: 1_500,
            list_name: "Top Investors".into(),
            source: "lookalike".into(),
            timestamp: now(),
        }])),
    );
    script.press("1 esc");
    script
}

#[test]
fn each_tab_shows_what_there_is() {
    let mut script = filled();
    for (keys, name) in [("2", "tab_lists"), ("3", "tab_connections"), ("4", "tab_webhooks"), ("5", "tab_runs")] {
        script.press(keys);
        assert_snapshot!(name, script.sizes());
    }
    for name in ["tab_deliveries", "tab_notices", "tab_events"] {
        script.press("right");
        assert_snapshot!(name, script.text(80, 24));
    }
}

#[test]
fn an_empty_tab_says_how_to_fill_it() {
    let mut script = Script::open();
    for (key, says) in [
        ("2", "Select leads in the first tab (1)"),
        ("3", "not connected"),
        ("4", "Press n to make one"),
        ("5", "Nothing was sent yet"),
    ] {
        script.press(key);
        let text = script.text(80, 24);
        assert!(text.contains(says), "{text}");
    }
}

#[test]
fn connected_systems_are_marked_in_the_grid() {
    let mut script = filled();
    script.press("tab tab tab");
    let text = script.text(120, 36);
    assert!(text.contains("[Salesforce ✓]") && text.contains("[HubSpot !]") && text.contains("[Zoho ↗]"), "{text}");
}

#[test]
fn deleting_is_asked_about_and_no_has_the_focus() {
    let mut script = filled();
    script.press("2 d");
    assert!(script.at_cursor(80, 24).starts_with("No ]"));
    assert_snapshot!(script.sizes());
}
