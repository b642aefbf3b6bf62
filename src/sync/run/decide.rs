//! What becomes of one lead without a write: held back, or settled by what a look-up found.

use jiff::SignedDuration;

use super::{Course, Ground};
use crate::crm::{Found, MatchBy, MatchKey, Outgoing, Write, Written};
use crate::sync::mapping::{Refusal, says_the_same};
use crate::sync::plan::{identities, needs_look_up};
use crate::sync::{LeadOutcome, Mode, Outcome};

/// A lead as it will be written, with the name that a person knows it by.
#[derive(Clone)]
pub(super) struct NamedLead {
    pub(super) outgoing: Outgoing,
    pub(super) name: String,
}

impl NamedLead {
    pub(super) fn ends(&self, outcome: Outcome, remote_id: &str, reason: String, next_step: String) -> LeadOutcome {
        LeadOutcome {
            position: self.outgoing.position,
            lead: self.name.clone(),
            outcome,
            reason,
            next_step,
            remote_id: remote_id.to_owned(),
        }
    }

    pub(super) fn refused(&self, outcome: Outcome, refusal: Refusal) -> LeadOutcome {
        self.ends(outcome, "", refusal.reason, refusal.next_step)
    }

    pub(super) fn written(&self, written: Written) -> LeadOutcome {
        self.ends(written.outcome, &written.remote_id, written.reason, written.next_step)
    }
}

/// What a look-up means for a lead.
pub(super) enum Decision {
    Write(Write),
    End(LeadOutcome),
}

impl Course<'_> {
    pub(super) fn decide(&self, ground: &Ground<'_>, named: &NamedLead, found: Found, after_send: bool) -> Decision {
        let (mode, name) = (self.order.settings.mode, self.crm.spec().name);
        let skipped = |reason: String| {
            let next_step = "Choose another mode in the sync settings to send it.".to_owned();
            Decision::End(named.ends(Outcome::Skipped, "", reason, next_step))
        };
        match found {
            Found::Several(ids) => {
                let or_email = if ground.survey.by == MatchBy::LeadKey { " or e-mail" } else { "" };
                Decision::End(named.ends(
                    Outcome::Failed,
                    "",
                    format!("{} records in {name} have the same {}{or_email}", ids.len(), ground.survey.key.field()),
                    format!("Merge them in {name}, then retry."),
                ))
            }
            Found::None if mode == Mode::Update => skipped(format!("Not in {name}, and only updates are asked for")),
            Found::None => match ground.mapping.refusal(&named.outgoing, true) {
                Some(refusal) => Decision::End(named.refused(Outcome::Failed, refusal)),
                None if matches!(ground.survey.key, MatchKey::Upsert(_)) => Decision::Write(Write::Upsert),
                None => Decision::Write(Write::Create),
            },
            Found::One { id, values, created } => {
                let by_this_run = after_send && created.is_some_and(|created| created >= self.began_at_the_vendor());
                if says_the_same(&values, &named.outgoing) {
                    let outcome = match (after_send, by_this_run) {
                        (_, true) => Outcome::Created,
                        (true, false) => Outcome::Updated,
                        (false, false) => Outcome::Unchanged,
                    };
                    return Decision::End(named.ends(outcome, &id, String::new(), String::new()));
                }
                if mode == Mode::Create && !by_this_run {
                    return skipped(format!("Already in {name}, and only new leads are asked for"));
                }
                match ground.survey.key {
                    MatchKey::Upsert(_) => Decision::Write(Write::Upsert),
                    MatchKey::LookUp(_) => Decision::Write(Write::Update { id }),
                }
            }
        }
    }

    /// When the run began by the vendor's clock, with room for its coarseness.
    fn began_at_the_vendor(&self) -> jiff::Timestamp {
        let began = self.tools.api.vendor_time(self.order.started);
        began.saturating_sub(SignedDuration::from_secs(2)).unwrap_or(began)
    }
}

impl Ground<'_> {
    /// Notes a lead's identities; answers the position of an earlier lead that shares one.
    pub(super) fn first_of(&mut self, lead: &Outgoing) -> Option<u64> {
        if lead.match_value(self.survey.by).is_empty() {
            return None;
        }
        let mut earlier = None;
        for identity in identities(lead, self.survey.by) {
            let first = *self.seen.entry(identity).or_insert(lead.position);
            if first != lead.position {
                earlier = earlier.or(Some(first));
            }
        }
        earlier
    }

    /// Why a lead is not sent at all.
    pub(super) fn held_back(&self, named: &NamedLead, double: Option<u64>, mode: Mode) -> Option<LeadOutcome> {
        if let Some(refusal) = self.mapping.no_key(&named.outgoing) {
            return Some(named.refused(Outcome::Skipped, refusal));
        }
        if let Some(first) = double {
            let reason = format!("Same key or e-mail as lead {} of this list", first + 1);
            let next_step = "Keep one of the two in the list.".to_owned();
            return Some(named.refused(Outcome::Skipped, Refusal { reason, next_step }));
        }
        // Where a look-up will say whether a record has to be made, what only a new record needs is checked after it.
        let may_create = !needs_look_up(self.survey, mode);
        let refusal = self.mapping.refusal(&named.outgoing, may_create)?;
        Some(named.refused(Outcome::Failed, refusal))
    }
}
