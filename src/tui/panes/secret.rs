//! A signing secret, shown this once.

use ratatui::layout::Rect;

use super::sheet::Sheet;
use crate::text::clean;
use crate::tui::canvas::Canvas;
use crate::tui::theme::Role;
use crate::vault::Secret;

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_, '_>, webhook: &str, secret: &Secret, body: Rect) {
    let title = clean(&format!("Signing secret of {webhook}"));
    let mut sheet = Sheet::open(canvas, &title, body, 72, 8);
    sheet.text(
        canvas,
        "Give this to the receiver, so that it can check the signatures. It is not shown again.",
        Role::Text,
    );
    sheet.skip(1);
    let y = sheet.y();
    sheet.text(canvas, secret.expose(), Role::Accent);
    if let Some(y) = y {
        canvas.cursor(sheet.area.x, y);
    }
    sheet.skip(1);
    sheet.line(canvas, "c copies it, enter closes.", Role::Dim);
}
