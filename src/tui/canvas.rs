//! What the panes draw with: text, panels, buttons, fields and rows on a frame, each telling where the mouse can press it
//! and where the terminal's cursor belongs.

use jiff::tz::TimeZone;
use ratatui::Frame;
use ratatui::layout::{Margin, Position, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::widgets::{Block, BorderType, Clear};
use tui_input::Input;

use super::text::{self, Charset, Shown};
use super::theme::{Role, Theme};
use crate::app::Target;
use crate::text::{Clean, clean};

/// What a drawing depends on besides the state.
#[derive(Clone, Debug)]
pub struct Look {
    /// The colours.
    pub theme: Theme,
    /// The letters.
    pub charset: Charset,
    /// The zone that times are shown in.
    pub zone: TimeZone,
}

/// What the mouse can press, the upper ones last.
#[derive(Debug, Default)]
pub struct Hits(Vec<(Rect, Target)>);

impl Hits {
    /// What lies at a place.
    pub fn at(&self, x: u16, y: u16) -> Option<Target> {
        let place = Position { x, y };
        self.0.iter().rev().find(|(area, _)| area.contains(place)).map(|(_, target)| *target)
    }
}

/// A frame being drawn.
pub struct Canvas<'a, 'f> {
    /// How.
    pub look: &'a Look,
    frame: &'a mut Frame<'f>,
    hits: Hits,
}

/// How a button stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ButtonState {
    /// Whether it has the focus.
    pub focused: bool,
    /// Whether pressing it does its work.
    pub enabled: bool,
}

impl<'a, 'f> Canvas<'a, 'f> {
    /// An empty canvas over a frame.
    pub fn new(frame: &'a mut Frame<'f>, look: &'a Look) -> Self {
        Canvas { look, frame, hits: Hits::default() }
    }

    /// The whole frame.
    pub fn area(&self) -> Rect {
        self.frame.area()
    }

    /// The end of the drawing.
    pub fn finish(self) -> Hits {
        self.hits
    }

    /// A sign, or its ASCII stand-in.
    pub fn sign(&self, unicode: &'static str, ascii: &'static str) -> &'static str {
        self.look.charset.sign(unicode, ascii)
    }

    /// Writes from `x` to before `right`; answers the column after the text.
    pub fn put(&mut self, x: u16, y: u16, right: u16, text: impl Shown, role: Role) -> u16 {
        let style = self.look.theme.style(role);
        self.put_styled(x, y, right, text, style)
    }

    fn put_styled(&mut self, x: u16, y: u16, right: u16, text: impl Shown, style: Style) -> u16 {
        text::write(self.frame.buffer_mut(), (x, y, right), text, style, self.look.charset)
    }

    /// Writes so that the text ends before `right`.
    pub fn put_right(&mut self, x: u16, y: u16, right: u16, text: impl Shown, role: Role) {
        let width = u16::try_from(clean(text.shown()).width()).unwrap_or(u16::MAX);
        self.put(right.saturating_sub(width).max(x), y, right, text, role);
    }

    /// Writes lines of wrapped text from the top of an area; answers how many it took.
    pub fn paragraph(&mut self, area: Rect, text: &Clean, role: Role) -> u16 {
        let lines = text::wrap(text, usize::from(area.width));
        let mut used = 0;
        for (line, y) in lines.iter().zip(area.y..area.bottom()) {
            self.put(area.x, y, area.right(), line, role);
            used += 1;
        }
        used
    }

    /// A border with a title, the heavier one for the pane with the focus; answers the room inside.
    pub fn panel(&mut self, area: Rect, title: impl Shown, focused: bool) -> Rect {
        let role = if focused { Role::BorderFocus } else { Role::Border };
        let style = self.look.theme.style(role);
        let block = Block::bordered().border_style(style);
        let block = match (self.look.charset, focused) {
            (Charset::Unicode, true) => block.border_type(BorderType::Thick),
            (Charset::Unicode, false) => block.border_type(BorderType::Plain),
            (_, focused) => block.border_set(ascii_border(focused)),
        };
        self.frame.render_widget(block, area);
        if area.width > 4 {
            let title = clean(&format!(" {} ", title.shown()));
            let role = if focused { Role::Accent } else { Role::Text };
            self.put(area.x + 1, area.y, area.right() - 1, title, role);
        }
        area.inner(Margin { horizontal: 1, vertical: 1 })
    }

    /// A sentence on the lower border of a panel.
    pub fn foot(&mut self, area: Rect, text: &Clean, role: Role) {
        if area.width > 6 && area.height > 1 && !text.is_empty() {
            let text = clean(&format!(" {text} "));
            self.put(area.x + 1, area.bottom() - 1, area.right() - 1, text, role);
        }
    }

    /// Empties an area, and takes its targets and those around it from the mouse: what lies on top has all of it.
    pub fn cover(&mut self, area: Rect) {
        self.frame.render_widget(Clear, area);
        self.hits.0.clear();
    }

    /// Lets the mouse press an area.
    pub fn hit(&mut self, area: Rect, target: Target) {
        self.hits.0.push((area, target));
    }

    /// Puts the terminal's cursor on a cell; the last call of a frame counts.
    pub fn cursor(&mut self, x: u16, y: u16) {
        let area = self.area();
        if !area.is_empty() {
            let place = Position { x: x.clamp(area.x, area.right() - 1), y: y.clamp(area.y, area.bottom() - 1) };
            self.frame.set_cursor_position(place);
        }
    }

    /// `[label]`, reversed when focused and dim when disabled; answers the column after it.
    pub fn button(&mut self, (x, y, right): (u16, u16, u16), label: &Clean, state: ButtonState) -> u16 {
        let mut style = self.look.theme.style(if state.focused { Role::Focus } else { Role::Text });
        if !state.enabled {
            style = style.add_modifier(Modifier::DIM);
        }
        let end = self.put_styled(x, y, right, clean(&format!("[{label}]")), style);
        if state.focused {
            let inside = label.as_str().chars().take_while(|ch| *ch == ' ').count();
            self.cursor(x + 1 + u16::try_from(inside).unwrap_or(0), y);
        }
        end
    }

    /// A text field over the columns from `x` to before `right`; with the focus, the cursor stands at its caret.
    pub fn field(&mut self, (x, y, right): (u16, u16, u16), input: &Input, focused: bool, masked: bool) {
        let Some(width) = right.checked_sub(x).filter(|width| *width > 0) else { return };
        let (shown, caret) = text::field(input, width, masked);
        let underlined = self.look.theme.style(Role::Text).add_modifier(Modifier::UNDERLINED);
        let end = self.put_styled(x, y, right, shown, underlined);
        for x in end..right {
            self.put_styled(x, y, right, " ", underlined);
        }
        if focused {
            self.cursor(x + caret, y);
        }
    }

    /// Turns a line around, for the row that has the focus.
    pub fn focus_line(&mut self, area: Rect) {
        let style = self.look.theme.style(Role::Focus);
        let area = area.intersection(self.area());
        self.frame.buffer_mut().set_style(area, style);
    }

    /// Sets cells of an area as a picture does it.
    pub fn paint(&mut self, x: u16, y: u16, sign: &'static str, style: Style) {
        self.put_styled(x, y, x.saturating_add(1), sign, style);
    }

    /// The picture of a spinner at a turn.
    pub fn spinner(&self, turn: u8) -> &'static str {
        const ROUND: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
        const ASCII: [&str; 4] = ["|", "/", "-", "\\"];
        let turn = usize::from(turn);
        self.sign(ROUND[turn % ROUND.len()], ASCII[turn % ASCII.len()])
    }
}

fn ascii_border(focused: bool) -> ratatui::symbols::border::Set<'static> {
    let line = if focused { "=" } else { "-" };
    ratatui::symbols::border::Set {
        top_left: "+",
        top_right: "+",
        bottom_left: "+",
        bottom_right: "+",
        vertical_left: "|",
        vertical_right: "|",
        horizontal_top: line,
        horizontal_bottom: line,
    }
}

/// The stretch of a list of `len` rows that `height` lines show: the page that holds the cursor.
pub fn page(len: usize, cursor: usize, height: u16) -> std::ops::Range<usize> {
    let height = usize::from(height);
    if height == 0 {
        return 0..0;
    }
    let from = if len <= height { 0 } else { (cursor / height * height).min(len - height) };
    from..len.min(from + height)
}
