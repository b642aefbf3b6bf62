//! All of the focused lead: every field with its value, score and reasons first.

use ratatui::layout::Rect;

use super::table::column_title;
use crate::app::State;
use crate::lead::{Field, Lead, Schema};
use crate::text::{Clean, clean};
use crate::tui::canvas::Canvas;
use crate::tui::text::wrap;
use crate::tui::theme::Role;

/// Draws the overlay, scrolled by so many fields.
pub fn draw(canvas: &mut Canvas<'_, '_>, state: &State, scroll: usize, body: Rect) {
    let area = super::large(body);
    canvas.cover(area);
    let schema = state.audience.schema();
    let Some((id, lead)) = state.audience.focused() else {
        let inside = canvas.panel(area, "Lead", true);
        canvas.cursor(inside.x, inside.y);
        return;
    };
    let selected = if state.audience.selection.contains(*id) { " · selected" } else { "" };
    let name = match lead.display_name(schema) {
        name if name.is_empty() => "Lead".to_owned(),
        name => name,
    };
    let inside = canvas.panel(area, clean(&format!("{name}{selected}")), true);
    canvas.cursor(inside.x + 1, inside.y);
    let label = 16.min(inside.width / 3);
    let mut y = inside.y;
    for (title, value) in fields(schema, lead).into_iter().skip(scroll) {
        if y >= inside.bottom() {
            break;
        }
        let x = inside.x + 1;
        canvas.put(x, y, x + label, &title, Role::Accent);
        let (value, role) = if value.is_empty() { (clean("-"), Role::Dim) } else { (value, Role::Text) };
        let text = Rect { x: x + label + 1, y, width: inside.right().saturating_sub(x + label + 2), height: 1 };
        for line in wrap(&value, usize::from(text.width)).iter().take(usize::from(inside.bottom() - y)) {
            canvas.put(text.x, y, text.right(), line, role);
            y += 1;
        }
    }
}

/// The fields in the order of the file, score and reasons before the others.
fn fields(schema: &Schema, lead: &Lead) -> Vec<(Clean, Clean)> {
    let first = [Field::Score, Field::Reasons].into_iter().filter_map(|field| schema.position(field));
    let first: Vec<usize> = first.collect();
    let others = (0..schema.columns.len()).filter(|position| !first.contains(position));
    let order = first.iter().copied().chain(others);
    order.map(|position| (column_title(schema, position), clean(lead.cell(position)))).collect()
}
