//! Runs to a CRM: the plan, the journal over the store, and the run itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;
use ulid::Ulid;

use super::records::{Mark, OutcomeBlock, RunRecord};
use super::run_leads::{PER_BLOCK, block_key};
use super::{Inner, connections, run_life, runs};
use crate::failure::{Code, Failure};
use crate::lead::{Lead, Schema, lead_key};
use crate::store::Batch;
use crate::sync::journal::{Journal, Standing};
use crate::sync::plan::{Planner, default_settings};
use crate::sync::run::{Order, Tools, carry_out as carry_out_run};
use crate::sync::{Destination, LeadOutcome, Outcome, Plan, RunSummary, backoff};

/// What a run of this list to this CRM would do.
pub(super) async fn plan(inner: &Arc<Inner>, list: &str, destination: &Destination) -> Result<Plan, Failure> {
    let Destination::Crm { platform, account } = destination else {
        return Err(Failure::new(
            Code::Usage,
            "A webhook needs no plan: it sends what its settings say.",
            "Test it with 'leadferry webhook test'.",
        ));
    };
    let connection = connections::find(inner, platform, account)?;
    let api = connections::api(inner, &connection)?;
    let crm = api.crm();
    let (id, version) = inner.lists.version(list, 0)?;
    let (list, _) = inner.lists.get(list)?;
    let survey = connections::survey(inner, &connection, &api).await?;
    let (mut settings, mut warnings) = default_settings(crm, &survey, &version.schema, &list.name);
    if let Some(before) = connection.settings.clone() {
        // What a person changed last time counts for the values that this list has too.
        settings.mode = before.mode;
        for row in &mut settings.mapping {
            if let Some(known) = before.mapping.iter().find(|known| known.from == row.from) {
                row.to.clone_from(&known.to);
            }
        }
    }
    let mut planner = Planner::new(crm, &survey, &version.schema, &settings, &list.name);
    for block in 0..version.blocks {
        let leads = inner.lists.block(id, version.version, block)?;
        let keys: Vec<String> = leads.iter().map(|lead| lead_key(&version.schema, lead)).collect();
        planner.add(keys.iter().map(String::as_str).zip(&leads));
    }
    let destination = Destination::Crm { platform: platform.clone(), account: connection.account.clone() };
    let mut plan = planner.finish(destination, &list.name, version.version, &connection.who);
    for warning in plan.warnings {
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
    plan.warnings = warnings;
    Ok(plan)
}

/// Carries a run out to its end, its interruption, or what only a person can mend.
pub(super) async fn carry_out(
    inner: &Arc<Inner>,
    id: Ulid,
    record: &RunRecord,
    cancel: CancellationToken,
) -> Result<RunSummary, Failure> {
    let Destination::Crm { platform, account } = &record.summary.destination else {
        return Err(super::misrouted());
    };
    let connection = connections::find(inner, platform, account)?;
    let api = connections::api(inner, &connection)?;
    let version = inner.lists.version_by_id(record.list, record.summary.version)?;
    let journal = StoreJournal::new(inner, id, record, version.schema.clone());
    let order = Order {
        id: record.summary.id.clone(),
        list: record.summary.list.clone(),
        version: record.summary.version,
        schema: version.schema,
        leads: version.leads,
        destination: record.summary.destination.clone(),
        settings: record.settings.clone(),
        started: record.summary.started,
    };
    let tools = Tools {
        api: &api,
        journal: &journal,
        progress: &|summary| run_life::progress(inner, id, summary),
        cancel,
        now: Arc::new(jiff::Timestamp::now),
        jitter: Arc::new(backoff::random),
    };
    Ok(carry_out_run(&order, tools).await)
}

/// A run's journal in the store: outcome blocks of as many leads as a list block has.
struct StoreJournal<'a> {
    inner: &'a Inner,
    id: Ulid,
    list: Ulid,
    version: u32,
    schema: Schema,
    blocks: Mutex<BTreeMap<u64, OutcomeBlock>>,
}

impl<'a> StoreJournal<'a> {
    fn new(inner: &'a Inner, id: Ulid, record: &RunRecord, schema: Schema) -> Self {
        let (list, version) = (record.list, record.summary.version);
        StoreJournal { inner, id, list, version, schema, blocks: Mutex::default() }
    }

    fn blocks(&self) -> MutexGuard<'_, BTreeMap<u64, OutcomeBlock>> {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads an outcome block unless it is at hand; keeps few, since a run goes from front to back.
    fn fetch(&self, number: u64) -> Result<(), Failure> {
        if self.blocks().contains_key(&number) {
            return Ok(());
        }
        let stored = self.inner.store.get::<OutcomeBlock>(block_key(self.id, number))?;
        let mut blocks = self.blocks();
        while blocks.len() >= 4 {
            blocks.pop_first();
        }
        blocks.insert(number, stored.unwrap_or_default());
        Ok(())
    }

    /// Changes the blocks of these positions and makes the change durable.
    async fn change<T>(
        &self,
        items: &[T],
        position: impl Fn(&T) -> u64,
        change: impl Fn(&mut OutcomeBlock, u32, &T),
    ) -> Result<(), Failure> {
        let mut touched: BTreeMap<u64, Vec<&T>> = BTreeMap::new();
        for item in items {
            touched.entry(position(item) / PER_BLOCK).or_default().push(item);
        }
        let mut batch = Batch::new();
        for (number, items) in touched {
            self.fetch(number)?;
            let mut blocks = self.blocks();
            let Some(block) = blocks.get_mut(&number) else { continue };
            for item in items {
                let at = position(item) % PER_BLOCK;
                let at = u32::try_from(at).unwrap_or_default();
                if block.marks.len() <= at as usize {
                    block.marks.resize(at as usize + 1, Mark::Fresh);
                }
                change(block, at, item);
            }
            batch.put(block_key(self.id, number), &*block);
        }
        self.inner.store.commit(batch).await
    }
}

#[async_trait::async_trait]
impl Journal for StoreJournal<'_> {
    async fn leads(&self, from: u64) -> Result<Vec<(String, Lead)>, Failure> {
        let version = self.inner.lists.version_by_id(self.list, self.version)?;
        let block = u32::try_from(from / PER_BLOCK).unwrap_or(u32::MAX);
        if block >= version.blocks {
            return Ok(Vec::new());
        }
        let leads = self.inner.lists.block(self.list, self.version, block)?;
        let skip = usize::try_from(from % PER_BLOCK).unwrap_or_default();
        Ok(leads.into_iter().skip(skip).map(|lead| (lead_key(&self.schema, &lead), lead)).collect())
    }

    async fn standings(&self, from: u64, count: usize) -> Result<Vec<Standing>, Failure> {
        let mut standings = Vec::with_capacity(count);
        for position in from..from + count as u64 {
            self.fetch(position / PER_BLOCK)?;
            let blocks = self.blocks();
            let at = u32::try_from(position % PER_BLOCK).unwrap_or_default();
            let block = blocks.get(&(position / PER_BLOCK));
            let mark = block.and_then(|block| block.marks.get(at as usize)).copied().unwrap_or_default();
            standings.push(match mark {
                Mark::Fresh | Mark::Settled(Outcome::Pending) => Standing::Fresh,
                Mark::Sending => Standing::Sending,
                Mark::Settled(outcome) => {
                    let remote_id = block.and_then(|block| block.remote.get(&at)).cloned().unwrap_or_default();
                    Standing::Settled { outcome, remote_id }
                }
            });
        }
        Ok(standings)
    }

    async fn sending(&self, positions: &[u64]) -> Result<(), Failure> {
        self.change(positions, |position| *position, |block, at, _| block.marks[at as usize] = Mark::Sending).await
    }

    async fn settled(&self, outcomes: &[LeadOutcome]) -> Result<(), Failure> {
        let settle = |block: &mut OutcomeBlock, at: u32, lead: &LeadOutcome| {
            block.marks[at as usize] = Mark::Settled(lead.outcome);
            if !lead.remote_id.is_empty() {
                block.remote.insert(at, lead.remote_id.clone());
            }
            // A row is kept only where a person has something to read.
            if lead.reason.is_empty() && lead.next_step.is_empty() {
                block.rows.remove(&at);
            } else {
                block.rows.insert(at, lead.clone());
            }
        };
        self.change(outcomes, |lead| lead.position, settle).await
    }

    async fn grouped_before(&self) -> Result<u64, Failure> {
        Ok(runs::load(self.inner, self.id)?.grouped_before)
    }

    async fn set_grouped_before(&self, position: u64) -> Result<(), Failure> {
        let mut record = runs::load(self.inner, self.id)?;
        record.grouped_before = position;
        runs::save(self.inner, self.id, &record).await
    }
}
