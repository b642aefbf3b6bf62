//! The one door to the cells of a frame: it takes [`Clean`] text or the program's own words and nothing else.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::style::Style;
use tui_input::Input;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::text::{Clean, clean};

/// Which letters the terminal is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Charset {
    /// All of them.
    #[default]
    Unicode,
    /// The interface's own signs in ASCII; what is in the leads as it is.
    AsciiSigns,
    /// ASCII alone: the locale has nothing else.
    Ascii,
}

impl Charset {
    /// By the setting `tui.unicode` and the locale's variables, the first one that is set deciding.
    pub fn detect(unicode: bool, var: impl Fn(&str) -> Option<String>) -> Charset {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(var).find(|value| !value.is_empty());
        // Many servers set no locale at all and are reached from terminals that show everything.
        let utf8 = locale.is_none_or(|name| {
            let name = name.to_ascii_lowercase();
            name.contains("utf-8") || name.contains("utf8")
        });
        match (utf8, unicode) {
            (true, true) => Charset::Unicode,
            (true, false) => Charset::AsciiSigns,
            (false, _) => Charset::Ascii,
        }
    }

    /// The first sign, or the second where only ASCII is shown.
    pub fn sign(self, unicode: &'static str, ascii: &'static str) -> &'static str {
        if self == Charset::Unicode { unicode } else { ascii }
    }

    fn spell(self, text: &str) -> Cow<'_, str> {
        if self == Charset::Unicode || text.is_ascii() {
            return Cow::Borrowed(text);
        }
        let mut out = String::with_capacity(text.len());
        for grapheme in text.graphemes(true) {
            let ascii = match grapheme {
                "…" => "~",
                "·" | "–" | "—" => "-",
                "→" | "▸" | "↗" => ">",
                "‘" | "’" => "'",
                "“" | "”" => "\"",
                other if other.is_ascii() || self == Charset::AsciiSigns => other,
                other => ["", "?", "??"][other.width().min(2)],
            };
            out.push_str(ascii);
        }
        Cow::Owned(out)
    }
}

/// Text that may be drawn.
pub trait Shown {
    /// The text.
    fn shown(&self) -> &str;
}

impl Shown for Clean {
    fn shown(&self) -> &str {
        self.as_str()
    }
}

impl Shown for &Clean {
    fn shown(&self) -> &str {
        self.as_str()
    }
}

impl Shown for &'static str {
    fn shown(&self) -> &str {
        self
    }
}

/// Writes text into cells from `x` to before `right`, shortened with `…`; answers the column after it.
pub fn write(
    buffer: &mut Buffer,
    (x, y, right): (u16, u16, u16),
    text: impl Shown,
    style: Style,
    charset: Charset,
) -> u16 {
    let area = buffer.area;
    let right = right.min(area.right());
    if x < area.x || y < area.y || y >= area.bottom() || x >= right {
        return x;
    }
    let room = usize::from(right - x);
    let text = charset.spell(text.shown());
    if text.width() <= room {
        return buffer.set_stringn(x, y, &text, room, style).0;
    }
    let (end, _) = buffer.set_stringn(x, y, &text, room - 1, style);
    buffer.set_stringn(end, y, charset.sign("…", "~"), 1, style).0
}

/// Breaks text into lines of at most `columns`, at spaces where it can.
pub fn wrap(text: &Clean, columns: usize) -> Vec<Clean> {
    let columns = columns.max(1);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.as_str().split_word_bounds() {
        let width = word.width();
        let last = lines.len() - 1;
        if used == 0 && last > 0 && word.trim().is_empty() {
            continue;
        }
        if used + width <= columns {
            lines[last].push_str(word);
            used += width;
            continue;
        }
        if word.trim().is_empty() {
            // The line breaks here.
            lines.push(String::new());
            used = 0;
            continue;
        }
        // A word breaks at the last space of the line; a line without one is cut where it ends.
        let carried = match lines[last].rfind(' ') {
            Some(at) if lines[last][at + 1..].width() + width <= columns => lines[last].split_off(at + 1),
            _ => String::new(),
        };
        used = carried.width();
        lines.push(carried);
        for grapheme in word.graphemes(true) {
            let width = grapheme.width();
            if used + width > columns {
                lines.push(String::new());
                used = 0;
            }
            if let Some(line) = lines.last_mut() {
                line.push_str(grapheme);
            }
            used += width;
        }
    }
    if lines.len() > 1 && lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines.iter().map(|line| clean(line.trim_end())).collect()
}

/// Breaks text where each line is full: an address must not seem to end at one of its signs.
pub fn cut(text: &Clean, columns: usize) -> Vec<Clean> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for grapheme in text.as_str().graphemes(true) {
        if used + grapheme.width() > columns && used > 0 {
            lines.push(String::new());
            used = 0;
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(grapheme);
        }
        used += grapheme.width();
    }
    lines.iter().map(|line| clean(line)).collect()
}

/// The part of a text field that `columns` show, and the column of its caret in there.
pub fn field(input: &Input, columns: u16, masked: bool) -> (Clean, u16) {
    let at = input.value().char_indices().nth(input.cursor()).map_or(input.value().len(), |(at, _)| at);
    let (before, after) = input.value().split_at(at);
    let dots = |text: &str| clean(&"*".repeat(text.graphemes(true).count()));
    let (before, after) = if masked { (dots(before), dots(after)) } else { (clean(before), clean(after)) };
    let room = usize::from(columns).saturating_sub(1);
    let mut skip = before.width().saturating_sub(room);
    let mut shown = before.as_str();
    for (at, grapheme) in before.as_str().grapheme_indices(true) {
        if skip == 0 {
            shown = &before.as_str()[at..];
            break;
        }
        skip = skip.saturating_sub(grapheme.width());
        shown = "";
    }
    let caret = shown.width();
    (clean(&format!("{shown}{}", after.as_str())), u16::try_from(caret).unwrap_or(u16::MAX))
}

/// A number with a comma between its thousands.
pub fn count(number: u64) -> Clean {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    clean(&out)
}

/// A number and its word, the word in the plural unless there is one.
pub fn counted(number: u64, word: &'static str) -> Clean {
    let plural = if number == 1 { "" } else { "s" };
    clean(&format!("{} {word}{plural}", count(number)))
}

/// A time in the person's zone: `2026-03-01 14:05`.
pub fn when(time: Timestamp, zone: &TimeZone) -> Clean {
    clean(&time.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string())
}

/// A time of the last weeks in the person's zone: `01 Mar 14:05`.
pub fn moment(time: Timestamp, zone: &TimeZone) -> Clean {
    clean(&time.to_zoned(zone.clone()).strftime("%d %b %H:%M").to_string())
}

/// A time of the day in the person's zone: `14:05:09`.
pub fn clock(time: Timestamp, zone: &TimeZone) -> Clean {
    clean(&time.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string())
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
