//! A question with yes and no, and a line to type.

use ratatui::layout::Rect;
use tui_input::Input;

use super::sheet::Sheet;
use crate::text::clean;
use crate::tui::canvas::{ButtonState, Canvas};
use crate::tui::theme::Role;

/// A question; no has the focus until somebody moves it.
pub fn draw(canvas: &mut Canvas<'_, '_>, text: &str, yes: bool, body: Rect) {
    let mut sheet = Sheet::open(canvas, "Sure?", body, 60, 7);
    sheet.text(canvas, text, Role::Text);
    sheet.skip(1);
    let Some(y) = sheet.y() else { return };
    let right = sheet.area.right();
    let state = |focused| ButtonState { focused, enabled: true };
    let end = canvas.button((sheet.area.x, y, right), &clean(" No "), state(!yes));
    canvas.button((end + 2, y, right), &clean(" Yes "), state(yes));
}

/// A line to type.
pub fn prompt(canvas: &mut Canvas<'_, '_>, title: &str, input: &Input, body: Rect) {
    let sheet = Sheet::open(canvas, &clean(title), body, 70, 3);
    if let Some(y) = sheet.y() {
        canvas.field((sheet.area.x, y, sheet.area.right()), input, true, false);
    }
}
