//! The Activity tab: runs, deliveries, notices, events.

use ratatui::layout::Rect;

use super::rows::{self, Cells, Head};
use crate::app::activity::{Activity, Section};
use crate::app::{State, run};
use crate::sync::{Outcome, RunState, RunSummary};
use crate::text::{Clean, clean};
use crate::tui::canvas::Canvas;
use crate::tui::text::{clock, count, when};
use crate::tui::theme::Role;

/// Draws the tab.
pub fn draw(canvas: &mut Canvas<'_, '_>, state: &State, body: Rect) {
    let activity = &state.activity;
    let inside = canvas.panel(body, &title(canvas, activity), true);
    let (heads, lines, cursor) = match activity.section {
        Section::Runs => runs(canvas, state),
        Section::Deliveries => deliveries(canvas, activity),
        Section::Notices => notices(canvas, activity),
        Section::Events => events(canvas, activity),
    };
    if lines.is_empty() {
        rows::nothing(canvas, inside, "Nothing here yet.");
        return;
    }
    rows::draw(canvas, inside, &heads, &lines, cursor);
}

fn title(canvas: &Canvas<'_, '_>, activity: &Activity) -> Clean {
    let sections: Vec<String> = (Section::ALL.iter())
        .map(|section| match *section == activity.section {
            true => format!("[{}]", section.title()),
            false => section.title().to_owned(),
        })
        .collect();
    let only = activity.webhook.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
    clean(&format!("Activity{only} {} {}", canvas.sign("·", "-"), sections.join("  ")))
}

type Table = (Vec<Head>, Vec<Cells>, usize);

fn runs(canvas: &Canvas<'_, '_>, state: &State) -> Table {
    let zone = canvas.look.zone.clone();
    let lines = (state.activity.runs.items.iter())
        .map(|known| {
            let (word, role) = standing(known);
            let to = run::destination_name(state, &known.destination);
            vec![
                (when(known.started, &zone), Role::Text),
                (clean(word), role),
                (clean(&format!("{} v{}", known.list, known.version)), Role::Text),
                (clean(&to), Role::Text),
                (clean(&counts(known)), Role::Text),
            ]
        })
        .collect();
    let heads = vec![("Started", 16), ("State", 9), ("List", 24), ("To", 16), ("Leads", 0)];
    (heads, lines, state.activity.runs.cursor)
}

/// A run's state in a word.
pub fn standing(run: &RunSummary) -> (&'static str, Role) {
    match run.state {
        RunState::Running => ("running", Role::Accent),
        RunState::Waiting => ("waiting", Role::Warn),
        RunState::Done if run.count(Outcome::Failed) + run.count(Outcome::Parked) > 0 => ("done !", Role::Warn),
        RunState::Done => ("done", Role::Good),
        RunState::Stopped => ("stopped", Role::Bad),
        RunState::Cancelled => ("cancelled", Role::Dim),
    }
}

/// How many leads ended how: `19 created, 1 failed`.
pub fn counts(run: &RunSummary) -> String {
    let parts: Vec<String> = (run.counts.iter())
        .filter(|(_, number)| **number > 0)
        .map(|(outcome, number)| format!("{} {}", count(*number), outcome_word(*outcome)))
        .collect();
    parts.join(", ")
}

/// An outcome in a word.
pub fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pending => "pending",
        Outcome::Created => "created",
        Outcome::Updated => "updated",
        Outcome::Unchanged => "unchanged",
        Outcome::Failed => "failed",
        Outcome::Unknown => "unknown",
        Outcome::Skipped => "skipped",
        Outcome::Delivered => "delivered",
        Outcome::Parked => "parked",
        Outcome::Superseded => "superseded",
    }
}

/// How an outcome looks.
pub fn outcome_role(outcome: Outcome) -> Role {
    match outcome {
        Outcome::Created | Outcome::Updated | Outcome::Delivered | Outcome::Unchanged => Role::Good,
        Outcome::Failed | Outcome::Parked => Role::Bad,
        Outcome::Unknown | Outcome::Skipped => Role::Warn,
        Outcome::Pending | Outcome::Superseded => Role::Dim,
    }
}

fn deliveries(canvas: &Canvas<'_, '_>, activity: &Activity) -> Table {
    let zone = canvas.look.zone.clone();
    let lines = (activity.deliveries.items.iter())
        .map(|delivery| {
            let next = delivery.next_try.map(|time| format!(", next {}", clock(time, &zone))).unwrap_or_default();
            vec![
                (when(delivery.time, &zone), Role::Text),
                (clean(outcome_word(delivery.outcome)), outcome_role(delivery.outcome)),
                (clean(&delivery.webhook), Role::Text),
                (count(u64::from(delivery.attempts)), Role::Text),
                (clean(&delivery.leads), Role::Text),
                (clean(&format!("{} ({} ms{next})  {}", delivery.answer, delivery.ms, delivery.id)), Role::Text),
            ]
        })
        .collect();
    let heads = vec![("Tried", 16), ("Outcome", 10), ("Webhook", 14), ("Tries", 5), ("Leads", 20), ("Answer", 0)];
    (heads, lines, activity.deliveries.cursor)
}

fn notices(canvas: &Canvas<'_, '_>, activity: &Activity) -> Table {
    let zone = canvas.look.zone.clone();
    let lines = (activity.notices.items.iter())
        .map(|notice| {
            let role = if notice.kind == "error" { Role::Bad } else { Role::Text };
            vec![(when(notice.time, &zone), Role::Text), (clean(&notice.kind), role), (clean(&notice.text), Role::Text)]
        })
        .collect();
    (vec![("Time", 16), ("Kind", 8), ("Notice", 0)], lines, activity.notices.cursor)
}

fn events(canvas: &Canvas<'_, '_>, activity: &Activity) -> Table {
    let zone = canvas.look.zone.clone();
    let lines = (activity.events.items.iter())
        .map(|event| {
            let name = serde_json::to_value(event.event).ok();
            let name = name.as_ref().and_then(|name| name.as_str()).unwrap_or_default();
            rows::plain([
                when(event.timestamp, &zone),
                clean(name),
                clean(&event.platform),
                count(event.lead_count),
                clean(&event.list_name),
            ])
        })
        .collect();
    let heads = vec![("Time", 16), ("Event", 32), ("Platform", 12), ("Leads", 8), ("List", 0)];
    (heads, lines, activity.events.cursor)
}
