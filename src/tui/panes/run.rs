//! A run: how far it is, and what became of each lead that needs a look.

use ratatui::layout::Rect;

use super::activity::{counts, outcome_role, outcome_word, standing};
use super::rows;
use super::sheet::Sheet;
use crate::app::State;
use crate::app::run::{RunPane, destination_name, ended_text};
use crate::sync::{RunState, RunSummary};
use crate::text::clean;
use crate::tui::canvas::Canvas;
use crate::tui::text::{clock, count};
use crate::tui::theme::Role;

/// Draws the pane.
pub fn draw(canvas: &mut Canvas<'_, '_>, state: &State, pane: &RunPane, body: Rect) {
    let title = match &pane.run {
        Some(run) => clean(&format!("{} v{} to {}", run.list, run.version, destination_name(state, &run.destination))),
        None => clean("Sync"),
    };
    let mut sheet = Sheet::open(canvas, &title, body, 110, body.height);
    if let Some(failure) = &pane.failure {
        sheet.failure(canvas, failure);
        return;
    }
    let Some(run) = &pane.run else {
        sheet.line(canvas, "Starting…", Role::Dim);
        return;
    };
    progress(canvas, &mut sheet, state, pane, run);
    if pane.outcomes.items.is_empty() {
        return;
    }
    sheet.skip(1);
    let lines: Vec<rows::Cells> = (pane.outcomes.items.iter())
        .map(|lead| {
            vec![
                (clean(&lead.lead), Role::Text),
                (clean(outcome_word(lead.outcome)), outcome_role(lead.outcome)),
                (clean(&lead.reason), Role::Text),
                (clean(&lead.next_step), Role::Text),
            ]
        })
        .collect();
    let focused = pane.outcomes.focused().map(|lead| clean(&format!("{} {}", lead.reason, lead.next_step)));
    // The focused row in full below: reasons are the vendor's own words and can be long.
    let foot = if sheet.area.height > 8 { 3 } else { 0 };
    let table = Rect { height: sheet.area.height - foot, ..sheet.area };
    let reason = table.width.saturating_sub(40) / 2;
    let heads = [("Lead", 22), ("Outcome", 10), ("Reason", reason), ("Next step", 0)];
    if let (Some(text), true) = (focused, foot > 0) {
        let area = Rect { y: sheet.area.bottom() - foot + 1, height: foot - 1, ..sheet.area };
        canvas.paragraph(area, &text, Role::Dim);
    }
    rows::draw(canvas, table, &heads, &lines, pane.outcomes.cursor);
}

fn progress(canvas: &mut Canvas<'_, '_>, sheet: &mut Sheet, state: &State, pane: &RunPane, run: &RunSummary) {
    let zone = canvas.look.zone.clone();
    let (word, role) = standing(run);
    let spinner = if run.state == RunState::Running { canvas.spinner(pane.spin) } else { "" };
    let settled = format!("{} of {}", count(run.settled()), count(run.total));
    if let Some(y) = sheet.y() {
        let right = sheet.area.right();
        let x = canvas.put(sheet.area.x, y, right, &clean(&format!("{word} {spinner}")), role);
        canvas.put(x + 2, y, right, &clean(&format!("{settled}   {}", counts(run))), Role::Text);
        sheet.skip(1);
    }
    gauge(canvas, sheet, run);
    if let Some(next) = run.next_try.filter(|_| matches!(run.state, RunState::Waiting | RunState::Running)) {
        sheet.text(canvas, &format!("Next try at {}.", clock(next, &zone)), Role::Warn);
    }
    match &run.trouble {
        Some(failure) => sheet.failure(canvas, failure),
        None if run.state == RunState::Done => {
            sheet.text(canvas, &ended_text(run, &destination_name(state, &run.destination)), Role::Good);
        }
        None => {}
    }
}

fn gauge(canvas: &mut Canvas<'_, '_>, sheet: &mut Sheet, run: &RunSummary) {
    let Some(y) = sheet.y() else { return };
    let width = u64::from(sheet.area.width);
    let full = if run.total == 0 { width } else { width * run.settled().min(run.total) / run.total };
    for (at, x) in (0..width).zip(sheet.area.x..sheet.area.right()) {
        let sign = if at < full { canvas.sign("█", "#") } else { canvas.sign("░", ".") };
        canvas.put(x, y, x + 1, sign, if at < full { Role::Accent } else { Role::Dim });
    }
    sheet.skip(1);
}
