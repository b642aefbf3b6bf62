//! A table of rows with a header and a cursor, for the tabs and for outcomes.

use ratatui::layout::Rect;

use crate::app::Target;
use crate::text::{Clean, clean};
use crate::tui::canvas::{Canvas, page};
use crate::tui::theme::Role;

/// A column: its head, and the columns of the terminal it wants. The last one takes what is left.
pub type Head = (&'static str, u16);

/// One row: its cells, and the role of each.
pub type Cells = Vec<(Clean, Role)>;

/// Draws rows; the focused one is turned around and has the cursor.
pub fn draw(canvas: &mut Canvas<'_, '_>, area: Rect, heads: &[Head], rows: &[Cells], cursor: usize) {
    if area.height == 0 {
        return;
    }
    let spans = spans(area, heads);
    for ((head, _), (x, end)) in heads.iter().zip(&spans) {
        canvas.put(*x, area.y, *end, *head, Role::Accent);
    }
    let height = area.height - 1;
    for (y, at) in (area.y + 1..).zip(page(rows.len(), cursor, height)) {
        let line = Rect { y, height: 1, ..area };
        for ((text, role), (x, end)) in rows[at].iter().zip(&spans) {
            canvas.put(*x, y, *end, text, *role);
        }
        canvas.hit(line, Target::Item(at));
        if at == cursor {
            canvas.focus_line(line);
            canvas.cursor(area.x, y);
        }
    }
    if rows.is_empty() {
        canvas.cursor(area.x, area.y);
    }
}

fn spans(area: Rect, heads: &[Head]) -> Vec<(u16, u16)> {
    let mut x = area.x;
    let mut spans = Vec::new();
    for (at, (_, width)) in heads.iter().enumerate() {
        let end = if at + 1 == heads.len() { area.right() } else { x.saturating_add(*width).min(area.right()) };
        spans.push((x.min(area.right()), end));
        x = end.saturating_add(2);
    }
    spans
}

/// Ordinary cells.
pub fn plain(cells: impl IntoIterator<Item = Clean>) -> Cells {
    cells.into_iter().map(|cell| (cell, Role::Text)).collect()
}

/// A sentence in place of rows.
pub fn nothing(canvas: &mut Canvas<'_, '_>, area: Rect, text: &str) {
    canvas.paragraph(area, &clean(text), Role::Dim);
    canvas.cursor(area.x, area.y);
}
