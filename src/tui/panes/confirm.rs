//! "Confirm sync settings": what will be sent where, and how.

use ratatui::layout::Rect;

use super::sheet::{LABEL, Sheet};
use crate::app::confirm::Confirm;
use crate::app::{State, Target};
use crate::sync::Mode;
use crate::text::clean;
use crate::tui::canvas::{ButtonState, Canvas, page};
use crate::tui::text::{count, counted};
use crate::tui::theme::Role;

/// Draws the pane.
pub fn draw(canvas: &mut Canvas<'_, '_>, state: &State, pane: &Confirm, body: Rect) {
    let mut sheet = Sheet::open(canvas, "Confirm sync settings", body, 100, body.height);
    if let Some(failure) = &pane.failure {
        sheet.failure(canvas, failure);
        return;
    }
    let Some(plan) = &pane.plan else {
        sheet.line(canvas, "Asking for the account's fields…", Role::Dim);
        return;
    };
    let name = crate::app::run::destination_name(state, &plan.destination);
    sheet.pair(canvas, "Account", &clean(&format!("{name}: {}", plan.account)), Role::Text);
    let list = format!("{} v{}, {}", plan.list, plan.version, counted(plan.leads, "lead"));
    sheet.pair(canvas, "List", &clean(&list), Role::Text);
    sheet.pair(canvas, "Calls needed", &clean(&format!("at least {}", count(plan.calls))), Role::Text);
    for warning in &plan.warnings {
        sheet.text(canvas, &format!("! {warning}"), Role::Warn);
    }
    mode(canvas, &mut sheet, pane);
    group(canvas, &mut sheet, pane, &plan.grouping);
    mapping(canvas, &mut sheet, pane);
    if let Some(y) = sheet.y() {
        let focused = pane.at == pane.start_row();
        let button = ButtonState { focused, enabled: true };
        let end = canvas.button((sheet.area.x, y, sheet.area.right()), &clean(" Start sync "), button);
        canvas.hit(Rect { x: sheet.area.x, y, width: end - sheet.area.x, height: 1 }, Target::Item(pane.start_row()));
    }
}

fn mode(canvas: &mut Canvas<'_, '_>, sheet: &mut Sheet, pane: &Confirm) {
    let Some(y) = sheet.y() else { return };
    let text = match pane.settings.mode {
        Mode::Upsert => "create what is new, update what is there",
        Mode::Create => "create what is new only",
        Mode::Update => "update what is there only",
    };
    let line = Rect { height: 1, ..sheet.area };
    canvas.hit(line, Target::Item(0));
    sheet.pair(canvas, "Mode", &clean(text), Role::Text);
    if pane.at == 0 {
        canvas.focus_line(Rect { x: line.x + LABEL, width: line.width.saturating_sub(LABEL), ..line });
        canvas.cursor(line.x + LABEL, y);
    }
}

fn group(canvas: &mut Canvas<'_, '_>, sheet: &mut Sheet, pane: &Confirm, grouping: &str) {
    let Some(y) = sheet.y() else { return };
    canvas.hit(Rect { height: 1, ..sheet.area }, Target::Item(1));
    canvas.put(sheet.area.x, y, sheet.area.x + LABEL - 1, &clean(grouping), Role::Dim);
    canvas.field(sheet.value_area(), &pane.group, pane.at == 1, false);
    sheet.skip(1);
}

fn mapping(canvas: &mut Canvas<'_, '_>, sheet: &mut Sheet, pane: &Confirm) {
    // One line stays for the button.
    let room = sheet.area.height.saturating_sub(1);
    if room < 2 {
        return;
    }
    sheet.line(canvas, "Lead field              goes into", Role::Accent);
    let rows = &pane.settings.mapping;
    let shown = page(rows.len(), pane.mapping_row().unwrap_or(0), room - 1);
    for at in shown {
        let Some(y) = sheet.y() else { return };
        let line = Rect { height: 1, ..sheet.area };
        canvas.put(line.x, y, line.x + 22, &clean(&rows[at].from), Role::Text);
        if rows[at].to.is_empty() {
            canvas.put(line.x + 24, y, line.right(), "(not sent)", Role::Dim);
        } else {
            canvas.put(line.x + 24, y, line.right(), &clean(&rows[at].to), Role::Text);
        }
        canvas.hit(line, Target::Item(2 + at));
        if pane.mapping_row() == Some(at) {
            canvas.focus_line(line);
            canvas.cursor(line.x, y);
        }
        sheet.skip(1);
    }
}
