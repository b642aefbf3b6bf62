//! Requests about webhooks: settings, secrets, tests, the delivery log, replay.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ulid::Ulid;

use super::messages::{Event, Reply, Request, SavedWebhook};
use super::records::{DeliveryRecord, RunRecord, SigningSecret, WebhookRecord};
use super::{Inner, activity, misrouted, runs, webhook_run};
use crate::events::EventName;
use crate::failure::{Code, Failure};
use crate::lead::{Lead, Schema};
use crate::store::Batch;
use crate::sync::{Destination, LeadOutcome, Outcome, RunState};
use crate::vault::Secret;
use crate::webhook::request::Request as SignedRequest;
use crate::webhook::signature::{SigningKey, generate};
use crate::webhook::template::{Context, Template};
use crate::webhook::{Auth, DeliverySummary, Exchange, WebhookSpec, WebhookState, WebhookSummary, ready, spec};

/// How long the old secret signs too after a rotation.
const OVERLAP: SignedDuration = SignedDuration::from_hours(24);
/// A record of the last delivery time is not written more often than this.
const NOTE_EVERY: SignedDuration = SignedDuration::from_secs(10);

pub(super) async fn call(inner: &Arc<Inner>, request: Request) -> Result<Reply, Failure> {
    Ok(match request {
        Request::SaveWebhook { id, spec, secret, paused } => {
            Reply::Webhook(save(inner, id, spec, secret, paused).await?)
        }
        Request::Webhooks => {
            let mut summaries = Vec::new();
            for record in all(inner)? {
                summaries.push(summary(inner, &record)?);
            }
            Reply::Webhooks(summaries)
        }
        Request::Webhook { name } => Reply::WebhookSpec(Box::new(find(inner, &name)?.spec)),
        Request::TestWebhook { spec, name, lead } => Reply::Tested(Box::new(test(inner, spec, name, lead).await?)),
        Request::SetWebhookActive { name, active } => {
            let record = find(inner, &name)?;
            let (state, reason) = if active {
                (WebhookState::Active, String::new())
            } else {
                (WebhookState::Paused, "Paused by you.".to_owned())
            };
            set_state(inner, record.id, state, &reason).await?;
            if active {
                let destination = Destination::Webhook { name: record.spec.name };
                runs::resume(inner, |run| run.summary.destination == destination).await?;
            }
            inner.tell(Event::Changed);
            Reply::Done
        }
        Request::RotateSecret { name } => Reply::Webhook(rotate(inner, &name).await?),
        Request::RemoveWebhook { name } => {
            let record = find(inner, &name)?;
            let mut batch = Batch::new();
            batch.delete::<WebhookRecord>(record.id.to_bytes());
            for (key, delivery) in inner.store.scan::<DeliveryRecord>(&[])? {
                if delivery.webhook == record.id {
                    batch.delete::<DeliveryRecord>(&key);
                }
            }
            for (key, mut run) in inner.store.scan::<RunRecord>(&[])? {
                let ours = run.frozen.as_ref().is_some_and(|frozen| frozen.webhook == record.id);
                if ours && !matches!(run.summary.state, RunState::Done | RunState::Cancelled) {
                    (run.summary.state, run.summary.ended) = (RunState::Cancelled, Some(inner.now()));
                    batch.put(&key, &run);
                }
            }
            inner.store.commit(batch).await?;
            inner.tell(Event::Changed);
            Reply::Done
        }
        Request::Deliveries { webhook, run, limit } => Reply::Deliveries(deliveries(inner, webhook, run, limit)?),
        Request::Replay { webhook, delivery } => Reply::Count(replay(inner, &webhook, delivery.as_deref()).await?),
        _ => return Err(misrouted()),
    })
}

/// All webhooks, by name.
fn all(inner: &Inner) -> Result<Vec<WebhookRecord>, Failure> {
    let rows = inner.store.scan::<WebhookRecord>(&[])?;
    let mut records: Vec<WebhookRecord> = rows.into_iter().map(|(_, record)| record).collect();
    records.sort_by_key(|record| record.spec.name.to_lowercase());
    Ok(records)
}

/// The webhook of a name or id.
pub(super) fn find(inner: &Inner, name: &str) -> Result<WebhookRecord, Failure> {
    let wanted = name.trim().to_lowercase();
    let fits = |record: &WebhookRecord| record.spec.name.to_lowercase() == wanted || record.id.to_string() == name;
    all(inner)?.into_iter().find(fits).ok_or_else(|| {
        Failure::new(
            Code::NotFound,
            format!("There is no webhook called '{name}'."),
            "See the webhooks with 'leadferry webhook ls' or in the Webhooks tab.",
        )
    })
}

pub(super) fn by_id(inner: &Inner, id: Ulid) -> Result<WebhookRecord, Failure> {
    inner.store.get::<WebhookRecord>(id.to_bytes())?.ok_or_else(|| {
        Failure::new(Code::NotFound, "The webhook of this run was removed.", "Set it up again and send the list anew.")
    })
}

/// What a run keeps of a webhook's settings: nothing secret and no address.
pub(super) fn frozen(spec: &WebhookSpec) -> WebhookSpec {
    WebhookSpec { auth: Auth::None, url: String::new(), headers: Vec::new(), ..spec.clone() }
}

/// Why a webhook does not send, for a run that stopped over it.
pub(super) fn halted(name: &str, state: WebhookState, reason: &str) -> Failure {
    let is = if state == WebhookState::Disabled { "disabled" } else { "paused" };
    Failure::new(
        Code::Failed,
        format!("The webhook '{name}' is {is}. {reason}").trim_end().to_owned(),
        format!("Mend the cause, then run 'leadferry webhook activate {name}'; what waits goes out then."),
    )
}

/// The keys that sign at this time, newest first.
pub(super) fn keys(record: &WebhookRecord, now: Timestamp) -> Result<Vec<SigningKey>, Failure> {
    let current = record.secrets.iter().filter(|secret| secret.until.is_none_or(|until| until > now));
    current.map(|secret| SigningKey::parse(&secret.secret)).collect()
}

async fn put(inner: &Inner, record: &WebhookRecord) -> Result<(), Failure> {
    let mut batch = Batch::new();
    batch.put(record.id.to_bytes(), record);
    inner.store.commit(batch).await
}

fn summary(inner: &Inner, record: &WebhookRecord) -> Result<WebhookSummary, Failure> {
    let (mut waiting, mut parked) = (0, 0);
    for (_, delivery) in inner.store.scan::<DeliveryRecord>(&[])? {
        match delivery.outcome {
            Outcome::Pending if delivery.webhook == record.id => waiting += 1,
            Outcome::Parked if delivery.webhook == record.id => parked += 1,
            _ => {}
        }
    }
    Ok(WebhookSummary {
        id: record.id.to_string(),
        name: record.spec.name.clone(),
        url: spec::masked_url(&record.spec.url),
        state: record.state,
        reason: record.reason.clone(),
        waiting,
        parked,
        last_delivered: record.last_delivered,
    })
}

async fn save(
    inner: &Arc<Inner>,
    id: Option<String>,
    spec: WebhookSpec,
    secret: Option<Secret>,
    paused: bool,
) -> Result<SavedWebhook, Failure> {
    if let Some(complaint) = spec::check(&spec, inner.sender.guard()).into_iter().next() {
        return Err(Failure::new(Code::Usage, complaint.message, "Mend it, then save the webhook again."));
    }
    let known = id.as_deref().map(|id| find(inner, id)).transpose()?;
    let taken = all(inner)?.into_iter().find(|other| other.spec.name.to_lowercase() == spec.name.to_lowercase());
    if taken.is_some_and(|other| known.as_ref().is_none_or(|known| known.id != other.id)) {
        return Err(Failure::new(
            Code::Usage,
            format!("There is a webhook called '{}' already.", spec.name),
            "Choose another name, or edit that webhook.",
        ));
    }
    let (url, name) = (spec::parse_url(&spec.url).map_err(|problem| bad_url(&problem))?, spec.name.clone());
    inner.sender.guard().check_url(&url).map_err(|refusal| refusal.failure())?;
    if let Some(own) = &secret {
        SigningKey::parse(own)?;
    }
    let state = if paused { WebhookState::Paused } else { WebhookState::Active };
    let reason = if paused { "Not activated yet.".to_owned() } else { String::new() };
    let (record, shown) = match known {
        Some(mut record) => {
            (record.spec, record.state, record.reason) = (spec, state, reason);
            if let Some(own) = secret {
                record.secrets.insert(0, SigningSecret { secret: own, until: None });
                record.secrets.truncate(1);
            }
            (record, None)
        }
        None => {
            let (made, shown) = match secret {
                Some(own) => (own, None),
                None => {
                    let made = generate()?;
                    (made.clone(), Some(made))
                }
            };
            let secrets = vec![SigningSecret { secret: made, until: None }];
            (WebhookRecord { id: Ulid::new(), spec, secrets, state, reason, last_delivered: None }, shown)
        }
    };
    put(inner, &record).await?;
    activity::record(inner, EventName::WebhookConfigured, "webhook", 0, "").await?;
    inner.tell(Event::Changed);
    if !paused {
        let destination = Destination::Webhook { name };
        runs::resume(inner, |run| run.summary.destination == destination).await?;
    }
    Ok(SavedWebhook { webhook: summary(inner, &record)?, secret: shown })
}

fn bad_url(problem: &str) -> Failure {
    Failure::new(Code::Usage, problem, "Give an address that begins with https://.")
}

async fn rotate(inner: &Inner, name: &str) -> Result<SavedWebhook, Failure> {
    let mut record = find(inner, name)?;
    let now = inner.now();
    let until = now.saturating_add(OVERLAP).unwrap_or(now);
    record.secrets.retain(|secret| secret.until.is_none());
    record.secrets.iter_mut().for_each(|secret| secret.until = Some(until));
    let made = generate()?;
    record.secrets.insert(0, SigningSecret { secret: made.clone(), until: None });
    put(inner, &record).await?;
    Ok(SavedWebhook { webhook: summary(inner, &record)?, secret: Some(made) })
}

/// Changes whether a webhook sends, durably.
pub(super) async fn set_state(
    inner: &Inner,
    id: Ulid,
    state: WebhookState,
    reason: &str,
) -> Result<WebhookSummary, Failure> {
    let mut record = by_id(inner, id)?;
    (record.state, record.reason) = (state, reason.to_owned());
    put(inner, &record).await?;
    summary(inner, &record)
}

/// Notes that a webhook took something.
pub(super) async fn delivered(inner: &Inner, id: Ulid, at: Timestamp) -> Result<(), Failure> {
    let Ok(mut record) = by_id(inner, id) else { return Ok(()) };
    let recent = record.last_delivered.is_some_and(|last| at.duration_since(last) < NOTE_EVERY);
    if recent {
        return Ok(());
    }
    record.last_delivered = Some(at);
    put(inner, &record).await
}

async fn test(
    inner: &Inner,
    spec: Option<WebhookSpec>,
    name: Option<String>,
    lead: Option<(Schema, Lead)>,
) -> Result<Exchange, Failure> {
    let saved = name.as_deref().map(|name| find(inner, name)).transpose()?;
    let spec = match (&saved, spec) {
        (_, Some(spec)) => spec,
        (Some(saved), None) => saved.spec.clone(),
        (None, None) => return Err(misrouted()),
    };
    let now = inner.now();
    let keys = match &saved {
        Some(saved) => keys(saved, now)?,
        None => vec![SigningKey::parse(&generate()?)?],
    };
    let (schema, lead) = lead.unwrap_or_else(ready::sample);
    let context = Context { list: "Test".into(), version: 1, run: "test".into(), event: Context::TEST, now };
    let body = Template::compile(&spec)?.render(&context, &schema, &[&lead])?;
    let id = format!("msg_{}", Ulid::new().to_string().to_lowercase());
    let request = SignedRequest::sign(&spec, &keys, &id, now, body)?;
    Ok(inner.sender.send(&request).await.exchange(&request))
}

fn deliveries(
    inner: &Inner,
    webhook: Option<String>,
    run: Option<String>,
    limit: usize,
) -> Result<Vec<DeliverySummary>, Failure> {
    let only = webhook.as_deref().map(|name| find(inner, name)).transpose()?;
    let prefix = run.as_deref().and_then(|run| Ulid::from_string(run).ok()).map(|id| id.to_bytes().to_vec());
    let names = all(inner)?;
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
            found.push(delivery_summary(delivery, name.unwrap_or_default(), run_of(&key)));
        }
    }
    found.truncate(limit);
    Ok(found)
}

fn run_of(key: &[u8]) -> String {
    let id = key.get(..16).and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
    id.map(|bytes| Ulid::from_bytes(bytes).to_string()).unwrap_or_default()
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
    let record = find(inner, webhook)?;
    let mut touched: BTreeSet<Ulid> = BTreeSet::new();
    for (key, known) in inner.store.scan::<DeliveryRecord>(&[])? {
        let wanted = delivery.is_none_or(|id| id == known.planned.id);
        if known.webhook == record.id && known.outcome == Outcome::Parked && wanted {
            touched.extend(key.get(..16).and_then(|bytes| <[u8; 16]>::try_from(bytes).ok()).map(Ulid::from_bytes));
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
    for run in &touched {
        count += webhook_run::replay(inner, *run, delivery).await?;
        let mut kept = runs::load(inner, *run)?;
        (kept.summary.state, kept.summary.ended) = (RunState::Waiting, None);
        runs::save(inner, *run, &kept).await?;
    }
    runs::resume(inner, |run| Ulid::from_string(&run.summary.id).is_ok_and(|id| touched.contains(&id))).await?;
    Ok(count)
}
