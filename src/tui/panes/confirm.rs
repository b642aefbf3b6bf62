//! "Confirm sync settings": the account, how many leads and calls, mode, group, mapping, and the button that starts.

use ratatui::layout::Rect;

use crate::app::confirm::Confirm;
use crate::app::run::destination_name;
use crate::app::{State, Target};
use crate::sync::{Mode, Plan};
use crate::text::{Clean, clean};
use crate::tui::canvas::{ButtonState, Canvas};
use crate::tui::layout::below;
use crate::tui::text::{counted, wrap};
use crate::tui::theme::Role;

/// Where the values begin.
const LABEL: u16 = 12;

/// A line of the pane above its button.
enum Line {
    Said(&'static str, Clean),
    Mode,
    Group,
    Warning(Clean),
    Heads,
    Mapped(usize),
}

/// Draws the overlay. The button keeps the last line; the rest scrolls to what has the focus.
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
    if inside.height == 0 {
        return;
    }
    let lines = lines(state, pane, plan, inside.width);
    let rows = Rect { height: inside.height - 1, ..inside };
    let focused = lines.iter().position(|line| match line {
        Line::Mode => pane.at == 0,
        Line::Group => pane.at == 1,
        Line::Mapped(row) => pane.mapping_row() == Some(*row),
        _ => false,
    });
    let from = focused.map_or(0, |at| (at + 1).saturating_sub(usize::from(rows.height)));
    for (line, y) in lines.iter().skip(from).zip(rows.y..rows.bottom()) {
        draw_line(canvas, pane, plan, line, Rect { y, height: 1, ..rows });
    }
    let button = Rect { y: inside.bottom() - 1, height: 1, ..inside };
    let standing = ButtonState { focused: pane.at == pane.start_row(), enabled: true };
    let end = canvas.button((button.x, button.y, button.right()), &clean(" Start sync "), standing);
    canvas.hit(Rect { width: end - button.x, ..button }, Target::Item(pane.start_row()));
}

fn lines(state: &State, pane: &Confirm, plan: &Plan, width: u16) -> Vec<Line> {
    let name = destination_name(state, &plan.destination);
    let account = if plan.account.is_empty() { name } else { format!("{name}: {}", plan.account) };
    let (leads, calls) = (counted(plan.leads, "lead"), counted(plan.calls, "call"));
    let list = format!("{leads} of {}, version {}; at least {calls}", plan.list, plan.version);
    let mut lines =
        vec![Line::Said("Account", clean(&account)), Line::Said("List", clean(&list)), Line::Mode, Line::Group];
    for warning in &plan.warnings {
        let warning = wrap(&clean(&format!("! {warning}")), usize::from(width));
        lines.extend(warning.into_iter().map(Line::Warning));
    }
    lines.push(Line::Heads);
    lines.extend((0..pane.settings.mapping.len()).map(Line::Mapped));
    lines
}

fn draw_line(canvas: &mut Canvas<'_, '_>, pane: &Confirm, plan: &Plan, line: &Line, area: Rect) {
    let (x, y, right) = (area.x, area.y, area.right());
    let half = x + area.width / 2;
    match line {
        Line::Said(label, text) => {
            canvas.put(x, y, right, *label, Role::Accent);
            canvas.put(x + LABEL, y, right, text, Role::Text);
        }
        Line::Mode => mode(canvas, pane, area),
        Line::Group => {
            let label = if plan.grouping.is_empty() { clean("Group") } else { clean(&plan.grouping) };
            canvas.put(x, y, (x + LABEL - 1).min(right), &label, Role::Accent);
            canvas.field((x + LABEL, y, right), &pane.group, pane.at == 1, false);
            canvas.hit(area, Target::Item(1));
        }
        Line::Warning(text) => {
            canvas.put(x, y, right, text, Role::Warn);
        }
        Line::Heads => {
            canvas.put(x, y, half, "Of the lead", Role::Accent);
            canvas.put(half, y, right, "goes into", Role::Accent);
        }
        Line::Mapped(row) => mapped(canvas, pane, plan, *row, area),
    }
}

fn mode(canvas: &mut Canvas<'_, '_>, pane: &Confirm, area: Rect) {
    let text = match pane.settings.mode {
        Mode::Upsert => "create what is new, update what is there",
        Mode::Create => "create what is new, leave what is there",
        Mode::Update => "update what is there, leave what is new",
    };
    canvas.put(area.x, area.y, area.right(), "Mode", Role::Accent);
    let role = if pane.at == 0 { Role::Focus } else { Role::Text };
    canvas.put(area.x + LABEL, area.y, area.right(), clean(&format!("< {text} >")), role);
    canvas.hit(area, Target::Item(0));
    if pane.at == 0 {
        canvas.cursor(area.x + LABEL, area.y);
    }
}

fn mapped(canvas: &mut Canvas<'_, '_>, pane: &Confirm, plan: &Plan, at: usize, area: Rect) {
    let Some(row) = pane.settings.mapping.get(at) else { return };
    let half = area.x + area.width / 2;
    canvas.put(area.x, area.y, half.saturating_sub(2), clean(&row.from), Role::Text);
    let label = plan.fields.iter().find(|field| field.name == row.to).map_or("", |field| field.label.as_str());
    let (to, role) = match (row.to.as_str(), label) {
        ("", _) => (clean("(not sent)"), Role::Dim),
        (to, label) if label.is_empty() || label == to => (clean(to), Role::Text),
        (to, label) => (clean(&format!("{to} ({label})")), Role::Text),
    };
    canvas.put(half.saturating_sub(2), area.y, area.right(), canvas.sign("→ ", "> "), Role::Dim);
    canvas.put(half, area.y, area.right(), &to, role);
    canvas.hit(area, Target::Item(at + 2));
    if pane.mapping_row() == Some(at) {
        canvas.focus_line(area);
        canvas.cursor(half, area.y);
    }
}
