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
        let lead = audience.focused().map(|(_, lead)| lead);
        let (header, field, sample) = match view.shows {
            Shows::Name => {
                let name = lead.map(|lead| clean(&lead.display_name(audience.schema()))).unwrap_or_default();
                (clean("(first and last name)"), Some(Field::FullName), name)
            }
            Shows::Column(position) => {
                let column = audience.schema().columns.get(position);
                let header = column.map(|column| clean(&column.header)).unwrap_or_default();
                let sample = lead.map(|lead| clean(lead.cell(position))).unwrap_or_default();
                (header, column.and_then(|column| column.field), sample)
            }
        };
        let (holds, role) = match field {
            Some(field) => (clean(field.name()), Role::Text),
            None => (clean("custom field"), Role::Dim),
        };
        vec![
            (clean(if view.hidden { "[ ]" } else { "[x]" }), Role::Text),
            (header, Role::Text),
            (holds, role),
            (count(u64::from(view.width)), Role::Text),
            (sample, Role::Dim),
        ]
    });
}
