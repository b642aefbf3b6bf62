//! The table's place while there is no audience: how to get one, or why it could not be opened.

use ratatui::layout::Rect;

use crate::app::audience::{Audience, Status};
use crate::text::clean;
use crate::tui::canvas::Canvas;
use crate::tui::layout::below;
use crate::tui::theme::Role;

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_, '_>, audience: &Audience, area: Rect, focused: bool) {
    let area = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    if focused {
        canvas.cursor(area.x, area.y);
    }
    let help = [
        "Press ctrl-o to open a file of leads (CSV, TSV or JSONL).",
        "Or start with one: leadferry prospects.csv",
        "To try it out with made-up leads and a practice CRM: leadferry demo",
    ];
    let used = match &audience.status {
        Status::Failed(failure) => {
            let used = canvas.paragraph(area, &clean(&failure.message), Role::Bad);
            let used = used + canvas.paragraph(below(area, used), &clean(&failure.remedy), Role::Text);
            used + 1
        }
        Status::Loading => {
            canvas.put(area.x, area.y, area.right(), "Reading…", Role::Dim);
            return;
        }
        Status::Ready => canvas.paragraph(area, &clean("There is no lead in this file."), Role::Text) + 1,
        Status::Empty => canvas.paragraph(area, &clean("No leads are open."), Role::Text) + 1,
    };
    let mut rest = below(area, used);
    for line in help {
        let used = canvas.paragraph(rest, &clean(line), Role::Dim);
        rest = below(rest, used);
    }
}
