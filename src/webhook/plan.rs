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
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::lead::{Column, Field};

    fn payload(spec: &WebhookSpec) -> Payload {
        let context = Context {
            list: "L".into(),
            version: 1,
            run: "01RUN".into(),
            event: Context::SYNCED,
            now: jiff::Timestamp::UNIX_EPOCH,
        };
        let schema = Schema { columns: vec![Column { header: "Mail".into(), field: Some(Field::Email) }] };
        Payload::new(spec, context, schema).unwrap()
    }

    fn lead(mail: &str) -> Lead {
        Lead { cells: vec![mail.into()] }
    }

    fn plan(spec: &WebhookSpec, leads: &[Lead]) -> Vec<Step> {
        let payload = payload(spec);
        let mut planner = Planner::new(&payload, "hook", spec).unwrap();
        let mut steps: Vec<Step> = (0..).zip(leads).filter_map(|(at, lead)| planner.push(at, lead)).collect();
        steps.extend(planner.finish());
        steps
    }

    #[test]
    fn a_lead_without_a_body_does_not_hold_up_the_others() {
        let text = "{% if lead.email == \"bad@a.test\" %}[{% else %}{{ lead }}{% endif %}".to_owned();
        let spec = WebhookSpec { template: template::CUSTOM.into(), template_text: text, ..WebhookSpec::default() };
        let steps = plan(&spec, &[lead("a@a.test"), lead("bad@a.test"), lead("b@a.test")]);
        assert!(
            matches!(&steps[1], Step::Refuse(positions, failure) if positions == &[1] && failure.message.contains("not JSON"))
        );
        assert!(matches!((&steps[0], &steps[2]), (Step::Send(_), Step::Send(_))));
    }

    #[test]
    fn a_filter_for_other_columns_is_refused_before_anything_is_queued() {
        let spec = WebhookSpec { filter: "\"Job Title\" = Owner".into(), ..WebhookSpec::default() };
        let failure = Planner::new(&payload(&spec), "hook", &spec).err().unwrap();
        assert!(failure.message.contains("Job Title"), "{failure:?}");
    }

    #[test]
    fn an_id_tells_runs_webhooks_versions_and_leads_apart() {
        let ids = [
            delivery_id("r", "w", 1, 0),
            delivery_id("r2", "w", 1, 0),
            delivery_id("r", "w2", 1, 0),
            delivery_id("r", "w", 2, 0),
            delivery_id("r", "w", 1, 1),
        ];
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
        assert!(ids[0].starts_with("msg_") && !ids[0].contains('.') && ids[0].len() == 44, "{}", ids[0]);
    }

    proptest! {
        #[test]
        fn every_lead_is_planned_once_and_planning_again_gives_the_same(
            mails in proptest::collection::vec("(a|b|no)@a\\.test", 0..40), batch in 1u32..7,
        ) {
            let spec = WebhookSpec { batch, filter: "not email ~ no@".into(), ..WebhookSpec::default() };
            let leads: Vec<Lead> = mails.iter().map(|mail| lead(mail)).collect();
            let steps = plan(&spec, &leads);
            prop_assert_eq!(&steps, &plan(&spec, &leads));
            let (mut positions, mut ids) = (Vec::new(), BTreeSet::new());
            for step in steps {
                match step {
                    Step::Send(planned) => {
                        prop_assert!(planned.positions.len() <= batch as usize);
                        prop_assert!(planned.positions.iter().all(|at| mails[*at as usize] != "no@a.test"));
                        prop_assert!(ids.insert(planned.id), "one id for two bodies");
                        positions.extend(planned.positions);
                    }
                    Step::Skip(at) => positions.push(at),
                    Step::Refuse(..) => prop_assert!(false),
                }
            }
            positions.sort_unstable();
            prop_assert_eq!(positions, (0..mails.len() as u64).collect::<Vec<_>>());
        }
    }
}
