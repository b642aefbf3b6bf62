//! A one-line text field: what keys do in it. Its text and cursor live in `tui_input::Input`.

use tui_input::{Input, InputRequest};

use super::key::{Key, KeyCode};

/// Applies a key to a text field; answers whether the key belonged to it.
pub fn edit(input: &mut Input, key: Key) -> bool {
    let request = match (key.code, key.ctrl || key.alt) {
        (KeyCode::Char(ch), false) => InputRequest::InsertChar(ch),
        (KeyCode::Backspace, false) => InputRequest::DeletePrevChar,
        (KeyCode::Backspace, true) | (KeyCode::Char('w'), true) => InputRequest::DeletePrevWord,
        (KeyCode::Delete, false) => InputRequest::DeleteNextChar,
        (KeyCode::Delete, true) => InputRequest::DeleteNextWord,
        (KeyCode::Left, false) => InputRequest::GoToPrevChar,
        (KeyCode::Right, false) => InputRequest::GoToNextChar,
        (KeyCode::Left, true) => InputRequest::GoToPrevWord,
        (KeyCode::Right, true) => InputRequest::GoToNextWord,
        (KeyCode::Home, _) | (KeyCode::Char('a'), true) => InputRequest::GoToStart,
        (KeyCode::End, _) | (KeyCode::Char('e'), true) => InputRequest::GoToEnd,
        (KeyCode::Char('u'), true) => InputRequest::DeleteFromStart,
        (KeyCode::Char('k'), true) => InputRequest::DeleteTillEnd,
        (KeyCode::Char('y'), true) => InputRequest::Yank,
        _ => return false,
    };
    input.handle(request);
    true
}

/// Puts pasted text in at the cursor; line breaks and tabs become a space.
pub fn paste(input: &mut Input, text: &str) {
    for ch in text.trim_end_matches(['\r', '\n']).chars() {
        let ch = if ch.is_control() { ' ' } else { ch };
        input.handle(InputRequest::InsertChar(ch));
    }
}
