//! Runs into a simulated Lofty team.

use leadferry::failure::Code;
use leadferry::sync::Outcome;
use serde_json::{Value, json};

use super::one_by_one::{
    assert_all_there, by_static_token, in_and_again, rides_out, says_it_in_words, signs_in_by_paste, tells_bad_leads,
    waits_when_too_fast,
};
use super::sim::{LIST, Sim, calls, http, leads};

const KEY: &str = "lofty-key-sim-0001";
const CREATE: &str = "POST /v1.0/leads$";

async fn start() -> Option<Sim> {
    let sim = Sim::faster("lofty", 100).await?;
    for (name, kind) in [("Company", "text"), ("Lookalike score", "number")] {
        let url = format!("http://127.0.0.1:{}/lofty/v1.0/teamFeatures/custom-field", sim.peer.port);
        let call = http().post(url).header("authorization", format!("token {KEY}"));
        let answer = call.json(&json!({"attributeName": name, "attributeType": kind})).send().await.unwrap();
        assert!(answer.status().is_success());
    }
    Some(sim)
}

fn named<'a>(state: &'a Value, last_name: &str) -> &'a Value {
    state["contacts"].as_array().unwrap().iter().find(|lead| lead["lastName"] == last_name).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_lead_arrives_once_and_tagged_with_two_calls_each() {
    let Some(sim) = start().await else { return };
    in_and_again(&sim, 150).await;
    let state = sim.state().await;
    let seventh = named(&state, "O'Neil7");
    let shape = ["firstName", "emails", "phones", "property"].map(|name| seventh[name].clone());
    let address = json!({"city": "Austin", "state": "TX"});
    assert_eq!(json!(shape), json!(["Dana", ["Dana.O'Neil7@Example.com"], ["+1 415 555 0007"], address]));
    let custom = seventh["customAttributes"].as_array().unwrap().iter().map(|attribute| &attribute["value"]);
    assert_eq!(custom.collect::<Vec<_>>(), ["Whitfield & Sons 7", "7.5"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leads_own_tags_phones_and_addresses_stay() {
    let Some(sim) = start().await else { return };
    sim.test("seed", json!({"platform": "lofty", "n": 1, "prefix": "known"})).await;
    let set =
        json!({"tags": ["vip"], "phones": ["5125550100"], "emails": ["known0001@example.com", "other@example.com"]});
    sim.test("edit", json!({"platform": "lofty", "email": "known0001@example.com", "set": set})).await;
    let mut some = leads(3);
    some[1].1.cells[2] = "Known0001@Example.com".into();
    for outcome in [Outcome::Updated, Outcome::Unchanged] {
        let before = calls(&sim.state().await);
        let (summary, ..) = sim.run(some.clone()).await;
        assert!(summary.count(outcome) >= 1, "{:?}", summary.counts);
        let state = sim.state().await;
        assert_all_there(&state, 3);
        let known = named(&state, "O'Neil1");
        assert_eq!(known["phones"], json!(["5125550100", "+1 415 555 0001"]));
        assert_eq!(known["emails"], json!(["known0001@example.com", "other@example.com"]));
        let tags: Vec<&Value> = known["tags"].as_array().unwrap().iter().map(|tag| &tag["tagName"]).collect();
        assert_eq!(json!(tags), json!(["vip", LIST]));
        // Two surveys, three look-ups; the first time two creates and one read and change.
        let writes = if outcome == Outcome::Updated { 4 } else { 0 };
        assert_eq!(calls(&state) - before, 2 + 3 + writes, "{}", state["calls"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_that_lacks_only_the_tag_gets_it() {
    let Some(sim) = start().await else { return };
    sim.run(leads(4)).await;
    let set = json!({"tags": ["vip"]});
    sim.test("edit", json!({"platform": "lofty", "email": "dana.o'neil2@example.com", "set": set})).await;
    let (summary, ..) = sim.run(leads(4)).await;
    assert_eq!((summary.count(Outcome::Unchanged), summary.count(Outcome::Updated)), (3, 1));
    assert_all_there(&sim.state().await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_is_ridden_out_and_what_does_not_is_named() {
    let Some(sim) = start().await else { return };
    rides_out(&sim, CREATE).await;
    sim.reset().await;
    tells_bad_leads(&sim, "INVALID_PARAMETER").await;
    sim.reset().await;
    let words = [
        ("plan_limit", Code::Forbidden, "no API access"),
        ("forbidden_scope", Code::Forbidden, "developer portal"),
        ("html_403", Code::Failed, "web page"),
    ];
    says_it_in_words(&sim, &words).await;
    waits_when_too_fast(&sim, 60).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_up_that_lags_behind_loses_no_answer_and_makes_nobody_twice() {
    let Some(sim) = start().await else { return };
    sim.test("config", json!({"platform": "lofty", "index_lag_ms": 3000})).await;
    sim.fault(json!({"kind": "reset_after_commit", "match": CREATE})).await;
    let (summary, ..) = sim.run(leads(20)).await;
    assert_eq!(summary.count(Outcome::Created), 20, "{:?}", summary.counts);
    assert_all_there(&sim.state().await, 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_would_be_cut_and_leads_that_match_twice_are_told() {
    let Some(sim) = start().await else { return };
    for prefix in ["one", "two"] {
        sim.test("seed", json!({"platform": "lofty", "n": 1, "prefix": prefix})).await;
        let set = json!({"emails": ["dana.o'neil0@example.com"]});
        sim.test("edit", json!({"platform": "lofty", "email": format!("{prefix}0001@example.com"), "set": set})).await;
    }
    let mut some = leads(3);
    some[1].1.cells[1] = format!("Dana {}", "x".repeat(31));
    some[2].1.cells[1] = "Cher".into();
    let (summary, journal, _) = sim.run(some).await;
    assert_eq!(summary.count(Outcome::Failed), 3);
    let outcomes = journal.outcomes();
    assert!(outcomes[&0].reason.contains("2 records in Lofty"), "{:?}", outcomes[&0]);
    assert!(outcomes[&1].reason.contains("31 characters long; Lofty takes 30"), "{:?}", outcomes[&1]);
    assert!(outcomes[&2].reason.contains("no record without firstName"), "{:?}", outcomes[&2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn apps_with_and_without_a_secret_and_an_api_key_sign_in() {
    let Some(sim) = start().await else { return };
    signs_in_by_paste(&sim, "leadferry-lofty", Some("lofty-secret")).await;
    signs_in_by_paste(&sim, "leadferry-lofty-public", None).await;
    let calls = sim.state().await["calls"].clone();
    assert_eq!((&calls["POST /oauth/token"], &calls["POST /api/user-web/oauth/token"]), (&json!(2), &json!(3)));
    let by_key = by_static_token(&sim, KEY, &[]);
    for api in [&sim.api, &by_key] {
        let account = api.crm().who_am_i(api).await.unwrap();
        assert_eq!((account.name.as_str(), account.user.as_str()), ("Sim Office", "owner@example.com"));
    }
    let odd = by_static_token(&sim, KEY, &[("agent", "Dana")]);
    assert!(odd.crm().who_am_i(&odd).await.unwrap_err().next_step.contains("agent=NUMBER"));
}

#[tokio::test(flavor = "multi_thread")]
async fn new_leads_go_to_the_agent_who_was_named() {
    let Some(mut sim) = start().await else { return };
    sim.run(leads(1)).await;
    assert_eq!(sim.state().await["groups"]["routed"], 1, "by Lofty's own rules");
    sim.api = by_static_token(&sim, KEY, &[("agent", "100234")]);
    sim.run(leads(2)).await;
    let state = sim.state().await;
    assert_eq!((&state["groups"]["routed"], &named(&state, "O'Neil1")["assignedUserId"]), (&json!(1), &json!(100_234)));
}
