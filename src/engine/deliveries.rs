//! Requests about deliveries: the log, the backlog of each webhook, replay.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use ulid::Ulid;

use super::messages::{Reply, Request};
use super::records::DeliveryRecord;
use super::{Inner, misrouted, run_life, runs, webhook_run, webhooks};
use crate::failure::{Code, Failure};
use crate::sync::{LeadOutcome, Outcome, RunState};
use crate::webhook::DeliverySummary;

pub(super) async fn call(inner: &Arc<Inner>, request: Request) -> Result<Reply, Failure> {
    Ok(match request {
        Request::Deliveries { webhook, run, limit } => Reply::Deliveries(log(inner, webhook, run, limit)?),
        Request::Replay { webhook, delivery } => Reply::Count(replay(inner, &webhook, delivery.as_deref()).await?),
        _ => return Err(misrouted()),
    })
}

/// Deliveries of a webhook that wait, and that were given up.
#[derive(Clone, Copy, Default)]
pub(super) struct Backlog {
    pub(super) waiting: u64,
    pub(super) parked: u64,
}

/// The backlog of every webhook that has one.
pub(super) fn backlogs(inner: &Inner) -> Result<HashMap<Ulid, Backlog>, Failure> {
    // What a cancelled run did not send waits for nothing.
    let unfinished: HashSet<Ulid> = runs::all_unfinished(inner, |_| true)?.into_iter().map(|(id, _)| id).collect();
    let mut backlogs: HashMap<Ulid, Backlog> = HashMap::new();
    for (key, delivery) in inner.store.scan::<DeliveryRecord>(&[])? {
        let backlog = backlogs.entry(delivery.webhook).or_default();
        match delivery.outcome {
            Outcome::Pending if runs::run_of(&key).is_some_and(|run| unfinished.contains(&run)) => backlog.waiting += 1,
            Outcome::Parked => backlog.parked += 1,
            _ => {}
        }
    }
    Ok(backlogs)
}

fn log(
    inner: &Inner,
    webhook: Option<String>,
    run: Option<String>,
    limit: usize,
) -> Result<Vec<DeliverySummary>, Failure> {
    let only = webhook.as_deref().map(|name| webhooks::find(inner, name)).transpose()?;
    let run = run.as_deref().map(|run| runs::find(inner, run)).transpose()?;
    let prefix = run.map(|id| id.to_bytes().to_vec());
    let names = webhooks::all(inner)?;
    let mut before: Option<Vec<u8>> = None;
    let mut found = Vec::new();
    while found.len() < limit {
        let page = inner.store.last::<DeliveryRecord>(prefix.as_deref().unwrap_or_default(), before.as_deref(), 500)?;
        let Some((last, _)) = page.last() else { break };
        before = Some(last.clone());
        for (key, delivery) in page {
            if only.as_ref().is_some_and(|only| only.id != delivery.webhook) {
                continue;
            }
            let name = names.iter().find(|known| known.id == delivery.webhook).map(|known| known.spec.name.clone());
            let run = runs::run_of(&key).map(|run| run.to_string());
            found.push(delivery_summary(delivery, name.unwrap_or_default(), run.unwrap_or_default()));
        }
    }
    found.truncate(limit);
    Ok(found)
}

fn delivery_summary(delivery: DeliveryRecord, webhook: String, run: String) -> DeliverySummary {
    let answer = match (delivery.reason.is_empty(), delivery.answer.is_empty()) {
        (false, true) => delivery.reason,
        (false, false) if delivery.reason != delivery.answer => format!("{}: {}", delivery.answer, delivery.reason),
        _ => delivery.answer,
    };
    DeliverySummary {
        id: delivery.planned.id,
        webhook,
        run,
        leads: delivery.leads,
        outcome: delivery.outcome,
        attempts: delivery.attempts,
        answer,
        ms: delivery.ms,
        time: delivery.time,
        next_try: delivery.next_try,
    }
}

/// A delivery that is not delivered as a row of a run's outcomes.
pub(super) fn outcome_row(delivery: &DeliveryRecord) -> LeadOutcome {
    let next_step = match delivery.outcome {
        Outcome::Parked => "Mend the cause, then retry the run or replay the delivery.",
        _ => "",
    };
    LeadOutcome {
        position: delivery.planned.positions.first().copied().unwrap_or_default(),
        lead: delivery.leads.clone(),
        outcome: delivery.outcome,
        reason: if delivery.reason.is_empty() { delivery.answer.clone() } else { delivery.reason.clone() },
        next_step: next_step.into(),
        remote_id: delivery.planned.id.clone(),
    }
}

async fn replay(inner: &Arc<Inner>, webhook: &str, delivery: Option<&str>) -> Result<u64, Failure> {
    let id = webhooks::find(inner, webhook)?.id;
    let _starting = inner.runs.starting.lock().await;
    let mut touched: BTreeSet<Ulid> = BTreeSet::new();
    for (key, known) in inner.store.scan::<DeliveryRecord>(&[])? {
        let wanted = delivery.is_none_or(|id| id == known.planned.id);
        if known.webhook == id && known.outcome == Outcome::Parked && wanted {
            touched.extend(runs::run_of(&key));
        }
    }
    if touched.is_empty() && delivery.is_some() {
        return Err(Failure::new(
            Code::NotFound,
            "There is no parked delivery of that id.",
            format!("See the log with 'leadferry webhook log {webhook}'."),
        ));
    }
    let mut count = 0;
    for run in touched {
        run_life::interrupt(inner, run).await;
        count += webhook_run::replay(inner, run, delivery).await?;
        let mut record = runs::load(inner, run)?;
        (record.summary.state, record.summary.ended) = (RunState::Waiting, None);
        runs::save(inner, run, &record).await?;
        run_life::go(inner, run, &record);
    }
    Ok(count)
}
