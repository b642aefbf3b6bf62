//! A framed overlay filled from the top, line by line.

use ratatui::layout::Rect;

use crate::text::{Clean, clean};
use crate::tui::canvas::Canvas;
use crate::tui::layout::middle;
use crate::tui::text::Shown;
use crate::tui::theme::Role;

/// The room left in an overlay.
pub struct Sheet {
    /// What is left.
    pub area: Rect,
}

impl Sheet {
    /// Opens an overlay of at most this size in the middle of the body.
    pub fn open(canvas: &mut Canvas<'_, '_>, title: impl Shown, body: Rect, width: u16, height: u16) -> Sheet {
        let outer = middle(body, width, height);
        canvas.cover(outer);
        let inside = canvas.panel(outer, title, true);
        let area = Rect { x: inside.x + 1.min(inside.width), width: inside.width.saturating_sub(2), ..inside };
        canvas.cursor(area.x, area.y);
        Sheet { area }
    }

    /// The line where the next text goes; `None` = full.
    pub fn y(&self) -> Option<u16> {
        (self.area.height > 0).then_some(self.area.y)
    }

    /// Leaves lines out.
    pub fn skip(&mut self, lines: u16) {
        let lines = lines.min(self.area.height);
        self.area.y += lines;
        self.area.height -= lines;
    }

    /// One line, shortened.
    pub fn line(&mut self, canvas: &mut Canvas<'_, '_>, text: impl Shown, role: Role) {
        if let Some(y) = self.y() {
            canvas.put(self.area.x, y, self.area.right(), text, role);
            self.skip(1);
        }
    }

    /// Wrapped text; line breaks are kept.
    pub fn text(&mut self, canvas: &mut Canvas<'_, '_>, text: &str, role: Role) {
        for line in text.lines() {
            let used = canvas.paragraph(self.area, &clean(line), role);
            self.skip(used);
        }
    }

    /// A label and its value on one line.
    pub fn pair(&mut self, canvas: &mut Canvas<'_, '_>, label: &'static str, value: &Clean, role: Role) {
        if let Some(y) = self.y() {
            let right = self.area.right();
            canvas.put(self.area.x, y, right, label, Role::Dim);
            canvas.put(self.area.x + LABEL, y, right, value, role);
            self.skip(1);
        }
    }

    /// The area of the next line from after a label.
    pub fn value_area(&self) -> (u16, u16, u16) {
        (self.area.x + LABEL, self.area.y, self.area.right())
    }

    /// A failure: its cause and its remedy.
    pub fn failure(&mut self, canvas: &mut Canvas<'_, '_>, failure: &crate::failure::Failure) {
        self.text(canvas, &failure.message, Role::Bad);
        self.text(canvas, &failure.remedy, Role::Text);
    }
}

/// Columns of a label.
pub const LABEL: u16 = 14;
