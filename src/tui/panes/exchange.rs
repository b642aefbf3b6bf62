//! The request and answer of a webhook test, exactly.

use ratatui::layout::Rect;

use super::sheet::Sheet;
use crate::tui::canvas::Canvas;
use crate::tui::theme::Role;
use crate::webhook::Exchange;

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_, '_>, exchange: &Exchange, area: Rect) {
    let mut sheet = Sheet { area };
    let (text, role) = match exchange.status {
        0 => (format!("No answer: {}", exchange.response.error), Role::Bad),
        status @ 200..=299 => (format!("Answered {status} in {} ms", exchange.ms), Role::Good),
        status => (format!("Answered {status} in {} ms", exchange.ms), Role::Bad),
    };
    sheet.text(canvas, &text, role);
    if !exchange.response.body.is_empty() {
        sheet.text(canvas, &exchange.response.body, Role::Text);
    }
    sheet.text(canvas, &format!("{} {}", exchange.request.method, exchange.request.url), Role::Accent);
    for (name, value) in &exchange.request.headers {
        sheet.text(canvas, &format!("{name}: {value}"), Role::Dim);
    }
    sheet.text(canvas, &exchange.request.body, Role::Text);
}
