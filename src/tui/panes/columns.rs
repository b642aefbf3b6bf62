//! The columns of the table: shown or hidden, how wide, and which standard field each holds.

use ratatui::layout::Rect;

use super::sheet;
use crate::app::State;
use crate::app::audience::Shows;
use crate::lead::Field;
use crate::text::clean;
use crate::tui::canvas::Canvas;
use crate::tui::text::count;
use crate::tui::theme::Role;

/// Draws the overlay.
pub fn draw(canvas: &mut Canvas<'_, '_>, state: &State, cursor: usize, body: Rect) {
    let area = super::large(body);
    canvas.cover(area);
    let inside = canvas.panel(area, "Columns", true);
    canvas.cursor(inside.x, inside.y);
    let audience = &state.audience;
    let heads = [("Shown", 5), ("Header in the file", 0), ("Holds", 16), ("Width", 5), ("In the focused lead", 30)];
    sheet::draw(canvas, inside, &heads, (audience.columns.len(), cursor), |at| {
        let view = &audience.columns[at];
        let (header, holds, sample) = match view.shows {
            Shows::Name => {
                let name = audience.focused().map(|(_, lead)| lead.display_name(audience.schema()));
                ("(first and last name)", "full_name", name.unwrap_or_default())
            }
            Shows::Column(position) => {
                let column = audience.schema().columns.get(position);
                let holds = column.and_then(|column| column.field).map_or("custom field", Field::name);
                let sample = audience.focused().map(|(_, lead)| lead.cell(position).to_owned());
                (column.map_or("", |column| column.header.as_str()), holds, sample.unwrap_or_default())
            }
        };
        vec![
            (clean(if view.hidden { "[ ]" } else { "[x]" }), Role::Text),
            (clean(header), Role::Text),
            (clean(holds), Role::Text),
            (count(u64::from(view.width)), Role::Text),
            (clean(&sample), Role::Dim),
        ]
    });
}
