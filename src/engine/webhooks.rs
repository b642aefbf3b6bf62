//! Requests about webhooks: settings, secrets, tests.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ulid::Ulid;

use super::deliveries::{Backlog, backlogs};
use super::messages::{Event, Reply, Request, SavedWebhook};
use super::records::{DeliveryRecord, SigningSecret, WebhookRecord};
use super::{Inner, activity, misrouted, run_life, runs};
use crate::events::EventName;
use crate::failure::{Code, Failure};
use crate::lead::{Lead, Schema};
use crate::store::Batch;
use crate::vault::Secret;
use crate::webhook::request::Request as SignedRequest;
use crate::webhook::signature::{SigningKey, generate};
use crate::webhook::template::{Context, Template};
use crate::webhook::{Auth, Exchange, WebhookSpec, WebhookState, WebhookSummary, ready, spec};

/// How long the old secret signs too after a rotation.
const OVERLAP: SignedDuration = SignedDuration::from_hours(24);
/// A record of the last delivery time is not written more often than this.
const NOTE_EVERY: SignedDuration = SignedDuration::from_secs(10);

pub(super) async fn call(inner: &Arc<Inner>, request: Request) -> Result<Reply, Failure> {
    Ok(match request {
        Request::SaveWebhook { id, spec, secret, paused, list_name, lead_count } => {
            let told = (list_name.as_str(), lead_count);
            Reply::Webhook(save(inner, id, spec, secret, paused, told).await?)
        }
        Request::Webhooks => {
            let backlogs = backlogs(inner)?;
            Reply::Webhooks(all(inner)?.iter().map(|record| summary(record, &backlogs)).collect())
        }
        Request::Webhook { name } => Reply::WebhookSpec(Box::new(find(inner, &name)?.spec)),
        Request::TestWebhook { spec, name, lead } => Reply::Tested(Box::new(test(inner, spec, name, lead).await?)),
        Request::SetWebhookActive { name, active } => {
            let id = find(inner, &name)?.id;
            let (state, reason) =
                if active { (WebhookState::Active, "") } else { (WebhookState::Paused, "Paused by you.") };
            set_state(inner, id, state, reason).await?;
            restart(inner, id).await?;
            inner.tell(Event::Changed);
            Reply::Done
        }
        Request::RotateSecret { name } => Reply::Webhook(rotate(inner, &name).await?),
        Request::RemoveWebhook { name } => {
            remove(inner, &name).await?;
            Reply::Done
        }
        _ => return Err(misrouted()),
    })
}

/// All webhooks, by name.
pub(super) fn all(inner: &Inner) -> Result<Vec<WebhookRecord>, Failure> {
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

/// Changes a stored webhook, as it is at this moment; answers it as it is now.
async fn update(inner: &Inner, id: Ulid, change: impl FnOnce(&mut WebhookRecord)) -> Result<WebhookRecord, Failure> {
    let _changing = inner.changing.lock().await;
    let mut record = by_id(inner, id)?;
    change(&mut record);
    let mut batch = Batch::new();
    batch.put(id.to_bytes(), &record);
    inner.store.commit(batch).await?;
    Ok(record)
}

/// Lets the unfinished runs of a webhook go on with its settings as they are now.
async fn restart(inner: &Arc<Inner>, id: Ulid) -> Result<(), Failure> {
    let _starting = inner.runs.starting.lock().await;
    for (run, _) in runs::all_unfinished(inner, |run| run.goes_through(id))? {
        run_life::interrupt(inner, run).await;
    }
    runs::resume(inner, |run| run.goes_through(id)).map(drop)
}

fn summary(record: &WebhookRecord, backlogs: &HashMap<Ulid, Backlog>) -> WebhookSummary {
    let Backlog { waiting, parked } = backlogs.get(&record.id).copied().unwrap_or_default();
    WebhookSummary {
        id: record.id.to_string(),
        name: record.spec.name.clone(),
        url: spec::masked_url(&record.spec.url),
        state: record.state,
        reason: record.reason.clone(),
        waiting,
        parked,
        last_delivered: record.last_delivered,
    }
}

async fn save(
    inner: &Arc<Inner>,
    id: Option<String>,
    mut spec: WebhookSpec,
    secret: Option<Secret>,
    paused: bool,
    (list_name, lead_count): (&str, u64),
) -> Result<SavedWebhook, Failure> {
    spec.name = spec.name.trim().to_owned();
    if let Some(complaint) = spec::check(&spec, inner.sender.guard()).into_iter().next() {
        return Err(Failure::new(Code::Usage, complaint.message, "Mend it, then save the webhook again."));
    }
    if let Some(own) = &secret {
        SigningKey::parse(own)?;
    }
    let changing = inner.changing.lock().await;
    let known = id.as_deref().map(|id| find(inner, id)).transpose()?;
    let taken = all(inner)?.into_iter().find(|other| other.spec.name.to_lowercase() == spec.name.to_lowercase());
    if taken.is_some_and(|other| known.as_ref().is_none_or(|known| known.id != other.id)) {
        return Err(Failure::new(
            Code::Usage,
            format!("There is a webhook called '{}' already.", spec.name),
            "Choose another name, or edit that webhook.",
        ));
    }
    // A new one without a secret of one's own gets one made here, which is shown this once.
    let made = if known.is_none() && secret.is_none() { Some(generate()?) } else { None };
    let mut record = known.unwrap_or_else(|| WebhookRecord {
        id: inner.new_id(),
        spec: WebhookSpec::default(),
        secrets: Vec::new(),
        state: WebhookState::Active,
        reason: String::new(),
        last_delivered: None,
    });
    (record.spec, record.state) = (spec, if paused { WebhookState::Paused } else { WebhookState::Active });
    record.reason = if paused { "Not activated yet.".to_owned() } else { String::new() };
    if let Some(secret) = secret.or_else(|| made.clone()) {
        record.secrets = vec![SigningSecret { secret, until: None }];
    }
    let mut batch = Batch::new();
    batch.put(record.id.to_bytes(), &record);
    activity::put(inner, &mut batch, EventName::WebhookConfigured, "webhook", lead_count, list_name);
    inner.store.commit(batch).await?;
    drop(changing);
    restart(inner, record.id).await?;
    inner.tell(Event::Changed);
    Ok(SavedWebhook { webhook: summary(&record, &backlogs(inner)?), secret: made })
}

async fn remove(inner: &Arc<Inner>, name: &str) -> Result<(), Failure> {
    let id = find(inner, name)?.id;
    let _starting = inner.runs.starting.lock().await;
    runs::end_all(inner, |run| run.goes_through(id)).await?;
    let _changing = inner.changing.lock().await;
    let mut batch = Batch::new();
    batch.delete::<WebhookRecord>(id.to_bytes());
    for (key, delivery) in inner.store.scan::<DeliveryRecord>(&[])? {
        if delivery.webhook == id {
            batch.delete::<DeliveryRecord>(&key);
        }
    }
    inner.store.commit(batch).await?;
    inner.tell(Event::Changed);
    Ok(())
}

async fn rotate(inner: &Arc<Inner>, name: &str) -> Result<SavedWebhook, Failure> {
    let id = find(inner, name)?.id;
    let now = inner.now();
    let until = now.saturating_add(OVERLAP).unwrap_or(now);
    let made = generate()?;
    let record = update(inner, id, |record| {
        record.secrets.retain(|secret| secret.until.is_none());
        record.secrets.iter_mut().for_each(|secret| secret.until = Some(until));
        record.secrets.insert(0, SigningSecret { secret: made.clone(), until: None });
    })
    .await?;
    restart(inner, id).await?;
    Ok(SavedWebhook { webhook: summary(&record, &backlogs(inner)?), secret: Some(made) })
}

/// Changes whether a webhook sends, durably.
pub(super) async fn set_state(
    inner: &Inner,
    id: Ulid,
    state: WebhookState,
    reason: &str,
) -> Result<WebhookSummary, Failure> {
    let change = |record: &mut WebhookRecord| (record.state, record.reason) = (state, reason.to_owned());
    let record = update(inner, id, change).await?;
    Ok(summary(&record, &backlogs(inner)?))
}

/// Notes that a webhook took something.
pub(super) async fn delivered(inner: &Inner, id: Ulid, at: Timestamp) -> Result<(), Failure> {
    let recent = |last: Timestamp| at.duration_since(last) < NOTE_EVERY;
    if by_id(inner, id).is_ok_and(|record| !record.last_delivered.is_some_and(recent)) {
        update(inner, id, |record| record.last_delivered = Some(at)).await?;
    }
    Ok(())
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
