//! The columns: shown or hidden, how wide, and which standard field each one holds.

use ratatui::layout::Rect;

use super::sheet::Sheet;
use crate::app::audience::Shows;
use crate::app::{State, Target};
use crate::lead::Field;
use crate::text::clean;
use crate::tui::canvas::{Canvas, page};
use crate::tui::theme::Role;

/// Draws them.
pub fn draw(canvas: &mut Canvas<'_, '_>, state: &State, at: usize, body: Rect) {
    let columns = &state.audience.columns;
    let schema = state.audience.schema();
    let height = u16::try_from(columns.len()).unwrap_or(u16::MAX).saturating_add(3);
    let mut sheet = Sheet::open(canvas, "Columns", body, 76, height);
    sheet.line(canvas, "    Header                        Holds              Width", Role::Accent);
    for (y, index) in (sheet.area.y..).zip(page(columns.len(), at, sheet.area.height)) {
        let column = &columns[index];
        let line = Rect { y, height: 1, ..sheet.area };
        let (header, holds) = match column.shows {
            Shows::Name => (clean("(first and last name)"), "full_name"),
            Shows::Column(position) => {
                let known = schema.columns.get(position);
                let holds = known.and_then(|known| known.field).map_or("custom field", Field::name);
                (known.map(|known| clean(&known.header)).unwrap_or_default(), holds)
            }
        };
        canvas.put(line.x, y, line.right(), if column.hidden { "[ ]" } else { "[x]" }, Role::Text);
        canvas.put(line.x + 4, y, line.x + 32, &header, Role::Text);
        canvas.put(line.x + 34, y, line.right(), holds, Role::Text);
        canvas.put(line.x + 53, y, line.right(), &clean(&column.width.to_string()), Role::Text);
        canvas.hit(line, Target::Item(index));
        if index == at {
            canvas.focus_line(line);
            canvas.cursor(line.x + 1, y);
        }
    }
}
