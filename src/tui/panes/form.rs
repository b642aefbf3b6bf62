//! The webhook form: its fields with what is wrong below the focused one, and the preview or the last test beside it.

use ratatui::layout::Rect;

use super::exchange;
use super::sheet::{LABEL, Sheet};
use crate::app::Target;
use crate::app::form::{AUTH, Form, Row};
use crate::text::{Clean, clean};
use crate::tui::canvas::{ButtonState, Canvas};
use crate::tui::layout::middle;
use crate::tui::theme::Role;
use crate::webhook::HttpMethod;
use crate::webhook::ready::READY;

/// Draws the form.
pub fn draw(canvas: &mut Canvas<'_, '_>, form: &Form, body: Rect) {
    let beside = body.width >= 100;
    let width = body.width.min(120);
    let outer = middle(body, width, body.height);
    let mut sheet = Sheet::open(canvas, "Webhook", body, width, body.height);
    let whole = sheet.area;
    if beside {
        sheet.area.width = whole.width / 2;
    }
    if body.height >= 20 {
        sheet.pair(canvas, "Stage", &clean("outgoing"), Role::Text);
        sheet.pair(canvas, "Category", &clean("leads"), Role::Text);
    }
    fields(canvas, form, &mut sheet);
    let rest = if beside {
        let x = sheet.area.right() + 2;
        Rect { x, width: whole.right().saturating_sub(x), ..whole }
    } else {
        Rect { y: sheet.area.y.min(outer.bottom() - 1), height: sheet.area.height, ..whole }
    };
    side(canvas, form, rest);
}

fn fields(canvas: &mut Canvas<'_, '_>, form: &Form, sheet: &mut Sheet) {
    let rows = form.rows();
    let focus = rows.iter().position(|row| *row == form.row).unwrap_or(0);
    // Two lines more for a complaint or hint; on small screens the rows around the focus are shown.
    let room = usize::from(sheet.area.height.saturating_sub(2)).max(1);
    let first = (focus + 1).saturating_sub(room);
    for (at, row) in rows.iter().enumerate().skip(first) {
        let Some(y) = sheet.y() else { return };
        let line = Rect { height: 1, ..sheet.area };
        let focused = *row == form.row;
        draw_row(canvas, form, *row, focused, line);
        canvas.hit(line, Target::Item(at));
        // Test and Activate share a line.
        if *row == Row::Test {
            let x = sheet.area.x + 10;
            draw_row(canvas, form, Row::Activate, form.row == Row::Activate, Rect { x, ..line });
            canvas.hit(Rect { x, width: 14.min(line.right().saturating_sub(x)), y, height: 1 }, Target::Item(at + 1));
        }
        sheet.skip(1);
        let said = focused || (*row == Row::Test && form.row == Row::Activate);
        match (form.complaint(*row), said) {
            (Some(complaint), _) if said || form.pressed => sheet.text(canvas, &format!("! {complaint}"), Role::Bad),
            (None, true) => sheet.text(canvas, form.row.hint(), Role::Dim),
            _ => {}
        }
        if *row == Row::Test {
            return;
        }
    }
}

fn draw_row(canvas: &mut Canvas<'_, '_>, form: &Form, row: Row, focused: bool, line: Rect) {
    let place = (line.x, line.y, line.right());
    match row {
        Row::Test | Row::Activate => {
            let busy = if row == Row::Test { form.testing } else { form.saving };
            let label = match (row, busy) {
                (Row::Test, true) => " Testing… ",
                (Row::Test, false) => " Test ",
                (_, true) => " Saving… ",
                (_, false) => " Activate ",
            };
            canvas.button(place, &clean(label), ButtonState { focused, enabled: !busy });
        }
        _ => {
            canvas.put(line.x, line.y, line.right(), row.label(), Role::Dim);
            let value = (line.x + LABEL, line.y, line.right());
            match form.text(row) {
                Some(input) => canvas.field(value, input, focused, row == Row::AuthSecret),
                None => {
                    canvas.put(value.0, value.1, value.2, &choice(form, row), Role::Text);
                    if focused {
                        canvas.focus_line(Rect { x: value.0, width: line.right().saturating_sub(value.0), ..line });
                        canvas.cursor(value.0, value.1);
                    }
                }
            }
        }
    }
}

fn choice(form: &Form, row: Row) -> Clean {
    let text = match row {
        Row::Method => match form.method {
            HttpMethod::Post => "POST".to_owned(),
            HttpMethod::Put => "PUT".to_owned(),
            HttpMethod::Patch => "PATCH".to_owned(),
        },
        Row::Auth => AUTH.get(form.auth).copied().unwrap_or_default().to_owned(),
        _ => match READY.iter().find(|ready| ready.name == form.payload) {
            Some(ready) => format!("{}: {}", ready.name, ready.about),
            None => "your own: ctrl-e edits it".to_owned(),
        },
    };
    clean(&format!("< {text} >"))
}

/// The last test, else the preview.
fn side(canvas: &mut Canvas<'_, '_>, form: &Form, area: Rect) {
    let mut sheet = Sheet { area };
    match (&form.tested, &form.preview) {
        (Some(Ok(tested)), _) => {
            sheet.line(canvas, "Test", Role::Accent);
            exchange::draw(canvas, tested, sheet.area);
        }
        (Some(Err(failure)), _) => {
            sheet.line(canvas, "Test", Role::Accent);
            sheet.failure(canvas, failure);
        }
        (None, Ok(body)) => {
            sheet.line(canvas, "Body for the focused lead", Role::Accent);
            sheet.text(canvas, &pretty(body), Role::Text);
        }
        (None, Err(problem)) => {
            sheet.line(canvas, "Body for the focused lead", Role::Accent);
            sheet.text(canvas, problem, Role::Bad);
        }
    }
}

/// JSON over several lines, as a person reads it.
fn pretty(body: &str) -> String {
    serde_json::from_str::<serde_json::Value>(body)
        .and_then(|value| serde_json::to_string_pretty(&value))
        .unwrap_or_else(|_| body.to_owned())
}
