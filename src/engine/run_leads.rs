//! What the store holds about the leads of a run: counts, rows for a person, and making leads fresh again or superseded.

use std::collections::{BTreeMap, BTreeSet};

use ulid::Ulid;

use super::records::{DeliveryRecord, Mark, OutcomeBlock, RunRecord, key};
use super::{Inner, deliveries, webhook_plan};
use crate::failure::Failure;
use crate::lead::{Lead, Schema};
use crate::store::{Batch, LEADS_PER_BLOCK};
use crate::sync::{LeadOutcome, Outcome};

/// Leads per outcome block, as in a block of a list.
pub(super) const PER_BLOCK: u64 = LEADS_PER_BLOCK as u64;

/// The key of an outcome block.
pub(super) fn block_key(run: Ulid, block: u64) -> Vec<u8> {
    key(run, block)
}

/// The number of a block, from its key.
fn block_number(key: &[u8]) -> u32 {
    let number = key.get(16..).and_then(|bytes| <[u8; 8]>::try_from(bytes).ok()).map(u64::from_be_bytes);
    number.and_then(|number| u32::try_from(number).ok()).unwrap_or(u32::MAX)
}

/// Leads per outcome; those without one are pending.
pub(super) fn counts(inner: &Inner, run: Ulid, total: u64) -> Result<BTreeMap<Outcome, u64>, Failure> {
    let mut counts: BTreeMap<Outcome, u64> = BTreeMap::new();
    for (_, block) in inner.store.scan::<OutcomeBlock>(run.to_bytes())? {
        for mark in block.marks {
            if let Mark::Settled(outcome) = mark {
                *counts.entry(outcome).or_default() += 1;
            }
        }
    }
    for (_, delivery) in inner.store.scan::<DeliveryRecord>(run.to_bytes())? {
        *counts.entry(delivery.outcome).or_default() += delivery.planned.positions.len() as u64;
    }
    let settled: u64 = counts.iter().filter(|(outcome, _)| **outcome != Outcome::Pending).map(|(_, count)| count).sum();
    counts.insert(Outcome::Pending, total.saturating_sub(settled));
    Ok(counts)
}

/// Rows of leads with nothing to read are handed out up to this many.
const PLAIN_ROWS: usize = 1_000;

/// A row per lead that has an outcome: those that need a person's eye first, then the others as far as [`PLAIN_ROWS`] goes,
/// both in list order.
pub(super) fn rows(inner: &Inner, run: Ulid, record: &RunRecord) -> Result<Vec<LeadOutcome>, Failure> {
    let (mut rows, mut plain) = (Vec::new(), Vec::new());
    let version = inner.lists.version_by_id(record.list, record.summary.version).ok();
    for (key, block) in inner.store.scan::<OutcomeBlock>(run.to_bytes())? {
        let number = block_number(&key);
        if let Some(version) = version.as_ref().filter(|_| plain.len() < PLAIN_ROWS) {
            let leads = inner.lists.block(record.list, version.version, number).unwrap_or_default();
            plain.extend(plain_rows(&block, number, &version.schema, &leads));
        }
        rows.extend(block.rows.into_values());
    }
    for (_, delivery) in inner.store.scan::<DeliveryRecord>(run.to_bytes())? {
        let tried_in_vain = delivery.outcome == Outcome::Pending && delivery.attempts > 0;
        match delivery.outcome {
            Outcome::Parked => rows.push(deliveries::outcome_row(&delivery)),
            _ if tried_in_vain => rows.push(deliveries::outcome_row(&delivery)),
            Outcome::Delivered if plain.len() < PLAIN_ROWS => plain.push(deliveries::outcome_row(&delivery)),
            _ => {}
        }
    }
    rows.sort_by_key(|row| row.position);
    plain.sort_by_key(|row| row.position);
    plain.truncate(PLAIN_ROWS);
    rows.extend(plain);
    Ok(rows)
}

/// The leads of a block that went without a word.
fn plain_rows(block: &OutcomeBlock, number: u32, schema: &Schema, leads: &[Lead]) -> Vec<LeadOutcome> {
    let row = |(at, mark): (u32, &Mark)| {
        let Mark::Settled(outcome) = *mark else { return None };
        let lead = leads.get(at as usize).filter(|_| !block.rows.contains_key(&at))?;
        Some(LeadOutcome {
            position: u64::from(number) * PER_BLOCK + u64::from(at),
            lead: webhook_plan::person(schema, lead),
            outcome,
            reason: String::new(),
            next_step: String::new(),
            remote_id: block.remote.get(&at).cloned().unwrap_or_default(),
        })
    };
    (0..).zip(&block.marks).filter_map(row).collect()
}

/// Makes leads that failed fresh again, and those of unknown outcome be looked up.
pub(super) async fn reopen(inner: &Inner, run: Ulid) -> Result<(), Failure> {
    let mut batch = Batch::new();
    for (block_key, mut block) in inner.store.scan::<OutcomeBlock>(run.to_bytes())? {
        let mut changed = false;
        for (at, mark) in (0..).zip(&mut block.marks) {
            *mark = match mark {
                Mark::Settled(Outcome::Failed) => Mark::Fresh,
                Mark::Settled(Outcome::Unknown) => Mark::Sending,
                _ => continue,
            };
            block.rows.remove(&at);
            changed = true;
        }
        if changed {
            batch.put(&block_key, &block);
        }
    }
    inner.store.commit(batch).await
}

/// Says of every lead without an outcome that a newer version of its list goes out instead.
pub(super) async fn supersede(inner: &Inner, run: Ulid, total: u64) -> Result<(), Failure> {
    let mut batch = Batch::new();
    let mut covered = BTreeSet::new();
    for (key, mut delivery) in inner.store.scan::<DeliveryRecord>(run.to_bytes())? {
        covered.extend(delivery.planned.positions.iter().copied());
        if delivery.outcome == Outcome::Pending {
            (delivery.outcome, delivery.under_way, delivery.next_try) = (Outcome::Superseded, false, None);
            delivery.reason = "A newer version of the list went out instead.".into();
            batch.put(&key, &delivery);
        }
    }
    for number in 0..total.div_ceil(PER_BLOCK) {
        let key = block_key(run, number);
        let mut block = inner.store.get::<OutcomeBlock>(&key)?.unwrap_or_default();
        let first = number * PER_BLOCK;
        let leads = usize::try_from(PER_BLOCK.min(total - first)).unwrap_or(LEADS_PER_BLOCK);
        block.marks.resize(leads, Mark::Fresh);
        for (position, mark) in (first..).zip(&mut block.marks) {
            if !matches!(mark, Mark::Settled(_)) && !covered.contains(&position) {
                *mark = Mark::Settled(Outcome::Superseded);
            }
        }
        batch.put(&key, &block);
    }
    inner.store.commit(batch).await
}
