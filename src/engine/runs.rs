//! Requests about runs: plans, starting, resuming, cancelling, retrying, and what is kept of them.
//!
//! A run's record is durable before its task starts. How a run lives and ends is told in `run_life`.

use std::sync::Arc;

use ulid::Ulid;

use super::messages::{Reply, Request};
use super::records::{Frozen, RunRecord};
use super::{Inner, connections, crm_run, misrouted, run_leads, run_life, webhook_run, webhooks};
use crate::failure::{Code, Failure};
use crate::store::Batch;
use crate::sync::{Destination, Mode, Outcome, RunState, RunSummary, Settings};

pub(super) async fn call(inner: &Arc<Inner>, request: Request) -> Result<Reply, Failure> {
    Ok(match request {
        Request::Plan { list, destination } => Reply::Plan(Box::new(crm_run::plan(inner, &list, &destination).await?)),
        Request::StartRun { list, destination, settings, mode } => {
            Reply::Run(start(inner, &list, destination, settings, mode).await?)
        }
        Request::ResumeRuns => {
            let _starting = inner.runs.starting.lock().await;
            Reply::Count(resume(inner, |run| run.summary.state != RunState::Stopped)?)
        }
        Request::CancelRun { run } => {
            run_life::cancel(inner, find(inner, &run)?).await?;
            Reply::Done
        }
        Request::RetryRun { run } => Reply::Run(retry(inner, find(inner, &run)?).await?),
        Request::Runs { limit } => {
            let runs = inner.store.last::<RunRecord>(&[], None, limit)?;
            Reply::Runs(runs.into_iter().map(|(_, run)| run_life::current(inner, run.summary)).collect())
        }
        Request::Run { run } => {
            let id = find(inner, &run)?;
            let record = load(inner, id)?;
            let outcomes = run_leads::rows(inner, id, &record)?;
            Reply::RunDetail(run_life::current(inner, record.summary), outcomes)
        }
        _ => return Err(misrouted()),
    })
}

/// The run of an id, or of its unique beginning.
pub(super) fn find(inner: &Inner, text: &str) -> Result<Ulid, Failure> {
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

/// Whether a run has more to do.
pub(super) fn unfinished(summary: &RunSummary) -> bool {
    matches!(summary.state, RunState::Running | RunState::Waiting | RunState::Stopped)
}

/// Where a run goes to, by what never changes: a webhook can be renamed while a run waits.
fn same_destination(a: &RunRecord, b: &RunRecord) -> bool {
    match (&a.frozen, &b.frozen) {
        (Some(a), Some(b)) => a.webhook == b.webhook,
        (None, None) => a.summary.destination == b.summary.destination,
        _ => false,
    }
}

/// Whether two runs bring the same list to the same destination. A list that was deleted and saved anew is the same by its name.
fn same_way(a: &RunRecord, b: &RunRecord) -> bool {
    let same_list = a.list == b.list || a.summary.list.to_lowercase() == b.summary.list.to_lowercase();
    same_list && same_destination(a, b)
}

/// All unfinished runs that fit, oldest first.
pub(super) fn all_unfinished(
    inner: &Inner,
    fits: impl Fn(&RunRecord) -> bool,
) -> Result<Vec<(Ulid, RunRecord)>, Failure> {
    let mut found = Vec::new();
    for (key, run) in inner.store.scan::<RunRecord>(&[])? {
        if unfinished(&run.summary) && fits(&run) {
            found.push((run_of(&key).ok_or_else(misrouted)?, run));
        }
    }
    Ok(found)
}

/// The unfinished runs of the same list and destination that began before this one.
pub(super) fn older(inner: &Inner, id: Ulid, record: &RunRecord) -> Result<Vec<Ulid>, Failure> {
    let same = all_unfinished(inner, |run| same_way(run, record))?;
    Ok(same.into_iter().map(|(other, _)| other).filter(|other| *other < id).collect())
}

/// The run at the beginning of a key.
pub(super) fn run_of(key: &[u8]) -> Option<Ulid> {
    key.get(..16).and_then(|bytes| <[u8; 16]>::try_from(bytes).ok()).map(Ulid::from_bytes)
}

/// Starts a run, or goes on with the unfinished one of the same list version and destination.
async fn start(
    inner: &Arc<Inner>,
    list: &str,
    destination: Destination,
    settings: Option<Settings>,
    mode: Option<Mode>,
) -> Result<RunSummary, Failure> {
    let mut record = draft(inner, list, destination)?;
    let goes_on = |record: &RunRecord| {
        let same = |run: &RunRecord| same_way(run, record) && run.list == record.list;
        let known = all_unfinished(inner, |run| same(run) && run.summary.version == record.summary.version)?;
        Ok::<_, Failure>(known.into_iter().next_back())
    };
    record.settings = match (settings, &record.frozen) {
        (Some(settings), _) => settings,
        // Before the lock: it asks the vendor, and others may want to start meanwhile.
        (None, None) if goes_on(&record)?.is_none() => {
            crm_run::plan(inner, &record.summary.list, &record.summary.destination).await?.settings
        }
        (None, _) => record.settings,
    };
    record.settings.mode = mode.unwrap_or(record.settings.mode);
    let _starting = inner.runs.starting.lock().await;
    if let Some((id, known)) = goes_on(&record)? {
        return Ok(run_life::go(inner, id, &known));
    }
    let id = inner.new_id();
    record.summary.id = id.to_string();
    save(inner, id, &record).await?;
    Ok(run_life::go(inner, id, &record))
}

/// The record of a new run, without id and settings.
fn draft(inner: &Inner, list: &str, destination: Destination) -> Result<RunRecord, Failure> {
    let (list_id, version) = inner.lists.version(list, 0)?;
    let (list, _) = inner.lists.get(list)?;
    let (destination, frozen) = match destination {
        Destination::Crm { platform, account } => {
            let record = connections::find(inner, &platform, &account)?;
            (Destination::Crm { platform, account: record.account }, None)
        }
        Destination::Webhook { name } => {
            let record = webhooks::find(inner, &name)?;
            let frozen = Frozen { webhook: record.id, spec: webhooks::frozen(&record.spec), planned: false };
            (Destination::Webhook { name: record.spec.name }, Some(frozen))
        }
    };
    Ok(RunRecord {
        summary: RunSummary {
            id: String::new(),
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
        settings: Settings { mode: Mode::default(), mapping: Vec::new(), group: String::new() },
        grouped_before: 0,
        told: 0,
        frozen,
    })
}

/// Goes on with unfinished runs that fit; answers how many. The caller holds `starting`.
pub(super) fn resume(inner: &Arc<Inner>, fits: impl Fn(&RunRecord) -> bool) -> Result<u64, Failure> {
    let mut count = 0;
    let all: Vec<(Ulid, RunRecord)> =
        inner.store.scan::<RunRecord>(&[])?.into_iter().filter_map(|(key, run)| Some((run_of(&key)?, run))).collect();
    for (at, (id, run)) in all.iter().enumerate() {
        // One of an older version of the list is settled by the newer run, before that one sends anything.
        let newer = all[at + 1..].iter().any(|(_, other)| unfinished(&other.summary) && same_way(other, run));
        if unfinished(&run.summary) && fits(run) && !newer && !run_life::is_live(inner, *id) {
            run_life::go(inner, *id, run);
            count += 1;
        }
    }
    Ok(count)
}

/// Ends the unfinished runs that fit and waits until they have ended. The caller holds `starting`.
pub(super) async fn end_all(inner: &Arc<Inner>, fits: impl Fn(&RunRecord) -> bool) -> Result<(), Failure> {
    for (id, _) in all_unfinished(inner, fits)? {
        run_life::cancel(inner, id).await?;
        run_life::ended(inner, id).await;
    }
    Ok(())
}

/// Makes what failed, is unknown or was parked be tried again, and goes on.
async fn retry(inner: &Arc<Inner>, id: Ulid) -> Result<RunSummary, Failure> {
    let _starting = inner.runs.starting.lock().await;
    run_life::interrupt(inner, id).await;
    let mut record = load(inner, id)?;
    if record.frozen.is_some() {
        webhook_run::replay(inner, id, None).await?;
    } else {
        run_leads::reopen(inner, id).await?;
    }
    // A lead that was written and could not be added to its group is added now.
    record.grouped_before = 0;
    (record.summary.state, record.summary.ended) = (RunState::Running, None);
    record.summary.counts = run_leads::counts(inner, id, record.summary.total)?;
    save(inner, id, &record).await?;
    Ok(run_life::go(inner, id, &record))
}
