//! The rows of the file that could not be read, with line and reason.

use ratatui::layout::Rect;

use crate::app::State;
use crate::text::clean;
use crate::tui::canvas::Canvas;
use crate::tui::text::{count, counted};
use crate::tui::theme::Role;

/// Draws the overlay, scrolled by so many rows.
pub fn draw(canvas: &mut Canvas<'_, '_>, state: &State, scroll: usize, body: Rect) {
    let area = super::large(body);
    canvas.cover(area);
    let about = &state.audience.about;
    let inside = canvas.panel(area, clean(&format!("{} could not be read", counted(about.bad_count, "row"))), true);
    canvas.cursor(inside.x + 1, inside.y);
    for ((line, reason), y) in about.bad.iter().skip(scroll).zip(inside.y..inside.bottom()) {
        let x = canvas.put(inside.x + 1, y, inside.right(), clean(&format!("line {}", count(*line))), Role::Accent);
        canvas.put(x.max(inside.x + 14) + 1, y, inside.right(), clean(reason), Role::Text);
    }
    let listed = about.bad.len() as u64;
    if about.bad_count > listed {
        let text = format!("the first {} are listed; x writes them all to a file", count(listed));
        canvas.foot(area, &clean(&text), Role::Dim);
    }
}
