//! All of one lead: every column, standard fields by their names.

use ratatui::layout::Rect;

use super::sheet::Sheet;
use super::table::column_title;
use crate::app::State;
use crate::text::clean;
use crate::tui::canvas::Canvas;
use crate::tui::text::wrap;
use crate::tui::theme::Role;

/// Columns of a field's name.
const NAME: u16 = 18;

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_, '_>, state: &State, scroll: usize, body: Rect) {
    let schema = state.audience.schema();
    let Some((_, lead)) = state.audience.focused() else { return };
    let name = lead.display_name(schema);
    let title = clean(if name.is_empty() { "Lead" } else { &name });
    let mut sheet = Sheet::open(canvas, &title, body, 90, body.height);
    for position in scroll..schema.columns.len() {
        let Some(mut y) = sheet.y() else { break };
        let right = sheet.area.right();
        canvas.put(sheet.area.x, y, sheet.area.x + NAME - 1, &column_title(schema, position), Role::Dim);
        let room = usize::from(sheet.area.width.saturating_sub(NAME));
        for line in wrap(&clean(lead.cell(position)), room) {
            if sheet.area.height == 0 {
                break;
            }
            canvas.put(sheet.area.x + NAME, y, right, &line, Role::Text);
            sheet.skip(1);
            y = sheet.area.y;
        }
    }
}
