//! Lists to choose from by typing: the palette, which also shows each command's keys, and pickers.

use ratatui::layout::Rect;

use crate::app::Target;
use crate::app::commands::Cmd;
use crate::app::overlay::Chooser;
use crate::text::{Clean, clean};
use crate::tui::canvas::{Canvas, page};
use crate::tui::layout::middle;
use crate::tui::theme::Role;

/// The palette.
pub fn palette(canvas: &mut Canvas<'_, '_>, chooser: &Chooser<Cmd>, body: Rect) {
    draw(canvas, chooser, middle(body, 70, 18), |cmd| clean(cmd.row().keys.first().copied().unwrap_or("")));
}

/// A picker.
pub fn picker(canvas: &mut Canvas<'_, '_>, chooser: &Chooser<usize>, body: Rect) {
    draw(canvas, chooser, middle(body, 60, 18), |_| Clean::default());
}

fn draw<T: Copy>(canvas: &mut Canvas<'_, '_>, chooser: &Chooser<T>, area: Rect, aside: impl Fn(T) -> Clean) {
    canvas.cover(area);
    let inside = canvas.panel(area, clean(&chooser.title), true);
    if inside.height == 0 {
        canvas.cursor(inside.x, inside.y);
        return;
    }
    let right = inside.right().saturating_sub(1);
    let rows = Rect { y: inside.y + 1, height: inside.height - 1, ..inside };
    let len = chooser.matching.len();
    for (at, y) in page(len, chooser.cursor, rows.height).zip(rows.y..) {
        let Some((name, value)) = chooser.matching.get(at).and_then(|at| chooser.all.get(*at)) else { continue };
        let line = Rect { y, height: 1, ..rows };
        let aside = aside(*value);
        let room = u16::try_from(aside.width()).unwrap_or(0);
        canvas.put(rows.x + 2, y, right.saturating_sub(room + 1), clean(name), Role::Text);
        canvas.put_right(rows.x + 2, y, right, &aside, Role::Dim);
        canvas.hit(line, Target::Item(at));
        if at == chooser.cursor {
            canvas.put(rows.x, y, right, canvas.sign("▸", ">"), Role::Accent);
            canvas.focus_line(Rect { x: rows.x + 1, width: rows.width.saturating_sub(1), ..line });
        }
    }
    if len == 0 {
        canvas.put(rows.x + 2, rows.y, right, "Nothing matches; backspace widens.", Role::Dim);
    }
    let x = canvas.put(inside.x + 1, inside.y, right, canvas.sign("› ", "> "), Role::Accent);
    canvas.field((x, inside.y, right), &chooser.input, true, false);
}
