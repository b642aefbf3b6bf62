//! Carrying a run out: survey, group, look-ups, writes, an outcome per lead; waiting where waiting helps.
//!
//! An outcome is durable before it is counted and a write is marked before it is sent, so that a run that was killed goes
//! on where it was: what was under way is looked up first.

mod block;
mod decide;
mod step;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::journal::Journal;
use super::mapping::Mapping;
use super::{Destination, LeadOutcome, Outcome, RunState, RunSummary, Settings};
use crate::crm::api::Api;
use crate::crm::{Crm, Survey, Trouble, TroubleKind};
use crate::failure::{Code, Failure};
use crate::lead::Schema;

/// What a run is to do.
#[derive(Clone, Debug)]
pub struct Order {
    /// The run's id.
    pub id: String,
    /// The list's name.
    pub list: String,
    /// The version to send.
    pub version: u32,
    /// The columns of its leads.
    pub schema: Schema,
    /// How many leads it has.
    pub leads: u64,
    /// Where to.
    pub destination: Destination,
    /// As confirmed.
    pub settings: Settings,
    /// When the run was first started.
    pub started: Timestamp,
}

/// What a run works with.
pub struct Tools<'a> {
    /// The account.
    pub api: &'a Api,
    /// Leads in, outcomes out.
    pub journal: &'a dyn Journal,
    /// Called with the summary whenever it changed.
    pub progress: &'a (dyn Fn(&RunSummary) + Send + Sync),
    /// Stops the run between two calls, or while it waits.
    pub cancel: CancellationToken,
    /// The clock.
    pub now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// A random number from 0 to 1: [`super::backoff::random`].
    pub jitter: Arc<dyn Fn() -> f64 + Send + Sync>,
}

impl fmt::Debug for Tools<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Tools({:?})", self.api)
    }
}

/// Carries a run out to its end, to what only a person can mend, or to cancellation; the answer says which.
///
/// While something has to be waited for, the summary's state is [`RunState::Waiting`] with `next_try`; a caller who does not
/// want to wait that long cancels and starts the run again later with the same journal.
pub async fn carry_out(order: &Order, tools: Tools<'_>) -> RunSummary {
    let mut summary = RunSummary {
        id: order.id.clone(),
        list: order.list.clone(),
        version: order.version,
        destination: order.destination.clone(),
        state: RunState::Running,
        started: order.started,
        ended: None,
        next_try: None,
        total: order.leads,
        counts: BTreeMap::new(),
        trouble: None,
    };
    summary.counts.insert(Outcome::Pending, order.leads);
    let mut course = Course { order, crm: tools.api.crm(), summary, tools, attempts: 0 };
    let end = course.go().await;
    let Course { mut summary, tools, .. } = course;
    summary.next_try = None;
    summary.ended = Some((tools.now)());
    (summary.state, summary.trouble) = match end {
        Ok(()) => (RunState::Done, None),
        Err(Stop::Cancelled) => (RunState::Cancelled, summary.trouble),
        Err(Stop::Failure(failure)) => (RunState::Stopped, Some(failure)),
    };
    (tools.progress)(&summary);
    summary
}

/// Why a run ends early.
enum Stop {
    Cancelled,
    Failure(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Stop::Failure(failure)
    }
}

/// A run under way, before and while its leads are worked on.
struct Course<'a> {
    order: &'a Order,
    crm: &'static dyn Crm,
    summary: RunSummary,
    tools: Tools<'a>,
    /// Waits in a row without a success.
    attempts: u32,
}

/// What the leads of one run have in common.
struct Ground<'a> {
    survey: &'a Survey,
    mapping: Mapping<'a>,
    /// The group that is filled after the writes.
    group: Option<String>,
    /// The group as a value of each lead, where the writes themselves fill it.
    group_value: Option<(String, String)>,
    /// Identities of leads seen so far, and where they stood.
    seen: HashMap<u64, u64>,
    /// Written leads that are not in the group yet.
    to_group: Vec<LeadOutcome>,
}

impl Course<'_> {
    async fn go(&mut self) -> Result<(), Stop> {
        (self.tools.progress)(&self.summary);
        let (crm, api, order) = (self.crm, self.tools.api, self.order);
        let survey = self.need(|| crm.survey(api)).await?;
        let mapping = Mapping::new(crm.spec(), &survey, &order.schema, &order.settings, &order.list);
        let name = order.settings.group.trim();
        let group = if name.is_empty() || order.leads == 0 {
            None
        } else {
            Some(self.need(|| crm.open_group(api, name)).await?)
        };
        let grouped_before = self.tools.journal.grouped_before().await?;
        let (group, group_value) = match crm.group_field() {
            Some(field) => (None, group.map(|id| (field.to_owned(), id))),
            None => (group, None),
        };
        let mut ground =
            Ground { survey: &survey, mapping, group, group_value, seen: HashMap::new(), to_group: Vec::new() };
        let mut position = 0;
        loop {
            let leads = self.tools.journal.leads(position).await?;
            if leads.is_empty() {
                break;
            }
            let next = position + leads.len() as u64;
            self.block(&mut ground, position, leads, grouped_before).await?;
            if ground.to_group.len() >= crm.spec().group_batch {
                self.fill_group(&mut ground, next).await?;
            }
            position = next;
        }
        self.fill_group(&mut ground, position).await
    }

    /// Makes outcomes durable, then counts and tells them.
    async fn settle(&mut self, outcomes: &[LeadOutcome]) -> Result<(), Stop> {
        if outcomes.is_empty() {
            return Ok(());
        }
        self.tools.journal.settled(outcomes).await?;
        for lead in outcomes {
            self.count(lead.outcome);
        }
        (self.tools.progress)(&self.summary);
        Ok(())
    }

    fn count(&mut self, outcome: Outcome) {
        *self.summary.counts.entry(outcome).or_default() += 1;
        if let Some(pending) = self.summary.counts.get_mut(&Outcome::Pending) {
            *pending = pending.saturating_sub(1);
        }
        self.summary.counts.retain(|outcome, count| *outcome == Outcome::Pending || *count > 0);
    }

    /// Adds the written leads to the group and notes how far the list is grouped.
    async fn fill_group(&mut self, ground: &mut Ground<'_>, before: u64) -> Result<(), Stop> {
        let Some(group) = &ground.group else { return Ok(()) };
        let (crm, api) = (self.crm, self.tools.api);
        for piece in ground.to_group.chunks(crm.spec().group_batch) {
            let records: Vec<String> = piece.iter().map(|lead| lead.remote_id.clone()).collect();
            let refused = match self.attempt(|| crm.add_to_group(api, group, &records)).await? {
                Ok(refused) => refused,
                Err(trouble) => records.iter().map(|record| (record.clone(), trouble.message.clone())).collect(),
            };
            let reasons: HashMap<String, String> = refused.into_iter().collect();
            let told: Vec<LeadOutcome> = piece
                .iter()
                .filter_map(|lead| {
                    let reason = reasons.get(&lead.remote_id)?;
                    let reason = format!("Written, but not added to the {}: {reason}", crm.spec().grouping);
                    let next_step = format!("Add it to the {} by hand, or retry.", crm.spec().grouping);
                    Some(LeadOutcome { reason, next_step, ..lead.clone() })
                })
                .collect();
            if !told.is_empty() {
                self.tools.journal.settled(&told).await?;
            }
        }
        ground.to_group.clear();
        self.tools.journal.set_grouped_before(before).await?;
        Ok(())
    }
}

/// A trouble that ends or delays a run, in words.
pub fn failure_of(trouble: &Trouble) -> Failure {
    let code = match trouble.kind {
        TroubleKind::Credentials => Code::SignInNeeded,
        TroubleKind::Permission | TroubleKind::Plan => Code::Forbidden,
        TroubleKind::Quota { .. } | TroubleKind::Busy { .. } | TroubleKind::Vendor | TroubleKind::Unclear => {
            Code::Waiting
        }
        TroubleKind::Refused | TroubleKind::Missing | TroubleKind::Blocked => Code::Failed,
    };
    Failure::new(code, trouble.message.clone(), trouble.next_step.clone())
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
