//! The leads of one block: what is settled already, what has to be looked up, what is written, and what came of it.

use jiff::SignedDuration;

use super::decide::{Decision, NamedLead};
use super::{Course, Ground, Stop};
use crate::crm::{Found, Outgoing, Trouble, TroubleKind, Write, Written};
use crate::lead::Lead;
use crate::sync::journal::Standing;
use crate::sync::plan::needs_look_up;
use crate::sync::{LeadOutcome, Outcome};

/// A part whose writes were unclear this often although look-ups work is halved, to find the lead that does it.
const UNCLEAR_ROUNDS: u32 = 4;

/// Leads that the vendor wants to see again are sent again this often.
const AGAIN: u32 = 4;

/// Leads are looked up for this many writes at a time.
const WRITES_AHEAD: usize = 10;

/// Leads that go in one write.
struct Part {
    leads: Vec<(NamedLead, Write)>,
    unclear: u32,
    again: u32,
}

impl Course<'_> {
    /// Works on the leads from `first` on until each has an outcome.
    pub(super) async fn block(
        &mut self,
        ground: &mut Ground<'_>,
        first: u64,
        leads: Vec<(String, Lead)>,
        grouped_before: u64,
    ) -> Result<(), Stop> {
        let standings = self.tools.journal.standings(first, leads.len()).await?;
        let (mut ends, mut fresh, mut under_way) = (Vec::new(), Vec::new(), Vec::new());
        for (position, ((key, lead), standing)) in (first..).zip(leads.iter().zip(standings)) {
            let mut outgoing = ground.mapping.outgoing(position, key, lead);
            outgoing.values.extend(ground.group_value.clone());
            let name = self.name_of(&outgoing, lead);
            let named = NamedLead { outgoing, name };
            let double = ground.first_of(&named.outgoing);
            match standing {
                Standing::Settled { outcome, remote_id } => {
                    self.count(outcome);
                    if position >= grouped_before && belongs_to_group(outcome, &remote_id) && ground.group.is_some() {
                        ground.to_group.push(named.ends(outcome, &remote_id, String::new(), String::new()));
                    }
                }
                Standing::Sending => under_way.push(named),
                Standing::Fresh => match ground.held_back(&named, double, self.order.settings.mode) {
                    Some(end) => ends.push(end),
                    None => fresh.push(named),
                },
            }
        }
        self.settle(&ends).await?;
        let mut parts = Vec::new();
        if !under_way.is_empty() {
            let rest = self.look_again(ground, under_way).await?;
            self.add_parts(&mut parts, rest);
        }
        self.write_parts(ground, parts).await?;
        // In steps, so that leads arrive soon and look-ups stay fresh where each lead takes calls of its own.
        let step = (self.crm.spec().batch * WRITES_AHEAD).max(self.crm.spec().find_batch);
        while !fresh.is_empty() {
            let later = fresh.split_off(fresh.len().min(step));
            let to_write = if needs_look_up(ground.survey, self.order.settings.mode) {
                self.look_up(ground, fresh).await?
            } else {
                fresh.into_iter().map(|named| (named, Write::Upsert)).collect()
            };
            let mut parts = Vec::new();
            self.add_parts(&mut parts, to_write);
            self.write_parts(ground, parts).await?;
            fresh = later;
        }
        Ok(())
    }

    fn name_of(&self, outgoing: &Outgoing, lead: &Lead) -> String {
        let name = lead.display_name(&self.order.schema);
        match (name.is_empty(), outgoing.email.is_empty()) {
            (false, _) => name,
            (true, false) => outgoing.email.clone(),
            (true, true) => format!("lead {}", outgoing.position + 1),
        }
    }

    /// Cuts leads into parts of one kind of write and of the vendor's size each.
    fn add_parts(&self, parts: &mut Vec<Part>, leads: Vec<(NamedLead, Write)>) {
        let (updates, others): (Vec<_>, Vec<_>) =
            leads.into_iter().partition(|(_, write)| matches!(write, Write::Update { .. }));
        for mut kind in [others, updates] {
            while !kind.is_empty() {
                let rest = kind.split_off(kind.len().min(self.crm.spec().batch));
                parts.push(Part { leads: kind, unclear: 0, again: 0 });
                kind = rest;
            }
        }
    }

    /// Writes parts until each of their leads has an outcome.
    async fn write_parts(&mut self, ground: &mut Ground<'_>, mut parts: Vec<Part>) -> Result<(), Stop> {
        parts.reverse();
        let (crm, api, survey) = (self.crm, self.tools.api, ground.survey);
        while let Some(part) = parts.pop() {
            let positions: Vec<u64> = part.leads.iter().map(|(named, _)| named.outgoing.position).collect();
            self.tools.journal.sending(&positions).await?;
            let leads: Vec<(Outgoing, Write)> =
                part.leads.iter().map(|(named, write)| (named.outgoing.clone(), write.clone())).collect();
            match self.attempt(|| crm.write(api, survey, &leads)).await? {
                Ok(answers) => {
                    if let Some(rest) = self.take_answers(ground, part, answers).await? {
                        parts.push(rest);
                    }
                }
                Err(trouble) if trouble.kind == TroubleKind::Unclear => {
                    self.back_off(&trouble, None).await?;
                    self.after_unclear(ground, part, &trouble, &mut parts).await?;
                }
                Err(_) if part.leads.len() > 1 => parts.extend(halves(part)),
                Err(trouble) => self.give_up(&part, &trouble).await?,
            }
        }
        Ok(())
    }

    /// Settles what the vendor answered; what it wants to see again is waited for and comes back.
    async fn take_answers(
        &mut self,
        ground: &mut Ground<'_>,
        part: Part,
        answers: Vec<Written>,
    ) -> Result<Option<Part>, Stop> {
        let (mut ends, mut again, mut silent) = (Vec::new(), Vec::new(), Vec::new());
        let mut words = None;
        for ((named, write), answer) in part.leads.into_iter().zip(answers) {
            match answer.outcome {
                Outcome::Pending if part.again < AGAIN => {
                    words = Some(answer.reason);
                    again.push((named, write));
                }
                Outcome::Pending => ends.push(named.written(Written { outcome: Outcome::Failed, ..answer })),
                Outcome::Unknown => silent.push(named),
                _ => ends.push(named.written(answer)),
            }
        }
        self.end(ground, ends).await?;
        if !silent.is_empty() {
            // The vendor said nothing about these: what a look-up does not find is not written a second time.
            let missing = self.look_again(ground, silent).await?;
            let name = self.crm.spec().name;
            let ends = missing.iter().map(|(named, _)| {
                let reason = format!("{name} did not say what became of it, and does not show it as sent");
                named.ends(Outcome::Unknown, "", reason, format!("Look for it in {name}, then retry."))
            });
            let ends = ends.collect();
            self.end(ground, ends).await?;
        }
        if again.is_empty() {
            return Ok(None);
        }
        let message = format!("{} asks to send some leads again: {}", self.crm.spec().name, words.unwrap_or_default());
        let trouble = Trouble { kind: TroubleKind::Vendor, message, next_step: String::new() };
        self.attempts = self.attempts.max(part.again);
        self.back_off(&trouble, None).await?;
        Ok(Some(Part { leads: again, unclear: part.unclear, again: part.again + 1 }))
    }

    /// After a write whose end is not known: looks its leads up and writes again only what is missing.
    async fn after_unclear(
        &mut self,
        ground: &mut Ground<'_>,
        part: Part,
        trouble: &Trouble,
        parts: &mut Vec<Part>,
    ) -> Result<(), Stop> {
        let waiting = part.leads.into_iter().map(|(named, _)| named).collect();
        // A look-up that works does not make the next wait shorter: the write has not worked yet.
        let attempts = self.attempts;
        let rest = self.look_again(ground, waiting).await?;
        self.attempts = attempts;
        let first = parts.len();
        self.add_parts(parts, rest);
        let mut again = parts.split_off(first);
        again.reverse();
        for mut piece in again {
            piece.unclear = part.unclear + 1;
            match (piece.unclear >= UNCLEAR_ROUNDS, piece.leads.len()) {
                (false, _) => parts.push(piece),
                (true, 1) => self.give_up(&piece, trouble).await?,
                (true, _) => {
                    self.attempts = 0;
                    parts.extend(halves(piece));
                }
            }
        }
        Ok(())
    }

    async fn give_up(&mut self, part: &Part, trouble: &Trouble) -> Result<(), Stop> {
        let fail = |(named, _): &(NamedLead, Write)| {
            named.ends(Outcome::Failed, "", trouble.message.clone(), trouble.next_step.clone())
        };
        let ends: Vec<LeadOutcome> = part.leads.iter().map(fail).collect();
        self.settle(&ends).await
    }

    async fn end(&mut self, ground: &mut Ground<'_>, ends: Vec<LeadOutcome>) -> Result<(), Stop> {
        self.settle(&ends).await?;
        if ground.group.is_some() {
            ground.to_group.extend(ends.into_iter().filter(|end| belongs_to_group(end.outcome, &end.remote_id)));
        }
        Ok(())
    }

    /// Looks fresh leads up; settles those that need no write and answers the others.
    async fn look_up(
        &mut self,
        ground: &mut Ground<'_>,
        waiting: Vec<NamedLead>,
    ) -> Result<Vec<(NamedLead, Write)>, Stop> {
        let found = self.find(ground, &waiting).await?;
        let (mut ends, mut writes) = (Vec::new(), Vec::new());
        for (named, found) in waiting.into_iter().zip(found) {
            match self.decide(ground, &named, found, false) {
                Decision::Write(write) => writes.push((named, write)),
                Decision::End(end) => ends.push(end),
            }
        }
        self.end(ground, ends).await?;
        Ok(writes)
    }

    /// Looks leads up whose write may have happened, for as long as the vendor may take to show a new record; settles those
    /// that are there as they were sent and answers the others.
    async fn look_again(
        &mut self,
        ground: &mut Ground<'_>,
        mut waiting: Vec<NamedLead>,
    ) -> Result<Vec<(NamedLead, Write)>, Stop> {
        let name = self.crm.spec().name;
        let trouble = Trouble {
            kind: TroubleKind::Vendor,
            message: format!("Looking in {name} for leads whose answer never came."),
            next_step: "Nothing to do: it goes on by itself.".to_owned(),
        };
        let lag = SignedDuration::from_secs(self.crm.spec().index_lag.into());
        let began = (self.tools.now)();
        let (mut ends, mut writes) = (Vec::new(), Vec::new());
        while !waiting.is_empty() {
            let found = self.find(ground, &waiting).await?;
            let late = (self.tools.now)().duration_since(began) >= lag;
            let mut missing = Vec::new();
            for (named, found) in waiting.into_iter().zip(found) {
                if found == Found::None && !late {
                    missing.push(named);
                    continue;
                }
                match self.decide(ground, &named, found, true) {
                    Decision::Write(write) => writes.push((named, write)),
                    Decision::End(end) => ends.push(end),
                }
            }
            waiting = missing;
            if !waiting.is_empty() {
                self.back_off(&trouble, None).await?;
            }
        }
        self.end(ground, ends).await?;
        Ok(writes)
    }

    async fn find(&mut self, ground: &Ground<'_>, waiting: &[NamedLead]) -> Result<Vec<Found>, Stop> {
        let (crm, api, survey) = (self.crm, self.tools.api, ground.survey);
        let mut found = Vec::with_capacity(waiting.len());
        for piece in waiting.chunks(crm.spec().find_batch) {
            let leads: Vec<Outgoing> = piece.iter().map(|named| named.outgoing.clone()).collect();
            found.append(&mut self.need(|| crm.find(api, survey, &leads)).await?);
        }
        Ok(found)
    }
}

fn belongs_to_group(outcome: Outcome, remote_id: &str) -> bool {
    !remote_id.is_empty() && matches!(outcome, Outcome::Created | Outcome::Updated | Outcome::Unchanged)
}

/// The halves of a part, the first half last, so that it is popped first.
fn halves(mut part: Part) -> [Part; 2] {
    let second = part.leads.split_off(part.leads.len() / 2);
    let (unclear, again) = (part.unclear, part.again);
    [Part { leads: second, unclear, again }, part]
}
