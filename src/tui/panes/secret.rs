//! A webhook's signing secret, shown this once.

use ratatui::layout::Rect;

use crate::text::clean;
use crate::tui::canvas::Canvas;
use crate::tui::layout::{below, middle};
use crate::tui::theme::Role;
use crate::vault::Secret;

/// Draws the overlay. This is the one place of the interface that shows a secret.
pub fn draw(canvas: &mut Canvas<'_, '_>, webhook: &str, secret: &Secret, body: Rect) {
    let area = middle(body, 76, 9);
    canvas.cover(area);
    let inside = canvas.panel(area, clean(&format!("Signing secret of {webhook}")), true);
    let inside = Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside };
    let text = "Give this to the receiver, so that it can check our signatures:";
    let used = canvas.paragraph(inside, &clean(text), Role::Text);
    let shown = below(inside, used + 1);
    let used = canvas.paragraph(shown, &clean(secret.expose()), Role::Accent);
    let text = "It is not shown again. Press R in tab Webhooks for a new one.";
    canvas.paragraph(below(shown, used + 1), &clean(text), Role::Dim);
    canvas.cursor(shown.x, shown.y);
}
