//! The webhook form: its rows with what is wrong under them, and the payload's preview or the last test beside or below.

use ratatui::layout::Rect;

use super::exchange;
use crate::app::Target;
use crate::app::form::{AUTH, Form, Row};
use crate::text::{Clean, clean};
use crate::tui::canvas::{ButtonState, Canvas};
use crate::tui::layout::below;
use crate::tui::text::wrap;
use crate::tui::theme::Role;
use crate::webhook::HttpMethod;
use crate::webhook::ready::READY;

/// Where the values begin.
const LABEL: u16 = 13;

/// Draws the overlay.
pub fn draw(canvas: &mut Canvas<'_, '_>, pane: &Form, body: Rect) {
    let area = super::large(body);
    canvas.cover(area);
    let title = if pane.id.is_some() {
        "Webhook · stage outgoing · category leads"
    } else {
        "New webhook · stage outgoing · category leads"
    };
    let inside = canvas.panel(area, title, true);
    let inside = Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside };
    canvas.cursor(inside.x, inside.y);
    let (fields, shown) = parts(pane, inside);
    rows(canvas, pane, fields);
    match (&pane.tested, pane.testing) {
        (_, true) => {
            canvas.put(shown.x, shown.y, shown.right(), "Sending the test…", Role::Accent);
        }
        (Some(tested), _) => exchange::draw(canvas, tested, shown),
        (None, _) => preview(canvas, pane, shown),
    }
    let hint = match pane.row {
        Row::Activate if pane.saving => "Being saved…",
        Row::Payload => "Left and right change it; ctrl-x edits it in your editor",
        row => row.hint(),
    };
    canvas.foot(area, &clean(hint), Role::Accent);
}

/// The room of the rows and of what is shown of the payload.
fn parts(pane: &Form, area: Rect) -> (Rect, Rect) {
    if area.width >= 96 {
        let left = area.width / 2;
        let fields = Rect { width: left - 1, ..area };
        return (fields, Rect { x: area.x + left + 1, width: area.width - left - 1, ..area });
    }
    let wanted = u16::try_from(lines(pane, area.width).len()).unwrap_or(u16::MAX);
    // On the buttons the payload or the answer is what one looks at; in the fields, the fields.
    let watching = matches!(pane.row, Row::Test | Row::Activate) && (pane.tested.is_some() || pane.testing);
    let fields = if watching { area.height / 3 } else { wanted.min(area.height) };
    (Rect { height: fields, ..area }, below(area, fields))
}

/// The lines of the rows: a row, or the complaint about the one above it.
fn lines(pane: &Form, width: u16) -> Vec<(usize, Row, Option<Clean>)> {
    let mut lines = Vec::new();
    for (at, row) in pane.rows().into_iter().enumerate() {
        // The buttons stand on one line.
        if row != Row::Activate {
            lines.push((at, row, None));
        }
        if let Some(complaint) = pane.complaint(row) {
            let text = clean(&format!("! {complaint}"));
            let wrapped = wrap(&text, usize::from(width.saturating_sub(LABEL)));
            lines.extend(wrapped.into_iter().map(|line| (at, row, Some(line))));
        }
    }
    lines
}

fn rows(canvas: &mut Canvas<'_, '_>, pane: &Form, area: Rect) {
    let lines = lines(pane, area.width);
    let shown = if pane.row == Row::Activate { Row::Test } else { pane.row };
    let focused = lines.iter().rposition(|(_, row, _)| *row == shown).unwrap_or(0);
    let from = (focused + 1).saturating_sub(usize::from(area.height));
    for ((at, row, complaint), y) in lines.iter().skip(from).zip(area.y..area.bottom()) {
        let line = Rect { y, height: 1, ..area };
        match complaint {
            Some(complaint) => {
                canvas.put(area.x + LABEL, y, area.right(), complaint, Role::Bad);
            }
            None => field(canvas, pane, (*at, *row), line),
        }
    }
}

fn field(canvas: &mut Canvas<'_, '_>, pane: &Form, (at, row): (usize, Row), line: Rect) {
    let focused = pane.row == row;
    let (x, right) = (line.x + LABEL, line.right());
    if row == Row::Test {
        return buttons(canvas, pane, at, line);
    }
    canvas.hit(line, Target::Item(at));
    let role = if focused { Role::Accent } else { Role::Text };
    let label = match (row, pane.auth) {
        (Row::AuthName, 1) => "Header",
        (Row::AuthName, _) => "User",
        (Row::AuthSecret, 1) => "Key",
        (Row::AuthSecret, 2) => "Token",
        (Row::AuthSecret, _) => "Password",
        (row, _) => row.label(),
    };
    canvas.put(line.x, line.y, x.min(right), label, role);
    if let Some(input) = pane.text(row) {
        canvas.field((x, line.y, right), input, focused, row == Row::AuthSecret);
        if row == Row::Url && input.value().is_empty() {
            canvas.put(x + u16::from(focused), line.y, right, "https://", Role::Dim);
        }
        return;
    }
    let value = match row {
        Row::Method => clean(match pane.method {
            HttpMethod::Post => "POST",
            HttpMethod::Put => "PUT",
            HttpMethod::Patch => "PATCH",
        }),
        Row::Auth => clean(AUTH.get(pane.auth).copied().unwrap_or("")),
        _ => payload(&pane.payload),
    };
    let role = if focused { Role::Focus } else { Role::Text };
    canvas.put(x, line.y, right, clean(&format!("< {value} >")), role);
    if focused {
        canvas.cursor(x, line.y);
    }
}

fn payload(name: &str) -> Clean {
    match READY.iter().find(|ready| ready.name == name) {
        Some(ready) => clean(&format!("{name}: {}", ready.about)),
        None => clean("custom: your own template"),
    }
}

fn buttons(canvas: &mut Canvas<'_, '_>, pane: &Form, at: usize, line: Rect) {
    let state = |row, busy: bool| ButtonState { focused: pane.row == row, enabled: !busy };
    let end = canvas.button((line.x, line.y, line.right()), &clean(" Test "), state(Row::Test, pane.testing));
    canvas.hit(Rect { width: end - line.x, ..line }, Target::Item(at));
    let x = end + 2;
    let end = canvas.button((x, line.y, line.right()), &clean(" Activate "), state(Row::Activate, pane.saving));
    canvas.hit(Rect { x, width: end.saturating_sub(x), ..line }, Target::Item(at + 1));
}

fn preview(canvas: &mut Canvas<'_, '_>, pane: &Form, area: Rect) {
    if area.height < 2 {
        return;
    }
    canvas.put(area.x, area.y, area.right(), "Payload of the focused lead", Role::Accent);
    let rest = below(area, 1);
    match &pane.preview {
        Ok(body) => exchange::text(canvas, &exchange::pretty(body), rest),
        Err(reason) => {
            canvas.paragraph(rest, &clean(reason), Role::Bad);
        }
    }
}
