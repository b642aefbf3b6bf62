//! A run: counted progress, the next try, how leads ended, and those that need a person's eye.

use ratatui::layout::Rect;

use super::sheet;
use crate::app::State;
use crate::app::run::{RunPane, destination_name};
use crate::failure::Failure;
use crate::sync::{Outcome, RunState, RunSummary};
use crate::text::clean;
use crate::tui::canvas::Canvas;
use crate::tui::layout::below;
use crate::tui::text::{clock, count, counted, when};
use crate::tui::theme::Role;

/// Draws the overlay.
pub fn draw(canvas: &mut Canvas<'_, '_>, state: &State, pane: &RunPane, body: Rect) {
    let area = super::large(body);
    canvas.cover(area);
    let title = match &pane.run {
        Some(run) => clean(&format!("Run · {} → {}", run.list, destination_name(state, &run.destination))),
        None => clean("Run"),
    };
    let inside = canvas.panel(area, &title, true);
    let inside = Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside };
    canvas.cursor(inside.x, inside.y);
    let Some(run) = &pane.run else {
        match &pane.failure {
            Some(failure) => {
                trouble(canvas, inside, failure, Role::Bad);
            }
            None => {
                canvas.put(inside.x, inside.y, inside.right(), "Starting…", Role::Dim);
            }
        }
        return;
    };
    let used = progress(canvas, pane, run, inside);
    let mut rest = below(inside, used);
    for failure in pane.failure.iter().chain(&run.trouble) {
        let role = if run.state == RunState::Waiting { Role::Warn } else { Role::Bad };
        let used = trouble(canvas, rest, failure, role);
        rest = below(rest, used);
    }
    outcomes(canvas, pane, below(rest, 1));
}

fn trouble(canvas: &mut Canvas<'_, '_>, area: Rect, failure: &Failure, role: Role) -> u16 {
    let used = canvas.paragraph(area, &clean(&failure.message), role);
    used + canvas.paragraph(below(area, used), &clean(&failure.remedy), Role::Text)
}

/// The state, the gauge, and how leads ended; answers the lines it took.
fn progress(canvas: &mut Canvas<'_, '_>, pane: &RunPane, run: &RunSummary, area: Rect) -> u16 {
    let (word, role) = state_word(run.state);
    let sign = match run.state {
        RunState::Running => canvas.spinner(pane.spin),
        RunState::Waiting => canvas.sign("⏸", "="),
        RunState::Done => canvas.sign("✓", "+"),
        RunState::Stopped => "!",
        RunState::Cancelled => canvas.sign("■", "#"),
    };
    let at = match (run.next_try, run.ended) {
        (Some(next), _) if run.state == RunState::Waiting => {
            format!(" until {}", clock(next, &canvas.look.zone))
        }
        (Some(next), _) if run.state == RunState::Running => {
            format!(", next try at {}", clock(next, &canvas.look.zone))
        }
        (_, Some(ended)) => format!(" {}", when(ended, &canvas.look.zone)),
        _ => String::new(),
    };
    let lead = format!("{sign} {word}{at} · {} of {}", count(run.settled()), counted(run.total, "lead"));
    canvas.put(area.x, area.y, area.right(), clean(&lead), role);
    gauge(canvas, run, Rect { y: area.y + 1, height: area.height.saturating_sub(1).min(1), ..area });
    let counts = WORDS.iter().filter(|(outcome, ..)| *outcome != Outcome::Pending).filter_map(|(outcome, word, _)| {
        let many = run.count(*outcome);
        (many > 0).then(|| format!("{} {word}", count(many)))
    });
    let counts: Vec<String> = counts.collect();
    2 + canvas.paragraph(below(area, 2), &clean(&counts.join(" · ")), Role::Text)
}

fn gauge(canvas: &mut Canvas<'_, '_>, run: &RunSummary, area: Rect) {
    if area.height == 0 || area.width < 12 {
        return;
    }
    let percent = (run.settled() * 100).checked_div(run.total).unwrap_or(100);
    let width = u64::from((area.width - 7).min(60));
    let full = usize::try_from(width * percent / 100).unwrap_or(0);
    let (on, off) = (canvas.sign("█", "#"), canvas.sign("░", "."));
    let bar = format!("{}{}", on.repeat(full), off.repeat(usize::try_from(width).unwrap_or(0) - full));
    let x = canvas.put(area.x, area.y, area.right(), clean(&bar), Role::Accent);
    canvas.put(x + 1, area.y, area.right(), clean(&format!("{percent} %")), Role::Text);
}

fn outcomes(canvas: &mut Canvas<'_, '_>, pane: &RunPane, area: Rect) {
    let Some(focused) = pane.outcomes.focused() else { return };
    // The focused lead's reason and next step stand in full below the rows.
    let details = (area.height / 3).min(4);
    let rows = Rect { height: area.height - details, ..area };
    let columns = [("Lead", 24), ("Outcome", 10), ("Reason", 0), ("Next step", 32)];
    sheet::draw(canvas, rows, &columns, (pane.outcomes.items.len(), pane.outcomes.cursor), |at| {
        let outcome = &pane.outcomes.items[at];
        let (word, role) = outcome_word(outcome.outcome);
        vec![
            (clean(&outcome.lead), Role::Text),
            (clean(word), role),
            (clean(&outcome.reason), Role::Text),
            (clean(&outcome.next_step), Role::Dim),
        ]
    });
    let text = [focused.reason.as_str(), focused.next_step.as_str()].join(" ");
    canvas.paragraph(Rect { y: rows.bottom(), height: details, ..area }, &clean(text.trim()), Role::Text);
}

/// A run's state in a word.
pub fn state_word(state: RunState) -> (&'static str, Role) {
    match state {
        RunState::Running => ("sending", Role::Accent),
        RunState::Waiting => ("waiting", Role::Warn),
        RunState::Done => ("done", Role::Good),
        RunState::Stopped => ("stopped", Role::Bad),
        RunState::Cancelled => ("cancelled", Role::Warn),
    }
}

const WORDS: [(Outcome, &str, Role); 10] = [
    (Outcome::Created, "created", Role::Good),
    (Outcome::Updated, "updated", Role::Good),
    (Outcome::Unchanged, "unchanged", Role::Text),
    (Outcome::Delivered, "delivered", Role::Good),
    (Outcome::Failed, "failed", Role::Bad),
    (Outcome::Unknown, "unknown", Role::Bad),
    (Outcome::Skipped, "skipped", Role::Warn),
    (Outcome::Parked, "parked", Role::Warn),
    (Outcome::Superseded, "superseded", Role::Dim),
    (Outcome::Pending, "waiting", Role::Text),
];

/// An outcome in a word.
pub fn outcome_word(outcome: Outcome) -> (&'static str, Role) {
    let found = WORDS.iter().find(|(of, ..)| *of == outcome);
    found.map_or(("", Role::Text), |(_, word, role)| (word, *role))
}
