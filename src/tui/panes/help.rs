//! Help: the commands with their keys, those of the place first.

use ratatui::layout::Rect;

use crate::app::commands::Place;
use crate::app::overlay::help_lines;
use crate::text::clean;
use crate::tui::canvas::Canvas;
use crate::tui::theme::Role;

/// Draws the overlay.
pub fn draw(canvas: &mut Canvas<'_, '_>, place: Place, scroll: usize, body: Rect) {
    let area = super::large(body);
    canvas.cover(area);
    let lines = help_lines(place);
    let inside = canvas.panel(area, "Help", true);
    canvas.cursor(inside.x + 1, inside.y);
    let height = usize::from(inside.height);
    let from = scroll.min(lines.len().saturating_sub(height));
    for ((keys, title), y) in lines.iter().skip(from).zip(inside.y..inside.bottom()) {
        if keys.is_empty() {
            canvas.put(inside.x + 1, y, inside.right(), *title, Role::Accent);
            continue;
        }
        let text = inside.x + 20.min(inside.width / 2);
        canvas.put(inside.x + 3, y, text.saturating_sub(1), clean(keys), Role::Text);
        canvas.put(text, y, inside.right(), *title, Role::Text);
    }
    let last = (from + height).min(lines.len());
    canvas.foot(area, &clean(&format!("{}-{last} of {}", from + 1, lines.len())), Role::Dim);
}
