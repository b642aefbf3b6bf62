//! From a terminal's key to the app's.

use crossterm::event::{KeyCode as TerminalCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::app::key::{Key, KeyCode};

/// The app's key; `None` for releases, bare modifiers and keys the app does not know.
pub fn key(event: KeyEvent) -> Option<Key> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let held = |modifier| event.modifiers.contains(modifier);
    let (mut ctrl, mut shift) = (held(KeyModifiers::CONTROL), held(KeyModifiers::SHIFT));
    let alt = held(KeyModifiers::ALT);
    let code = match event.code {
        // Many terminals send ctrl-h for backspace, and nothing else of ours is bound to it.
        TerminalCode::Char('h') if ctrl && !alt => {
            ctrl = false;
            KeyCode::Backspace
        }
        TerminalCode::Char(ch) => {
            let upper = shift && ch.is_lowercase() && !ctrl;
            shift = false;
            KeyCode::Char(if upper { ch.to_uppercase().next().unwrap_or(ch) } else { ch })
        }
        TerminalCode::Enter => KeyCode::Enter,
        TerminalCode::Esc => KeyCode::Esc,
        TerminalCode::Tab => KeyCode::Tab,
        TerminalCode::BackTab => {
            shift = true;
            KeyCode::Tab
        }
        TerminalCode::Backspace => KeyCode::Backspace,
        TerminalCode::Delete => KeyCode::Delete,
        TerminalCode::Up => KeyCode::Up,
        TerminalCode::Down => KeyCode::Down,
        TerminalCode::Left => KeyCode::Left,
        TerminalCode::Right => KeyCode::Right,
        TerminalCode::Home => KeyCode::Home,
        TerminalCode::End => KeyCode::End,
        TerminalCode::PageUp => KeyCode::PageUp,
        TerminalCode::PageDown => KeyCode::PageDown,
        TerminalCode::F(number) => KeyCode::F(number),
        _ => return None,
    };
    // Of ctrl with a capital only the control counts: terminals do not agree on the rest.
    let code = match code {
        KeyCode::Char(ch) if ctrl => KeyCode::Char(ch.to_ascii_lowercase()),
        code => code,
    };
    Some(Key { code, ctrl, alt, shift })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(code: TerminalCode, modifiers: KeyModifiers) -> String {
        key(KeyEvent::new(code, modifiers)).map(|key| key.to_string()).unwrap_or_default()
    }

    #[test]
    fn keys_mean_what_the_key_map_says() {
        let (none, shift, ctrl) = (KeyModifiers::NONE, KeyModifiers::SHIFT, KeyModifiers::CONTROL);
        for (code, modifiers, name) in [
            (TerminalCode::Char('G'), shift, "G"),
            (TerminalCode::Char('g'), shift, "G"),
            (TerminalCode::Char('?'), shift, "?"),
            (TerminalCode::Char(' '), none, "space"),
            (TerminalCode::BackTab, shift, "shift-tab"),
            (TerminalCode::BackTab, none, "shift-tab"),
            (TerminalCode::Char('p'), ctrl, "ctrl-p"),
            (TerminalCode::Char('P'), ctrl | shift, "ctrl-p"),
            (TerminalCode::Char('h'), ctrl, "backspace"),
            (TerminalCode::Char('b'), KeyModifiers::ALT, "alt-b"),
            (TerminalCode::F(1), none, "f1"),
            (TerminalCode::CapsLock, none, ""),
        ] {
            assert_eq!(named(code, modifiers), name, "{code:?} {modifiers:?}");
        }
    }

    #[test]
    fn a_key_let_go_does_nothing_and_a_key_held_repeats() {
        let press = KeyEvent::new(TerminalCode::Down, KeyModifiers::NONE);
        assert_eq!(key(KeyEvent { kind: KeyEventKind::Release, ..press }), None);
        assert!(key(KeyEvent { kind: KeyEventKind::Repeat, ..press }).is_some());
    }
}
