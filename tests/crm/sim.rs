//! One simulated CRM with an account on it, the leads that go there, and what arrived.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use leadferry::config::{CrmSettings, Network, Rate};
use leadferry::crm::api::{self, Access, Api};
use leadferry::crm::credentials::Credentials;
use leadferry::crm::limiter::Limiter;
use leadferry::crm::registry;
use leadferry::failure::{Code, Failure};
use leadferry::lead::{Column, Field, Lead, Schema};
use leadferry::net;
use leadferry::sync::journal::MemoryJournal;
use leadferry::sync::plan::default_settings;
use leadferry::sync::run::{Order, Tools, carry_out};
use leadferry::sync::{Destination, RunSummary, Settings};
use leadferry::vault::Secret;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::keeper::kept;
use crate::peers;

/// The list that the leads are in.
pub(super) const LIST: &str = "Lookalike - Top Investors";

pub(super) fn http() -> reqwest::Client {
    net::install_provider();
    net::client(&Network::default()).unwrap()
}

/// One simulator and one account on it.
pub(super) struct Sim {
    pub(super) peer: peers::Peer,
    pub(super) platform: &'static str,
    pub(super) api: Api,
}

/// Tokens from the simulator's own token endpoint.
pub(super) struct Tokens {
    http: reqwest::Client,
    url: String,
    client: Vec<(&'static str, &'static str)>,
    held: tokio::sync::Mutex<(String, String)>,
}

#[async_trait::async_trait]
impl Credentials for Tokens {
    async fn current(&self) -> Result<Secret, Failure> {
        Ok(Secret::new(self.held.lock().await.0.clone()))
    }

    async fn refresh_after(&self, stale: &Secret) -> Result<Secret, Failure> {
        let mut held = self.held.lock().await;
        if held.0 == stale.expose() {
            let mut form = self.client.clone();
            form.extend([("grant_type", "refresh_token"), ("refresh_token", held.1.as_str())]);
            let answer: Value = self.http.post(&self.url).form(&form).send().await.unwrap().json().await.unwrap();
            let Some(token) = answer["access_token"].as_str() else {
                return Err(Failure::new(Code::SignInNeeded, "The sign-in is not valid any more.", "Connect again."));
            };
            held.0 = token.to_owned();
        }
        Ok(Secret::new(held.0.clone()))
    }
}

pub(super) async fn sign_in(base: &str, platform: &str) -> (Tokens, Map<String, Value>) {
    let (page, token, client) = match platform {
        "salesforce" => (
            "services/oauth2/authorize?scope=api%20refresh_token%20openid",
            "services/oauth2/token",
            [("client_id", "leadferry-sf"), ("client_secret", "sf-secret")],
        ),
        "gohighlevel" => (
            "v2/oauth/chooselocation?scope=contacts.readonly%20contacts.write%20locations.readonly%20locations/customFields.readonly",
            "oauth/token",
            [("client_id", "leadferry-ghl"), ("client_secret", "ghl-secret")],
        ),
        "lofty" => (
            "page/vendor-auth.html?clientId=leadferry-lofty",
            "api/user-web/oauth/token",
            [("client_id", "leadferry-lofty"), ("client_secret", "lofty-secret")],
        ),
        _ => (
            "oauth/authorize?scope=oauth%20crm.objects.contacts.read%20crm.objects.contacts.write%20crm.lists.read%20crm.lists.write",
            "oauth/2026-03/token",
            [("client_id", "leadferry-hubspot"), ("client_secret", "hubspot-secret")],
        ),
    };
    let http = http();
    let redirect = "http://localhost:8976/callback";
    let page = format!("{base}/{page}&response_type=code&client_id={}&redirect_uri={redirect}&state=s", client[0].1);
    let answer = http.get(page).send().await.unwrap();
    let back = url::Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
    let code = back.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let url = format!("{base}/{token}");
    let mut form = client.to_vec();
    form.extend([("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", redirect)]);
    let answer: Map<String, Value> = http.post(&url).form(&form).send().await.unwrap().json().await.unwrap();
    let held =
        (answer["access_token"].as_str().unwrap().to_owned(), answer["refresh_token"].as_str().unwrap().to_owned());
    (Tokens { http, url, client: client.to_vec(), held: held.into() }, answer)
}

impl Sim {
    pub(super) async fn start(platform: &'static str, variables: &[(&str, &str)]) -> Option<Sim> {
        Sim::start_at(platform, variables, registry::by_id(platform).unwrap().spec().rate).await
    }

    /// A vendor this many times faster than the real one, and our own ceiling with it.
    pub(super) async fn faster(platform: &'static str, times: u32) -> Option<Sim> {
        let rate = registry::by_id(platform).unwrap().spec().rate;
        let rate = Rate { calls: rate.calls * times, ..rate };
        Sim::start_at(platform, &[("RATE_SCALE", &times.to_string())], rate).await
    }

    async fn start_at(platform: &'static str, variables: &[(&str, &str)], rate: Rate) -> Option<Sim> {
        let peer = peers::start("crm-sim", variables)?;
        let base = format!("http://127.0.0.1:{}/{platform}", peer.port);
        let crm = registry::by_id(platform).unwrap();
        let (tokens, token): (Arc<dyn Credentials>, _) = match platform {
            "pipedrive" => {
                let (keeper, token) = kept(crm, &base, ["leadferry-pipedrive", "pipedrive-secret"]).await;
                (Arc::new(keeper), token)
            }
            "monday" => {
                let (keeper, token) = kept(crm, &base, ["leadferry-monday", "monday-secret"]).await;
                (Arc::new(keeper), token)
            }
            _ => {
                let (tokens, token) = sign_in(&base, platform).await;
                (Arc::new(tokens), token)
            }
        };
        let settings = CrmSettings { base: Some(base), ..CrmSettings::default() };
        let base = api::account_base(crm, &settings, &token).unwrap();
        let access = Access { base, fields: BTreeMap::new(), token };
        let limiter = Arc::new(Limiter::new(rate));
        let api = Api::new(crm, http(), access, tokens, limiter);
        Some(Sim { peer, platform, api })
    }

    pub(super) async fn test(&self, what: &str, body: Value) -> Value {
        let url = format!("http://127.0.0.1:{}/_test/{what}", self.peer.port);
        http().post(url).json(&body).send().await.unwrap().json().await.unwrap()
    }

    pub(super) async fn fault(&self, fault: Value) {
        let mut fault = fault;
        fault["platform"] = json!(self.platform);
        self.test("faults", fault).await;
    }

    pub(super) async fn clear_faults(&self) {
        http().delete(format!("http://127.0.0.1:{}/_test/faults", self.peer.port)).send().await.unwrap();
    }

    pub(super) async fn reset(&self) {
        self.test("reset", json!({"platform": self.platform, "keep_tokens": true})).await;
        self.clear_faults().await;
    }

    pub(super) async fn state(&self) -> Value {
        let url = format!("http://127.0.0.1:{}/_test/state?platform={}", self.peer.port, self.platform);
        http().get(url).send().await.unwrap().json().await.unwrap()
    }

    pub(super) async fn order(&self, leads: u64) -> Order {
        let survey = self.api.crm().survey(&self.api).await.unwrap();
        let (settings, _) = default_settings(self.api.crm(), &survey, &schema(), LIST);
        self.order_with(leads, settings)
    }

    pub(super) fn order_with(&self, leads: u64, settings: Settings) -> Order {
        Order {
            id: "run-1".into(),
            list: LIST.into(),
            version: 1,
            schema: schema(),
            leads,
            destination: Destination::Crm { platform: self.platform.into(), account: String::new() },
            settings,
            started: Timestamp::now(),
        }
    }

    pub(super) async fn run(&self, leads: Vec<(String, Lead)>) -> (RunSummary, MemoryJournal, Vec<RunSummary>) {
        let order = self.order(leads.len() as u64).await;
        self.run_order(&order, leads, |_| false).await
    }

    /// Carries a run out; it is cancelled at the first summary that `enough` likes.
    pub(super) async fn run_order(
        &self,
        order: &Order,
        leads: Vec<(String, Lead)>,
        enough: impl Fn(&RunSummary) -> bool + Send + Sync,
    ) -> (RunSummary, MemoryJournal, Vec<RunSummary>) {
        let journal = MemoryJournal::new(leads);
        let (seen, cancel) = (Mutex::new(Vec::new()), CancellationToken::new());
        let progress = |summary: &RunSummary| {
            seen.lock().unwrap().push(summary.clone());
            if enough(summary) {
                cancel.cancel();
            }
        };
        let tools = Tools {
            api: &self.api,
            journal: &journal,
            progress: &progress,
            cancel: cancel.clone(),
            now: Arc::new(Timestamp::now),
            jitter: Arc::new(|| 0.0),
        };
        let summary = carry_out(order, tools).await;
        (summary, journal, seen.into_inner().unwrap())
    }
}

pub(super) fn schema() -> Schema {
    let fields = [
        Field::Id,
        Field::FullName,
        Field::Email,
        Field::Phone,
        Field::Company,
        Field::Title,
        Field::City,
        Field::State,
        Field::Score,
    ];
    Schema { columns: fields.map(|field| Column { header: field.name().into(), field: Some(field) }).into() }
}

pub(super) fn leads(count: usize) -> Vec<(String, Lead)> {
    let lead = |n: usize| {
        let cells = [
            format!("la-{n:04}"),
            format!("Dana O'Neil{n}"),
            format!("Dana.O'Neil{n}@Example.com"),
            format!("+1 415 555 {n:04}"),
            format!("Whitfield & Sons {n}"),
            "Owner".into(),
            "Austin".into(),
            "TX".into(),
            format!("{}.5", n % 100),
        ];
        (format!("id:la-{n:04}"), Lead { cells: cells.into() })
    };
    (0..count).map(lead).collect()
}

pub(super) fn calls(state: &Value) -> u64 {
    let counts = state["calls"].as_object().unwrap().iter();
    counts.filter(|(path, _)| !path.contains("oauth")).map(|(_, count)| count.as_u64().unwrap()).sum()
}

pub(super) fn members(state: &Value) -> Vec<String> {
    let group = state["groups"]["campaigns"].get(0).or_else(|| state["groups"]["lists"].get(0)).unwrap();
    assert_eq!(group.get("Name").or_else(|| group.get("name")).unwrap(), LIST);
    group["members"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}
