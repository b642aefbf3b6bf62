//! Where things stand: pure arithmetic on rectangles, from the terminal's size and what the state has to show.
//!
//! The first tab follows a ladder: both lower panes beside each other, stacked, one pane at a time, a sentence.

use ratatui::layout::Rect;

use super::panes::notices;
use crate::app::send::grid_columns;
use crate::app::{Focus, State};

/// The smallest size in which panes are drawn.
pub const LEAST: (u16, u16) = (24, 6);

/// The parts of every screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Screen {
    /// The line with the tabs.
    pub tabs: Rect,
    /// The notices; may be empty.
    pub notices: Rect,
    /// The tab's own area, and that of what lies on top.
    pub body: Rect,
    /// The line with the keys.
    pub hint: Rect,
}

/// The parts of the first tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstTab {
    /// All panes, and the line that says what they are for.
    Whole {
        /// The lead table.
        table: Rect,
        /// "Save as Lead List".
        save: Rect,
        /// "Sync to Your Systems".
        grid: Rect,
        /// The line below.
        line: Rect,
    },
    /// The pane with the focus alone.
    One(Rect),
}

/// The parts of a screen; `None` = too small for any.
pub fn screen(area: Rect, notice_lines: u16) -> Option<Screen> {
    if area.width < LEAST.0 || area.height < LEAST.1 {
        return None;
    }
    let line = |y: u16, height: u16| Rect { y: area.y + y, height, ..area };
    let notices = notice_lines.min(most_notice_lines(area.height));
    Some(Screen {
        tabs: line(0, 1),
        notices: line(1, notices),
        body: line(1 + notices, area.height - 2 - notices),
        hint: line(area.height - 1, 1),
    })
}

/// How many lines of notices a screen of this height has room for.
pub fn most_notice_lines(height: u16) -> u16 {
    (height.saturating_sub(4) / 4).min(4)
}

/// The parts of the first tab.
pub fn first_tab(body: Rect, platforms: usize) -> FirstTab {
    const TABLE: u16 = 6;
    const SAVE: u16 = 4;
    let across = grid_columns(platforms, body.width);
    let grid = 3 + u16::try_from(platforms.div_ceil(across)).unwrap_or(u16::MAX);
    let beside = grid.max(SAVE + 1);
    let cut = |x: u16, y: u16, width: u16, height: u16| Rect { x: body.x + x, y: body.y + y, width, height };
    if body.width >= 100 && body.height > TABLE + beside {
        let table = body.height - beside - 1;
        let right = (body.width * 3 / 5).max(66);
        let left = body.width - right;
        return FirstTab::Whole {
            table: cut(0, 0, body.width, table),
            save: cut(0, table, left, beside),
            grid: cut(left, table, right, beside),
            line: cut(0, body.height - 1, body.width, 1),
        };
    }
    if body.width >= 60 && body.height >= TABLE.saturating_add(SAVE).saturating_add(grid).saturating_add(1) {
        let table = body.height - SAVE - grid - 1;
        return FirstTab::Whole {
            table: cut(0, 0, body.width, table),
            save: cut(0, table, body.width, SAVE),
            grid: cut(0, table + SAVE, body.width, grid),
            line: cut(0, body.height - 1, body.width, 1),
        };
    }
    FirstTab::One(body)
}

/// Lines at the foot of the table for a filter or search being typed.
pub fn editing_lines(state: &State) -> u16 {
    if state.audience.editing.is_some() { 2 } else { 0 }
}

/// Rows of leads that the table shows on a terminal of this size.
pub fn table_rows(state: &State, width: u16, height: u16) -> u16 {
    let area = Rect::new(0, 0, width, height);
    let lines = notices::lines(state, width, most_notice_lines(height)).len();
    let Some(screen) = screen(area, u16::try_from(lines).unwrap_or(u16::MAX)) else { return 0 };
    let table = match first_tab(screen.body, state.platforms.len()) {
        FirstTab::Whole { table, .. } | FirstTab::One(table) => table,
    };
    table.height.saturating_sub(3 + editing_lines(state))
}

/// Whether the focus lies in the lower panes.
pub fn pane_of(focus: Focus) -> Pane {
    match focus {
        Focus::Table => Pane::Table,
        Focus::Name | Focus::Save => Pane::Save,
        Focus::Crm(_) | Focus::Webhook => Pane::Grid,
    }
}

/// A pane of the first tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    /// The lead table.
    Table,
    /// "Save as Lead List".
    Save,
    /// "Sync to Your Systems".
    Grid,
}

/// The middle of an area, at most so large.
pub fn middle(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    // Above the middle: the eye is there already, and what is asked about stays visible below.
    let (x, y) = ((area.width - width) / 2, (area.height - height) / 3);
    Rect { x: area.x + x, y: area.y + y, width, height }
}

/// Splits an area below so many lines.
pub fn below(area: Rect, lines: u16) -> Rect {
    let lines = lines.min(area.height);
    Rect { y: area.y + lines, height: area.height - lines, ..area }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panes_neither_overlap_nor_leave_the_screen() {
        for (width, height) in (0..140).flat_map(|width| (0..45).map(move |height| (width, height))) {
            let area = Rect::new(0, 0, width, height);
            let Some(screen) = screen(area, height % 7) else {
                assert!(width < LEAST.0 || height < LEAST.1);
                continue;
            };
            let parts = [screen.tabs, screen.notices, screen.body, screen.hint];
            assert_eq!(parts.iter().map(|part| part.height).sum::<u16>(), height, "{width}x{height}");
            for platforms in 0..10 {
                let FirstTab::Whole { table, save, grid, line } = first_tab(screen.body, platforms) else { continue };
                let parts = [table, save, grid, line];
                assert!(parts.iter().all(|part| part.union(screen.body) == screen.body), "{width}x{height}");
                assert!(table.height >= 6 && save.height >= 4, "{width}x{height}: {parts:?}");
                let covered: u32 = parts.iter().map(|part| part.area()).sum();
                assert_eq!(covered, screen.body.area(), "{width}x{height}: {parts:?}");
            }
        }
    }

    #[test]
    fn the_sizes_of_the_design_get_the_rung_of_the_design() {
        let whole = |width, height| {
            let screen = screen(Rect::new(0, 0, width, height), 0).map(|screen| screen.body);
            screen.map(|body| match first_tab(body, 8) {
                FirstTab::Whole { save, grid, .. } if save.y == grid.y => "beside",
                FirstTab::Whole { .. } => "stacked",
                FirstTab::One(_) => "one",
            })
        };
        assert_eq!(whole(120, 36), Some("beside"));
        assert_eq!(whole(100, 24), Some("beside"));
        assert_eq!(whole(80, 24), Some("stacked"));
        assert_eq!(whole(40, 12), Some("one"));
        assert_eq!(whole(24, 5), None);
    }
}
