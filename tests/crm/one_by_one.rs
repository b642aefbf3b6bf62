//! What must hold at vendors that take one lead per call.

use std::sync::Arc;

use jiff::Timestamp;
use leadferry::crm::api::{Access, Api};
use leadferry::crm::credentials::FixedToken;
use leadferry::crm::limiter::Limiter;
use leadferry::failure::Code;
use leadferry::oauth::{Grant, TokenKeeper};
use leadferry::sync::{Outcome, RunState, RunSummary};
use leadferry::vault::Secret;
use serde_json::{Map, Value, json};

use super::keeper::{flow, pasted};
use super::sim::{LIST, Sim, calls, http, leads};

/// Everyone arrived once, in the group, in the vendor's format and at its pace.
pub(super) fn assert_all_there(state: &Value, count: usize) {
    assert_eq!(state["spec_violations"], json!([]));
    assert_eq!(state["duplicate_emails"], json!({}));
    assert_eq!(state["rate_refusals"]["limit"], 0);
    assert_eq!(state["contact_count"], count);
    assert_eq!(members(state).len(), count, "members of the group");
}

fn members(state: &Value) -> &Vec<Value> {
    let on_a_board = || {
        let groups =
            state["groups"]["boards"].as_array()?.iter().flat_map(|board| board["groups"].as_array()).flatten();
        groups.into_iter().find(|group| group["title"] == LIST)?["items"].as_array()
    };
    state["groups"]["members"][LIST].as_array().or_else(on_a_board).unwrap()
}

/// The same account by a static token.
pub(super) fn by_static_token(sim: &Sim, token: &str, fields: &[(&str, &str)]) -> Api {
    let base = url::Url::parse(&format!("http://127.0.0.1:{}/{}", sim.peer.port, sim.platform)).unwrap();
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let access = Access { base, fields, token: Map::new() };
    let limiter = Arc::new(Limiter::new(sim.api.crm().spec().rate));
    Api::new(sim.api.crm(), http(), access, Arc::new(FixedToken(Secret::new(token))), limiter)
}

/// Leads in, twice: every one arrives once with the least calls, and the second time nothing is written.
pub(super) async fn in_and_again(sim: &Sim, count: usize) {
    let order = sim.order(count as u64).await;
    let survey = sim.api.crm().survey(&sim.api).await.unwrap();
    let before = calls(&sim.state().await);
    let (summary, ..) = sim.run_order(&order, leads(count), |_| false).await;
    assert_eq!(summary.state, RunState::Done, "{:?}", summary.trouble);
    assert_eq!(summary.count(Outcome::Created), count as u64, "{:?}", summary.counts);
    let state = sim.state().await;
    assert_all_there(&state, count);
    assert_eq!(calls(&state) - before, sim.api.crm().calls(&survey, count as u64, true), "{}", state["calls"]);

    let (summary, ..) = sim.run_order(&order, leads(count), |_| false).await;
    assert_eq!(summary.count(Outcome::Unchanged), count as u64, "{:?}", summary.counts);
    assert_all_there(&sim.state().await, count);
}

/// Every write that can go wrong does, once: nobody is lost and nobody is there twice.
pub(super) async fn rides_out(sim: &Sim, create: &str) {
    sim.fault(json!({"kind": "http_500", "match": create})).await;
    let (summary, ..) = sim.run(leads(30)).await;
    assert_eq!(summary.count(Outcome::Created), 30, "{:?} {:?}", summary.counts, summary.trouble);
    assert_all_there(&sim.state().await, 30);

    sim.reset().await;
    sim.fault(json!({"kind": "reset_after_commit", "match": create, "times": 2})).await;
    let (summary, ..) = sim.run(leads(30)).await;
    assert_eq!(summary.count(Outcome::Created), 30, "{:?} {:?}", summary.counts, summary.trouble);
    assert_all_there(&sim.state().await, 30);

    sim.reset().await;
    let order = sim.order(30).await;
    let refreshes = sim.state().await["refresh_count"].as_u64().unwrap();
    sim.fault(json!({"kind": "expire_token_now", "match": create})).await;
    sim.fault(json!({"kind": "http_503_retry_after", "retry_after": 1, "match": create})).await;
    sim.fault(json!({"kind": "reset"})).await;
    let (summary, _, seen) = sim.run_order(&order, leads(30), |_| false).await;
    assert_eq!(summary.count(Outcome::Created), 30, "{:?}", summary.counts);
    assert!(seen.iter().any(|summary| summary.state == RunState::Waiting && summary.next_try.is_some()));
    let state = sim.state().await;
    assert_all_there(&state, 30);
    assert_eq!(state["refresh_count"].as_u64().unwrap() - refreshes, 1);
}

/// A lead that the vendor refuses is told with its words, and the others go.
pub(super) async fn tells_bad_leads(sim: &Sim, words: &str) {
    sim.fault(json!({"kind": "partial_fail", "email": "neil(3|17|23)@"})).await;
    let (summary, journal, _) = sim.run(leads(30)).await;
    assert_eq!((summary.count(Outcome::Created), summary.count(Outcome::Failed)), (27, 3));
    let failed = journal.outcomes()[&17].clone();
    assert!(failed.reason.contains(words) && !failed.next_step.is_empty(), "{failed:?}");
    assert_eq!(failed.lead, "Dana O'Neil17");
    assert_all_there(&sim.state().await, 27);
}

/// What only a person can mend stops the run in words.
pub(super) async fn says_it_in_words(sim: &Sim, words: &[(&str, Code, &str)]) {
    for (kind, code, word) in words {
        let order = sim.order(5).await;
        sim.reset().await;
        sim.fault(json!({"kind": kind, "always": true})).await;
        let (summary, ..) = sim.run_order(&order, leads(5), |_| false).await;
        let trouble = summary.trouble.clone().expect(kind);
        let text = format!("{} {}", trouble.message, trouble.remedy);
        assert_eq!((summary.state, trouble.code), (RunState::Stopped, *code), "{text}");
        assert!(text.contains(word), "{kind}: {text}");
        assert_eq!(summary.count(Outcome::Pending), 5);
        sim.reset().await;
    }
}

/// Too fast once is waited for, visibly; nothing more goes out for that long.
pub(super) async fn waits_when_too_fast(sim: &Sim, most_seconds: i64) {
    let order = sim.order(5).await;
    sim.fault(json!({"kind": "http_429"})).await;
    let waits = |summary: &RunSummary| summary.state == RunState::Waiting;
    let (_, _, seen) = sim.run_order(&order, leads(5), waits).await;
    let wait = seen.iter().find(|summary| waits(summary)).unwrap();
    let seconds = wait.next_try.unwrap().duration_since(Timestamp::now()).as_secs();
    assert!(seconds <= most_seconds, "{seconds}");
    assert!(wait.trouble.as_ref().unwrap().message.contains("slow down"), "{:?}", wait.trouble);
}

/// Signs in by our own flow, with the address that a browser would end on pasted back, and renews the token once.
pub(super) async fn signs_in_by_paste(sim: &Sim, client_id: &str, secret: Option<&str>) -> Grant {
    let base = format!("http://127.0.0.1:{}/{}", sim.peer.port, sim.platform);
    let flow = flow(sim.api.crm(), &base, client_id, secret);
    let grant = pasted(&flow).await;
    let keeper = TokenKeeper::new(flow, grant.clone(), Box::new(|_| Box::pin(async { Ok(()) })));
    let renewed = keeper.refresh_after_401(&grant.tokens.access).await.unwrap();
    assert_ne!(renewed.access.expose(), grant.tokens.access.expose());
    assert!(renewed.refresh.is_some() && renewed.expires_at.is_some());
    Grant { tokens: renewed, ..grant }
}
