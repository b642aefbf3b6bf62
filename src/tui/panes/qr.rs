//! An address as a QR code, two modules in a cell.

use qrcode::{Color, EcLevel, QrCode};
use ratatui::layout::Rect;
use ratatui::style::{Color as Paint, Style};

use crate::text::clean;
use crate::tui::canvas::Canvas;
use crate::tui::text::Charset;
use crate::tui::theme::Role;

/// Modules of empty ground around the code.
const QUIET: usize = 2;

/// Draws the code, dark on light whatever the terminal's colours are, or says why not.
pub fn draw(canvas: &mut Canvas<'_, '_>, area: Rect, address: &str) {
    let code = QrCode::with_error_correction_level(address.as_bytes(), EcLevel::L).ok();
    let side = code.as_ref().map_or(0, |code| code.width() + 2 * QUIET);
    let fits = side <= usize::from(area.width) && side.div_ceil(2) <= usize::from(area.height);
    let code = match code {
        Some(code) if fits && canvas.look.charset != Charset::Ascii => code,
        _ => {
            let needed = clean(&format!(
                "A QR code of this address needs {side}x{} here; there are {}x{}. ctrl-y copies the address instead.",
                side.div_ceil(2),
                area.width,
                area.height
            ));
            canvas.paragraph(area, &needed, Role::Warn);
            return;
        }
    };
    let inner = code.width();
    let dark = |x: usize, y: usize| {
        let (Some(x), Some(y)) = (x.checked_sub(QUIET), y.checked_sub(QUIET)) else { return false };
        x < inner && y < inner && code[(x, y)] == Color::Dark
    };
    let paint = |dark: bool| if dark { Paint::Black } else { Paint::White };
    for (line, y) in (0..side).step_by(2).zip(area.y..) {
        for (column, x) in (0..side).zip(area.x..) {
            let style = Style::new().fg(paint(dark(column, line))).bg(paint(dark(column, line + 1)));
            canvas.paint(x, y, "▀", style);
        }
    }
}
