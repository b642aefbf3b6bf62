//! Requests about runs: plans, starting, resuming, cancelling, retrying, and what is kept of them.
//!
//! A run's record is durable before its task starts. A task that ends because the engine stops leaves the run unfinished; it
//! goes on when the same list is sent to the same destination again, or when an interface starts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;
use ulid::Ulid;

use super::messages::{Event, Reply, Request};
use super::records::{DeliveryRecord, Frozen, Mark, OutcomeBlock, RunRecord, key};
use super::{Inner, activity, connections, crm_run, misrouted, webhook_run, webhooks};
use crate::events::EventName;
use crate::failure::{Code, Failure};
use crate::store::Batch;
use crate::sync::{Destination, LeadOutcome, Mode, Outcome, RunState, RunSummary, Settings};

/// Tasks under way, by run.
#[derive(Default)]
pub(super) struct Runs {
    live: Mutex<HashMap<Ulid, Live>>,
    /// Held while a run is looked for and started, so that two wishes for the same start one.
    starting: tokio::sync::Mutex<()>,
}

struct Live {
    summary: RunSummary,
    cancel: CancellationToken,
}

impl Runs {
    fn live(&self) -> MutexGuard<'_, HashMap<Ulid, Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) async fn call(inner: &Arc<Inner>, request: Request) -> Result<Reply, Failure> {
    Ok(match request {
        Request::Plan { list, destination } => Reply::Plan(Box::new(crm_run::plan(inner, &list, &destination).await?)),
        Request::StartRun { list, destination, settings, mode } => {
            Reply::Run(start(inner, &list, destination, settings, mode).await?)
        }
        Request::ResumeRuns => Reply::Count(resume(inner, |run| run.summary.state != RunState::Stopped).await?),
        Request::CancelRun { run } => {
            let id = find(inner, &run)?;
            cancel(inner, id).await?;
            Reply::Done
        }
        Request::RetryRun { run } => Reply::Run(retry(inner, find(inner, &run)?).await?),
        Request::Runs { limit } => {
            let runs = inner.store.last::<RunRecord>(&[], None, limit)?;
            Reply::Runs(runs.into_iter().map(|(_, run)| current(inner, run.summary)).collect())
        }
        Request::Run { run } => {
            let id = find(inner, &run)?;
            let record = load(inner, id)?;
            let outcomes = outcomes(inner, id, &record)?;
            Reply::RunDetail(current(inner, record.summary), outcomes)
        }
        _ => return Err(misrouted()),
    })
}

/// A summary as it is at this moment: a live one is newer than the stored one.
fn current(inner: &Inner, stored: RunSummary) -> RunSummary {
    let live = inner.runs.live();
    let newer = Ulid::from_string(&stored.id).ok().and_then(|id| live.get(&id)).map(|live| live.summary.clone());
    newer.unwrap_or(stored)
}

/// The run of an id, or of its unique beginning.
fn find(inner: &Inner, text: &str) -> Result<Ulid, Failure> {
    if let Ok(id) = Ulid::from_string(text)
        && inner.store.get::<RunRecord>(id.to_bytes())?.is_some()
    {
        return Ok(id);
    }
    let wanted = text.to_uppercase();
    let all = inner.store.scan::<RunRecord>(&[])?;
    let mut fitting = all.into_iter().map(|(_, run)| run.summary.id).filter(|id| id.starts_with(&wanted));
    match (fitting.next(), fitting.next()) {
        (Some(id), None) if !wanted.is_empty() => Ulid::from_string(&id).map_err(|_| misrouted()),
        (None, _) => Err(Failure::new(
            Code::NotFound,
            format!("There is no run '{text}'."),
            "See the runs with 'leadferry run ls' or in Activity.",
        )),
        _ => Err(Failure::new(Code::Usage, format!("Several runs begin with '{text}'."), "Write more of the id.")),
    }
}

pub(super) fn load(inner: &Inner, id: Ulid) -> Result<RunRecord, Failure> {
    inner.store.get::<RunRecord>(id.to_bytes())?.ok_or_else(|| {
        Failure::new(Code::NotFound, "This run is not kept any more.", "Old runs go after the time in [log] keep.")
    })
}

pub(super) async fn save(inner: &Inner, id: Ulid, record: &RunRecord) -> Result<(), Failure> {
    let mut batch = Batch::new();
    batch.put(id.to_bytes(), record);
    inner.store.commit(batch).await
}

fn unfinished(summary: &RunSummary) -> bool {
    matches!(summary.state, RunState::Running | RunState::Waiting | RunState::Stopped)
}

fn same_list(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

/// Starts a run, or goes on with the unfinished one of the same list and destination. One of an older version of the list is
/// settled first: what was in flight ends under its old ids, the rest is superseded.
async fn start(
    inner: &Arc<Inner>,
    list: &str,
    destination: Destination,
    settings: Option<Settings>,
    mode: Option<Mode>,
) -> Result<RunSummary, Failure> {
    let _starting = inner.runs.starting.lock().await;
    let (list_id, version) = inner.lists.version(list, 0)?;
    let (list, _) = inner.lists.get(list)?;
    let (destination, webhook) = match destination {
        Destination::Crm { platform, account } => {
            let record = connections::find(inner, &platform, &account)?;
            (Destination::Crm { platform, account: record.account }, None)
        }
        Destination::Webhook { name } => {
            let record = webhooks::find(inner, &name)?;
            (Destination::Webhook { name: record.spec.name.clone() }, Some(record))
        }
    };
    let mut older = None;
    for (_, run) in inner.store.scan::<RunRecord>(&[])? {
        if !unfinished(&run.summary)
            || run.summary.destination != destination
            || !same_list(&run.summary.list, &list.name)
        {
            continue;
        }
        let id = Ulid::from_string(&run.summary.id).map_err(|_| misrouted())?;
        if run.summary.version == version.version && run.list == list_id {
            return go(inner, id, run, None);
        }
        older = Some(id);
    }
    let mut settings = match (settings, &destination) {
        (Some(settings), _) => settings,
        (None, Destination::Crm { .. }) => crm_run::plan(inner, &list.name, &destination).await?.settings,
        (None, Destination::Webhook { .. }) => {
            Settings { mode: Mode::default(), mapping: Vec::new(), group: String::new() }
        }
    };
    settings.mode = mode.unwrap_or(settings.mode);
    let id = Ulid::new();
    let record = RunRecord {
        summary: RunSummary {
            id: id.to_string(),
            list: list.name,
            version: version.version,
            destination,
            state: RunState::Running,
            started: inner.now(),
            ended: None,
            next_try: None,
            total: version.leads,
            counts: [(Outcome::Pending, version.leads)].into(),
            trouble: None,
        },
        list: list_id,
        settings,
        grouped_before: 0,
        frozen: webhook.map(|webhook| Frozen {
            webhook: webhook.id,
            spec: webhooks::frozen(&webhook.spec),
            planned: false,
        }),
    };
    save(inner, id, &record).await?;
    go(inner, id, record, older)
}

/// Spawns the task of a stored run; one that is under way already is answered as it is.
fn go(inner: &Arc<Inner>, id: Ulid, record: RunRecord, older: Option<Ulid>) -> Result<RunSummary, Failure> {
    let mut live = inner.runs.live();
    if let Some(under_way) = live.get(&id) {
        return Ok(under_way.summary.clone());
    }
    let mut summary = record.summary.clone();
    (summary.state, summary.next_try, summary.trouble) = (RunState::Running, None, None);
    let cancel = CancellationToken::new();
    live.insert(id, Live { summary: summary.clone(), cancel: cancel.clone() });
    drop(live);
    let engine = Arc::clone(inner);
    inner.tasks.spawn(async move {
        if let Some(older) = older {
            settle_older(&engine, older).await;
        }
        carry_out(&engine, id, cancel).await;
    });
    Ok(summary)
}

/// Carries a run out and keeps how it ended.
async fn carry_out(inner: &Arc<Inner>, id: Ulid, cancel: CancellationToken) {
    // Both the person and the engine's end stop the work; only the person's word ends the run.
    let work = cancel.child_token();
    let guard = work.clone();
    let stop = inner.stop.clone();
    let watch = tokio::spawn(async move {
        stop.cancelled().await;
        guard.cancel();
    });
    let ended = match load(inner, id) {
        Err(failure) => Err(failure),
        Ok(mut record) => {
            (record.summary.state, record.summary.next_try) = (RunState::Running, None);
            (record.summary.ended, record.summary.trouble) = (None, None);
            let summary = match record.summary.destination.clone() {
                Destination::Crm { .. } => crm_run::carry_out(inner, id, &record, work).await,
                Destination::Webhook { .. } => webhook_run::carry_out(inner, id, record, work).await,
            };
            summary.map(|mut summary| {
                if summary.state == RunState::Cancelled && !cancel.is_cancelled() {
                    summary.state = RunState::Waiting;
                    summary.ended = None;
                }
                summary
            })
        }
    };
    watch.abort();
    let kept = match ended {
        Ok(summary) => end(inner, id, summary).await,
        Err(failure) => fail(inner, id, failure).await,
    };
    if let Err(failure) = kept {
        tracing::error!("the end of a run could not be kept: {}", crate::text::clean(&failure.message));
    }
}

/// A run that could not be carried out at all is stopped with the reason.
async fn fail(inner: &Arc<Inner>, id: Ulid, failure: Failure) -> Result<(), Failure> {
    let mut record = load(inner, id)?;
    (record.summary.state, record.summary.trouble) = (RunState::Stopped, Some(failure));
    end(inner, id, record.summary).await
}

async fn end(inner: &Arc<Inner>, id: Ulid, summary: RunSummary) -> Result<(), Failure> {
    let mut record = load(inner, id)?;
    let told_before = sent(&record.summary);
    record.summary = summary.clone();
    let kept = save(inner, id, &record).await;
    inner.runs.live().remove(&id);
    kept?;
    if summary.state == RunState::Done && sent(&summary) > told_before {
        let platform = match &summary.destination {
            Destination::Crm { platform, .. } => platform.as_str(),
            Destination::Webhook { .. } => "webhook",
        };
        activity::record(inner, EventName::LeadsSynced, platform, sent(&summary), &summary.list).await?;
    }
    if let Destination::Crm { platform, account } = &summary.destination
        && let Ok(connection) = connections::find(inner, platform, account)
    {
        match &summary.trouble {
            Some(failure) if failure.code == Code::SignInNeeded => {
                connections::set_trouble(inner, connection.id, Some(failure.clone())).await?;
            }
            None if summary.state == RunState::Done => {
                connections::note_sync(inner, connection.id, record.settings.clone()).await?;
            }
            _ => {}
        }
    }
    inner.tell(Event::Run(summary));
    inner.tell(Event::Changed);
    Ok(())
}

/// Leads that are there now by this run.
fn sent(summary: &RunSummary) -> u64 {
    [Outcome::Created, Outcome::Updated, Outcome::Unchanged, Outcome::Delivered]
        .map(|out| summary.count(out))
        .iter()
        .sum()
}

/// Tells how a run stands and remembers it for who asks.
pub(super) fn progress(inner: &Inner, id: Ulid, summary: &RunSummary) {
    if let Some(live) = inner.runs.live().get_mut(&id) {
        live.summary = summary.clone();
    }
    // The end is told once it is durable.
    if matches!(summary.state, RunState::Running | RunState::Waiting) {
        inner.tell(Event::Run(summary.clone()));
    }
}

/// Ends a run of an older version of the list.
async fn settle_older(inner: &Arc<Inner>, id: Ulid) {
    if let Some(live) = inner.runs.live().get(&id) {
        live.cancel.cancel();
    }
    let settled = async {
        let mut record = load(inner, id)?;
        match record.frozen {
            // A record that was being written is written again, newer, by the same key: nothing of it can be doubled.
            None => crm_run::supersede(inner, id, &mut record.summary)?,
            Some(_) => record.summary = webhook_run::supersede(inner, id, &record, inner.stop.child_token()).await?,
        }
        (record.summary.state, record.summary.ended) = (RunState::Done, Some(inner.now()));
        save(inner, id, &record).await?;
        inner.tell(Event::Run(record.summary));
        Ok::<(), Failure>(())
    };
    if let Err(failure) = settled.await {
        tracing::error!("an older run could not be settled: {}", crate::text::clean(&failure.message));
    }
}

async fn cancel(inner: &Arc<Inner>, id: Ulid) -> Result<(), Failure> {
    if let Some(live) = inner.runs.live().get(&id) {
        live.cancel.cancel();
        return Ok(());
    }
    let mut record = load(inner, id)?;
    if unfinished(&record.summary) {
        (record.summary.state, record.summary.ended) = (RunState::Cancelled, Some(inner.now()));
        (record.summary.next_try, record.summary.trouble) = (None, None);
        save(inner, id, &record).await?;
        inner.tell(Event::Run(record.summary));
    }
    Ok(())
}

/// Goes on with unfinished runs that fit; answers how many.
pub(super) async fn resume(inner: &Arc<Inner>, fits: impl Fn(&RunRecord) -> bool) -> Result<u64, Failure> {
    let _starting = inner.runs.starting.lock().await;
    let mut count = 0;
    for (_, run) in inner.store.scan::<RunRecord>(&[])? {
        if unfinished(&run.summary) && fits(&run) {
            let id = Ulid::from_string(&run.summary.id).map_err(|_| misrouted())?;
            go(inner, id, run, None)?;
            count += 1;
        }
    }
    Ok(count)
}

/// Makes what failed, is unknown or was parked be tried again, and goes on.
async fn retry(inner: &Arc<Inner>, id: Ulid) -> Result<RunSummary, Failure> {
    let _starting = inner.runs.starting.lock().await;
    if let Some(live) = inner.runs.live().get(&id) {
        return Ok(live.summary.clone());
    }
    let mut record = load(inner, id)?;
    webhook_run::replay(inner, id, None).await?;
    for (block_key, mut block) in inner.store.scan::<OutcomeBlock>(id.to_bytes())? {
        let mut changed = false;
        for (at, mark) in block.marks.iter_mut().enumerate() {
            let again = match mark {
                Mark::Settled(Outcome::Failed | Outcome::Parked | Outcome::Pending) => Mark::Fresh,
                Mark::Settled(Outcome::Unknown) => Mark::Sending,
                _ => continue,
            };
            *mark = again;
            block.rows.remove(&u32::try_from(at).unwrap_or(u32::MAX));
            changed = true;
        }
        if changed {
            let mut batch = Batch::new();
            batch.put(&block_key, &block);
            inner.store.commit(batch).await?;
        }
    }
    if let Some(frozen) = &mut record.frozen {
        // Leads that could not be rendered are planned again.
        frozen.planned = false;
    }
    record.grouped_before = 0;
    (record.summary.state, record.summary.ended) = (RunState::Running, None);
    save(inner, id, &record).await?;
    go(inner, id, record, None)
}

/// The rows that need a person's eye, in list order.
fn outcomes(inner: &Inner, id: Ulid, record: &RunRecord) -> Result<Vec<LeadOutcome>, Failure> {
    let mut rows = Vec::new();
    for (_, block) in inner.store.scan::<OutcomeBlock>(id.to_bytes())? {
        rows.extend(block.rows.into_values());
    }
    if record.frozen.is_some() {
        for (_, delivery) in inner.store.scan::<DeliveryRecord>(id.to_bytes())? {
            if !matches!(delivery.outcome, Outcome::Delivered) {
                rows.push(webhooks::outcome_row(&delivery));
            }
        }
        rows.sort_by_key(|row| row.position);
    }
    Ok(rows)
}

/// The key of an outcome block.
pub(super) fn block_key(id: Ulid, block: u64) -> Vec<u8> {
    key(id, block)
}
