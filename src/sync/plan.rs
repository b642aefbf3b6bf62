//! What a run would do, told before it does it: the settings it would start from, calls needed, leads that cannot go.

use std::collections::{BTreeMap, HashSet};

use super::mapping::{Mapping, default_mapping};
use super::{Destination, Mode, Plan, Settings};
use crate::crm::{Account, Crm, MatchBy, MatchKey, Outgoing, Survey};
use crate::lead::{Lead, Schema};

/// The settings a first sync starts from, with what has to be said about them.
pub fn default_settings(crm: &dyn Crm, survey: &Survey, schema: &Schema, list: &str) -> (Settings, Vec<String>) {
    let (mapping, warnings) = default_mapping(crm.spec(), survey, schema);
    (Settings { mode: Mode::default(), mapping, group: list.to_owned() }, warnings)
}

/// Counts a list's leads block by block and then makes the plan.
#[derive(Debug)]
pub struct Planner<'a> {
    crm: &'a dyn Crm,
    survey: &'a Survey,
    settings: &'a Settings,
    mapping: Mapping<'a>,
    leads: u64,
    no_key: u64,
    doubles: u64,
    refused: BTreeMap<String, u64>,
    seen: HashSet<u64>,
}

impl<'a> Planner<'a> {
    /// A planner for a list of this name and schema.
    pub fn new(
        crm: &'a dyn Crm,
        survey: &'a Survey,
        schema: &'a Schema,
        settings: &'a Settings,
        list: &'a str,
    ) -> Planner<'a> {
        let mapping = Mapping::new(crm.spec(), survey, schema, settings, list);
        let (refused, seen) = (BTreeMap::new(), HashSet::new());
        Planner { crm, survey, settings, mapping, leads: 0, no_key: 0, doubles: 0, refused, seen }
    }

    /// Counts leads with their stable keys.
    pub fn add<'b>(&mut self, leads: impl IntoIterator<Item = (&'b str, &'b Lead)>) {
        for (key, lead) in leads {
            let lead = self.mapping.outgoing(self.leads, key, lead);
            self.leads += 1;
            if self.mapping.no_key(&lead).is_some() {
                self.no_key += 1;
            } else if identities(&lead, self.survey.by).into_iter().any(|identity| !self.seen.insert(identity)) {
                self.doubles += 1;
            } else if let Some(refusal) = self.mapping.refusal(&lead, self.settings.mode != Mode::Update) {
                let rule = refusal.reason.split([',', ';']).next().unwrap_or_default().to_owned();
                let rule = if rule.contains(" characters long") { refusal.next_step } else { rule };
                *self.refused.entry(rule).or_default() += 1;
            }
        }
    }

    /// The plan, with the account as it will be shown.
    pub fn finish(self, destination: Destination, list: &str, version: u32, account: &Account) -> Plan {
        let spec = self.crm.spec();
        let mut warnings = self.mapping.warnings;
        let skipped = |count: u64| if count == 1 { "1 lead".to_owned() } else { format!("{count} leads") };
        if self.no_key > 0 {
            warnings.push(format!("{} without an e-mail will be skipped.", skipped(self.no_key)));
        }
        if self.doubles > 0 {
            warnings
                .push(format!("{} with the key or e-mail of an earlier one will be skipped.", skipped(self.doubles)));
        }
        for (rule, count) in &self.refused {
            warnings.push(format!("{} will fail: {}.", skipped(*count), rule.trim_end_matches('.')));
        }
        let sent = self.leads - self.no_key - self.doubles - self.refused.values().sum::<u64>();
        let look_ups =
            if needs_look_up(self.survey, self.settings.mode) && matches!(self.survey.key, MatchKey::Upsert(_)) {
                sent.div_ceil(spec.find_batch as u64)
            } else {
                0
            };
        Plan {
            list: list.to_owned(),
            version,
            destination,
            account: named(account),
            grouping: spec.grouping.to_owned(),
            settings: self.settings.clone(),
            fields: self.survey.fields.clone(),
            leads: self.leads,
            calls: self.crm.calls(self.survey, sent, !self.settings.group.is_empty()) + look_ups,
            warnings,
        }
    }
}

/// An account for a person: `Acme Inc. (dana@acme.test, sandbox)`.
pub fn named(account: &Account) -> String {
    let more: Vec<&str> = [account.user.as_str(), account.environment.as_str()]
        .into_iter()
        .filter(|part| !part.is_empty() && *part != "production")
        .collect();
    match (account.name.as_str(), more.is_empty()) {
        ("", true) => account.id.clone(),
        ("", false) => more.join(", "),
        (name, true) => name.to_owned(),
        (name, false) => format!("{name} ({})", more.join(", ")),
    }
}

/// Whether a run looks records up before it writes them.
pub(super) fn needs_look_up(survey: &Survey, mode: Mode) -> bool {
    matches!(survey.key, MatchKey::LookUp(_)) || mode != Mode::Upsert
}

/// What two leads of one list must not share: the value they are recognised by, and the e-mail.
pub(super) fn identities(lead: &Outgoing, by: MatchBy) -> Vec<u64> {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let hash = |kind: MatchBy, value: &str| {
        let mut hasher = DefaultHasher::new();
        (kind == MatchBy::Email, value).hash(&mut hasher);
        hasher.finish()
    };
    let mut identities = vec![hash(by, lead.match_value(by))];
    if by != MatchBy::Email && !lead.email.is_empty() {
        identities.push(hash(MatchBy::Email, &lead.email));
    }
    identities
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
