//! That each lead is planned once, the same way each time.

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
