//! The one door between foreign text and whatever shows it: cleaning, width, shortening.
//!
//! Text from files, servers and people may hold terminal escapes, bidirectional overrides or floods of combining marks.
//! [`Clean`] cannot hold any of them, and widgets, command-line output, notices and logs take nothing else.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// More combining marks than this on one letter are dropped: real scripts need fewer.
const MARKS_PER_LETTER: usize = 4;

/// One line of text that is safe to show on any terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct Clean(String);

/// Cleans foreign text into one line: breaks and tabs become a space, what could steer a terminal or reorder the line goes.
pub fn clean(foreign: &str) -> Clean {
    if foreign.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Clean(foreign.to_owned());
    }
    let mut out = String::with_capacity(foreign.len());
    let mut marks = 0;
    for ch in foreign.chars() {
        match ch {
            '\n' | '\t' | '\r' | '\u{2028}' | '\u{2029}' | '\u{85}' => {
                if !out.ends_with(' ') {
                    out.push(' ');
                }
                marks = 0;
            }
            ch if is_dangerous(ch) => {}
            ch if ch.width() == Some(0) => {
                marks += 1;
                if marks <= MARKS_PER_LETTER && !out.is_empty() {
                    out.push(ch);
                }
            }
            ch => {
                marks = 0;
                out.push(ch);
            }
        }
    }
    Clean(out)
}

/// Cleans foreign text of several lines, keeping its line breaks.
pub fn clean_lines(foreign: &str) -> Vec<Clean> {
    foreign.lines().map(clean).collect()
}

/// Whether a letter could steer a terminal or reorder a line: controls (C0, DEL, C1), bidirectional marks and overrides,
/// invisible operators, tags, and private or unassigned planes' format characters. The zero-width joiner stays: emoji and
/// several scripts need it.
pub fn is_dangerous(ch: char) -> bool {
    matches!(ch,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// The candidate that a mistyped word most likely meant; `None` when none is near.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = word.to_lowercase();
    let distance = |candidate: &str| strsim::damerau_levenshtein(&folded, &candidate.to_lowercase());
    let (distance, candidate) = candidates.into_iter().map(|one| (distance(one), one)).min_by_key(|(far, _)| *far)?;
    (distance <= 1 + word.chars().count() / 4).then_some(candidate)
}

impl Clean {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How many terminal columns it takes.
    pub fn width(&self) -> usize {
        self.0.width()
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// At most `columns` wide; what had to be cut ends in `…`.
    pub fn shorten(&self, columns: usize) -> Clean {
        if self.width() <= columns {
            return self.clone();
        }
        let mut out = String::new();
        let mut used = 0;
        for grapheme in self.0.graphemes(true) {
            let width = grapheme.width();
            if used + width + 1 > columns {
                break;
            }
            used += width;
            out.push_str(grapheme);
        }
        if columns > 0 {
            out.push('…');
        }
        Clean(out)
    }
}

impl fmt::Display for Clean {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.0)
    }
}

impl From<String> for Clean {
    fn from(foreign: String) -> Self {
        clean(&foreign)
    }
}

impl From<&str> for Clean {
    fn from(foreign: &str) -> Self {
        clean(foreign)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_and_overrides_never_reach_the_screen() {
        let hostile = "\x1b]52;c;cHduZWQ=\x07a\u{202e}b\u{9b}31mc\u{e0041}d\re\nf\u{200b}g";
        assert_eq!(clean(hostile).as_str(), "]52;c;cHduZWQ=ab31mcd e fg");
    }

    #[test]
    fn combining_floods_are_cut_and_letters_kept() {
        let flood = format!("e{}x", "\u{301}".repeat(500));
        assert_eq!(clean(&flood).as_str().chars().count(), 2 + MARKS_PER_LETTER);
    }

    #[test]
    fn a_slip_of_the_finger_is_recognised_and_a_guess_is_not() {
        let themes = ["auto", "dark", "light", "high-contrast"];
        assert_eq!(nearest("drak", themes), Some("dark"));
        assert_eq!(nearest("High_Contrast", themes), Some("high-contrast"));
        assert_eq!(nearest("banana", themes), None);
    }

    #[test]
    fn shortening_respects_wide_letters() {
        assert_eq!(clean("日本語テキスト").shorten(6).as_str(), "日本…");
        assert_eq!(clean("abc").shorten(3).as_str(), "abc");
        assert_eq!(clean("abcd").shorten(0).as_str(), "");
    }

    proptest! {
        #[test]
        fn cleaning_is_idempotent_and_leaves_no_control(text in any::<String>()) {
            let once = clean(&text);
            prop_assert_eq!(clean(once.as_str()), once.clone());
            prop_assert!(once.as_str().chars().all(|ch| !ch.is_control()));
        }

        #[test]
        fn shortened_text_fits(text in any::<String>(), columns in 0usize..40) {
            prop_assert!(clean(&text).shorten(columns).width() <= columns);
        }
    }
}
