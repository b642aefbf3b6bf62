//! A list that typing narrows down: the palette and every picker.

use ratatui::layout::Rect;

use super::sheet::Sheet;
use crate::app::Target;
use crate::app::commands::Cmd;
use crate::app::overlay::Chooser;
use crate::text::clean;
use crate::tui::canvas::{Canvas, page};
use crate::tui::theme::Role;

/// The palette, with each command's first key.
pub fn palette(canvas: &mut Canvas<'_, '_>, chooser: &Chooser<Cmd>, body: Rect) {
    draw(canvas, chooser, body, |cmd| cmd.row().keys.first().copied().unwrap_or_default());
}

/// Any other list.
pub fn picker(canvas: &mut Canvas<'_, '_>, chooser: &Chooser<usize>, body: Rect) {
    draw(canvas, chooser, body, |_| "");
}

fn draw<T: Copy>(canvas: &mut Canvas<'_, '_>, chooser: &Chooser<T>, body: Rect, key: impl Fn(T) -> &'static str) {
    let rows = u16::try_from(chooser.all.len()).unwrap_or(u16::MAX);
    let mut sheet = Sheet::open(canvas, &clean(&chooser.title), body, 64, rows.saturating_add(3).min(22));
    let Some(y) = sheet.y() else { return };
    let caret = (sheet.area.x, y, sheet.area.right());
    sheet.skip(1);
    for (y, at) in (sheet.area.y..).zip(page(chooser.matching.len(), chooser.cursor, sheet.area.height)) {
        let Some((text, value)) = chooser.matching.get(at).and_then(|at| chooser.all.get(*at)) else { break };
        let line = Rect { y, height: 1, ..sheet.area };
        canvas.put(line.x, y, line.right(), &clean(text), Role::Text);
        canvas.put_right(line.x, y, line.right(), key(*value), Role::Dim);
        canvas.hit(line, Target::Item(at));
        if at == chooser.cursor {
            canvas.focus_line(line);
        }
    }
    canvas.field(caret, &chooser.input, true, false);
}
