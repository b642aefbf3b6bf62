//! The rows that could not be read: line and reason.

use ratatui::layout::Rect;

use super::sheet::Sheet;
use crate::app::State;
use crate::text::clean;
use crate::tui::canvas::Canvas;
use crate::tui::text::count;
use crate::tui::theme::Role;

/// Draws them.
pub fn draw(canvas: &mut Canvas<'_, '_>, state: &State, scroll: usize, body: Rect) {
    let about = &state.audience.about;
    let title = clean(&format!("{} rows could not be read", count(about.bad_count)));
    let mut sheet = Sheet::open(canvas, &title, body, 90, body.height);
    for (line, reason) in about.bad.iter().skip(scroll) {
        let Some(y) = sheet.y() else { return };
        let right = sheet.area.right();
        canvas.put(sheet.area.x, y, right, &clean(&format!("line {line}")), Role::Dim);
        canvas.put(sheet.area.x + 14, y, right, &clean(reason), Role::Text);
        sheet.skip(1);
    }
    if about.bad_count > about.bad.len() as u64 {
        sheet.line(canvas, "The rest is in the file that x writes.", Role::Dim);
    }
}
