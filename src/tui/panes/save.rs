//! "Save as Lead List": the name, the button, how a save goes, and what should be known before.

use ratatui::layout::Rect;

use crate::app::{Focus, State, Target};
use crate::text::{Clean, clean};
use crate::tui::canvas::{ButtonState, Canvas};
use crate::tui::layout::{Pane, pane_of};
use crate::tui::text::{count, counted};
use crate::tui::theme::Role;

/// Draws the pane.
pub fn draw(canvas: &mut Canvas<'_, '_>, state: &State, area: Rect) {
    let focused = pane_of(state.focus) == Pane::Save;
    let inside = canvas.panel(area, "Save as Lead List", focused);
    if inside.height == 0 {
        return;
    }
    let right = inside.right().saturating_sub(1);
    let x = canvas.put(inside.x + 1, inside.y, right, "List name  ", Role::Text);
    canvas.field((x, inside.y, right), &state.name, state.focus == Focus::Name, false);
    canvas.hit(Rect { height: 1, ..inside }, Target::Focus(Focus::Name));
    let y = inside.y + 1;
    if y < inside.bottom() {
        let on_button = state.focus == Focus::Save;
        let enabled = state.guard().is_none() && state.saving.is_none();
        let button = ButtonState { focused: on_button, enabled };
        let end = canvas.button((inside.x + 1, y, right), &clean(" Save "), button);
        canvas.hit(Rect { x: inside.x + 1, y, width: end - inside.x - 1, height: 1 }, Target::Focus(Focus::Save));
        let (text, role) = remark(canvas, state);
        // Beside the button, or below it when there is a line and it would be cut.
        let width = u16::try_from(text.width()).unwrap_or(u16::MAX);
        if end.saturating_add(2).saturating_add(width) > right && y + 1 < inside.bottom() {
            let rest = Rect { x: inside.x + 1, y: y + 1, width: right - inside.x - 1, height: inside.bottom() - y - 1 };
            canvas.paragraph(rest, &text, role);
        } else {
            canvas.put(end + 2, y, right, &text, role);
        }
    }
    if focused {
        canvas.foot(area, &foot(state), Role::Accent);
    }
}

fn remark(canvas: &Canvas<'_, '_>, state: &State) -> (Clean, Role) {
    match (&state.saving, &state.audience.twice) {
        (Some(saving), _) => {
            let of = count(state.audience.selection.len());
            let text = format!("{} Saving {} of {of}", canvas.spinner(saving.spin), count(saving.written));
            (clean(&text), Role::Accent)
        }
        (None, Some((1, _))) => (clean("1 e-mail stands twice: d keeps one"), Role::Warn),
        (None, Some((addresses, _))) => {
            (clean(&format!("{} e-mails stand twice: d keeps one of each", count(*addresses))), Role::Warn)
        }
        (None, None) => (Clean::default(), Role::Text),
    }
}

fn foot(state: &State) -> Clean {
    match (super::grid::why_not(state), state.focus) {
        (_, Focus::Save) if state.saving.is_some() => clean("Being saved"),
        (Some(why), Focus::Save) => clean(why),
        (None, Focus::Save) => clean(&format!("Saves {}", counted(state.audience.selection.len(), "lead"))),
        _ => clean("Enter saves"),
    }
}
