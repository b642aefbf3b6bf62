//! The tab of saved lists.

use ratatui::layout::Rect;

use super::sheet;
use crate::app::State;
use crate::text::clean;
use crate::tui::canvas::Canvas;
use crate::tui::text::{count, counted, when};
use crate::tui::theme::Role;

/// Draws the tab.
pub fn draw(canvas: &mut Canvas<'_, '_>, state: &State, area: Rect) {
    let lists = &state.lists;
    let title = clean(&format!("Lists · {} saved", count(lists.items.len() as u64)));
    let inside = canvas.panel(area, &title, true);
    if lists.items.is_empty() {
        let text = "No list is saved yet. Select leads in the first tab (1), name them, and press Save.";
        canvas.paragraph(inside, &clean(text), Role::Dim);
        canvas.cursor(inside.x, inside.y);
        return;
    }
    let columns = [("List", 0), ("Leads", 10), ("Saved", 16), ("Version", 7), ("From", 24), ("Filter", 24)];
    let zone = &canvas.look.zone;
    sheet::draw(canvas, inside, &columns, (lists.items.len(), lists.cursor), |at| {
        let list = &lists.items[at];
        vec![
            (clean(&list.name), Role::Text),
            (count(list.leads), Role::Text),
            (when(list.saved, zone), Role::Text),
            (count(u64::from(list.version)), Role::Text),
            (clean(&list.provenance.file), Role::Dim),
            (clean(&list.provenance.filter), Role::Dim),
        ]
    });
    if let Some(list) = lists.focused() {
        let from = if list.provenance.filter.is_empty() {
            String::new()
        } else {
            format!(" where {}", list.provenance.filter)
        };
        let text = format!("{} from {}{from}", counted(list.leads, "lead"), list.provenance.file);
        canvas.foot(area, &clean(&text), Role::Dim);
    }
}
