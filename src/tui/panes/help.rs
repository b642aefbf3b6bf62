//! Help: every command with its keys, those of the place first.

use ratatui::layout::Rect;

use super::sheet::Sheet;
use crate::app::commands::Place;
use crate::app::overlay::help_lines;
use crate::text::clean;
use crate::tui::canvas::Canvas;
use crate::tui::theme::Role;

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_, '_>, place: Place, scroll: usize, body: Rect) {
    let mut sheet = Sheet::open(canvas, "Help", body, 84, body.height);
    for (keys, does) in help_lines(place).into_iter().skip(scroll) {
        let Some(y) = sheet.y() else { break };
        let right = sheet.area.right();
        if keys.is_empty() {
            canvas.put(sheet.area.x, y, right, does, Role::Accent);
        } else {
            canvas.put(sheet.area.x + 2, y, right, &clean(&keys), Role::Text);
            canvas.put(sheet.area.x + 20, y, right, does, Role::Text);
        }
        sheet.skip(1);
    }
}
