//! Webhook runs to the receiver that verifies with two reference libraries and misbehaves on request.

use std::path::PathBuf;

use leadferry::engine::messages::{Reply, Request};
use leadferry::sync::{Outcome, RunState};
use leadferry::webhook::WebhookSpec;
use serde_json::{Value, json};

use super::desk::{Desk, answer, counts, leads};
use super::peers::{self, Peer};

struct Receiver {
    peer: Peer,
    desk: Desk,
}

impl Receiver {
    async fn start() -> Option<Receiver> {
        let certs = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("flows-certs");
        let peer = peers::start("webhook-receiver", &[("CERT_DIR", certs.to_str()?)])?;
        let ca = peer.ready["ca"].as_str().expect("a certificate authority");
        let desk = Desk::with(&format!("[network]\nextra_ca = \"{ca}\"\nallow = [\"127.0.0.0/8\"]")).await;
        Some(Receiver { peer, desk })
    }

    async fn control(&self, what: &str, body: Value) {
        let url = format!("http://127.0.0.1:{}/_test/{what}", self.peer.ready["ports"]["control"]);
        let sent = self.desk.http.post(url).json(&body).send().await.expect("an answer");
        assert!(sent.status().is_success(), "{what}");
    }

    /// Saves a webhook to this hook, whose secret the receiver learns.
    async fn set_up(&self, hook: &str, change: impl FnOnce(&mut WebhookSpec)) {
        let mut spec = WebhookSpec {
            name: hook.into(),
            url: format!("https://127.0.0.1:{}/hook/{hook}", self.peer.port),
            ..WebhookSpec::default()
        };
        change(&mut spec);
        let save = Request::SaveWebhook {
            id: None,
            spec,
            secret: None,
            paused: false,
            list_name: String::new(),
            lead_count: 0,
        };
        let saved = answer!(self.desk, save, Reply::Webhook(saved) => saved);
        let secret = saved.secret.expect("shown once");
        self.control("secrets", json!({"name": hook, "secrets": [secret.expose()]})).await;
    }

    async fn summary(&self, hook: &str) -> Value {
        let url = format!("http://127.0.0.1:{}/_test/summary", self.peer.ready["ports"]["control"]);
        let all: Value = self.desk.http.get(url).send().await.expect("an answer").json().await.expect("JSON");
        [&all["names"][hook], &all[hook]].into_iter().find(|found| found.is_object()).expect("a summary").clone()
    }

    async fn holds(&self, hook: &str, ids: u64) -> Value {
        let summary = self.summary(hook).await;
        assert_eq!((&summary["unique_ids"], &summary["acked_ids"]), (&json!(ids), &json!(ids)), "{summary}");
        for fault in
            ["bad_signatures", "out_of_tolerance", "no_secret", "libraries_disagree", "strict_problems", "not_json"]
        {
            let none = [json!(0), json!([]), json!({})];
            assert!(none.contains(&summary[fault]), "{fault}: {}", summary[fault]);
        }
        assert!([json!([]), json!({}), json!(0)].contains(&summary["ids_with_two_bodies"]), "{summary}");
        summary
    }
}

/// A receiver with a reference library would refuse the leads.
#[tokio::test(flavor = "multi_thread")]
async fn both_reference_libraries_verify_every_delivery() {
    let Some(receiver) = Receiver::start().await else { return };
    receiver.desk.save(&leads(300)).await;
    receiver.set_up("single", |_| ()).await;
    let run = receiver.desk.send("webhook:single").await;
    assert_eq!((run.state, counts(&run)), (RunState::Done, vec![(Outcome::Delivered, 300)]));
    let summary = receiver.holds("single", 300).await;
    assert_eq!(summary["total"], 300);
    assert!(summary["max_in_flight"].as_u64().is_some_and(|most| most <= 16), "{}", summary["max_in_flight"]);

    receiver.set_up("batched", |spec| spec.batch = 100).await;
    let run = receiver.desk.send("webhook:batched").await;
    assert_eq!(counts(&run), [(Outcome::Delivered, 300)]);
    assert_eq!(receiver.holds("batched", 3).await["total"], 3);
}

/// A connection cut at the wrong moment would lose leads, or make others of them.
#[tokio::test(flavor = "multi_thread")]
async fn none_is_lost_when_the_receiver_cuts_and_stumbles() {
    let Some(receiver) = Receiver::start().await else { return };
    receiver.desk.save(&leads(120)).await;
    receiver.set_up("rough", |spec| spec.retry = vec![0; 12]).await;
    let random = json!({"p500": 0.1, "pReset": 0.1, "pCutAfterRecord": 0.1});
    receiver.control("behaviour", json!({"name": "rough", "seed": 5, "random": random})).await;
    let run = receiver.desk.send("webhook:rough").await;
    assert_eq!((run.state, counts(&run)), (RunState::Done, vec![(Outcome::Delivered, 120)]));
    let summary = receiver.holds("rough", 120).await;
    assert!(summary["total"].as_u64().is_some_and(|total| total > 120));
    assert_eq!(summary["sent_again_after_2xx"], 0, "{summary}");
}
