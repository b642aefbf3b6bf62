//! The runs and what must hold after them.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use leadferry::crm::MatchKey;
use leadferry::crm::api::{Access, Api};
use leadferry::crm::credentials::FixedToken;
use leadferry::crm::limiter::Limiter;
use leadferry::failure::Code;
use leadferry::sync::plan::Planner;
use leadferry::sync::{Outcome, RunState, RunSummary};
use leadferry::vault::Secret;
use serde_json::{Map, Value, json};

use super::sim::{LIST, Sim, calls, http, leads, members, schema};

/// What must hold after any run: the vendor's format kept, nobody twice, no call refused for its rate.
fn assert_clean(state: &Value) {
    assert_eq!(state["spec_violations"], json!([]));
    assert_eq!(state["duplicate_emails"], json!({}));
    assert_eq!(state["rate_refusals"]["limit"], 0);
}

fn assert_all_there(state: &Value, count: usize) {
    assert_clean(state);
    assert_eq!(state["contact_count"], count);
    let mut members = members(state);
    members.sort();
    members.dedup();
    assert_eq!(members.len(), count, "members of the group");
}

/// 1,000 leads in, twice: every one arrives once, in the group, with the least calls.
async fn in_and_again(sim: &Sim) {
    let order = sim.order(1_000).await;
    let survey = sim.api.crm().survey(&sim.api).await.unwrap();
    let before = calls(&sim.state().await);
    let (summary, ..) = sim.run_order(&order, leads(1_000), |_| false).await;
    assert_eq!(summary.state, RunState::Done, "{:?}", summary.trouble);
    assert_eq!((summary.count(Outcome::Created), summary.settled()), (1_000, 1_000));
    let state = sim.state().await;
    assert_all_there(&state, 1_000);
    assert_eq!(calls(&state) - before, sim.api.crm().calls(&survey, 1_000, true), "{}", state["calls"]);

    let all = leads(1_000);
    let schema = schema();
    let mut planner = Planner::new(sim.api.crm(), &survey, &schema, &order.settings, LIST);
    planner.add(all.iter().map(|(key, lead)| (key.as_str(), lead)));
    let plan = planner.finish(order.destination.clone(), LIST, 1, &Default::default());
    assert_eq!((plan.leads, plan.calls, plan.warnings), (1_000, calls(&state) - before, Vec::<String>::new()));

    let (summary, ..) = sim.run_order(&order, all, |_| false).await;
    assert_eq!(summary.count(Outcome::Updated) + summary.count(Outcome::Unchanged), 1_000, "{:?}", summary.counts);
    let state = sim.state().await;
    assert_all_there(&state, 1_000);
    let shape = match sim.platform {
        "salesforce" => json!(["Dana", "O'Neil7", "Dana.O'Neil7@Example.com", "Whitfield & Sons 7", 7.5]),
        _ => json!(["Dana", "O'Neil7", "dana.o'neil7@example.com", "Whitfield & Sons 7", null]),
    };
    let names = match sim.platform {
        "salesforce" => ["FirstName", "LastName", "Email", "Company", "Lookalike_Score__c"],
        _ => ["firstname", "lastname", "email", "company", "lookalike_score"],
    };
    let contacts =
        state["contacts"].as_array().unwrap().iter().map(|contact| contact.get("properties").unwrap_or(contact));
    let seventh = contacts.clone().find(|contact| contact[names[1]] == "O'Neil7").unwrap();
    assert_eq!(json!(names.map(|name| seventh.get(name).unwrap_or(&Value::Null))), shape);
}

#[tokio::test(flavor = "multi_thread")]
async fn salesforce_takes_a_thousand_leads_by_external_id() {
    let Some(sim) = Sim::start("salesforce", &[]).await else { return };
    in_and_again(&sim).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn salesforce_takes_a_thousand_leads_by_look_up() {
    let Some(sim) = Sim::start("salesforce", &[]).await else { return };
    no_external_id(&sim).await;
    in_and_again(&sim).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hubspot_takes_a_thousand_leads() {
    let Some(sim) = Sim::start("hubspot", &[]).await else { return };
    in_and_again(&sim).await;
}

/// Describes the external id field anew, as one that is none: a later description replaces an earlier.
async fn no_external_id(sim: &Sim) {
    sim.test("fields", json!({"platform": "salesforce", "name": "Lookalike_Id__c", "length": 64})).await;
    let survey = sim.api.crm().survey(&sim.api).await.unwrap();
    assert_eq!(survey.key, MatchKey::LookUp("Email".into()));
}

/// Every write that can go wrong does, once: nobody is lost and nobody is there twice.
async fn rides_out(sim: &Sim, write: &str) {
    sim.fault(json!({"kind": "http_500", "match": write})).await;
    let (summary, ..) = sim.run(leads(450)).await;
    assert_eq!(summary.count(Outcome::Created), 450, "{:?} {:?}", summary.counts, summary.trouble);
    assert_all_there(&sim.state().await, 450);

    sim.reset().await;
    sim.fault(json!({"kind": "reset_after_commit", "match": write})).await;
    let (summary, ..) = sim.run(leads(450)).await;
    assert_eq!(summary.count(Outcome::Created), 450, "{:?}", summary.counts);
    let state = sim.state().await;
    assert_all_there(&state, 450);
    assert_eq!(state["total_writes"], 450, "nothing is written twice");

    sim.reset().await;
    let order = sim.order(450).await;
    let refreshes = sim.state().await["refresh_count"].as_u64().unwrap();
    sim.fault(json!({"kind": "expire_token_now", "match": write})).await;
    sim.fault(json!({"kind": "http_503_retry_after", "retry_after": 2, "match": write})).await;
    sim.fault(json!({"kind": "reset"})).await;
    let (summary, _, seen) = sim.run_order(&order, leads(450), |_| false).await;
    assert_eq!(summary.count(Outcome::Created), 450, "{:?}", summary.counts);
    assert!(seen.iter().any(|summary| summary.state == RunState::Waiting && summary.next_try.is_some()));
    let state = sim.state().await;
    assert_all_there(&state, 450);
    assert_eq!(state["refresh_count"].as_u64().unwrap() - refreshes, 1);

    sim.reset().await;
    sim.fault(json!({"kind": "partial_fail", "email": "neil(3|77|203)@"})).await;
    let (summary, journal, _) = sim.run(leads(450)).await;
    assert_eq!((summary.count(Outcome::Created), summary.count(Outcome::Failed)), (447, 3));
    let failed = journal.outcomes()[&77].clone();
    assert!(failed.reason.contains("simulated") && !failed.next_step.is_empty(), "{failed:?}");
    assert_eq!(failed.lead, "Dana O'Neil77");
    assert_all_there(&sim.state().await, 447);
}

/// What only a person can mend stops the run in words; what passes is waited for.
async fn says_it_in_words(sim: &Sim) {
    let words = [
        ("plan_limit", Code::Forbidden, ["subscription", "edition"]),
        ("forbidden_scope", Code::Forbidden, ["scope", "administrator"]),
        ("html_403", Code::Failed, ["web page", "web page"]),
    ];
    for (kind, code, either) in words {
        let order = sim.order(10).await;
        sim.reset().await;
        sim.fault(json!({"kind": kind, "always": true})).await;
        let (summary, ..) = sim.run_order(&order, leads(10), |_| false).await;
        let trouble = summary.trouble.clone().expect(kind);
        let text = format!("{} {}", trouble.message, trouble.remedy);
        assert_eq!((summary.state, trouble.code), (RunState::Stopped, code), "{text}");
        assert!(either.iter().any(|word| text.contains(word)), "{kind}: {text}");
        assert_eq!(summary.count(Outcome::Pending), 10);
        sim.reset().await;
    }
    let order = sim.order(10).await;
    sim.fault(json!({"kind": "daily_limit"})).await;
    let waits = |summary: &RunSummary| summary.state == RunState::Waiting;
    let (summary, _, seen) = sim.run_order(&order, leads(10), waits).await;
    let wait = seen.iter().find(|summary| waits(summary)).unwrap();
    let minutes = wait.next_try.unwrap().duration_since(Timestamp::now()).as_mins();
    assert!(minutes > 30, "{minutes}");
    assert!(wait.trouble.as_ref().unwrap().message.contains("used up"), "{:?}", wait.trouble);
    assert_eq!(summary.state, RunState::Cancelled);
}

#[tokio::test(flavor = "multi_thread")]
async fn salesforce_rides_out_what_passes_and_names_what_does_not() {
    let Some(sim) = Sim::start("salesforce", &[]).await else { return };
    rides_out(&sim, "PATCH .*/composite/sobjects/Lead").await;
    sim.reset().await;
    says_it_in_words(&sim).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn salesforce_by_look_up_creates_nobody_twice() {
    let Some(sim) = Sim::start("salesforce", &[]).await else { return };
    no_external_id(&sim).await;
    sim.fault(json!({"kind": "reset_after_commit", "match": "POST .*/composite/sobjects", "times": 2})).await;
    let (summary, ..) = sim.run(leads(450)).await;
    assert_eq!(summary.count(Outcome::Created), 450, "{:?}", summary.counts);
    let state = sim.state().await;
    assert_all_there(&state, 450);
    assert_eq!(state["total_writes"], 450);
}

#[tokio::test(flavor = "multi_thread")]
async fn hubspot_rides_out_what_passes_and_names_what_does_not() {
    let Some(sim) = Sim::start("hubspot", &[]).await else { return };
    rides_out(&sim, "POST .*/batch/upsert").await;
    // Without answers per lead a whole batch is refused for one bad lead: the good ones still go.
    sim.reset().await;
    sim.test("config", json!({"platform": "hubspot", "multi_status": "never"})).await;
    sim.fault(json!({"kind": "partial_fail", "email": "neil(3|77)@"})).await;
    let (summary, ..) = sim.run(leads(200)).await;
    assert_eq!((summary.count(Outcome::Created), summary.count(Outcome::Failed)), (198, 2));
    assert_all_there(&sim.state().await, 198);
    sim.reset().await;
    says_it_in_words(&sim).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_ten_times_stricter_never_has_to_refuse_us() {
    let Some(sim) = Sim::start("hubspot", &[("RATE_SCALE", "0.1")]).await else { return };
    let (summary, ..) = sim.run(leads(1_200)).await;
    assert_eq!(summary.count(Outcome::Created), 1_200);
    assert_all_there(&sim.state().await, 1_200);
}

#[tokio::test(flavor = "multi_thread")]
async fn leads_that_cannot_go_are_named_and_the_others_go() {
    let Some(sim) = Sim::start("salesforce", &[]).await else { return };
    let mut some = leads(5);
    some[1].1.cells[4].clear();
    some[2].1.cells[1] = format!("Dana {}", "x".repeat(81));
    some[3].1.cells[2] = some[0].1.cells[2].to_uppercase();
    let (summary, journal, _) = sim.run(some).await;
    assert_eq!((summary.count(Outcome::Created), summary.count(Outcome::Failed)), (2, 2));
    let outcomes = journal.outcomes();
    assert!(outcomes[&1].reason.contains("Company"), "{:?}", outcomes[&1]);
    assert!(outcomes[&2].reason.contains("81 characters long; Salesforce takes 80"), "{:?}", outcomes[&2]);
    assert_eq!((outcomes[&3].outcome, outcomes[&3].reason.contains("lead 1 ")), (Outcome::Skipped, true));
    assert_all_there(&sim.state().await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_says_who_it_is_also_to_a_static_token() {
    let Some(sim) = Sim::start("hubspot", &[]).await else { return };
    let account = sim.api.crm().who_am_i(&sim.api).await.unwrap();
    assert_eq!((account.name.as_str(), account.user.as_str()), ("sim.example.com", "owner@example.com"));
    let base = url::Url::parse(&format!("http://127.0.0.1:{}/hubspot", sim.peer.port)).unwrap();
    let access = Access { base, fields: BTreeMap::new(), token: Map::new() };
    let limiter = Arc::new(Limiter::new(sim.api.crm().spec().rate));
    let token = Arc::new(FixedToken(Secret::new("pat-na1-sim-0001")));
    let api = Api::new(sim.api.crm(), http(), access, token, limiter);
    assert_eq!(api.crm().who_am_i(&api).await.unwrap().name, "HubSpot account 12345678");

    let Some(sim) = Sim::start("salesforce", &[]).await else { return };
    let account = sim.api.crm().who_am_i(&sim.api).await.unwrap();
    assert_eq!((account.id.as_str(), account.user.as_str()), ("00D5g00000SimOrgAA", "owner@example.com"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_duplicate_rule_objects_to_is_left_to_the_person() {
    let Some(sim) = Sim::start("salesforce", &[]).await else { return };
    sim.test("seed", json!({"platform": "salesforce", "n": 1, "prefix": "dup"})).await;
    for rule in ["alert", "block"] {
        sim.test("config", json!({"platform": "salesforce", "duplicate_rule": rule})).await;
        let mut two = leads(2);
        two[1].1.cells[2] = "dup0001@example.com".into();
        let (summary, journal, _) = sim.run(two).await;
        assert_eq!((summary.settled(), summary.count(Outcome::Failed)), (2, 1));
        let refused = journal.outcomes()[&1].clone();
        assert!(
            refused.reason.contains("DUPLICATES_DETECTED") && refused.next_step.contains("duplicate rule"),
            "{refused:?}"
        );
    }
    assert_eq!(sim.state().await["contact_count"], 2);
}
