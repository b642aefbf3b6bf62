//! Runs into a simulated monday.com board.

use std::sync::atomic::{AtomicBool, Ordering};

use leadferry::crm::{MatchBy, MatchKey};
use leadferry::failure::Code;
use leadferry::sync::journal::MemoryJournal;
use leadferry::sync::{Outcome, RunState, RunSummary};
use serde_json::{Value, json};

use super::one_by_one::{
    assert_all_there, by_static_token, in_and_again, says_it_in_words, signs_in_by_paste, tells_bad_leads,
    waits_when_too_fast,
};
use super::sim::{LIST, Sim, http, leads};

const TOKEN: &str = "monday-token-sim-0001";

async fn start() -> Option<Sim> {
    Sim::faster("monday", 100).await
}

async fn ask(sim: &Sim, query: &str) -> Value {
    let url = format!("http://127.0.0.1:{}/monday/v2", sim.peer.port);
    let call = http().post(url).header("authorization", TOKEN).json(&json!({"query": query}));
    call.send().await.unwrap().json().await.unwrap()
}

fn item<'a>(state: &'a Value, name: &str) -> &'a Value {
    state["contacts"].as_array().unwrap().iter().find(|item| item["name"] == name).unwrap()
}

/// A run of 30 leads in which something goes wrong with the second write.
async fn with_a_fault(sim: &Sim, fault: Value) -> (RunSummary, MemoryJournal, Vec<RunSummary>) {
    let order = sim.order(30).await;
    let told = AtomicBool::new(false);
    let after_ten = |summary: &RunSummary| {
        if summary.count(Outcome::Created) == 10 && !told.swap(true, Ordering::Relaxed) {
            let handle = tokio::runtime::Handle::current();
            tokio::task::block_in_place(|| handle.block_on(sim.fault(fault.clone())));
        }
        false
    };
    sim.run_order(&order, leads(30), after_ten).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_lead_arrives_once_with_the_least_calls() {
    let Some(sim) = start().await else { return };
    in_and_again(&sim, 230).await;
    let state = sim.state().await;
    let values = &item(&state, "Dana O'Neil7")["values"];
    let shape = ["email_mkabc1", "phone_mkabc2", "text_mkabc3", "text_mkabc4", "text_mkabc5", "numeric_mkabc6"];
    let expected =
        json!(["Dana.O'Neil7@Example.com", "+14155550007", "Whitfield & Sons 7", "Owner", "id:la-0007", "7.5"]);
    assert_eq!(json!(shape.map(|column| values[column].clone())), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_goes_wrong_loses_and_doubles_nobody() {
    let Some(sim) = start().await else { return };
    for kind in ["http_500", "reset", "reset_after_commit"] {
        let (summary, ..) = with_a_fault(&sim, json!({"kind": kind})).await;
        assert_eq!(summary.count(Outcome::Created), 30, "{kind}: {:?} {:?}", summary.counts, summary.trouble);
        let state = sim.state().await;
        assert_all_there(&state, 30);
        assert_eq!(state["total_writes"], 30, "nothing is written twice");
        sim.reset().await;
    }
    let refreshes = sim.state().await["refresh_count"].as_u64().unwrap();
    sim.fault(json!({"kind": "expire_token_now"})).await;
    let (summary, _, seen) = with_a_fault(&sim, json!({"kind": "http_503_retry_after", "retry_after": 1})).await;
    assert_eq!(summary.count(Outcome::Created), 30, "{:?}", summary.counts);
    assert!(seen.iter().any(|summary| summary.state == RunState::Waiting && summary.next_try.is_some()));
    let state = sim.state().await;
    assert_all_there(&state, 30);
    assert_eq!(state["refresh_count"].as_u64().unwrap() - refreshes, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_is_there_is_changed_where_it_is() {
    let Some(sim) = start().await else { return };
    sim.test("seed", json!({"platform": "monday", "n": 1, "prefix": "known"})).await;
    let set = json!({"color_mkabc7": "Working on it"});
    sim.test("edit", json!({"platform": "monday", "email": "known0001@example.com", "set": set})).await;
    let mut some = leads(3);
    some[1].1.cells[2] = "Known0001@Example.com".into();
    let (summary, journal, _) = sim.run(some.clone()).await;
    assert_eq!((summary.count(Outcome::Created), summary.count(Outcome::Updated)), (2, 1), "{:?}", summary.counts);
    let state = sim.state().await;
    assert_all_there_but_one(&state, 3);
    let known = item(&state, "Dana O'Neil1");
    assert_eq!((&known["group"], &known["values"]["color_mkabc7"]), (&json!("topics"), &json!("Working on it")));
    assert_eq!(known["values"]["text_mkabc5"], "id:la-0001", "found by its key from now on");
    let told = journal.outcomes()[&1].clone();
    assert!(told.reason.contains("'Group Title'"), "{told:?}");
    some[1].1.cells[2] = "new@example.com".into();
    let (summary, ..) = sim.run(some).await;
    assert_eq!((summary.count(Outcome::Unchanged), summary.count(Outcome::Updated)), (2, 1), "{:?}", summary.counts);
    assert_eq!(sim.state().await["contact_count"], 3);
}

fn assert_all_there_but_one(state: &Value, count: usize) {
    assert_eq!(state["spec_violations"], json!([]));
    assert_eq!((&state["duplicate_emails"], &state["contact_count"]), (&json!({}), &json!(count)));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_items_of_one_e_mail_are_left_to_the_person() {
    let Some(sim) = start().await else { return };
    for prefix in ["one", "two"] {
        sim.test("seed", json!({"platform": "monday", "n": 1, "prefix": prefix})).await;
        let email = format!("{prefix}0001@example.com");
        let set = json!({"email_mkabc1": "dana.o'neil0@example.com"});
        sim.test("edit", json!({"platform": "monday", "email": email, "set": set})).await;
    }
    let (summary, journal, _) = sim.run(leads(1)).await;
    assert_eq!(summary.count(Outcome::Failed), 1);
    assert!(journal.outcomes()[&0].reason.contains("2 records in monday.com"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_is_waited_for_and_what_does_not_is_named() {
    let Some(sim) = start().await else { return };
    tells_bad_leads(&sim, "simulated").await;
    sim.reset().await;
    waits_when_too_fast(&sim, 3).await;
    let words = [
        ("plan_limit", Code::Forbidden, "plan with API access"),
        ("forbidden_scope", Code::Forbidden, "boards:write"),
        ("html_403", Code::Failed, "web page"),
    ];
    says_it_in_words(&sim, &words).await;
    let order = sim.order(5).await;
    sim.fault(json!({"kind": "daily_limit"})).await;
    let waits = |summary: &RunSummary| summary.state == RunState::Waiting;
    let (_, _, seen) = sim.run_order(&order, leads(5), waits).await;
    let wait = seen.iter().find(|summary| waits(summary)).unwrap();
    assert!(wait.trouble.as_ref().unwrap().message.contains("today are used up"), "{:?}", wait.trouble);
    let midnight = wait.next_try.unwrap().as_second();
    assert!(midnight % 86_400 < 5 || midnight % 86_400 > 86_395, "{midnight}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_and_a_personal_token_both_lead_to_the_board() {
    let Some(sim) = start().await else { return };
    signs_in_by_paste(&sim, "leadferry-monday", Some("monday-secret")).await;
    let account = sim.api.crm().who_am_i(&sim.api).await.unwrap();
    assert_eq!((account.name.as_str(), account.user.as_str()), ("Sim Account", "owner@example.com"));
    let survey = sim.api.crm().survey(&sim.api).await.unwrap();
    assert_eq!((survey.key, survey.by), (MatchKey::LookUp("text_mkabc5".into()), MatchBy::LeadKey));

    ask(&sim, "mutation { create_board(board_name: \"Clients\", board_kind: public) { id } }").await;
    let made = ask(&sim, "{ boards(limit: 50) { id name } }").await;
    let clients = made.pointer("/data/boards/1/id").and_then(Value::as_str).unwrap().to_owned();
    let api = by_static_token(&sim, TOKEN, &[("board", &clients)]);
    let trouble = api.crm().who_am_i(&api).await.unwrap_err();
    assert!(trouble.message.contains("no e-mail column"), "{trouble:?}");
    let column =
        format!("mutation {{ create_column(board_id: {clients}, title: \"Email\", column_type: email) {{ id }} }}");
    ask(&sim, &column).await;
    let api = by_static_token(&sim, TOKEN, &[("board", "clients")]);
    assert_eq!(api.crm().who_am_i(&api).await.unwrap().name, "Sim Account");
    assert_eq!(api.crm().survey(&api).await.unwrap().by, MatchBy::Email);
    let group = api.crm().open_group(&api, LIST).await.unwrap();
    assert_eq!(api.crm().open_group(&api, LIST).await.unwrap(), group, "found again, not made again");
    let nowhere = by_static_token(&sim, TOKEN, &[("board", "nowhere")]);
    assert!(nowhere.crm().who_am_i(&nowhere).await.unwrap_err().message.contains("no board called"));
}
