//! Zoho whole: signed in by every way it has, then runs, in any data centre.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use leadferry::config::CrmSettings;
use leadferry::crm::api::{self, Access, Api};
use leadferry::crm::limiter::Limiter;
use leadferry::crm::{registry, sign_in};
use leadferry::failure::{Code, Failure};
use leadferry::oauth::{self, Flow, Grant, SignIn, SignInStep, TokenKeeper, WAIT, Way};
use leadferry::sync::{Outcome, RunState};
use leadferry::vault::Secret;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::peers;
use super::sim::{LIST, Sim, calls, http, leads};

/// The app that signs in, and its secret.
type App = (&'static str, &'static str);
const SERVER: App = ("leadferry-zoho", "zoho-secret");

fn flow(base: &str, app: App) -> Flow {
    let crm = registry::by_id("zoho").unwrap();
    let settings = CrmSettings { client_id: Some(app.0.into()), base: Some(base.into()), ..Default::default() };
    let secret = (!app.1.is_empty()).then(|| Secret::from(app.1));
    Flow::new(sign_in::vendor(crm).unwrap(), &settings, secret, http(), Arc::new(Timestamp::now)).unwrap()
}

/// Signs in; `person` does what a person would do with the address or the code that is shown.
async fn signed_in<P: Future<Output = Option<String>>>(
    flow: &Flow,
    way: Way,
    person: impl FnOnce(SignInStep<()>) -> P,
) -> Result<Grant, Failure> {
    let (steps, mut told) = mpsc::unbounded_channel();
    let (paste, pasted) = mpsc::channel(1);
    let session = SignIn { way, steps, pasted, cancel: CancellationToken::new(), wait: WAIT };
    let signing = oauth::sign_in(flow, session);
    let human = async {
        let step = told.recv().await.unwrap();
        if let Some(text) = person(step).await {
            paste.send(text).await.unwrap();
        }
        paste
    };
    tokio::join!(signing, human).0
}

/// The address on which the browser ends.
async fn landed(step: SignInStep<()>) -> Option<String> {
    let SignInStep::Open { authorize_url, .. } = step else { panic!("{step:?}") };
    let answer = http().get(authorize_url).send().await.unwrap();
    Some(answer.headers()["location"].to_str().unwrap().to_owned())
}

/// An account of this data centre, signed in by a pasted address.
async fn start(location: &str, variables: &[(&str, &str)]) -> Option<Sim> {
    let peer = peers::start("crm-sim", variables)?;
    let crm = registry::by_id("zoho").unwrap();
    let base = format!("http://127.0.0.1:{}/zoho", peer.port);
    let config = json!({"platform": "zoho", "location": location});
    http().post(format!("http://127.0.0.1:{}/_test/config", peer.port)).json(&config).send().await.unwrap();
    let flow = flow(&base, SERVER);
    let grant = signed_in(&flow, Way::Address(None), landed).await.unwrap();
    assert!(grant.tokens.refresh.is_some());
    let settings = CrmSettings { base: Some(base), ..CrmSettings::default() };
    let token = grant.tokens.extra.clone();
    let access = Access { base: api::account_base(crm, &settings, &token).unwrap(), fields: BTreeMap::new(), token };
    let keeper = TokenKeeper::new(flow, grant, Box::new(|_| Box::pin(async { Ok(()) })));
    let limiter = Arc::new(Limiter::new(crm.spec().rate));
    let api = Api::new(crm, http(), access, Arc::new(keeper), limiter);
    Some(Sim { peer, platform: "zoho", api })
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
    assert_eq!(members.len(), count, "leads with the tag");
}

/// 300 leads in, twice.
async fn in_and_again(sim: &Sim) {
    let order = sim.order(300).await;
    let survey = sim.api.crm().survey(&sim.api).await.unwrap();
    let before = calls(&sim.state().await);
    let (summary, ..) = sim.run_order(&order, leads(300), |_| false).await;
    assert_eq!(summary.state, RunState::Done, "{:?}", summary.trouble);
    assert_eq!((summary.count(Outcome::Created), summary.settled()), (300, 300), "{:?}", summary.counts);
    let state = sim.state().await;
    assert_all_there(&state, 300);
    assert_eq!(calls(&state) - before, sim.api.crm().calls(&survey, 300, true), "{}", state["calls"]);
    let seventh = state["contacts"].as_array().unwrap().iter().find(|lead| lead["Last_Name"] == "O'Neil7").unwrap();
    let names = ["First_Name", "Email", "Company", "Designation", "City", "Lookalike_Score"];
    let shape = json!(["Dana", "Dana.O'Neil7@Example.com", "Whitfield & Sons 7", "Owner", "Austin", 7.5]);
    assert_eq!(json!(names.map(|name| &seventh[name])), shape);

    // A tag of somebody else stays, and a lead that moved is the only one that is written.
    let set = json!({"tags": [LIST, "VIP"], "City": "Boston"});
    sim.test("edit", json!({"platform": "zoho", "email": "dana.o'neil7@example.com", "set": set})).await;
    let (summary, ..) = sim.run_order(&order, leads(300), |_| false).await;
    assert_eq!((summary.count(Outcome::Updated), summary.count(Outcome::Unchanged)), (1, 299), "{:?}", summary.counts);
    let state = sim.state().await;
    assert_all_there(&state, 300);
    assert_eq!(state["groups"]["members"]["VIP"].as_array().unwrap().len(), 1);
    let again = state["contacts"].as_array().unwrap().iter().find(|lead| lead["Last_Name"] == "O'Neil7").unwrap();
    assert_eq!(again["City"], "Austin");
}

#[tokio::test(flavor = "multi_thread")]
async fn zoho_takes_leads_by_their_key_and_sends_only_what_changed() {
    let Some(sim) = start("us", &[]).await else { return };
    assert_eq!(sim.api.crm().survey(&sim.api).await.unwrap().key.field(), "Lookalike_Id");
    in_and_again(&sim).await;
    let who = sim.api.crm().who_am_i(&sim.api).await.unwrap();
    assert_eq!(
        (who.name.as_str(), who.user.as_str(), who.environment.as_str()),
        ("Sim Org", "owner@example.com", "production")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn zoho_in_another_data_centre_is_spoken_to_there_only() {
    let Some(sim) = start("eu", &[]).await else { return };
    sim.fault(json!({"kind": "expire_token_now", "match": "POST .*/upsert"})).await;
    let (summary, ..) = sim.run(leads(150)).await;
    assert_eq!(summary.count(Outcome::Created), 150, "{:?} {:?}", summary.counts, summary.trouble);
    let state = sim.state().await;
    assert_all_there(&state, 150);
    assert_eq!(state["refresh_count"], 1, "refreshed at its own accounts server");
}

#[tokio::test(flavor = "multi_thread")]
async fn zoho_rides_out_what_passes() {
    let Some(sim) = start("us", &[]).await else { return };
    let write = "POST .*/Leads/upsert";
    for kind in ["http_500", "reset_after_commit", "http_429"] {
        sim.fault(json!({"kind": kind, "match": write})).await;
        let (summary, ..) = sim.run(leads(250)).await;
        assert_eq!(summary.count(Outcome::Created), 250, "{kind}: {:?} {:?}", summary.counts, summary.trouble);
        let state = sim.state().await;
        assert_all_there(&state, 250);
        assert_eq!(state["total_writes"].as_u64().unwrap(), 250 + 250, "{kind}: once each, and once tagged");
        sim.reset().await;
    }
    let order = sim.order(250).await;
    let refreshes = sim.state().await["refresh_count"].as_u64().unwrap();
    sim.fault(json!({"kind": "expire_token_now", "match": write})).await;
    sim.fault(json!({"kind": "http_503_retry_after", "retry_after": 2, "match": write})).await;
    sim.fault(json!({"kind": "reset"})).await;
    let (summary, ..) = sim.run_order(&order, leads(250), |_| false).await;
    assert_eq!(summary.count(Outcome::Created), 250, "{:?} {:?}", summary.counts, summary.trouble);
    let state = sim.state().await;
    assert_all_there(&state, 250);
    assert_eq!(state["refresh_count"].as_u64().unwrap() - refreshes, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_leads_are_named_and_the_good_ones_go() {
    let Some(sim) = start("us", &[]).await else { return };
    sim.fault(json!({"kind": "partial_fail", "email": "neil(3|77|203)@"})).await;
    let mut some = leads(250);
    some[1].1.cells[4].clear();
    some[2].1.cells[2] = "not an address".into();
    let (summary, journal, _) = sim.run(some).await;
    assert_eq!((summary.count(Outcome::Created), summary.count(Outcome::Failed)), (245, 5), "{:?}", summary.counts);
    let outcomes = journal.outcomes();
    assert!(outcomes[&77].reason.contains("simulated") && outcomes[&77].lead == "Dana O'Neil77");
    assert!(
        outcomes[&1].reason.contains("Company (MANDATORY_NOT_FOUND)") && outcomes[&1].next_step.contains("Company")
    );
    assert!(outcomes[&2].next_step.contains("Correct Email"), "{:?}", outcomes[&2]);
    assert_all_there(&sim.state().await, 245);

    // All rows of a call refused: the answer looks like a refused request, and is none.
    sim.reset().await;
    sim.fault(json!({"kind": "partial_fail"})).await;
    let before = calls(&sim.state().await);
    let (summary, ..) = sim.run(leads(100)).await;
    assert_eq!(summary.count(Outcome::Failed), 100);
    assert!(calls(&sim.state().await) - before <= 5, "told by one answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_are_there_are_met_and_never_guessed_between() {
    let Some(sim) = start("us", &[]).await else { return };
    sim.test("seed", json!({"platform": "zoho", "n": 3, "prefix": "old"})).await;
    let twin = json!({"Email": "old0001@example.com"});
    sim.test("edit", json!({"platform": "zoho", "email": "old0002@example.com", "set": twin})).await;
    let mut two = leads(2);
    two[0].1.cells[2] = "Old0001@example.com".into();
    two[1].1.cells[2] = "old0003@example.com".into();
    let (summary, journal, _) = sim.run(two).await;
    assert_eq!((summary.count(Outcome::Failed), summary.count(Outcome::Updated)), (1, 1), "{:?}", summary.counts);
    let ambiguous = journal.outcomes()[&0].clone();
    assert!(ambiguous.reason.contains("2 records in Zoho have the same Lookalike_Id or e-mail"), "{ambiguous:?}");
    assert!(ambiguous.next_step.contains("Merge"));
    assert_eq!(sim.state().await["contact_count"], 3, "nobody is made anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_a_person_can_mend_is_said_in_words() {
    let Some(sim) = start("us", &[]).await else { return };
    let words = [
        ("plan_limit", Code::Forbidden, "administrator"),
        ("forbidden_scope", Code::Forbidden, "ZohoCRM.coql.READ"),
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
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_without_credits_is_waited_out_and_not_overdrawn() {
    // A hundredth of 50,250 credits: enough for 40 upserts of 100.
    let Some(sim) = start("us", &[("RATE_SCALE", "0.01")]).await else { return };
    let order = sim.order(5_000).await;
    let waits = |summary: &leadferry::sync::RunSummary| summary.state == RunState::Waiting;
    let (summary, _, seen) = sim.run_order(&order, leads(5_000), waits).await;
    assert_eq!(summary.state, RunState::Cancelled, "{:?}", summary.counts);
    let wait = seen.iter().find(|summary| waits(summary)).unwrap();
    assert!(wait.next_try.unwrap().duration_since(Timestamp::now()).as_mins() > 30);
    assert!(wait.trouble.as_ref().unwrap().message.contains("used up"), "{:?}", wait.trouble);
    assert_eq!(sim.state().await["rate_refusals"]["limit"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_typed_elsewhere_signs_in_over_ssh() {
    let Some(peer) = peers::start("crm-sim", &[]) else { return };
    let test = |what: &str| format!("http://127.0.0.1:{}/_test/{what}", peer.port);
    http().post(test("config")).json(&json!({"platform": "zoho", "device_interval_ms": 1000})).send().await.unwrap();
    let flow = flow(&format!("http://127.0.0.1:{}/zoho", peer.port), ("leadferry-zoho-device", "zoho-device-secret"));
    for (action, code) in [("approve", None), ("deny", Some(Code::SignInNeeded))] {
        let typed = async |step: SignInStep<()>| {
            let SignInStep::Device { user_code, expires, .. } = step else { panic!("{step:?}") };
            let left = expires.duration_since(Timestamp::now()).as_secs();
            assert!((240..=300).contains(&left), "{left}");
            let typed = json!({"platform": "zoho", "user_code": user_code, "action": action});
            http().post(test("device")).json(&typed).send().await.unwrap();
            None
        };
        let outcome = signed_in(&flow, Way::Device, typed).await;
        assert_eq!(outcome.as_ref().err().map(|failure| failure.code), code, "{outcome:?}");
        assert!(outcome.is_err() || outcome.unwrap().tokens.refresh.is_some());
    }
    let state: Value = http().get(test("state?platform=zoho")).send().await.unwrap().json().await.unwrap();
    assert_eq!(state["spec_violations"], json!([]));
    assert_eq!(state["rate_refusals"]["limit"], 0, "never polled too soon");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desktop_app_and_a_self_client_sign_in_too() {
    let Some(peer) = peers::start("crm-sim", &[]) else { return };
    let base = format!("http://127.0.0.1:{}/zoho", peer.port);
    let desktop = flow(&base, ("leadferry-zoho-mobile", ""));
    assert!(signed_in(&desktop, Way::Address(None), landed).await.unwrap().tokens.refresh.is_some());
    let own = flow(&base, ("leadferry-zoho-self", "zoho-self-secret"));
    let copied = async |_| {
        let wish =
            json!({"platform": "zoho", "client_id": "leadferry-zoho-self", "scope": "ZohoCRM.modules.leads.ALL"});
        let url = format!("http://127.0.0.1:{}/_test/code", peer.port);
        let made: Value = http().post(url).json(&wish).send().await.unwrap().json().await.unwrap();
        Some(made["code"].as_str().unwrap().to_owned())
    };
    let grant = signed_in(&own, Way::Address(None), copied).await.unwrap();
    // Tokens are asked for 10 times in 10 minutes and no more; then it says so instead of ending the connection.
    let keeper = TokenKeeper::new(own, grant, Box::new(|_| Box::pin(async { Ok(()) })));
    for turn in 0..11 {
        let stale = keeper.current().await.unwrap().access;
        let renewed = keeper.refresh_after_401(&stale).await;
        assert_eq!(renewed.err().map(|failure| failure.code), (turn == 10).then_some(Code::Failed));
    }
}
