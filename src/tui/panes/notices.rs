//! The notices under the tab line: the newest ones, each with a sign for its kind.

use ratatui::layout::Rect;

use crate::app::State;
use crate::app::notices::NoticeKind;
use crate::text::{Clean, clean};
use crate::tui::canvas::Canvas;
use crate::tui::text::wrap;
use crate::tui::theme::Role;

/// A line of a notice: its kind, whether it is the first of it, its text.
pub type Line = (NoticeKind, bool, Clean);

/// The lines that are shown, newest notice last; what does not fit goes from the oldest.
pub fn lines(state: &State, width: u16, most: u16) -> Vec<Line> {
    let most = usize::from(most);
    let mut shown: Vec<Line> = Vec::new();
    for notice in state.notices.showing.iter().rev() {
        let room = usize::from(width.saturating_sub(4));
        let mut lines = wrap(&notice.text, room);
        if shown.len() + lines.len() > most && !shown.is_empty() {
            break;
        }
        if lines.len() > most {
            lines.truncate(most);
            if let Some(last) = lines.last_mut() {
                *last = clean(&format!("{}…", last.shorten(room.saturating_sub(1))));
            }
        }
        let lines = lines.into_iter().enumerate().map(|(at, line)| (notice.kind, at == 0, line));
        shown.splice(0..0, lines);
    }
    shown
}

/// Draws them.
pub fn draw(canvas: &mut Canvas<'_, '_>, area: Rect, lines: &[Line]) {
    for ((kind, first, line), y) in lines.iter().zip(area.y..area.bottom()) {
        let (sign, role) = match kind {
            NoticeKind::Info => (canvas.sign("·", "-"), Role::Accent),
            NoticeKind::Success => (canvas.sign("✓", "+"), Role::Good),
            NoticeKind::Error => ("!", Role::Bad),
        };
        if *first {
            canvas.put(area.x + 1, y, area.right(), sign, role);
        }
        canvas.put(area.x + 3, y, area.right(), line, role);
    }
}
