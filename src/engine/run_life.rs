//! The life of a run: its task, how it is stopped, what it leaves in the store, and what older runs it settles first.
//!
//! A task can be stopped in two ways: by the person, which ends the run, and otherwise (the engine ends, a webhook's settings
//! changed, a newer run takes over), which leaves it unfinished, so that it can go on under its old ids.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;
use ulid::Ulid;

use super::messages::Event;
use super::records::RunRecord;
use super::runs::{self, load};
use super::{Inner, activity, connections, crm_run, run_leads, webhook_run};
use crate::events::EventName;
use crate::failure::Failure;
use crate::store::Batch;
use crate::sync::{Destination, Outcome, RunState, RunSummary};

/// Tasks under way, by run.
#[derive(Default)]
pub(super) struct Runs {
    live: Mutex<HashMap<Ulid, Live>>,
    /// Held while runs are looked for and started or changed, so that two wishes for the same start one.
    pub(super) starting: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct Live {
    summary: RunSummary,
    /// The person's word: the run ends.
    cancel: CancellationToken,
    /// Stops the work.
    work: CancellationToken,
    /// Cancelled when the task has ended.
    ended: CancellationToken,
}

impl Runs {
    fn live(&self) -> MutexGuard<'_, HashMap<Ulid, Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, id: Ulid) -> Option<Live> {
        self.live().get(&id).cloned()
    }
}

/// A summary as it is at this moment: a live one is newer than the stored one.
pub(super) fn current(inner: &Inner, stored: RunSummary) -> RunSummary {
    let live = Ulid::from_string(&stored.id).ok().and_then(|id| inner.runs.get(id));
    live.map_or(stored, |live| live.summary)
}

pub(super) fn is_live(inner: &Inner, id: Ulid) -> bool {
    inner.runs.live().contains_key(&id)
}

/// Spawns the task of a stored run; one that is under way already is answered as it is.
pub(super) fn go(inner: &Arc<Inner>, id: Ulid, record: &RunRecord) -> RunSummary {
    let mut live = inner.runs.live();
    if let Some(under_way) = live.get(&id).filter(|live| !live.ended.is_cancelled()) {
        return under_way.summary.clone();
    }
    let mut summary = record.summary.clone();
    begun(&mut summary);
    let (cancel, work, ended) = (CancellationToken::new(), inner.stop.child_token(), CancellationToken::new());
    live.insert(
        id,
        Live { summary: summary.clone(), cancel: cancel.clone(), work: work.clone(), ended: ended.clone() },
    );
    drop(live);
    let engine = Arc::clone(inner);
    let gone = ended.drop_guard();
    inner.tasks.spawn(async move {
        let summary = match carry_out(&engine, id, work).await {
            Ok(summary) => Ok(summary),
            // A run that could not be carried out at all is stopped with the reason.
            Err(failure) => load(&engine, id).map(|record| RunSummary {
                state: RunState::Stopped,
                trouble: Some(failure),
                ..record.summary
            }),
        };
        let kept = match summary {
            Ok(mut summary) => {
                if summary.state == RunState::Cancelled && !cancel.is_cancelled() {
                    summary.state = RunState::Waiting;
                }
                end(&engine, id, summary).await
            }
            Err(failure) => Err(failure),
        };
        if let Err(failure) = kept {
            engine.runs.live().remove(&id);
            tracing::error!("the end of a run could not be kept: {}", crate::text::clean(&failure.message));
        }
        drop(gone);
    });
    summary
}

fn begun(summary: &mut RunSummary) {
    (summary.state, summary.ended) = (RunState::Running, None);
    (summary.next_try, summary.trouble) = (None, None);
}

/// Carries a run out. The answer's state is cancelled when the work was stopped, by whomever.
async fn carry_out(inner: &Arc<Inner>, id: Ulid, work: CancellationToken) -> Result<RunSummary, Failure> {
    let mut record = load(inner, id)?;
    let before = record.summary.clone();
    begun(&mut record.summary);
    if record.summary != before {
        runs::save(inner, id, &record).await?;
    }
    for older in runs::older(inner, id, &record)? {
        interrupt(inner, older).await;
        supersede(inner, older, &work).await?;
    }
    let summary = match record.summary.destination {
        Destination::Crm { .. } => crm_run::carry_out(inner, id, &record, work).await?,
        Destination::Webhook { .. } => webhook_run::carry_out(inner, id, record, work).await?,
    };
    // What is stored counts: a run that went on has not looked at every lead again.
    let counts = run_leads::counts(inner, id, summary.total)?;
    Ok(RunSummary { counts, ..summary })
}

/// Ends a run of an older version of the list: what was in flight is sent to its end under its old ids, the rest is superseded.
async fn supersede(inner: &Arc<Inner>, id: Ulid, work: &CancellationToken) -> Result<(), Failure> {
    let record = load(inner, id)?;
    if work.is_cancelled() || !runs::unfinished(&record.summary) {
        return Ok(());
    }
    // What a CRM was being sent is written again, newer, by the same key: nothing of it can be doubled.
    if record.frozen.is_some() {
        webhook_run::send_under_way(inner, id, &record, work.clone()).await?;
    }
    if work.is_cancelled() {
        return Ok(());
    }
    run_leads::supersede(inner, id, record.summary.total).await?;
    let counts = run_leads::counts(inner, id, record.summary.total)?;
    end(inner, id, RunSummary { counts, state: RunState::Done, trouble: None, ..record.summary }).await
}

/// Keeps and tells how a run stands now that nothing works on it.
async fn end(inner: &Arc<Inner>, id: Ulid, mut summary: RunSummary) -> Result<(), Failure> {
    let mut record = load(inner, id)?;
    let over = !runs::unfinished(&summary);
    summary.ended = over.then(|| inner.now());
    if summary.state != RunState::Waiting {
        summary.next_try = None;
    }
    record.summary = summary.clone();
    let mut batch = Batch::new();
    let news = sent(&summary).saturating_sub(record.told);
    if over && news > 0 {
        // In one batch with the end, so that it is told once whenever the process dies.
        record.told += news;
        let platform = match &summary.destination {
            Destination::Crm { platform, .. } => platform.as_str(),
            Destination::Webhook { .. } => "webhook",
        };
        activity::put(inner, &mut batch, EventName::LeadsSynced, platform, news, &summary.list);
    }
    batch.put(id.to_bytes(), &record);
    let kept = inner.store.commit(batch).await;
    inner.runs.live().remove(&id);
    kept?;
    note_connection(inner, &record).await?;
    inner.tell(Event::Run(summary));
    inner.tell(Event::Changed);
    Ok(())
}

/// A connection remembers what was wrong, or when leads went there and how.
async fn note_connection(inner: &Arc<Inner>, record: &RunRecord) -> Result<(), Failure> {
    let Destination::Crm { platform, account } = &record.summary.destination else { return Ok(()) };
    let Ok(connection) = connections::find(inner, platform, account) else { return Ok(()) };
    match &record.summary.trouble {
        Some(failure) => connections::note_trouble(inner, connection.id, failure).await,
        None if record.summary.state == RunState::Done && record.summary.count(Outcome::Superseded) == 0 => {
            connections::note_sync(inner, connection.id, record.settings.clone()).await
        }
        _ => Ok(()),
    }
}

/// Leads that are there now by this run.
fn sent(summary: &RunSummary) -> u64 {
    [Outcome::Created, Outcome::Updated, Outcome::Unchanged, Outcome::Delivered]
        .map(|out| summary.count(out))
        .iter()
        .sum()
}

/// Tells how a run stands and remembers it for who asks. Its end is told once it is durable.
pub(super) fn progress(inner: &Inner, id: Ulid, summary: &RunSummary) {
    if !matches!(summary.state, RunState::Running | RunState::Waiting) {
        return;
    }
    if let Some(live) = inner.runs.live().get_mut(&id) {
        live.summary = summary.clone();
    }
    inner.tell(Event::Run(summary.clone()));
}

/// Ends a run by the person's word. A live one ends a moment later: [`ended`] waits for it.
pub(super) async fn cancel(inner: &Arc<Inner>, id: Ulid) -> Result<(), Failure> {
    if let Some(live) = inner.runs.get(id) {
        live.cancel.cancel();
        live.work.cancel();
        return Ok(());
    }
    let record = load(inner, id)?;
    if !runs::unfinished(&record.summary) {
        return Ok(());
    }
    end(inner, id, RunSummary { state: RunState::Cancelled, trouble: None, ..record.summary }).await
}

/// Stops the work on a run, so that its records can be changed; answers when nothing works on it any more. It can go on.
pub(super) async fn interrupt(inner: &Inner, id: Ulid) {
    if let Some(live) = inner.runs.get(id) {
        live.work.cancel();
        live.ended.cancelled().await;
    }
}

/// Waits until nothing works on a run.
pub(super) async fn ended(inner: &Inner, id: Ulid) {
    if let Some(live) = inner.runs.get(id) {
        live.ended.cancelled().await;
    }
}
