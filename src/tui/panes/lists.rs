//! The tab of saved lists.

use ratatui::layout::Rect;

use super::rows;
use crate::app::State;
use crate::text::clean;
use crate::tui::canvas::Canvas;
use crate::tui::text::{count, when};

/// Draws the tab.
pub fn draw(canvas: &mut Canvas<'_, '_>, state: &State, body: Rect) {
    let inside = canvas.panel(body, "Lead lists", true);
    if state.lists.items.is_empty() {
        rows::nothing(
            canvas,
            inside,
            "No list is saved yet. Select leads in the Audience tab, name the list, save it.",
        );
        return;
    }
    let zone = canvas.look.zone.clone();
    let lines: Vec<rows::Cells> = (state.lists.items.iter())
        .map(|list| {
            rows::plain([
                clean(&list.name),
                clean(&list.version.to_string()),
                count(list.leads),
                when(list.saved, &zone),
                clean(&list.provenance.file),
                clean(&list.provenance.filter),
            ])
        })
        .collect();
    let heads = [("Name", 30), ("Version", 7), ("Leads", 9), ("Saved", 16), ("From", 22), ("Filter", 0)];
    rows::draw(canvas, inside, &heads, &lines, state.lists.cursor);
}
