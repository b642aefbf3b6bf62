//! The log of a webhook run's deliveries in the store: marks before and after each attempt, bodies rendered again, progress told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use ulid::Ulid;

use super::messages::Event;
use super::records::DeliveryRecord;
use super::run_leads::PER_BLOCK;
use super::{Inner, misrouted, run_life, webhooks};
use crate::failure::{Code, Failure};
use crate::lead::Lead;
use crate::store::{Batch, Keyed};
use crate::sync::{Outcome, RunState, RunSummary};
use crate::webhook::WebhookState;
use crate::webhook::plan::{Payload, Planned};
use crate::webhook::queue::{Progress, QueueLog};

/// Deliveries by their id, with their keys.
type Kept = HashMap<String, Keyed<DeliveryRecord>>;

/// The queue's log in the store.
pub(super) struct StoreLog {
    pub(super) inner: Arc<Inner>,
    pub(super) run: Ulid,
    pub(super) list: Ulid,
    pub(super) version: u32,
    pub(super) payload: Payload,
    pub(super) webhook: Ulid,
    pub(super) kept: Mutex<Kept>,
    /// The block last read: deliveries go from front to back.
    pub(super) block: Mutex<Option<(u64, Arc<Vec<Lead>>)>>,
    pub(super) summary: Mutex<RunSummary>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl StoreLog {
    pub(super) fn keep_all(deliveries: Vec<Keyed<DeliveryRecord>>) -> Mutex<Kept> {
        let by_id = |keyed: Keyed<DeliveryRecord>| (keyed.1.planned.id.clone(), keyed);
        Mutex::new(deliveries.into_iter().map(by_id).collect())
    }

    pub(super) fn summary(&self) -> MutexGuard<'_, RunSummary> {
        locked(&self.summary)
    }

    fn tell(&self, change: impl FnOnce(&mut RunSummary)) {
        let summary = {
            let mut summary = self.summary();
            change(&mut summary);
            summary.clone()
        };
        run_life::progress(&self.inner, self.run, &summary);
    }

    fn block(&self, number: u64) -> Result<Arc<Vec<Lead>>, Failure> {
        if let Some((at, leads)) = &*locked(&self.block)
            && *at == number
        {
            return Ok(Arc::clone(leads));
        }
        let block = u32::try_from(number).unwrap_or(u32::MAX);
        let leads = Arc::new(self.inner.lists.block(self.list, self.version, block)?);
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
        let begun = |delivery: &mut DeliveryRecord| {
            (delivery.attempts, delivery.time) = (attempts, at);
            (delivery.under_way, delivery.next_try) = (true, None);
        };
        self.keep(id, begun).await?;
        (self.summary().state, self.summary().next_try) = (RunState::Running, None);
        Ok(())
    }

    async fn ended(&self, planned: &Planned, progress: &Progress) -> Result<(), Failure> {
        self.keep(&planned.id, |delivery| {
            delivery.under_way = false;
            (delivery.outcome, delivery.attempts, delivery.ms) = (progress.outcome, progress.attempts, progress.ms);
            (delivery.answer, delivery.reason) = (progress.answer.clone(), progress.reason.clone());
            (delivery.time, delivery.next_try) = (progress.time, progress.next_try);
        })
        .await?;
        if progress.outcome != Outcome::Pending {
            let leads = planned.positions.len() as u64;
            self.tell(|summary| {
                let left = summary.count(Outcome::Pending).saturating_sub(leads);
                summary.counts.insert(Outcome::Pending, left);
                *summary.counts.entry(progress.outcome).or_default() += leads;
            });
        }
        if progress.outcome == Outcome::Delivered {
            webhooks::delivered(&self.inner, self.webhook, progress.time).await?;
        }
        Ok(())
    }

    async fn waits(&self, until: Timestamp) {
        self.tell(|summary| (summary.state, summary.next_try) = (RunState::Waiting, Some(until)));
    }

    async fn halted(&self, state: WebhookState, reason: &str) -> Result<(), Failure> {
        let summary = webhooks::set_state(&self.inner, self.webhook, state, reason).await?;
        self.inner.tell(Event::Webhook(summary));
        Ok(())
    }
}
