//! Copper whole: signed in by API key and by a pasted answer, then runs into Leads and into People.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use leadferry::config::CrmSettings;
use leadferry::crm::api::{self, Access, Api};
use leadferry::crm::credentials::{Credentials, FixedToken};
use leadferry::crm::limiter::Limiter;
use leadferry::crm::{Rate, registry, sign_in};
use leadferry::failure::Code;
use leadferry::oauth::{self, Flow, SignIn, SignInStep, WAIT, Way};
use leadferry::sync::{Outcome, RunState};
use leadferry::vault::Secret;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::peers;
use super::sim::{LIST, Sim, calls, http, leads};

/// A hundred times the vendor's limits, and as much of ours.
const FAST: Rate = Rate { calls: 500, seconds: 2 };

fn settings(peer: &peers::Peer) -> CrmSettings {
    let base = Some(format!("http://127.0.0.1:{}/copper", peer.port));
    CrmSettings { client_id: Some("leadferry-copper".into()), base, ..CrmSettings::default() }
}

fn api(peer: &peers::Peer, email: Option<&str>, token: Secret, rate: Rate) -> Api {
    let crm = registry::by_id("copper").unwrap();
    let fields: BTreeMap<String, String> =
        email.map(|email| ("email".to_owned(), email.to_owned())).into_iter().collect();
    let base = api::account_base(crm, &settings(peer), &Map::new()).unwrap();
    let credentials: Arc<dyn Credentials> = Arc::new(FixedToken(token));
    Api::new(crm, http(), Access { base, fields, token: Map::new() }, credentials, Arc::new(Limiter::new(rate)))
}

/// An account by API key.
async fn start(leads_enabled: bool) -> Option<Sim> {
    let peer = peers::start("crm-sim", &[("RATE_SCALE", "100")])?;
    let api = api(&peer, Some("owner@example.com"), Secret::from("copper-key-sim-0001"), FAST);
    let sim = Sim { peer, platform: "copper", api };
    sim.test("config", json!({"platform": "copper", "leads_enabled": leads_enabled})).await;
    Some(sim)
}

fn assert_all_there(state: &Value, count: usize) {
    assert_eq!(state["spec_violations"], json!([]));
    assert_eq!(state["duplicate_emails"], json!({}));
    assert_eq!(state["rate_refusals"]["limit"], 0);
    assert_eq!(state["contact_count"], count);
    let mut members: Vec<_> =
        state["groups"]["members"][LIST].as_array().unwrap().iter().map(Value::to_string).collect();
    members.sort();
    members.dedup();
    assert_eq!(members.len(), count, "records with the tag");
}

fn seventh(state: &Value) -> Value {
    state["contacts"].as_array().unwrap().iter().find(|record| record["name"] == "Dana O'Neil7").unwrap().clone()
}

/// 120 leads in, twice; a record that moved meanwhile gets back what differs and keeps what is its own.
async fn in_and_again(sim: &Sim) {
    let order = sim.order(120).await;
    let survey = sim.api.crm().survey(&sim.api).await.unwrap();
    let before = calls(&sim.state().await);
    let (summary, ..) = sim.run_order(&order, leads(120), |_| false).await;
    assert_eq!(summary.state, RunState::Done, "{:?}", summary.trouble);
    assert_eq!((summary.count(Outcome::Created), summary.settled()), (120, 120), "{:?}", summary.counts);
    let state = sim.state().await;
    assert_all_there(&state, 120);
    assert_eq!(calls(&state) - before, sim.api.crm().calls(&survey, 120, true), "{}", state["calls"]);
    let record = seventh(&state);
    assert_eq!(record["address"], json!({"city": "Austin", "state": "TX"}));
    assert_eq!(record["custom_fields"], json!([{"custom_field_definition_id": 100764, "value": 7.5}]));
    assert_eq!((&record["company_name"], &record["title"]), (&json!("Whitfield & Sons 7"), &json!("Owner")));

    let numbers = json!([{"number": "+1 212 555 0100", "category": "home"}]);
    let set = json!({"tags": [LIST, "VIP"], "title": "Boss", "phone_numbers": numbers,
        "address": {"street": "1 Main St", "city": "Waco", "state": "TX"}});
    sim.test("edit", json!({"platform": "copper", "id": record["id"], "set": set})).await;
    let (summary, ..) = sim.run_order(&order, leads(120), |_| false).await;
    assert_eq!((summary.count(Outcome::Updated), summary.count(Outcome::Unchanged)), (1, 119), "{:?}", summary.counts);
    let state = sim.state().await;
    assert_all_there(&state, 120);
    let record = seventh(&state);
    assert_eq!((&record["title"], &record["tags"]), (&json!("Owner"), &json!([LIST, "VIP"])));
    assert_eq!(record["address"], json!({"street": "1 Main St", "city": "Austin", "state": "TX"}));
    let numbers: Vec<_> = record["phone_numbers"].as_array().unwrap().iter().map(|phone| &phone["number"]).collect();
    assert_eq!(numbers, ["+1 212 555 0100", "+1 415 555 0007"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn copper_takes_leads_and_leaves_what_it_knew_already() {
    let Some(sim) = start(true).await else { return };
    in_and_again(&sim).await;
    let who = sim.api.crm().who_am_i(&sim.api).await.unwrap();
    assert_eq!((who.id.as_str(), who.name.as_str(), who.user.as_str()), ("11111", "Sim Co", "owner@example.com"));
}

#[tokio::test(flavor = "multi_thread")]
async fn copper_without_leads_takes_people() {
    let Some(sim) = start(false).await else { return };
    in_and_again(&sim).await;
}

/// Writes that go wrong: nobody is lost, nobody is there twice.
async fn rides_out(sim: &Sim, leads_enabled: bool, write: &str) {
    for kind in ["http_500", "reset_after_commit", "http_429", "http_503_retry_after"] {
        sim.fault(json!({"kind": kind, "retry_after": 1, "match": write})).await;
        let (summary, ..) = sim.run(leads(30)).await;
        assert_eq!(summary.count(Outcome::Created), 30, "{kind}: {:?} {:?}", summary.counts, summary.trouble);
        let state = sim.state().await;
        assert_all_there(&state, 30);
        assert_eq!(state["total_writes"], 30 + 30, "{kind}: once each, and once tagged");
        sim.reset().await;
        sim.test("config", json!({"platform": "copper", "leads_enabled": leads_enabled})).await;
    }
    sim.fault(json!({"kind": "partial_fail", "email": "neil(3|17)@"})).await;
    let mut some = leads(30);
    some[1].1.cells[1].clear();
    some[2].1.cells[2] = "dana@nowhere".into();
    let (summary, journal, _) = sim.run(some).await;
    assert_eq!((summary.count(Outcome::Created), summary.count(Outcome::Failed)), (26, 4), "{:?}", summary.counts);
    let outcomes = journal.outcomes();
    assert!(outcomes[&17].reason.contains("simulated") && outcomes[&17].lead == "Dana O'Neil17");
    assert!(outcomes[&1].reason.contains("without name"), "{:?}", outcomes[&1]);
    assert!(outcomes[&2].next_step.contains("Correct email"), "{:?}", outcomes[&2]);
    assert_all_there(&sim.state().await, 26);
}

#[tokio::test(flavor = "multi_thread")]
async fn copper_leads_ride_out_what_passes_and_bad_ones_are_named() {
    let Some(sim) = start(true).await else { return };
    rides_out(&sim, true, "PUT .*/leads/upsert").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copper_people_ride_out_what_passes_and_bad_ones_are_named() {
    let Some(sim) = start(false).await else { return };
    rides_out(&sim, false, "POST .*/people$").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leads_that_copper_has_twice_are_left_to_the_person() {
    let Some(sim) = start(true).await else { return };
    sim.test("seed", json!({"platform": "copper", "n": 2, "prefix": "old"})).await;
    let twin = json!({"email": {"email": "old0001@example.com", "category": "work"}});
    sim.test("edit", json!({"platform": "copper", "email": "old0002@example.com", "set": twin})).await;
    let mut one = leads(1);
    one[0].1.cells[2] = "Old0001@example.com".into();
    let (summary, journal, _) = sim.run(one).await;
    assert_eq!(summary.count(Outcome::Failed), 1, "{:?}", summary.counts);
    let ambiguous = journal.outcomes()[&0].clone();
    assert!(ambiguous.reason.contains("2 records in Copper have the same email"), "{ambiguous:?}");
    assert_eq!(sim.state().await["total_writes"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_a_person_can_mend_is_said_in_words() {
    let Some(sim) = start(true).await else { return };
    let words = [
        ("plan_limit", Code::Forbidden, "plan"),
        ("forbidden_scope", Code::Forbidden, "administrator"),
        ("html_403", Code::Failed, "web page"),
    ];
    for (kind, code, word) in words {
        let order = sim.order(10).await;
        sim.fault(json!({"kind": kind, "always": true})).await;
        let (summary, ..) = sim.run_order(&order, leads(10), |_| false).await;
        let trouble = summary.trouble.clone().expect(kind);
        let text = format!("{} {}", trouble.message, trouble.remedy);
        assert_eq!((summary.state, trouble.code), (RunState::Stopped, code), "{text}");
        assert!(text.contains(word), "{kind}: {text}");
        sim.reset().await;
    }
    let order = sim.order(1).await;
    let strange = api(&sim.peer, Some("somebody@example.com"), Secret::from("copper-key-sim-0001"), FAST);
    let sim = Sim { api: strange, ..sim };
    let (summary, ..) = sim.run_order(&order, leads(1), |_| false).await;
    assert_eq!(summary.trouble.map(|trouble| trouble.code), Some(Code::SignInNeeded));
}

#[tokio::test(flavor = "multi_thread")]
async fn at_our_own_pace_copper_never_has_to_refuse() {
    let Some(peer) = peers::start("crm-sim", &[]) else { return };
    let rate = registry::by_id("copper").unwrap().spec().rate;
    let api = api(&peer, Some("owner@example.com"), Secret::from("copper-key-sim-0001"), rate);
    let sim = Sim { peer, platform: "copper", api };
    sim.test("seed", json!({"platform": "copper", "n": 60, "prefix": "old"})).await;
    // All are there as they should be but for the tag: bulk calls, one upon the other.
    let mut some = leads(60);
    for (n, (_, lead)) in some.iter_mut().enumerate() {
        lead.cells = lead.cells.iter().map(|_| String::new()).collect();
        lead.cells[2] = format!("old{:04}@example.com", n + 1);
    }
    let (summary, ..) = sim.run(some).await;
    assert_eq!(summary.count(Outcome::Unchanged), 60, "{:?} {:?}", summary.counts, summary.trouble);
    assert_all_there(&sim.state().await, 60);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_that_copper_posts_can_be_pasted() {
    let Some(peer) = peers::start("crm-sim", &[("RATE_SCALE", "100")]) else { return };
    let crm = registry::by_id("copper").unwrap();
    let secret = Some(Secret::from("copper-secret"));
    let vendor = sign_in::vendor(crm).unwrap();
    let flow = Flow::new(vendor, &settings(&peer), secret, http(), Arc::new(Timestamp::now)).unwrap();
    let (steps, mut told) = mpsc::unbounded_channel::<SignInStep<()>>();
    let (paste, pasted) = mpsc::channel(1);
    let session = SignIn { way: Way::Address(None), steps, pasted, cancel: CancellationToken::new(), wait: WAIT };
    let signing = oauth::sign_in(&flow, session);
    let person = async {
        let Some(SignInStep::Open { authorize_url, listening, .. }) = told.recv().await else { panic!() };
        assert!(listening.unwrap_err().contains("Copper"));
        let page = http().get(authorize_url).send().await.unwrap().text().await.unwrap();
        let value = |name: &str| {
            let from = page.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap();
            from.split('"').next().unwrap().to_owned()
        };
        paste.send(format!("code={}&state={}", value("code"), value("state"))).await.unwrap();
        paste
    };
    let grant = tokio::join!(signing, person).0.unwrap();
    assert_eq!((grant.tokens.refresh.is_some(), grant.tokens.expires_at), (false, None));
    let api = api(&peer, None, grant.tokens.access, FAST);
    assert_eq!(crm.who_am_i(&api).await.unwrap().name, "Sim Co");
}
