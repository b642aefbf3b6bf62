//! Runs to a webhook: made durable by `webhook_plan`, worked off here over the log in `webhook_log`, replayed.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use ulid::Ulid;

use super::records::{DeliveryRecord, Frozen, RunRecord, WebhookRecord};
use super::webhook_log::StoreLog;
use super::{Inner, misrouted, run_leads, run_life, runs, webhook_plan, webhooks};
use crate::failure::Failure;
use crate::list::ListVersion;
use crate::store::Batch;
use crate::sync::{Outcome, RunState, RunSummary};
use crate::webhook::WebhookState;
use crate::webhook::plan::{Payload, Planned};
use crate::webhook::queue::{Ended, Pending, QueueLog};
use crate::webhook::template::Context;
use crate::webhook::worker::{Endpoint, Worker};

/// Deliveries handed to the worker ahead of time.
const AHEAD: usize = 256;

/// A run with what its deliveries are made of.
struct Job {
    id: Ulid,
    summary: RunSummary,
    list: Ulid,
    webhook: WebhookRecord,
    version: ListVersion,
    payload: Payload,
}

impl Job {
    fn new(inner: &Inner, id: Ulid, record: &RunRecord, frozen: &Frozen) -> Result<Job, Failure> {
        let webhook = webhooks::by_id(inner, frozen.webhook)?;
        let version = inner.lists.version_by_id(record.list, record.summary.version)?;
        let context = Context {
            list: record.summary.list.clone(),
            version: record.summary.version,
            run: record.summary.id.clone(),
            event: Context::SYNCED,
            now: record.summary.started,
        };
        let payload = Payload::new(&frozen.spec, context, version.schema.clone())?;
        Ok(Job { id, summary: record.summary.clone(), list: record.list, webhook, version, payload })
    }
}

/// Carries a run out: plans what is not planned, then works off what has no outcome.
pub(super) async fn carry_out(
    inner: &Arc<Inner>,
    id: Ulid,
    mut record: RunRecord,
    work: CancellationToken,
) -> Result<RunSummary, Failure> {
    let frozen = record.frozen.clone().ok_or_else(misrouted)?;
    let mut job = Job::new(inner, id, &record, &frozen)?;
    if !frozen.planned {
        webhook_plan::plan(inner, id, record.list, &job.version, &job.payload, &frozen).await?;
        record.frozen = Some(Frozen { planned: true, ..frozen });
        runs::save(inner, id, &record).await?;
    }
    job.summary.counts = run_leads::counts(inner, id, job.summary.total)?;
    run_life::progress(inner, id, &job.summary);
    if job.webhook.state != WebhookState::Active {
        job.summary.state = RunState::Stopped;
        job.summary.trouble = Some(webhooks::halted(&job.webhook.spec.name, job.webhook.state, &job.webhook.reason));
        return Ok(job.summary);
    }
    send(inner, job, None, work, |_| true).await
}

/// Sends what was in flight when a run was interrupted once more, under its old ids.
pub(super) async fn send_under_way(
    inner: &Arc<Inner>,
    id: Ulid,
    record: &RunRecord,
    work: CancellationToken,
) -> Result<(), Failure> {
    let frozen = record.frozen.as_ref().ok_or_else(misrouted)?;
    match Job::new(inner, id, record, frozen) {
        Ok(job) if job.webhook.state == WebhookState::Active => {
            send(inner, job, Some(Duration::ZERO), work, |delivery| delivery.under_way).await.map(drop)
        }
        // Nothing can be sent for a list or a webhook that is gone or paused.
        _ => Ok(()),
    }
}

/// Works off the deliveries without an outcome that fit; with `patience` no longer than the next try is that near.
async fn send(
    inner: &Arc<Inner>,
    job: Job,
    patience: Option<Duration>,
    work: CancellationToken,
    fits: impl Fn(&DeliveryRecord) -> bool,
) -> Result<RunSummary, Failure> {
    let mut deliveries = inner.store.scan::<DeliveryRecord>(job.id.to_bytes())?;
    deliveries.retain(|(_, delivery)| delivery.outcome == Outcome::Pending && fits(delivery));
    let pending: Vec<Pending> = deliveries.iter().map(|(_, delivery)| pending(delivery)).collect();
    let concurrency = usize::try_from(inner.config.webhook.concurrency).unwrap_or(1).max(1);
    let keys = webhooks::keys(&job.webhook, inner.now())?;
    let endpoint = Endpoint { spec: job.webhook.spec.clone(), keys, concurrency };
    let name = job.webhook.spec.name.clone();
    let log = StoreLog {
        inner: Arc::clone(inner),
        run: job.id,
        list: job.list,
        version: job.version.version,
        payload: job.payload,
        webhook: job.webhook.id,
        kept: StoreLog::keep_all(deliveries),
        block: Default::default(),
        summary: job.summary.into(),
    };
    let log = Arc::new(log);
    let worker = Worker::new(endpoint, Arc::new(inner.sender.clone()), Arc::clone(&log) as Arc<dyn QueueLog>);
    let (feed, fed) = mpsc::channel(AHEAD);
    let feeder = tokio::spawn(async move {
        for delivery in pending {
            if feed.send(delivery).await.is_err() {
                return;
            }
        }
    });
    let ended = worker.run(fed, patience, work).await;
    feeder.abort();
    let mut summary = log.summary().clone();
    summary.next_try = None;
    summary.state = match ended? {
        Ended::Settled => RunState::Done,
        Ended::Waiting(time) => {
            summary.next_try = Some(time);
            RunState::Waiting
        }
        Ended::Halted(state, reason) => {
            summary.trouble = Some(webhooks::halted(&name, state, &reason));
            RunState::Stopped
        }
        Ended::Stopped => RunState::Cancelled,
    };
    Ok(summary)
}

fn pending(delivery: &DeliveryRecord) -> Pending {
    let planned: Planned = delivery.planned.clone();
    Pending { planned, attempts: delivery.attempts, due: delivery.next_try }
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
