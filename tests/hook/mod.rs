//! A hook at the receiver, and a list with a run to send there.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use leadferry::config::Network;
use leadferry::failure::Failure;
use leadferry::lead::{Column, Field, Lead, Schema};
use leadferry::net::Tls;
use leadferry::vault::Secret;
use leadferry::webhook::plan::{Payload, Planned, Planner, Step};
use leadferry::webhook::queue::{Ended, Pending, Progress, QueueLog};
use leadferry::webhook::request::Request;
use leadferry::webhook::send::{Attempt, Sender};
use leadferry::webhook::signature::{self, SigningKey};
use leadferry::webhook::template::Context;
use leadferry::webhook::worker::{Endpoint, Worker};
use leadferry::webhook::{WebhookSpec, WebhookState};

use crate::peers;

/// One receiver for all tests; each test has hook names of its own. It ends with the process, whose end closes its input.
pub static PEER: LazyLock<Option<peers::Peer>> = LazyLock::new(|| {
    let certs = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("receiver-certs");
    peers::start("webhook-receiver", &[("CERT_DIR", certs.to_str()?)])
});

/// A hook at the receiver, and a list of two leads with a run to send them.
pub struct Hook {
    pub name: &'static str,
    pub spec: WebhookSpec,
    pub secret: Secret,
    pub progress: Arc<Memory>,
}

/// The queue's marks, in memory.
pub struct Memory {
    payload: Payload,
    leads: Vec<Lead>,
    pub progress: Mutex<HashMap<String, Progress>>,
    pub halted: Mutex<Option<WebhookState>>,
}

#[async_trait]
impl QueueLog for Memory {
    async fn body(&self, planned: &Planned) -> Result<Vec<u8>, Failure> {
        let leads: Vec<&Lead> = planned.positions.iter().map(|at| &self.leads[usize::try_from(*at).unwrap()]).collect();
        self.payload.render(&leads)
    }

    async fn started(&self, _: &str, _: u32, _: Timestamp) -> Result<(), Failure> {
        Ok(())
    }

    async fn ended(&self, planned: &Planned, progress: &Progress) -> Result<(), Failure> {
        self.progress.lock().unwrap().insert(planned.id.clone(), progress.clone());
        Ok(())
    }

    async fn halted(&self, state: WebhookState, _: &str) -> Result<(), Failure> {
        *self.halted.lock().unwrap() = Some(state);
        Ok(())
    }
}

pub fn port(name: &str) -> Option<u64> {
    PEER.as_ref()?.ready["ports"][name].as_u64()
}

pub fn network() -> Network {
    let ca = PEER.as_ref().and_then(|peer| peer.ready["ca"].as_str()).map(PathBuf::from);
    Network { extra_ca: ca, allow: vec!["127.0.0.0/8".into(), "::1".into()], timeout: "2s".into() }
}

pub fn sender(network: &Network) -> Sender {
    Sender::new(network, &Tls::load(network).unwrap()).unwrap()
}

pub async fn control(path: &str, body: Option<Value>) -> Value {
    let client = leadferry::net::client(&network()).unwrap();
    let url = format!("http://127.0.0.1:{}/_test/{path}", port("control").unwrap());
    let call = match body {
        Some(body) => client.post(url).json(&body),
        None => client.get(url),
    };
    call.send().await.unwrap().json().await.unwrap()
}

impl Hook {
    /// `None` without a receiver. `script` is what it does to the requests in turn.
    pub async fn new(name: &'static str, script: Value, change: impl FnOnce(&mut WebhookSpec)) -> Option<Hook> {
        Hook::at("https", name, script, change).await
    }

    pub async fn at(
        door: &str,
        name: &'static str,
        script: Value,
        change: impl FnOnce(&mut WebhookSpec),
    ) -> Option<Hook> {
        let mut spec = WebhookSpec {
            name: name.into(),
            url: format!("https://127.0.0.1:{}/hook/{name}", port(door)?),
            retry: vec![0, 1],
            ..WebhookSpec::default()
        };
        change(&mut spec);
        let secret = signature::generate().unwrap();
        control("secrets", Some(json!({"name": name, "secrets": [secret.expose()]}))).await;
        control("behaviour", Some(json!({"name": name, "script": script}))).await;
        let column = |field: Field| Column { header: field.name().into(), field: Some(field) };
        let schema = Schema { columns: [Field::FullName, Field::Email, Field::Score].map(column).into() };
        let lead = |cells: [&str; 3]| Lead { cells: cells.map(str::to_owned).into() };
        let context = Context {
            list: "Top Investors".into(),
            version: 1,
            run: format!("run-{name}"),
            event: Context::SYNCED,
            now: Timestamp::UNIX_EPOCH,
        };
        let progress = Arc::new(Memory {
            payload: Payload::new(&spec, context, schema).unwrap(),
            leads: vec![
                lead(["Dana Whitfield", "dana@whitfield.test", "98"]),
                lead(["Jürgen \"Ö\" 日本", "j@b.test", ""]),
            ],
            progress: Mutex::default(),
            halted: Mutex::default(),
        });
        Some(Hook { name, spec, secret, progress })
    }

    pub fn keys(&self) -> Vec<SigningKey> {
        vec![SigningKey::parse(&self.secret).unwrap()]
    }

    pub async fn run(&self) -> Ended {
        let (give, take) = mpsc::channel(10);
        let mut planner = Planner::new(&self.progress.payload, "hook-id", &self.spec).unwrap();
        let mut steps: Vec<Step> =
            (0..).zip(&self.progress.leads).filter_map(|(at, lead)| planner.push(at, lead)).collect();
        steps.extend(planner.finish());
        for step in steps {
            let Step::Send(planned) = step else { panic!("{step:?}") };
            give.send(Pending { planned, attempts: 0, due: None }).await.unwrap();
        }
        drop(give);
        let endpoint = Endpoint { spec: self.spec.clone(), keys: self.keys(), concurrency: 4 };
        let worker = Worker::new(endpoint, Arc::new(sender(&network())), self.progress.clone());
        worker.run(take, Some(Duration::from_secs(30)), CancellationToken::new()).await.unwrap()
    }

    pub async fn send(&self, network: &Network) -> Attempt {
        let request =
            Request::sign(&self.spec, &self.keys(), "msg_test", Timestamp::now(), b"{\"a\":1}".to_vec()).unwrap();
        sender(network).send(&request).await
    }

    pub fn progress(&self) -> Vec<Progress> {
        self.progress.progress.lock().unwrap().values().cloned().collect()
    }

    pub async fn received(&self) -> Vec<Value> {
        let answer = control(&format!("received?name={}", self.name), None).await;
        answer.as_array().or_else(|| answer["records"].as_array()).unwrap().clone()
    }

    pub async fn summary(&self) -> Value {
        let all = control("summary", None).await;
        [&all["names"][self.name], &all[self.name]].into_iter().find(|found| found.is_object()).unwrap().clone()
    }
}

pub fn assert_clean(records: &[Value]) {
    for record in records {
        let verify = &record["verify"];
        assert_eq!(verify["standardwebhooks"]["ok"], true, "{verify}");
        assert_eq!(verify["svix"]["ok"], true, "{verify}");
        assert_eq!(verify["strict"]["signature_ok"], true, "{verify}");
        assert_eq!(verify["strict"]["problems"], json!([]), "{verify}");
    }
}
