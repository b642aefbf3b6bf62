//! The Activity tab: what ran, what was delivered, what was said, and the analytics events.

use std::collections::BTreeSet;

use super::Rows;
use crate::engine::messages::{KeptNotice, Reply, Request};
use crate::events::AnalyticsEvent;
use crate::sync::RunSummary;
use crate::webhook::DeliverySummary;

/// Rows asked for at once.
const LIMIT: usize = 200;

/// What the tab shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Section {
    /// Runs.
    #[default]
    Runs,
    /// Webhook deliveries.
    Deliveries,
    /// Notices.
    Notices,
    /// Analytics events.
    Events,
}

impl Section {
    /// All, in order.
    pub const ALL: [Section; 4] = [Section::Runs, Section::Deliveries, Section::Notices, Section::Events];

    /// Its name.
    pub fn title(self) -> &'static str {
        match self {
            Section::Runs => "Runs",
            Section::Deliveries => "Deliveries",
            Section::Notices => "Notices",
            Section::Events => "Events",
        }
    }
}

/// The tab.
#[derive(Debug, Default)]
pub struct Activity {
    /// What it shows.
    pub section: Section,
    /// Newest first.
    pub runs: Rows<RunSummary>,
    /// Newest first.
    pub deliveries: Rows<DeliverySummary>,
    /// The one webhook whose deliveries are shown; `None` = all.
    pub webhook: Option<String>,
    /// Newest first.
    pub notices: Rows<KeptNotice>,
    /// Newest first.
    pub events: Rows<AnalyticsEvent>,
    /// Runs whose end was already told.
    pub ended: BTreeSet<String>,
}

impl Activity {
    /// What to ask the engine for.
    pub(super) fn request(&self) -> Request {
        match self.section {
            Section::Runs => Request::Runs { limit: LIMIT },
            Section::Deliveries => Request::Deliveries { webhook: self.webhook.clone(), run: None, limit: LIMIT },
            Section::Notices => Request::Notices { limit: LIMIT },
            Section::Events => Request::Events { limit: LIMIT },
        }
    }

    /// The engine's answer.
    pub(super) fn answer(&mut self, reply: Reply) {
        match reply {
            Reply::Runs(runs) => self.runs.set(runs),
            Reply::Deliveries(deliveries) => self.deliveries.set(deliveries),
            Reply::Notices(notices) => self.notices.set(notices),
            Reply::Events(events) => self.events.set(events),
            _ => {}
        }
    }

    /// A run got further.
    pub(super) fn run(&mut self, run: &RunSummary) {
        match self.runs.items.iter_mut().find(|known| known.id == run.id) {
            Some(known) => *known = run.clone(),
            None => self.runs.items.insert(0, run.clone()),
        }
    }

    /// The next or previous section.
    pub(super) fn turn(&mut self, forward: bool) {
        let len = Section::ALL.len();
        let at = Section::ALL.iter().position(|section| *section == self.section).unwrap_or(0);
        self.section = Section::ALL[(at + if forward { 1 } else { len - 1 }) % len];
    }

    /// Moves the cursor of the section.
    pub(super) fn step(&mut self, by: isize) {
        match self.section {
            Section::Runs => self.runs.step(by),
            Section::Deliveries => self.deliveries.step(by),
            Section::Notices => self.notices.step(by),
            Section::Events => self.events.step(by),
        }
    }
}
