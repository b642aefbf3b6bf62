//! Webhooks against a receiver that checks every request with two reference libraries, and misbehaves on request.

#[cfg(test)]
mod hook;
#[cfg(test)]
mod peers;

use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use serde_json::{Value, json};

use leadferry::config::Network;
use leadferry::net::Tls;
use leadferry::sync::Outcome;
use leadferry::vault::Secret;
use leadferry::webhook::guard::{Guard, Lookup};
use leadferry::webhook::queue::Ended;
use leadferry::webhook::request::Request;
use leadferry::webhook::send::{Sender, Trouble};
use leadferry::webhook::signature::{self, SigningKey};
use leadferry::webhook::{Auth, HttpMethod, WebhookSpec, WebhookState};

use hook::{Hook, assert_clean, control, network, sender};

#[tokio::test]
async fn leads_arrive_signed_and_both_reference_libraries_agree() {
    for (name, template, batch, requests) in
        [("t-standard", "standard", 1, 2), ("t-flat", "flat", 50, 1), ("t-slack", "slack", 1, 2)]
    {
        let change = |spec: &mut WebhookSpec| {
            spec.template = template.into();
            spec.batch = batch;
            spec.method = HttpMethod::Put;
            spec.auth = Auth::ApiKey { header: "X-Api-Key".into(), key: Secret::new("k3y") };
            spec.headers = vec![("X-Team".into(), "one".into())];
        };
        let Some(hook) = Hook::new(name, json!(["ok"]), change).await else { return };
        assert_eq!(hook.run().await, Ended::Settled);
        let records = hook.received().await;
        assert_eq!(records.len(), requests);
        assert_clean(&records);
        let headers = &records[0]["headers"];
        assert_eq!((&headers["x-api-key"], &headers["x-team"]), (&json!("k3y"), &json!("one")));
        assert_eq!(headers["content-type"], "application/json");
        assert!(headers["user-agent"].as_str().unwrap().starts_with("leadferry/"));
        assert_eq!(headers["accept-encoding"], Value::Null);
        assert_eq!(records[0]["method"], "PUT");
        assert!(
            hook.progress().iter().all(|progress| progress.outcome == Outcome::Delivered && progress.answer == "200")
        );
    }
}

#[tokio::test]
async fn during_a_rotation_either_secret_verifies() {
    let Some(hook) = Hook::new("rotation", json!(["ok"]), |_| ()).await else { return };
    let new = signature::generate().unwrap();
    let keys = [hook.keys(), vec![SigningKey::parse(&new).unwrap()]].concat();
    for accepted in [&hook.secret, &new] {
        control("secrets", Some(json!({"name": "rotation", "secrets": [accepted.expose()]}))).await;
        let request = Request::sign(&hook.spec, &keys, "msg_rotation", Timestamp::now(), b"{}".to_vec()).unwrap();
        assert!(sender(&network()).send(&request).await.result.is_ok());
    }
    assert_clean(&hook.received().await);
}

#[tokio::test]
async fn a_retry_brings_the_same_id_and_the_same_body() {
    let script = json!(["status:500", "reset_before_headers", "ok"]);
    let Some(hook) = Hook::new("retries", script, |spec| spec.batch = 10).await else { return };
    assert_eq!(hook.run().await, Ended::Settled);
    let records = hook.received().await;
    assert_eq!(records.len(), 3);
    assert_clean(&records);
    for record in &records[1..] {
        assert_eq!(record["webhook_id"], records[0]["webhook_id"]);
        assert_eq!(record["same_body_as_first"], true);
    }
    assert!(
        records[2]["t_ms"].as_f64().unwrap() - records[1]["t_ms"].as_f64().unwrap() >= 1_000.0,
        "the delay is kept"
    );
    assert_eq!(hook.progress()[0].attempts, 3);
    assert_eq!(hook.summary().await["ids_with_two_bodies"], json!([]));
}

#[tokio::test]
async fn every_way_to_lose_an_answer_is_tried_again() {
    for (name, step) in [
        ("cut-1", json!("reset_before_headers")),
        ("cut-2", json!("reset_before_body")),
        ("cut-3", json!("close_before_headers")),
        ("cut-4", json!("not_http")),
        ("cut-5", json!("never_answer")),
        ("cut-6", json!({"bad_headers": "two_lengths"})),
        ("cut-7", json!({"bad_headers": "many"})),
        ("cut-8", json!({"trickle_headers": {"interval_ms": 300}})),
        ("cut-9", json!("never_read")),
    ] {
        let Some(hook) = Hook::new(name, json!([step, "ok"]), |spec| spec.batch = 10).await else { return };
        assert_eq!(hook.run().await, Ended::Settled, "{name}");
        let progress = hook.progress();
        assert_eq!(progress[0].outcome, Outcome::Delivered, "{name}: {progress:?}");
    }
}

#[tokio::test]
async fn the_status_decides_what_happens_to_lead_and_webhook() {
    for (name, status, state) in [("gone", 410, WebhookState::Disabled), ("denied", 401, WebhookState::Paused)] {
        let script = json!([format!("status:{status}")]);
        let Some(hook) = Hook::new(name, script, |spec| spec.batch = 10).await else { return };
        let ended = hook.run().await;
        assert!(matches!(ended, Ended::Halted(own, _) if own == state), "{ended:?}");
        assert_eq!(*hook.progress.halted.lock().unwrap(), Some(state));
        assert_eq!(hook.progress()[0].outcome, Outcome::Pending, "the lead waits");
        assert_eq!(hook.received().await.len(), 1);
    }
    let Some(hook) = Hook::new("invalid", json!(["status:422", "ok"]), |_| ()).await else { return };
    assert_eq!(hook.run().await, Ended::Settled);
    let mut outcomes: Vec<Outcome> = hook.progress().iter().map(|progress| progress.outcome).collect();
    outcomes.sort_unstable();
    assert_eq!(outcomes, [Outcome::Delivered, Outcome::Parked]);
    assert_eq!(hook.received().await.len(), 2, "what is parked is not tried again");
}

#[tokio::test]
async fn retry_after_is_waited_for() {
    for (name, step) in
        [("after-s", json!({"retry_after": "2"})), ("after-d", json!({"retry_after": "date:+3", "status": 503}))]
    {
        let Some(hook) = Hook::new(name, json!([step, "ok"]), |spec| spec.batch = 10).await else { return };
        assert_eq!(hook.run().await, Ended::Settled);
        let records = hook.received().await;
        let gap = records[1]["t_ms"].as_f64().unwrap() - records[0]["t_ms"].as_f64().unwrap();
        assert!((1_900.0..5_000.0).contains(&gap), "{gap}");
    }
    let script = json!([{"retry_after": "huge"}, "ok"]);
    let Some(hook) = Hook::new("after-far", json!([{"retry_after": "7200"}]), |_| ()).await else { return };
    let ended = hook.run().await;
    assert!(
        matches!(ended, Ended::Waiting(next) if next.duration_since(Timestamp::now()).as_secs() > 7_000),
        "{ended:?}"
    );
    let Some(hook) = Hook::new("after-odd", script, |spec| spec.batch = 10).await else { return };
    assert_eq!(hook.run().await, Ended::Settled, "a number that nobody can mean does not stop the queue");
}

#[tokio::test]
async fn a_redirect_is_told_and_not_followed() {
    for (name, target) in
        [("redirect-1", "{canary_http}/x"), ("redirect-2", "{canary_https}/x"), ("redirect-3", "{self}/hook/x")]
    {
        let script = json!([{"redirect": {"status": 307, "location": target}}]);
        let Some(hook) = Hook::new(name, script, |spec| {
            spec.batch = 10;
            spec.retry.clear();
        })
        .await
        else {
            return;
        };
        assert_eq!(hook.run().await, Ended::Settled);
        let reason = hook.progress()[0].reason.clone();
        assert!(reason.contains("307") && reason.contains("not followed"), "{reason}");
    }
    let canary = control("summary", None).await["canary"].clone();
    assert_eq!(canary, json!({"connections": 0, "requests": 0}));
}

#[tokio::test]
async fn who_cannot_prove_who_it_is_gets_no_lead() {
    for (door, words) in [
        ("self_signed", "trusts"),
        ("expired", "expired"),
        ("wrong_host", "another name"),
        ("tls11_only", "TLS"),
        ("plain_http", "TLS"),
        ("handshake_stall", "in time"),
    ] {
        let Some(hook) = Hook::at(door, "untrusted", json!(["ok"]), |_| ()).await else { return };
        let trouble = hook.send(&network()).await.result.unwrap_err();
        assert!(trouble.to_string().contains(words), "{door}: {trouble:?}");
        let ports = control("summary", None).await["ports"].clone();
        assert_eq!(ports[door]["requests"], 0, "{door}: {ports}");
    }
    let Some(hook) = Hook::at("refused", "untrusted", json!(["ok"]), |_| ()).await else { return };
    let trouble = hook.send(&network()).await.result.unwrap_err();
    assert!(matches!(&trouble, Trouble::Unreachable(words) if words.contains("nothing listens")), "{trouble:?}");
    for door in ["reset_on_accept", "close_on_accept", "never_read", "client_cert"] {
        let Some(hook) = Hook::at(door, "untrusted", json!(["ok"]), |_| ()).await else { return };
        let result = hook.send(&network()).await.result;
        assert!(result.is_err(), "{door}: {result:?}");
    }
}

#[tokio::test]
async fn an_answer_is_read_so_far_and_no_further() {
    for (name, step) in [
        ("big-1", json!("endless_body")),
        ("big-2", json!({"big_body": {"bytes": 10_485_760}})),
        ("big-3", json!({"gzip_bomb": {"mib": 64}})),
        ("big-4", json!("gzip_garbage")),
        ("big-5", json!("gzip_empty")),
        ("big-6", json!({"reset_mid_body": {"after_bytes": 10, "how": "rst"}})),
        ("big-7", json!("odd_2xx")),
        ("big-8", json!("204_with_body")),
        ("big-9", json!("non_utf8_reply")),
        ("big-10", json!("http10")),
        ("big-11", json!({"early_hints": {"count": 1}})),
        ("big-12", json!({"slow_body": {"interval_ms": 200, "framing": "length"}})),
    ] {
        let Some(hook) = Hook::new(name, json!([step]), |spec| spec.batch = 10).await else { return };
        assert_eq!(hook.run().await, Ended::Settled, "{name}");
        let progress = hook.progress();
        assert_eq!((progress[0].outcome, progress[0].attempts), (Outcome::Delivered, 1), "{name}: {progress:?}");
        assert!(progress[0].ms < 7_000, "{name}: {progress:?}");
        let answer = hook.send(&network()).await.result.unwrap();
        assert!(answer.body.len() <= 64 << 10, "{name}: {}", answer.body.len());
    }
}

#[tokio::test]
async fn a_test_shows_request_and_answer_without_secrets() {
    let auth = Auth::Bearer { token: Secret::new("t0ken") };
    let script = json!([{"status": 202, "body": {"taken": true}, "headers": {"x-trace": "7"}}]);
    let Some(hook) = Hook::new("shown", script, |spec| spec.auth = auth).await else { return };
    let request =
        Request::sign(&hook.spec, &hook.keys(), "msg_shown", Timestamp::now(), b"{\"a\":1}".to_vec()).unwrap();
    let exchange = sender(&network()).send(&request).await.exchange(&request);
    assert_eq!(exchange.status, 202);
    assert!(exchange.response.body.contains("taken"), "{exchange:?}");
    assert!(exchange.response.headers.contains(&("x-trace".into(), "7".into())));
    let all = serde_json::to_string(&exchange).unwrap();
    assert!(!all.contains("t0ken") && !all.contains("/hook/shown") && !all.contains(hook.secret.expose()), "{all}");
    // What is shown is what was sent.
    let record = hook.received().await.remove(0);
    for (name, value) in &exchange.request.headers {
        if value != "***" {
            assert_eq!(record["headers"][name], *value, "{name}");
        }
    }
    assert_eq!(record["headers"]["authorization"], "Bearer t0ken");
}

#[tokio::test]
async fn without_an_entry_in_allow_this_machine_is_out_of_reach() {
    for host in ["127.0.0.1", "localhost", "[::1]", "0x7f.1"] {
        let Some(hook) = Hook::new("guarded", json!(["ok"]), |_| ()).await else { return };
        let spec = WebhookSpec { url: hook.spec.url.replace("127.0.0.1", host), ..hook.spec.clone() };
        let hook = Hook { spec, ..hook };
        let closed = Network { allow: Vec::new(), ..network() };
        let Err(Trouble::Refused(refusal)) = hook.send(&closed).await.result else { panic!("{host} was dialled") };
        assert!(refusal.remedy().contains("[network]"), "{refusal:?}");
        assert_eq!(hook.received().await, Vec::<Value>::new());
    }
    let Some(hook) = Hook::new("allowed", json!(["ok"]), |_| ()).await else { return };
    let spec = WebhookSpec { url: hook.spec.url.replace("127.0.0.1", "localhost"), ..hook.spec.clone() };
    let hook = Hook { spec, ..hook };
    assert!(hook.send(&network()).await.result.is_ok(), "what is allowed is reached by name too");
}

#[tokio::test]
async fn the_address_that_was_checked_is_the_one_that_is_dialled() {
    let Some(hook) = Hook::new("named", json!(["ok"]), |_| ()).await else { return };
    let spec = WebhookSpec { url: hook.spec.url.replace("127.0.0.1", "hooks.test"), ..hook.spec.clone() };
    let request = Request::sign(&spec, &hook.keys(), "msg_named", Timestamp::now(), b"{}".to_vec()).unwrap();
    // A resolver that says something else each time it is asked: only its first answer may count.
    let send = async |answers: [&'static [&'static str]; 2]| {
        let asked = Arc::new(Mutex::new(answers.into_iter()));
        let lookup: Lookup = Arc::new(move |_| {
            let answer = asked.lock().unwrap().next().expect("asked a third time");
            Box::pin(async move { Ok(answer.iter().map(|text| text.parse().unwrap()).collect()) })
        });
        let network = network();
        let guard = Guard::with_lookup(&["127.0.0.0/8".into()], lookup).unwrap();
        let sender = Sender::with_guard(&network, &Tls::load(&network).unwrap(), guard).unwrap();
        sender.send(&request).await.result
    };
    assert!(send([&["127.0.0.1"], &["10.0.0.1"]]).await.is_ok());
    for mixed in [&["127.0.0.1", "10.0.0.1"][..], &["::1"], &["::ffff:10.0.0.1"], &["169.254.169.254"]] {
        let result = send([mixed, &["127.0.0.1"]]).await;
        assert!(matches!(result, Err(Trouble::Refused(_))), "{mixed:?}: {result:?}");
    }
    let nothing = send([&[], &["127.0.0.1"]]).await;
    assert!(matches!(nothing, Err(Trouble::Unresolved(_))), "{nothing:?}");
    assert_eq!(hook.received().await.len(), 1);
}
