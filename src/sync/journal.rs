//! Where a run's leads come from and where its progress is made durable; the engine keeps it in the store.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{LeadOutcome, Outcome};
use crate::failure::Failure;
use crate::lead::Lead;

/// How a lead stands in a run that was begun earlier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Not tried.
    Fresh,
    /// A write was begun and its answer is not known: it has to be looked up before another write.
    Sending,
    /// Has its outcome.
    Settled {
        /// What became of it.
        outcome: Outcome,
        /// The vendor's id of the record; empty when there is none.
        remote_id: String,
    },
}

/// The record of one run. Whatever a method took is durable when it returns.
#[async_trait::async_trait]
pub trait Journal: Send + Sync {
    /// The leads of the list version from this position on with their stable keys (`lead::lead_key`), about 1,000 at a time;
    /// empty at the end.
    async fn leads(&self, from: u64) -> Result<Vec<(String, Lead)>, Failure>;

    /// How `count` leads from this position on stand: one answer per lead.
    async fn standings(&self, from: u64, count: usize) -> Result<Vec<Standing>, Failure>;

    /// Marks leads before a write of theirs is sent.
    async fn sending(&self, positions: &[u64]) -> Result<(), Failure>;

    /// Keeps outcomes; a later one of the same position replaces the earlier.
    async fn settled(&self, outcomes: &[LeadOutcome]) -> Result<(), Failure>;

    /// The position before which every written lead is in its group.
    async fn grouped_before(&self) -> Result<u64, Failure>;

    /// Notes that position.
    async fn set_grouped_before(&self, position: u64) -> Result<(), Failure>;
}

/// A journal that is gone with the process: for trials and tests.
#[derive(Debug, Default)]
pub struct MemoryJournal {
    leads: Vec<(String, Lead)>,
    kept: Mutex<Kept>,
}

#[derive(Clone, Debug, Default)]
struct Kept {
    sending: Vec<u64>,
    outcomes: BTreeMap<u64, LeadOutcome>,
    grouped_before: u64,
}

impl MemoryJournal {
    /// A journal over these leads.
    pub fn new(leads: Vec<(String, Lead)>) -> Self {
        MemoryJournal { leads, kept: Mutex::default() }
    }

    /// The outcomes so far, by position.
    pub fn outcomes(&self) -> BTreeMap<u64, LeadOutcome> {
        self.kept().outcomes.clone()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait::async_trait]
impl Journal for MemoryJournal {
    async fn leads(&self, from: u64) -> Result<Vec<(String, Lead)>, Failure> {
        let from = usize::try_from(from).unwrap_or(usize::MAX).min(self.leads.len());
        Ok(self.leads[from..self.leads.len().min(from + 1_000)].to_vec())
    }

    async fn standings(&self, from: u64, count: usize) -> Result<Vec<Standing>, Failure> {
        let kept = self.kept();
        let standing = |position| match kept.outcomes.get(&position) {
            Some(lead) => Standing::Settled { outcome: lead.outcome, remote_id: lead.remote_id.clone() },
            None if kept.sending.contains(&position) => Standing::Sending,
            None => Standing::Fresh,
        };
        Ok((from..from + count as u64).map(standing).collect())
    }

    async fn sending(&self, positions: &[u64]) -> Result<(), Failure> {
        self.kept().sending.extend_from_slice(positions);
        Ok(())
    }

    async fn settled(&self, outcomes: &[LeadOutcome]) -> Result<(), Failure> {
        let mut kept = self.kept();
        kept.sending.retain(|position| !outcomes.iter().any(|lead| lead.position == *position));
        kept.outcomes.extend(outcomes.iter().map(|lead| (lead.position, lead.clone())));
        Ok(())
    }

    async fn grouped_before(&self) -> Result<u64, Failure> {
        Ok(self.kept().grouped_before)
    }

    async fn set_grouped_before(&self, position: u64) -> Result<(), Failure> {
        self.kept().grouped_before = position;
        Ok(())
    }
}
