//! A test's request and its answer, as they went over the wire.

use ratatui::layout::Rect;

use crate::failure::Failure;
use crate::text::{Clean, clean, clean_lines};
use crate::tui::canvas::Canvas;
use crate::tui::layout::below;
use crate::tui::theme::Role;
use crate::webhook::Exchange;

/// Draws the last test: the answer in a line, then the answer, then the request, as far as there is room.
pub fn draw(canvas: &mut Canvas<'_, '_>, tested: &Result<Exchange, Failure>, area: Rect) {
    if area.height == 0 {
        return;
    }
    let exchange = match tested {
        Ok(exchange) => exchange,
        Err(failure) => {
            let used = canvas.paragraph(area, &clean(&failure.message), Role::Bad);
            canvas.paragraph(below(area, used), &clean(&failure.remedy), Role::Text);
            return;
        }
    };
    let good = (200..300).contains(&exchange.status);
    let (sign, role) = if good { (canvas.sign("✓", "+"), Role::Good) } else { ("!", Role::Bad) };
    let line = match exchange.status {
        0 => format!("{sign} no answer after {} ms: {}", exchange.ms, exchange.response.error),
        status => format!("{sign} answered {status} in {} ms", exchange.ms),
    };
    let used = canvas.paragraph(area, &clean(&line), role);
    let mut rest = below(area, used);
    let answer = block(&exchange.response.headers, &exchange.response.body);
    let request = block(&exchange.request.headers, &exchange.request.body);
    if exchange.status != 0 {
        let half = (rest.height / 2).min(u16::try_from(answer.len()).unwrap_or(u16::MAX) + 1);
        part(canvas, "Answer", &answer, Rect { height: half, ..rest });
        rest = below(rest, half);
    }
    let head = clean(&format!("{} {}", exchange.request.method, exchange.request.url));
    let request: Vec<Clean> = std::iter::once(head).chain(request).collect();
    part(canvas, "Request", &request, rest);
}

fn part(canvas: &mut Canvas<'_, '_>, title: &'static str, lines: &[Clean], area: Rect) {
    if area.height > 1 {
        canvas.put(area.x, area.y, area.right(), title, Role::Accent);
        text(canvas, lines, below(area, 1));
    }
}

fn block(headers: &[(String, String)], body: &str) -> Vec<Clean> {
    let headers = headers.iter().map(|(name, value)| clean(&format!("{name}: {value}")));
    headers.chain(std::iter::once(Clean::default())).chain(pretty(body)).collect()
}

/// JSON with a line per member, other text as it is.
pub fn pretty(body: &str) -> Vec<Clean> {
    let parsed: Result<serde_json::Value, _> = serde_json::from_str(body);
    match parsed.and_then(|value| serde_json::to_string_pretty(&value)) {
        Ok(text) => clean_lines(&text),
        Err(_) => clean_lines(body),
    }
}

/// Lines from the top of an area; says so when there are more.
pub fn text(canvas: &mut Canvas<'_, '_>, lines: &[Clean], area: Rect) {
    let room = usize::from(area.height);
    for (at, (line, y)) in lines.iter().zip(area.y..area.bottom()).enumerate() {
        if at + 1 == room && lines.len() > room {
            let more = clean(&format!("… {} more lines", lines.len() - at));
            canvas.put(area.x, y, area.right(), &more, Role::Dim);
        } else {
            canvas.put(area.x, y, area.right(), line, Role::Text);
        }
    }
}
