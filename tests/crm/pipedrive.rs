//! Runs into a simulated Pipedrive company.

use leadferry::crm::MatchKey;
use leadferry::failure::Code;
use leadferry::sync::{Outcome, RunState, RunSummary};
use serde_json::{Value, json};

use super::one_by_one::{
    assert_all_there, by_static_token, in_and_again, rides_out, says_it_in_words, signs_in_by_paste, tells_bad_leads,
    waits_when_too_fast,
};
use super::sim::{LIST, Sim, http, leads};

const CREATE: &str = "POST /api/v2/persons$";

async fn start() -> Option<Sim> {
    let sim = Sim::faster("pipedrive", 100).await?;
    add_fields(&sim).await;
    Some(sim)
}

async fn add_fields(sim: &Sim) {
    let url = format!("http://127.0.0.1:{}/pipedrive/api/v2/personFields", sim.peer.port);
    for (name, kind) in [("Company", "varchar"), ("Lookalike score", "double"), ("Job title", "varchar")] {
        let call = http().post(&url).header("x-api-token", "pd-token-sim-0001");
        let answer = call.json(&json!({"field_name": name, "field_type": kind})).send().await.unwrap();
        assert!(answer.status().is_success());
    }
}

fn person<'a>(state: &'a Value, name: &str) -> &'a Value {
    state["contacts"].as_array().unwrap().iter().find(|person| person["name"] == name).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_lead_arrives_once_with_the_least_calls() {
    let Some(sim) = start().await else { return };
    in_and_again(&sim, 150).await;
    let state = sim.state().await;
    let seventh = person(&state, "Dana O'Neil7");
    assert_eq!(seventh["emails"], json!([{"value": "Dana.O'Neil7@Example.com", "primary": true, "label": "work"}]));
    assert_eq!(seventh["phones"][0]["value"], "+1 415 555 0007");
    let mut custom: Vec<String> =
        seventh["custom_fields"].as_object().unwrap().values().map(Value::to_string).collect();
    custom.sort();
    assert_eq!(custom, ["\"Owner\"", "\"Whitfield & Sons 7\"", "7.5"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_has_already_stays() {
    let Some(sim) = start().await else { return };
    sim.run(leads(1)).await;
    let vip = sim.api.crm().open_group(&sim.api, "VIP").await.unwrap();
    let id = sim.state().await["contacts"][0]["id"].to_string();
    sim.api.crm().add_to_group(&sim.api, &vip, &[id]).await.unwrap();
    let mut one = leads(1);
    one[0].1.cells[2] = "DANA.o'neil0@example.com".into();
    one[0].1.cells[3] = "+1 415 555 9999".into();
    let (summary, ..) = sim.run(one).await;
    assert_eq!(summary.count(Outcome::Updated), 1, "{:?}", summary.counts);
    let state = sim.state().await;
    assert_all_there(&state, 1);
    let person = person(&state, "Dana O'Neil0");
    assert_eq!(state["groups"]["members"]["VIP"].as_array().unwrap().len(), 1);
    let numbers: Vec<&Value> = person["phones"].as_array().unwrap().iter().map(|phone| &phone["value"]).collect();
    assert_eq!(json!(numbers), json!(["+1 415 555 0000", "+1 415 555 9999"]));
    assert_eq!(person["emails"][0]["value"], "Dana.O'Neil0@Example.com");
    assert_eq!(sim.api.crm().open_group(&sim.api, "VIP").await.unwrap(), vip, "found again, not made again");
    assert_eq!(state["groups"]["labels"].as_array().unwrap().len(), 2, "{LIST} and VIP");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_lags_behind_makes_no_duplicates() {
    let Some(sim) = start().await else { return };
    sim.test("config", json!({"platform": "pipedrive", "index_lag_ms": 4000})).await;
    sim.fault(json!({"kind": "reset_after_commit", "match": CREATE})).await;
    for outcome in [Outcome::Created, Outcome::Unchanged] {
        let (summary, ..) = sim.run(leads(10)).await;
        assert_eq!(summary.count(outcome), 10, "{:?}", summary.counts);
        assert_all_there(&sim.state().await, 10);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_persons_of_one_e_mail_are_left_to_the_person() {
    let Some(sim) = start().await else { return };
    for prefix in ["one", "two"] {
        sim.test("seed", json!({"platform": "pipedrive", "n": 1, "prefix": prefix})).await;
        let set = json!({"emails": [{"value": "dana.o'neil0@example.com", "primary": true, "label": "work"}]});
        let email = format!("{prefix}0001@example.com");
        sim.test("edit", json!({"platform": "pipedrive", "email": email, "set": set})).await;
    }
    let (summary, journal, _) = sim.run(leads(1)).await;
    assert_eq!(summary.count(Outcome::Failed), 1);
    let reason = &journal.outcomes()[&0].reason;
    assert!(reason.contains("2 records in Pipedrive have the same emails"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_is_ridden_out_and_what_does_not_is_named() {
    let Some(sim) = start().await else { return };
    rides_out(&sim, CREATE).await;
    sim.reset().await;
    tells_bad_leads(&sim, "simulated").await;
    sim.reset().await;
    waits_when_too_fast(&sim, 3).await;
    let words = [
        ("plan_limit", Code::Forbidden, "plan that includes it"),
        ("forbidden_scope", Code::Forbidden, "contacts:full"),
        ("html_403", Code::Failed, "web page"),
    ];
    says_it_in_words(&sim, &words).await;
    let order = sim.order(5).await;
    sim.fault(json!({"kind": "daily_limit"})).await;
    let waits = |summary: &RunSummary| summary.state == RunState::Waiting;
    let (_, _, seen) = sim.run_order(&order, leads(5), waits).await;
    let wait = seen.iter().find(|summary| waits(summary)).unwrap();
    assert!(wait.trouble.as_ref().unwrap().message.contains("for today is used up"), "{:?}", wait.trouble);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_up_day_is_seen_coming() {
    // 120 tokens a day: fields and label take 35, so four searches fit, and a fifth would be refused.
    let Some(sim) = Sim::start("pipedrive", &[("RATE_SCALE", "0.1")]).await else { return };
    let scarce = json!({"platform": "pipedrive", "rate_scale": 0.004});
    sim.test("config", scarce).await;
    let order = sim.order(5).await;
    let waits = |summary: &RunSummary| summary.state == RunState::Waiting;
    let (_, _, seen) = sim.run_order(&order, leads(5), waits).await;
    let wait = seen.iter().find(|summary| waits(summary)).unwrap();
    assert!(wait.trouble.as_ref().unwrap().message.contains("used up"), "{:?}", wait.trouble);
    assert_eq!(sim.state().await["rate_refusals"]["limit"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_and_an_api_token_both_lead_to_the_company() {
    let Some(sim) = start().await else { return };
    let grant = signs_in_by_paste(&sim, "leadferry-pipedrive", Some("pipedrive-secret")).await;
    assert_eq!(grant.tokens.scopes[..2], ["base", "contacts:full"]);
    let account = sim.api.crm().who_am_i(&sim.api).await.unwrap();
    assert_eq!((account.id.as_str(), account.name.as_str()), ("4711", "Sim Company"));
    let api = by_static_token(&sim, "pd-token-sim-0001", &[]);
    assert_eq!(api.crm().who_am_i(&api).await.unwrap().user, "owner@example.com");
    assert_eq!(api.crm().survey(&api).await.unwrap().key, MatchKey::LookUp("emails".into()));
}
