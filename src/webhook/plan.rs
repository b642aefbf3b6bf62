//! Planning the deliveries of a run: which leads go into which request, under which id, with which body.
//!
//! A plan holds no bodies: a [`Payload`] renders them again from the list version, and the hash says that they are the same.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::WebhookSpec;
use super::template::{self, Context, Template};
use crate::failure::{Code, Failure};
use crate::lead::filter::Filter;
use crate::lead::{Lead, Schema};

/// Hex digits of a delivery id: 160 bits, more than chance can repeat.
const ID_DIGITS: usize = 40;

/// One request to be made: durable before anybody hears that it is queued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// The `webhook-id`: the same over attempts and restarts.
    pub id: String,
    /// The positions of its leads in the list version, ascending.
    pub positions: Vec<u64>,
    /// SHA-256 of its body.
    pub hash: [u8; 32],
}

/// What a run froze, from which every body can be made again.
#[derive(Clone, Debug)]
pub struct Payload {
    template: Template,
    context: Context,
    schema: Schema,
}

impl Payload {
    /// Fails when the template cannot be compiled.
    pub fn new(spec: &WebhookSpec, context: Context, schema: Schema) -> Result<Payload, Failure> {
        Ok(Payload { template: Template::compile(spec)?, context, schema })
    }

    /// The body for these leads.
    pub fn render(&self, leads: &[&Lead]) -> Result<Vec<u8>, Failure> {
        self.template.render(&self.context, &self.schema, leads)
    }
}

/// What becomes of one or more leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// They go out together.
    Send(Planned),
    /// The filter leaves this one out.
    Skip(u64),
    /// No body can be made for them.
    Refuse(Vec<u64>, Failure),
}

/// Turns the leads of a list version, given in order, into deliveries. Holds one batch of leads at a time.
pub struct Planner<'a> {
    payload: &'a Payload,
    webhook: &'a str,
    filter: Filter,
    batch: usize,
    held: Vec<(u64, Lead)>,
}

impl<'a> Planner<'a> {
    /// A planner for a webhook's id (not its name, which can change). Fails when the filter does not fit the list.
    pub fn new(payload: &'a Payload, webhook: &'a str, spec: &WebhookSpec) -> Result<Self, Failure> {
        let filter = Filter::parse(&spec.filter, &payload.schema).map_err(|error| {
            let message = format!("The webhook's filter '{}' does not fit this list: {}", spec.filter, error.message);
            Failure::new(Code::Usage, message, "Change the filter in the webhook's settings.")
        })?;
        let batch = usize::try_from(spec.batch).unwrap_or(usize::MAX).max(1);
        Ok(Planner { payload, webhook, filter, batch, held: Vec::new() })
    }

    /// Takes the next lead; answers when something is decided.
    pub fn push(&mut self, position: u64, lead: &Lead) -> Option<Step> {
        if !self.filter.matches(lead) {
            return Some(Step::Skip(position));
        }
        self.held.push((position, lead.clone()));
        if self.held.len() < self.batch { None } else { self.finish() }
    }

    /// Plans what is left at the end of the list.
    pub fn finish(&mut self) -> Option<Step> {
        let held = std::mem::take(&mut self.held);
        let first = held.first()?.0;
        let positions: Vec<u64> = held.iter().map(|(position, _)| *position).collect();
        let leads: Vec<&Lead> = held.iter().map(|(_, lead)| lead).collect();
        Some(match self.payload.render(&leads) {
            Err(failure) => Step::Refuse(positions, failure),
            Ok(body) => {
                let context = &self.payload.context;
                let id = delivery_id(&context.run, self.webhook, context.version, first);
                Step::Send(Planned { id, positions, hash: template::hash(&body) })
            }
        })
    }
}

/// The id of the delivery that begins with the lead at `first`. A lead stands in one delivery of a run only, and positions of
/// a list version never change, so the id is the same whenever it is made again.
pub fn delivery_id(run: &str, webhook: &str, version: u32, first: u64) -> String {
    let digest = Sha256::digest(format!("delivery\0{run}\0{webhook}\0{version}\0{first}"));
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("msg_{}", &hex[..ID_DIGITS])
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
