//! A question with yes and no, and a line to type.

use ratatui::layout::Rect;
use tui_input::Input;

use crate::text::clean;
use crate::tui::canvas::{ButtonState, Canvas};
use crate::tui::layout::middle;
use crate::tui::text::wrap;
use crate::tui::theme::Role;

/// A question; no has the focus unless `yes`.
pub fn draw(canvas: &mut Canvas<'_, '_>, text: &str, yes: bool, body: Rect) {
    let width = 64.min(body.width);
    let lines = wrap(&clean(text), usize::from(width.saturating_sub(4)));
    let height = u16::try_from(lines.len()).unwrap_or(1) + 4;
    let area = middle(body, width, height);
    canvas.cover(area);
    let inside = canvas.panel(area, "Please confirm", true);
    let inside = Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside };
    canvas.paragraph(Rect { height: inside.height.saturating_sub(1), ..inside }, &clean(text), Role::Text);
    let y = inside.bottom().saturating_sub(1).max(inside.y);
    let button = |focused| ButtonState { focused, enabled: true };
    let x = canvas.button((inside.x, y, inside.right()), &clean(" No "), button(!yes));
    canvas.button((x + 2, y, inside.right()), &clean(" Yes "), button(yes));
}

/// A line to type.
pub fn prompt(canvas: &mut Canvas<'_, '_>, title: &str, input: &Input, body: Rect) {
    let area = middle(body, 76, 3);
    canvas.cover(area);
    let inside = canvas.panel(area, clean(title), true);
    canvas.field((inside.x + 1, inside.y, inside.right().saturating_sub(1)), input, true, false);
}
