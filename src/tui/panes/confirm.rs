//! "Confirm sync settings": the account, how many leads and calls, mode, group, mapping, and the button that starts.

use ratatui::layout::Rect;

use crate::app::confirm::Confirm;
use crate::app::run::destination_name;
use crate::app::{State, Target};
use crate::sync::{Mode, Plan};
use crate::text::clean;
use crate::tui::canvas::{ButtonState, Canvas, page};
use crate::tui::layout::below;
use crate::tui::text::counted;
use crate::tui::theme::Role;

/// Draws the overlay.
pub fn draw(canvas: &mut Canvas<'_, '_>, state: &State, pane: &Confirm, body: Rect) {
    let area = super::large(body);
    canvas.cover(area);
    let inside = canvas.panel(area, "Confirm sync settings", true);
    let inside = Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside };
    canvas.cursor(inside.x, inside.y);
    let Some(plan) = &pane.plan else {
        match &pane.failure {
            Some(failure) => {
                let used = canvas.paragraph(inside, &clean(&failure.message), Role::Bad);
                canvas.paragraph(below(inside, used), &clean(&failure.remedy), Role::Text);
            }
            None => {
                canvas.put(inside.x, inside.y, inside.right(), "Asking for the account's fields…", Role::Dim);
            }
        }
        return;
    };
    let used = head(canvas, state, plan, inside);
    let mut rest = below(inside, used);
    mode(canvas, pane, rest);
    rest = below(rest, 1);
    group(canvas, pane, plan, rest);
    rest = below(rest, 1);
    for warning in &plan.warnings {
        let used = canvas.paragraph(rest, &clean(&format!("! {warning}")), Role::Warn);
        rest = below(rest, used);
    }
    let mapped = Rect { height: rest.height.saturating_sub(2), ..rest };
    mapping(canvas, pane, plan, mapped);
    if rest.height > 0 {
        let y = rest.bottom() - 1;
        let focused = pane.at == pane.start_row();
        let state = ButtonState { focused, enabled: true };
        let end = canvas.button((rest.x, y, rest.right()), &clean(" Start sync "), state);
        canvas.hit(Rect { y, height: 1, width: end - rest.x, ..rest }, Target::Item(pane.start_row()));
    }
}

fn head(canvas: &mut Canvas<'_, '_>, state: &State, plan: &Plan, area: Rect) -> u16 {
    let name = destination_name(state, &plan.destination);
    let account = if plan.account.is_empty() { name } else { format!("{name}: {}", plan.account) };
    let list = format!(
        "{}, version {}: {}, {} at least",
        plan.list,
        plan.version,
        counted(plan.leads, "lead"),
        counted(plan.calls, "call")
    );
    for (at, (label, text)) in [("Account", account), ("List", list)].into_iter().enumerate() {
        let y = area.y + u16::from(at > 0);
        if y < area.bottom() {
            canvas.put(area.x, y, area.right(), label, Role::Accent);
            canvas.put(area.x + 12, y, area.right(), clean(&text), Role::Text);
        }
    }
    2
}

fn mode(canvas: &mut Canvas<'_, '_>, pane: &Confirm, area: Rect) {
    if area.height == 0 {
        return;
    }
    let text = match pane.settings.mode {
        Mode::Upsert => "create what is new, update what is there",
        Mode::Create => "create what is new, leave what is there",
        Mode::Update => "update what is there, leave what is new",
    };
    canvas.put(area.x, area.y, area.right(), "Mode", Role::Accent);
    let role = if pane.at == 0 { Role::Focus } else { Role::Text };
    canvas.put(area.x + 12, area.y, area.right(), clean(&format!("< {text} >")), role);
    canvas.hit(Rect { height: 1, ..area }, Target::Item(0));
    if pane.at == 0 {
        canvas.cursor(area.x + 12, area.y);
    }
}

fn group(canvas: &mut Canvas<'_, '_>, pane: &Confirm, plan: &Plan, area: Rect) {
    if area.height == 0 {
        return;
    }
    let label = if plan.grouping.is_empty() { clean("Group") } else { clean(&plan.grouping) };
    canvas.put(area.x, area.y, area.x + 11, &label, Role::Accent);
    canvas.field((area.x + 12, area.y, area.right()), &pane.group, pane.at == 1, false);
    canvas.hit(Rect { height: 1, ..area }, Target::Item(1));
}

fn mapping(canvas: &mut Canvas<'_, '_>, pane: &Confirm, plan: &Plan, area: Rect) {
    let half = area.width / 2;
    if area.height < 2 {
        return;
    }
    let right = area.x + half;
    canvas.put(area.x, area.y, right, "Of the lead", Role::Accent);
    canvas.put(right, area.y, area.right(), "goes into", Role::Accent);
    let rows = &pane.settings.mapping;
    let focused = pane.mapping_row();
    let cursor = focused.unwrap_or(if pane.at < 2 { 0 } else { rows.len().saturating_sub(1) });
    for (at, y) in page(rows.len(), cursor, area.height - 1).zip(area.y + 1..) {
        let row = &rows[at];
        canvas.put(area.x, y, right.saturating_sub(2), clean(&row.from), Role::Text);
        let label = plan.fields.iter().find(|field| field.name == row.to).map_or("", |field| field.label.as_str());
        let (to, role) = match (row.to.as_str(), label) {
            ("", _) => (clean("(not sent)"), Role::Dim),
            (to, label) if label.is_empty() || label == to => (clean(to), Role::Text),
            (to, label) => (clean(&format!("{to} ({label})")), Role::Text),
        };
        canvas.put(right.saturating_sub(2), y, area.right(), canvas.sign("→ ", "> "), Role::Dim);
        canvas.put(right, y, area.right(), &to, role);
        let line = Rect { y, height: 1, ..area };
        canvas.hit(line, Target::Item(at + 2));
        if focused == Some(at) {
            canvas.focus_line(line);
            canvas.cursor(right, y);
        }
    }
}
