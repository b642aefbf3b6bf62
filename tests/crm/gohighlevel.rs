//! Runs into a simulated GoHighLevel location.

use leadferry::crm::MatchKey;
use leadferry::failure::Code;
use leadferry::sync::Outcome;
use serde_json::{Value, json};

use super::one_by_one::{
    assert_all_there, by_static_token, in_and_again, rides_out, says_it_in_words, signs_in_by_paste, tells_bad_leads,
    waits_when_too_fast,
};
use super::sim::{LIST, Sim, http, leads};

const LOCATION: &str = "ve9EPM428h8vShlRW1KT";
const CREATE: &str = "POST /contacts/?$";

async fn start() -> Option<Sim> {
    let sim = Sim::faster("gohighlevel", 100).await?;
    add_field(&sim, "Lookalike Score", "NUMERICAL").await;
    add_field(&sim, "Job Title", "TEXT").await;
    Some(sim)
}

async fn add_field(sim: &Sim, name: &str, kind: &str) {
    let url = format!("http://127.0.0.1:{}/gohighlevel/locations/{LOCATION}/customFields", sim.peer.port);
    let call = http().post(url).bearer_auth("pit-sim-0001").header("version", "2021-07-28");
    let answer = call.json(&json!({"name": name, "dataType": kind, "model": "contact"})).send().await.unwrap();
    assert!(answer.status().is_success());
}

fn contact<'a>(state: &'a Value, last_name: &str) -> &'a Value {
    state["contacts"].as_array().unwrap().iter().find(|contact| contact["lastName"] == last_name).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_lead_arrives_once_with_two_calls_each() {
    let Some(sim) = start().await else { return };
    in_and_again(&sim, 150).await;
    let state = sim.state().await;
    let seventh = contact(&state, "O'Neil7");
    let shape = ["firstName", "companyName", "city", "phone"].map(|name| seventh[name].clone());
    assert_eq!(json!(shape), json!(["Dana", "Whitfield & Sons 7", "Austin", "+1 415 555 0007"]));
    let custom: Vec<&Value> = seventh["customFields"].as_array().unwrap().iter().map(|field| &field["value"]).collect();
    assert_eq!(json!(custom), json!(["Owner", "7.5"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contacts_own_tags_and_further_values_stay() {
    let Some(sim) = start().await else { return };
    sim.test("seed", json!({"platform": "gohighlevel", "n": 1, "prefix": "known"})).await;
    let set = json!({"tags": ["vip"], "source": "website"});
    sim.test("edit", json!({"platform": "gohighlevel", "email": "known0001@example.com", "set": set})).await;
    let mut some = leads(3);
    some[1].1.cells[2] = "Known0001@Example.com".into();
    let (summary, journal, _) = sim.run(some).await;
    assert_eq!((summary.count(Outcome::Created), summary.count(Outcome::Updated)), (2, 1));
    let state = sim.state().await;
    assert_all_there(&state, 3);
    let known = contact(&state, "O'Neil1");
    assert_eq!((&known["tags"], &known["source"]), (&json!(["vip", LIST]), &json!("website")));
    let told = journal.outcomes()[&1].clone();
    assert!(told.reason.contains("did not take: companyName") && told.next_step.contains("by hand"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_overwritten_because_a_phone_is_shared() {
    let Some(sim) = start().await else { return };
    let mut two = leads(2);
    two[1].1.cells[3] = two[0].1.cells[3].clone();
    let (summary, journal, _) = sim.run(two).await;
    assert_eq!(summary.count(Outcome::Created), 2, "{:?}", summary.counts);
    let state = sim.state().await;
    assert_all_there(&state, 2);
    assert_eq!(contact(&state, "O'Neil0")["email"], "Dana.O'Neil0@Example.com");
    assert_eq!(contact(&state, "O'Neil1")["phone"], Value::Null);
    let told = journal.outcomes()[&1].clone();
    assert!(told.reason.contains("did not take: phone") && told.next_step.contains("Another contact"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_lags_behind_makes_no_duplicates() {
    let Some(sim) = start().await else { return };
    sim.test("config", json!({"platform": "gohighlevel", "index_lag_ms": 4000})).await;
    sim.fault(json!({"kind": "reset_after_commit", "match": CREATE})).await;
    for outcome in [Outcome::Created, Outcome::Updated] {
        let (summary, ..) = sim.run(leads(20)).await;
        assert!(summary.count(outcome) >= 19, "{:?}", summary.counts);
        assert_all_there(&sim.state().await, 20);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_contacts_of_one_e_mail_are_left_to_the_person() {
    let Some(sim) = start().await else { return };
    for prefix in ["one", "two"] {
        sim.test("seed", json!({"platform": "gohighlevel", "n": 1, "prefix": prefix})).await;
        let edit = json!({"platform": "gohighlevel", "email": format!("{prefix}0001@example.com"), "set": {"email": "dana.o'neil0@example.com"}});
        sim.test("edit", edit).await;
    }
    let (summary, journal, _) = sim.run(leads(1)).await;
    assert_eq!(summary.count(Outcome::Failed), 1);
    assert!(journal.outcomes()[&0].reason.contains("2 records in GoHighLevel have the same email"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_is_ridden_out_and_what_does_not_is_named() {
    let Some(sim) = start().await else { return };
    rides_out(&sim, CREATE).await;
    sim.reset().await;
    tells_bad_leads(&sim, "simulated").await;
    sim.reset().await;
    let words = [
        ("plan_limit", Code::Forbidden, "plan with API access"),
        ("forbidden_scope", Code::Forbidden, "contacts.write"),
        ("html_403", Code::Failed, "web page"),
    ];
    says_it_in_words(&sim, &words).await;
    waits_when_too_fast(&sim, 10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_and_a_private_integration_both_lead_to_a_location() {
    let Some(sim) = start().await else { return };
    let grant = signs_in_by_paste(&sim, "leadferry-ghl", Some("ghl-secret")).await;
    assert_eq!(grant.tokens.extra["locationId"], LOCATION);
    let account = sim.api.crm().who_am_i(&sim.api).await.unwrap();
    assert_eq!((account.id.as_str(), account.name.as_str()), (LOCATION, "Sim Location"));
    let api = by_static_token(&sim, "pit-sim-0001", &[("location", LOCATION)]);
    assert_eq!(api.crm().who_am_i(&api).await.unwrap().name, "Sim Location");
    assert_eq!(api.crm().survey(&api).await.unwrap().key, MatchKey::LookUp("email".into()));
    let elsewhere = by_static_token(&sim, "pit-sim-0001", &[("location", "another")]);
    let trouble = elsewhere.crm().who_am_i(&elsewhere).await.unwrap_err();
    assert!(trouble.next_step.contains("location id"), "{trouble:?}");
    let nowhere = by_static_token(&sim, "pit-sim-0001", &[]);
    assert!(nowhere.crm().who_am_i(&nowhere).await.unwrap_err().message.contains("agency"));
}
