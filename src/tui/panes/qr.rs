//! An address as a QR code, two modules to a cell.

use qrcode::{Color as Module, EcLevel, QrCode};
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};

use crate::text::clean;
use crate::tui::canvas::Canvas;
use crate::tui::text::Charset;
use crate::tui::theme::{Role, Scheme};

/// Light modules around the code; scanners need two at least.
const QUIET: usize = 2;

/// Draws the code in the middle of an area, or says why it is not there.
pub fn draw(canvas: &mut Canvas<'_, '_>, address: &str, area: Rect) {
    let Ok(code) = QrCode::with_error_correction_level(address, EcLevel::L) else {
        canvas.paragraph(area, &clean("The address is too long for a QR code. Copy it instead."), Role::Warn);
        return;
    };
    let side = code.width() + 2 * QUIET;
    let (width, height) = (side, side.div_ceil(2));
    if canvas.look.charset != Charset::Unicode {
        canvas.paragraph(
            area,
            &clean("A QR code needs a terminal with Unicode. Copy the address instead."),
            Role::Warn,
        );
        return;
    }
    if width > usize::from(area.width) || height > usize::from(area.height) {
        let text = format!(
            "The QR code needs {width}x{height} cells and there are {}x{}. Make the window larger or the letters smaller.",
            area.width, area.height
        );
        canvas.paragraph(area, &clean(&text), Role::Warn);
        return;
    }
    let dark = |x: usize, y: usize| {
        let inside = |at: usize| at.checked_sub(QUIET).filter(|at| *at < code.width());
        matches!((inside(x), inside(y)), (Some(x), Some(y)) if code[(x, y)] == Module::Dark)
    };
    let style = match canvas.look.theme.scheme {
        // Without colours light modules are drawn in the letters' colour, which is light on most screens.
        Scheme::Plain => Style::new(),
        _ => Style::new().fg(Color::Indexed(231)).bg(Color::Indexed(16)),
    };
    let (left, top) = ((usize::from(area.width) - width) / 2, (usize::from(area.height) - height) / 2);
    for row in 0..height {
        for column in 0..width {
            let sign = match (dark(column, 2 * row), dark(column, 2 * row + 1)) {
                (false, false) => "█",
                (false, true) => "▀",
                (true, false) => "▄",
                (true, true) => " ",
            };
            let (x, y) = (left + column, top + row);
            if let (Ok(x), Ok(y)) = (u16::try_from(x), u16::try_from(y)) {
                canvas.paint(area.x + x, area.y + y, sign, style);
            }
        }
    }
}
