//! A key as commands and tests write it (`ctrl-p`, `space`, `shift-tab`), independent of any terminal library.

use std::fmt;
use std::str::FromStr;

/// What was pressed, without modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are the documentation")]
pub enum KeyCode {
    Char(char),
    Enter,
    Esc,
    Tab,
    Backspace,
    Delete,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
    F(u8),
}

/// A key with its modifiers. For characters shift is in the character itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// What was pressed.
    pub code: KeyCode,
    /// Held down with it.
    pub ctrl: bool,
    /// Held down with it.
    pub alt: bool,
    /// Held down with it; only for keys that are not characters.
    pub shift: bool,
}

impl Key {
    /// A key without modifiers.
    pub fn plain(code: KeyCode) -> Self {
        Key { code, ctrl: false, alt: false, shift: false }
    }

    /// The character it types into a text field, if it does.
    pub fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(ch) if !self.ctrl && !self.alt => Some(ch),
            _ => None,
        }
    }
}

const NAMES: &[(&str, KeyCode)] = &[
    ("space", KeyCode::Char(' ')),
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pgup", KeyCode::PageUp),
    ("pgdn", KeyCode::PageDown),
];

impl fmt::Display for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for (held, name) in [(self.ctrl, "ctrl-"), (self.alt, "alt-"), (self.shift, "shift-")] {
            if held {
                text.push_str(name);
            }
        }
        match self.code {
            KeyCode::F(number) => text.push_str(&format!("f{number}")),
            code => match (NAMES.iter().find(|(_, named)| *named == code), code) {
                (Some((name, _)), _) => text.push_str(name),
                (None, KeyCode::Char(ch)) => text.push(ch),
                (None, _) => {}
            },
        }
        out.pad(&text)
    }
}

/// The text names no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a key")]
pub struct NotAKey;

impl FromStr for Key {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let mut key = Key::plain(KeyCode::Esc);
        let mut rest = text;
        loop {
            if let Some(more) = rest.strip_prefix("ctrl-").filter(|more| !more.is_empty()) {
                (key.ctrl, rest) = (true, more);
            } else if let Some(more) = rest.strip_prefix("alt-").filter(|more| !more.is_empty()) {
                (key.alt, rest) = (true, more);
            } else if let Some(more) = rest.strip_prefix("shift-").filter(|more| !more.is_empty()) {
                (key.shift, rest) = (true, more);
            } else {
                break;
            }
        }
        let mut chars = rest.chars();
        key.code = match (NAMES.iter().find(|(name, _)| *name == rest), chars.next(), chars.next()) {
            (Some((_, code)), _, _) => *code,
            (None, Some(ch), None) => KeyCode::Char(ch),
            (None, Some('f'), Some(_)) => KeyCode::F(rest[1..].parse().map_err(|_| NotAKey)?),
            _ => return Err(NotAKey),
        };
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_back_as_they_are_written() {
        for name in ["space", "ctrl-p", "shift-tab", "?", "G", "f1", "alt-enter", "pgdn", "-", "ctrl--"] {
            assert_eq!(name.parse::<Key>().map(|key| key.to_string()), Ok(name.to_owned()), "{name}");
        }
        assert_eq!("nonsense".parse::<Key>(), Err(NotAKey));
        assert_eq!("".parse::<Key>(), Err(NotAKey));
    }
}
