//! Rows under column heads, with a cursor: what the tabs and outcome lists are drawn as.

use ratatui::layout::Rect;

use crate::app::Target;
use crate::text::Clean;
use crate::tui::canvas::{Canvas, page};
use crate::tui::theme::Role;

/// A column: its head and width; width 0 takes the room that is left. The first columns matter most: the last ones go first
/// where there is no room.
pub type Column = (&'static str, u16);

/// The least width of a column that takes the room that is left.
const FLEXIBLE: u16 = 15;

/// A cell.
pub type Cell = (Clean, Role);

/// Draws the heads and the page of rows that holds the cursor; with the focus, the terminal's cursor stands on its row.
pub fn draw(
    canvas: &mut Canvas<'_, '_>,
    area: Rect,
    columns: &[Column],
    (len, cursor): (usize, usize),
    row: impl Fn(usize) -> Vec<Cell>,
) {
    let placed = place(columns, area);
    for (at, x, end) in &placed {
        canvas.put(*x, area.y, *end, columns[*at].0, Role::Accent);
    }
    let height = area.height.saturating_sub(1);
    for (index, y) in page(len, cursor, height).zip(area.y + 1..area.bottom()) {
        let line = Rect { y, height: 1, ..area };
        let cells = row(index);
        for (at, x, end) in &placed {
            if let Some((text, role)) = cells.get(*at) {
                canvas.put(*x, y, *end, text, *role);
            }
        }
        canvas.hit(line, Target::Item(index));
        if index == cursor {
            canvas.put(area.x, y, area.right(), canvas.sign("▸", ">"), Role::Accent);
            canvas.focus_line(Rect { x: area.x + 1, width: area.width.saturating_sub(1), ..line });
            canvas.cursor(area.x + 2, y);
        }
    }
}

/// Which columns fit, and from where to where.
fn place(columns: &[Column], area: Rect) -> Vec<(usize, u16, u16)> {
    let room = area.width.saturating_sub(3);
    let least = |width: u16| if width == 0 { FLEXIBLE } else { width };
    let mut fit = 0;
    let mut used = 0;
    for (_, width) in columns {
        let wanted = used + least(*width) + if fit > 0 { 2 } else { 0 };
        if wanted > room && fit > 0 {
            break;
        }
        used = wanted;
        fit += 1;
    }
    let spare = room.saturating_sub(used);
    let mut x = area.x + 2;
    let mut placed = Vec::new();
    for (at, (_, width)) in columns.iter().take(fit).enumerate() {
        let width = if *width == 0 { FLEXIBLE + spare } else { *width };
        placed.push((at, x, (x + width).min(area.right())));
        x += width + 2;
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_important_columns_go_first_and_the_flexible_one_takes_the_rest() {
        let columns = [("a", 0), ("b", 10), ("c", 20)];
        let widths = |width| {
            let placed = place(&columns, Rect::new(0, 0, width, 5));
            placed.into_iter().map(|(_, x, end)| end - x).collect::<Vec<_>>()
        };
        assert_eq!(widths(80), [43, 10, 20]);
        assert_eq!(widths(40), [25, 10]);
        assert_eq!(widths(20), [17]);
        assert_eq!(widths(5), [3]);
    }
}
