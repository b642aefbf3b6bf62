//! Requests about events, notices and remembered things; the check-up; forgetting what is older than `[log] keep`.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::messages::{Finding, KeptNotice, Reply, Request};
use super::records::{DeliveryRecord, OutcomeBlock, Remembered, RunRecord};
use super::{Inner, misrouted, runs};
use crate::config::parse_duration;
use crate::events::{AnalyticsEvent, EventName};
use crate::failure::Failure;
use crate::store::{Batch, Record};

/// How many old records one batch forgets.
const PRUNED_AT_ONCE: usize = 1_000;

pub(super) async fn call(inner: &Inner, request: Request) -> Result<Reply, Failure> {
    Ok(match request {
        Request::Record { event, platform, lead_count, list_name } => {
            let mut batch = Batch::new();
            put(inner, &mut batch, event, &platform, lead_count, &list_name);
            inner.store.commit(batch).await?;
            Reply::Done
        }
        Request::Events { limit } => Reply::Events(newest::<AnalyticsEvent>(inner, limit)?),
        Request::KeepNotice(notice) => {
            keep(inner, &notice).await?;
            Reply::Done
        }
        Request::Notices { limit } => Reply::Notices(newest::<KeptNotice>(inner, limit)?),
        Request::Remember { key, value } => {
            let mut batch = Batch::new();
            batch.put(Sha256::digest(key.as_bytes()), &Remembered { value });
            inner.store.commit(batch).await?;
            Reply::Done
        }
        Request::Recall { key } => {
            let remembered = inner.store.get::<Remembered>(&Sha256::digest(key.as_bytes()))?;
            Reply::Remembered(remembered.map(|remembered| remembered.value))
        }
        Request::Doctor => Reply::Doctor(doctor(inner)?),
        _ => return Err(misrouted()),
    })
}

/// Puts an analytics event into a batch, so that it is kept together with what it tells of.
pub(super) fn put(inner: &Inner, batch: &mut Batch, event: EventName, platform: &str, lead_count: u64, list: &str) {
    let record = AnalyticsEvent {
        event,
        platform: platform.to_owned(),
        lead_count,
        list_name: list.to_owned(),
        source: "lookalike".into(),
        timestamp: inner.now(),
    };
    batch.put(inner.new_id().to_bytes(), &record);
}

async fn keep(inner: &Inner, notice: &KeptNotice) -> Result<(), Failure> {
    let mut batch = Batch::new();
    batch.put(inner.new_id().to_bytes(), notice);
    inner.store.commit(batch).await
}

fn newest<T: Record>(inner: &Inner, limit: usize) -> Result<Vec<T>, Failure> {
    Ok(inner.store.last::<T>(&[], None, limit)?.into_iter().map(|(_, record)| record).collect())
}

fn doctor(inner: &Inner) -> Result<Vec<Finding>, Failure> {
    let verified = inner.store.verify()?;
    let finding = |check: &str, ok, detail: String, remedy: &str| Finding {
        check: check.into(),
        ok,
        detail,
        remedy: if ok { String::new() } else { remedy.into() },
    };
    let mut findings = vec![
        finding(
            "store",
            verified.damages.is_empty(),
            format!("{} records and {} leads can be read", verified.records.values().sum::<u64>(), verified.leads),
            "Keep a copy of the data folder and report what follows.",
        ),
        finding("key", true, format!("sealed with a {}", inner.store.key_source().name()), ""),
    ];
    for damage in verified.damages {
        let tree = damage.tree.map_or_else(|| "unknown".to_owned(), |tree| tree.to_string());
        let detail = format!("a {tree} record cannot be opened: {}", damage.cause);
        findings.push(finding("store", false, detail, "Save that list again, or restore the data folder."));
    }
    for platform in inner.config.crm.keys() {
        let known = crate::crm::registry::by_id(platform).is_some();
        let detail = format!("[crm.{platform}] is set");
        findings.push(finding("settings", known, detail, "There is no CRM of this name; see config.example.toml."));
    }
    Ok(findings)
}

/// Forgets runs that have ended, deliveries, events and notices that are older than `[log] keep`.
pub(super) async fn prune(inner: &Inner) -> Result<(), Failure> {
    let Ok(keep) = parse_duration(&inner.config.log.keep) else { return Ok(()) };
    let keep = SignedDuration::try_from(keep).unwrap_or(SignedDuration::MAX);
    let Ok(before) = inner.now().checked_sub(keep) else { return Ok(()) };
    prune_tree::<AnalyticsEvent>(inner, before).await?;
    prune_tree::<KeptNotice>(inner, before).await?;
    for (key, run) in inner.store.scan::<RunRecord>(&[])? {
        if !made_before(&key, before) {
            break;
        }
        if runs::unfinished(&run.summary) {
            continue;
        }
        let mut batch = Batch::new();
        batch.delete::<RunRecord>(&key).delete_all::<OutcomeBlock>(&key).delete_all::<DeliveryRecord>(&key);
        inner.store.commit(batch).await?;
    }
    Ok(())
}

async fn prune_tree<T: Record>(inner: &Inner, before: Timestamp) -> Result<(), Failure> {
    loop {
        let oldest = inner.store.scan_after::<T>(&[], None, PRUNED_AT_ONCE)?;
        let old: Vec<_> = oldest.into_iter().map(|(key, _)| key).take_while(|key| made_before(key, before)).collect();
        if old.is_empty() {
            return Ok(());
        }
        let mut batch = Batch::new();
        old.iter().for_each(|key| {
            batch.delete::<T>(key);
        });
        inner.store.commit(batch).await?;
    }
}

/// Whether the id at the beginning of a key was made before a time.
fn made_before(key: &[u8], before: Timestamp) -> bool {
    let id = runs::run_of(key);
    id.is_some_and(|id| i64::try_from(id.timestamp_ms()).is_ok_and(|ms| ms < before.as_millisecond()))
}
