//! Planning a webhook run: every lead gets a durable delivery, or an outcome that says why it is not sent.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ulid::Ulid;

use super::Inner;
use super::records::{DeliveryRecord, Frozen, Mark, OutcomeBlock, key};
use super::run_leads::{PER_BLOCK, block_key};
use crate::failure::Failure;
use crate::lead::{Field, Lead, Schema};
use crate::list::ListVersion;
use crate::store::Batch;
use crate::sync::{LeadOutcome, Outcome};
use crate::webhook::plan::{Payload, Planned, Planner, Step};

/// Plans every lead of the list version, block by block. It can be broken off and done again: ids follow from run and
/// position, and nothing is sent before all is planned.
pub(super) async fn plan(
    inner: &Inner,
    run: Ulid,
    list: Ulid,
    version: &ListVersion,
    payload: &Payload,
    frozen: &Frozen,
) -> Result<(), Failure> {
    for number in 0..version.blocks {
        let leads = inner.lists.block(list, version.version, number)?;
        let block = Block {
            run,
            webhook: frozen.webhook,
            number: u64::from(number),
            names: leads.iter().map(|lead| person(&version.schema, lead)).collect(),
            now: inner.now(),
        };
        // A batch of leads never spans two blocks, so that a block's records are whole when it is committed.
        let webhook = frozen.webhook.to_string();
        let mut planner = Planner::new(payload, &webhook, &frozen.spec)?;
        let mut steps: Vec<Step> =
            (block.first()..).zip(&leads).filter_map(|(position, lead)| planner.push(position, lead)).collect();
        steps.extend(planner.finish());
        let batch = block.batch(steps);
        inner.store.commit(batch).await?;
    }
    Ok(())
}

/// One block of leads being planned.
struct Block {
    run: Ulid,
    webhook: Ulid,
    number: u64,
    /// The leads, for a person.
    names: Vec<String>,
    now: Timestamp,
}

impl Block {
    fn first(&self) -> u64 {
        self.number * PER_BLOCK
    }

    fn name(&self, position: u64) -> String {
        let at = usize::try_from(position - self.first()).unwrap_or(usize::MAX);
        self.names.get(at).cloned().unwrap_or_default()
    }

    fn batch(&self, steps: Vec<Step>) -> Batch {
        let mut batch = Batch::new();
        let mut outcomes =
            OutcomeBlock { marks: vec![Mark::Fresh; self.names.len()], rows: BTreeMap::new(), ..Default::default() };
        let mut settle = |position: u64, outcome| {
            let at = usize::try_from(position - self.first()).unwrap_or(usize::MAX);
            if let Some(mark) = outcomes.marks.get_mut(at) {
                *mark = Mark::Settled(outcome);
            }
        };
        let mut rows = Vec::new();
        for step in steps {
            match step {
                Step::Send(planned) => {
                    let delivery = self.delivery(planned);
                    batch.put(key(self.run, delivery.planned.positions[0]), &delivery);
                }
                Step::Skip(position) => settle(position, Outcome::Skipped),
                Step::Refuse(positions, failure) => {
                    for position in positions {
                        settle(position, Outcome::Parked);
                        rows.push(LeadOutcome {
                            position,
                            lead: self.name(position),
                            outcome: Outcome::Parked,
                            reason: failure.message.clone(),
                            next_step: failure.remedy.clone(),
                            remote_id: String::new(),
                        });
                    }
                }
            }
        }
        let at = |row: &LeadOutcome| u32::try_from(row.position - self.first()).unwrap_or(u32::MAX);
        outcomes.rows = rows.into_iter().map(|row| (at(&row), row)).collect();
        batch.put(block_key(self.run, self.number), &outcomes);
        batch
    }

    fn delivery(&self, planned: Planned) -> DeliveryRecord {
        let first = planned.positions.first().map(|position| self.name(*position)).unwrap_or_default();
        let leads = match planned.positions.len() {
            0 | 1 => first,
            many => format!("{first} and {} more", many - 1),
        };
        DeliveryRecord {
            planned,
            webhook: self.webhook,
            leads,
            outcome: Outcome::Pending,
            attempts: 0,
            under_way: false,
            answer: String::new(),
            reason: String::new(),
            ms: 0,
            time: self.now,
            next_try: None,
        }
    }
}

/// A lead for a person: its name, else its e-mail.
pub(super) fn person(schema: &Schema, lead: &Lead) -> String {
    let name = lead.display_name(schema);
    if name.is_empty() { lead.get(schema, Field::Email).to_owned() } else { name }
}
