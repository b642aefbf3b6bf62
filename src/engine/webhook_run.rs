//! Runs to a webhook: planning deliveries durably, working them off, and the queue's log over the store.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use ulid::Ulid;

use super::messages::Event;
use super::records::{DeliveryRecord, Frozen, Mark, OutcomeBlock, RunRecord, WebhookRecord, key};
use super::{Inner, misrouted, runs, webhooks};
use crate::failure::{Code, Failure};
use crate::lead::{Field, Lead, Schema};
use crate::list::ListVersion;
use crate::store::{Batch, LEADS_PER_BLOCK};
use crate::sync::{LeadOutcome, Outcome, RunState, RunSummary};
use crate::webhook::WebhookState;
use crate::webhook::plan::{Payload, Planned, Planner, Step};
use crate::webhook::queue::{Ended, Pending, Progress, QueueLog};
use crate::webhook::template::Context;
use crate::webhook::worker::{Endpoint, Worker};

const PER_BLOCK: u64 = LEADS_PER_BLOCK as u64;
/// Deliveries handed to the worker ahead of time.
const AHEAD: usize = 256;

/// Carries a run out: plans what is not planned, then works off what has no outcome.
pub(super) async fn carry_out(
    inner: &Arc<Inner>,
    id: Ulid,
    mut record: RunRecord,
    cancel: CancellationToken,
) -> Result<RunSummary, Failure> {
    let frozen = record.frozen.clone().ok_or_else(misrouted)?;
    let webhook = webhooks::by_id(inner, frozen.webhook)?;
    let version = inner.lists.version_by_id(record.list, record.summary.version)?;
    let payload = payload(&record, &frozen, &version)?;
    if !frozen.planned {
        plan(inner, id, &record, &version, &payload, &frozen)?.commit(inner).await?;
        record.frozen = Some(Frozen { planned: true, ..frozen.clone() });
        runs::save(inner, id, &record).await?;
    }
    record.summary.counts = count(inner, id, record.summary.total)?;
    if webhook.state != WebhookState::Active {
        record.summary.state = RunState::Stopped;
        record.summary.trouble = Some(webhooks::halted(&webhook.spec.name, webhook.state, &webhook.reason));
        return Ok(record.summary);
    }
    runs::progress(inner, id, &record.summary);
    work(inner, id, record, webhook, version, payload, cancel, |_| true).await
}

/// Ends a run of an older list version: what was in flight is sent to its end under its old ids, the rest is superseded.
pub(super) async fn supersede(
    inner: &Arc<Inner>,
    id: Ulid,
    record: &RunRecord,
    cancel: CancellationToken,
) -> Result<RunSummary, Failure> {
    let frozen = record.frozen.clone().ok_or_else(misrouted)?;
    let mut batch = Batch::new();
    for (key, mut delivery) in inner.store.scan::<DeliveryRecord>(id.to_bytes())? {
        if delivery.outcome == Outcome::Pending && !delivery.under_way {
            delivery.outcome = Outcome::Superseded;
            delivery.reason = "A newer version of the list went out instead.".into();
            delivery.next_try = None;
            batch.put(&key, &delivery);
        }
    }
    inner.store.commit(batch).await?;
    let mut summary = record.summary.clone();
    if let (Ok(version), Ok(webhook)) =
        (inner.lists.version_by_id(record.list, summary.version), webhooks::by_id(inner, frozen.webhook))
    {
        let payload = payload(record, &frozen, &version)?;
        summary =
            work(inner, id, record.clone(), webhook, version, payload, cancel, |delivery| delivery.under_way).await?;
    }
    Ok(summary)
}

fn payload(record: &RunRecord, frozen: &Frozen, version: &ListVersion) -> Result<Payload, Failure> {
    let context = Context {
        list: record.summary.list.clone(),
        version: record.summary.version,
        run: record.summary.id.clone(),
        event: Context::SYNCED,
        now: record.summary.started,
    };
    Payload::new(&frozen.spec, context, version.schema.clone())
}

/// What a plan puts into the store.
struct Plans(Vec<Batch>);

impl Plans {
    async fn commit(self, inner: &Inner) -> Result<(), Failure> {
        for batch in self.0 {
            inner.store.commit(batch).await?;
        }
        Ok(())
    }
}

/// Plans every lead of the list version. Deliveries that exist already keep their record.
fn plan(
    inner: &Inner,
    id: Ulid,
    record: &RunRecord,
    version: &ListVersion,
    payload: &Payload,
    frozen: &Frozen,
) -> Result<Plans, Failure> {
    let webhook = frozen.webhook.to_string();
    let mut planner = Planner::new(payload, &webhook, &frozen.spec)?;
    let mut plans = Plans(Vec::new());
    let mut position = 0;
    let mut names: BTreeMap<u64, String> = BTreeMap::new();
    for number in 0..version.blocks {
        let mut batch = Batch::new();
        let mut block = OutcomeBlock::default();
        let first = position;
        let mut steps = Vec::new();
        for lead in inner.lists.block(record.list, version.version, number)? {
            names.insert(position, person(&version.schema, &lead));
            steps.extend(planner.push(position, &lead));
            position += 1;
        }
        // A batch of leads never spans two blocks, so that a block's records are whole when it is committed.
        steps.extend(planner.finish());
        for step in steps {
            match step {
                Step::Send(planned) => {
                    let at = key(id, planned.positions[0]);
                    if inner.store.get::<DeliveryRecord>(&at)?.is_none() {
                        batch.put(&at, &fresh(planned, frozen.webhook, &names, inner.now()));
                    }
                }
                Step::Skip(position) => settle(&mut block, position - first, Outcome::Skipped),
                Step::Refuse(positions, failure) => {
                    for position in positions {
                        settle(&mut block, position - first, Outcome::Parked);
                        let row = LeadOutcome {
                            position,
                            lead: names.get(&position).cloned().unwrap_or_default(),
                            outcome: Outcome::Parked,
                            reason: failure.message.clone(),
                            next_step: failure.remedy.clone(),
                            remote_id: String::new(),
                        };
                        block.rows.insert(u32::try_from(position - first).unwrap_or_default(), row);
                    }
                }
            }
        }
        names.clear();
        batch.put(runs::block_key(id, first / PER_BLOCK), &block);
        plans.0.push(batch);
    }
    Ok(plans)
}

fn settle(block: &mut OutcomeBlock, at: u64, outcome: Outcome) {
    let at = usize::try_from(at).unwrap_or_default();
    if block.marks.len() <= at {
        block.marks.resize(at + 1, Mark::Fresh);
    }
    block.marks[at] = Mark::Settled(outcome);
}

fn fresh(planned: Planned, webhook: Ulid, names: &BTreeMap<u64, String>, now: Timestamp) -> DeliveryRecord {
    let first = planned.positions.first().and_then(|position| names.get(position)).cloned().unwrap_or_default();
    let leads = match planned.positions.len() {
        0 | 1 => first,
        many => format!("{first} and {} more", many - 1),
    };
    DeliveryRecord {
        planned,
        webhook,
        leads,
        outcome: Outcome::Pending,
        attempts: 0,
        under_way: false,
        answer: String::new(),
        reason: String::new(),
        ms: 0,
        time: now,
        next_try: None,
    }
}

/// A lead for a person: its name, else its e-mail.
fn person(schema: &Schema, lead: &Lead) -> String {
    let name = lead.display_name(schema);
    if name.is_empty() { lead.get(schema, Field::Email).to_owned() } else { name }
}

/// Leads per outcome, from what is stored.
fn count(inner: &Inner, id: Ulid, total: u64) -> Result<BTreeMap<Outcome, u64>, Failure> {
    let mut counts: BTreeMap<Outcome, u64> = BTreeMap::new();
    for (_, block) in inner.store.scan::<OutcomeBlock>(id.to_bytes())? {
        for mark in block.marks {
            if let Mark::Settled(outcome) = mark {
                *counts.entry(outcome).or_default() += 1;
            }
        }
    }
    for (_, delivery) in inner.store.scan::<DeliveryRecord>(id.to_bytes())? {
        *counts.entry(delivery.outcome).or_default() += delivery.planned.positions.len() as u64;
    }
    let settled: u64 = counts.iter().filter(|(outcome, _)| **outcome != Outcome::Pending).map(|(_, count)| count).sum();
    counts.insert(Outcome::Pending, total.saturating_sub(settled));
    Ok(counts)
}

/// Works off the deliveries without an outcome that fit.
#[allow(clippy::too_many_arguments, reason = "one caller each for a whole run and for the rest of an older one")]
async fn work(
    inner: &Arc<Inner>,
    id: Ulid,
    record: RunRecord,
    webhook: WebhookRecord,
    version: ListVersion,
    payload: Payload,
    cancel: CancellationToken,
    fits: impl Fn(&DeliveryRecord) -> bool,
) -> Result<RunSummary, Failure> {
    let mut pending = Vec::new();
    let mut kept = HashMap::new();
    for (key, delivery) in inner.store.scan::<DeliveryRecord>(id.to_bytes())? {
        if delivery.outcome == Outcome::Pending && fits(&delivery) {
            let (planned, attempts, due) = (delivery.planned.clone(), delivery.attempts, delivery.next_try);
            pending.push(Pending { planned, attempts, due });
            kept.insert(delivery.planned.id.clone(), (key, delivery));
        }
    }
    let concurrency = usize::try_from(inner.config.webhook.concurrency).unwrap_or(1).max(1);
    let endpoint = Endpoint { spec: webhook.spec.clone(), keys: webhooks::keys(&webhook, inner.now())?, concurrency };
    let mut summary = record.summary;
    summary.counts = count(inner, id, summary.total)?;
    let log = Arc::new(StoreLog {
        inner: Arc::clone(inner),
        run: id,
        list: record.list,
        version,
        payload,
        webhook: webhook.id,
        kept: Mutex::new(kept),
        block: Mutex::default(),
        summary: Mutex::new(summary),
    });
    let worker = Worker::new(endpoint, Arc::new(inner.sender.clone()), Arc::clone(&log) as Arc<dyn QueueLog>);
    let (feed, deliveries) = mpsc::channel(AHEAD);
    let feeder = tokio::spawn(async move {
        for delivery in pending {
            if feed.send(delivery).await.is_err() {
                return;
            }
        }
    });
    let ended = worker.run(deliveries, None, cancel).await;
    feeder.abort();
    let mut summary = log.summary().clone();
    summary.next_try = None;
    match ended? {
        Ended::Settled => (summary.state, summary.ended) = (RunState::Done, Some(inner.now())),
        Ended::Waiting(time) => (summary.state, summary.next_try) = (RunState::Waiting, Some(time)),
        Ended::Halted(state, reason) => {
            summary.state = RunState::Stopped;
            summary.trouble = Some(webhooks::halted(&webhook.spec.name, state, &reason));
        }
        Ended::Stopped => (summary.state, summary.ended) = (RunState::Cancelled, Some(inner.now())),
    }
    Ok(summary)
}

/// Queues parked deliveries of a run (or one of them) again; answers how many.
pub(super) async fn replay(inner: &Inner, run: Ulid, only: Option<&str>) -> Result<u64, Failure> {
    let mut batch = Batch::new();
    let mut count = 0;
    for (key, mut delivery) in inner.store.scan::<DeliveryRecord>(run.to_bytes())? {
        if delivery.outcome == Outcome::Parked && only.is_none_or(|id| id == delivery.planned.id) {
            (delivery.outcome, delivery.attempts, delivery.next_try) = (Outcome::Pending, 0, None);
            delivery.reason.clear();
            batch.put(&key, &delivery);
            count += 1;
        }
    }
    inner.store.commit(batch).await?;
    Ok(count)
}

type Kept = HashMap<String, (Vec<u8>, DeliveryRecord)>;

/// The queue's log in the store.
struct StoreLog {
    inner: Arc<Inner>,
    run: Ulid,
    list: Ulid,
    version: ListVersion,
    payload: Payload,
    webhook: Ulid,
    kept: Mutex<Kept>,
    /// The block last read: deliveries go from front to back.
    block: Mutex<Option<(u64, Arc<Vec<Lead>>)>>,
    summary: Mutex<RunSummary>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl StoreLog {
    fn summary(&self) -> MutexGuard<'_, RunSummary> {
        locked(&self.summary)
    }

    fn block(&self, number: u64) -> Result<Arc<Vec<Lead>>, Failure> {
        if let Some((at, leads)) = &*locked(&self.block)
            && *at == number
        {
            return Ok(Arc::clone(leads));
        }
        let block = u32::try_from(number).unwrap_or(u32::MAX);
        let leads = Arc::new(self.inner.lists.block(self.list, self.version.version, block)?);
        *locked(&self.block) = Some((number, Arc::clone(&leads)));
        Ok(leads)
    }

    async fn keep(&self, id: &str, change: impl FnOnce(&mut DeliveryRecord)) -> Result<(), Failure> {
        let mut batch = Batch::new();
        {
            let mut kept = locked(&self.kept);
            let (key, delivery) = kept.get_mut(id).ok_or_else(misrouted)?;
            change(delivery);
            batch.put(&*key, &*delivery);
        }
        self.inner.store.commit(batch).await
    }
}

#[async_trait::async_trait]
impl QueueLog for StoreLog {
    async fn body(&self, planned: &Planned) -> Result<Vec<u8>, Failure> {
        let mut leads = Vec::with_capacity(planned.positions.len());
        for position in &planned.positions {
            let block = self.block(position / PER_BLOCK)?;
            let at = usize::try_from(position % PER_BLOCK).unwrap_or(usize::MAX);
            let lead = block.get(at).cloned().ok_or_else(|| {
                Failure::new(Code::Failed, "The lead of this delivery is not in the list.", "Send the list anew.")
            })?;
            leads.push(lead);
        }
        self.payload.render(&leads.iter().collect::<Vec<_>>())
    }

    async fn started(&self, id: &str, attempts: u32, at: Timestamp) -> Result<(), Failure> {
        self.keep(id, |delivery| {
            (delivery.attempts, delivery.time, delivery.under_way) = (attempts, at, true);
        })
        .await
    }

    async fn ended(&self, planned: &Planned, progress: &Progress) -> Result<(), Failure> {
        self.keep(&planned.id, |delivery| {
            delivery.under_way = false;
            (delivery.outcome, delivery.attempts, delivery.ms) = (progress.outcome, progress.attempts, progress.ms);
            (delivery.answer, delivery.reason) = (progress.answer.clone(), progress.reason.clone());
            (delivery.time, delivery.next_try) = (progress.time, progress.next_try);
        })
        .await?;
        let leads = planned.positions.len() as u64;
        let summary = {
            let mut summary = self.summary();
            (summary.state, summary.next_try) = (RunState::Running, None);
            if progress.outcome != Outcome::Pending {
                let left = summary.count(Outcome::Pending).saturating_sub(leads);
                summary.counts.insert(Outcome::Pending, left);
                *summary.counts.entry(progress.outcome).or_default() += leads;
            }
            summary.clone()
        };
        runs::progress(&self.inner, self.run, &summary);
        if progress.outcome == Outcome::Delivered {
            webhooks::delivered(&self.inner, self.webhook, progress.time).await?;
        }
        Ok(())
    }

    async fn halted(&self, state: WebhookState, reason: &str) -> Result<(), Failure> {
        let summary = webhooks::set_state(&self.inner, self.webhook, state, reason).await?;
        self.inner.tell(Event::Webhook(summary));
        Ok(())
    }

    async fn idle(&self, until: Timestamp) {
        let summary = {
            let mut summary = self.summary();
            if summary.next_try == Some(until) {
                return;
            }
            (summary.state, summary.next_try) = (RunState::Waiting, Some(until));
            summary.clone()
        };
        runs::progress(&self.inner, self.run, &summary);
    }
}
