//! Every size of a terminal with everything that can lie on top: nothing panics, and the cursor stays on the screen.

use leadferry::app::{Call, Tab};
use leadferry::engine::messages::Reply;
use leadferry::tui::Charset;

use super::flows;
use super::script::Script;

/// Sessions that end with something on top, and the tabs.
fn sessions() -> Vec<(&'static str, Script)> {
    let with = |keys: &str| {
        let mut script = Script::ready();
        script.press("esc").press(keys);
        script
    };
    let mut sessions = vec![
        ("empty", Script::new()),
        ("table", Script::open()),
        ("filter", {
            let mut script = with("/");
            script.write("state = = x");
            script
        }),
        ("name", Script::ready()),
        ("save", with("tab tab")),
        ("grid", with("tab tab tab")),
        ("webhook button", with("tab tab tab tab")),
        ("help", with("?")),
        ("palette", with("ctrl-p")),
        ("sort", with("s")),
        ("columns", with("o")),
        ("detail", with("enter")),
        ("bad rows", with("b")),
        ("prompt", with("ctrl-o")),
    ];
    sessions.extend(flows::sessions());
    for (at, tab) in Tab::ALL.into_iter().enumerate() {
        let mut script = super::tabs::filled();
        script.press(&(at + 1).to_string());
        sessions.push((tab.title(), script));
    }
    sessions
}

#[test]
fn nothing_panics_at_any_size() {
    for (name, mut script) in sessions() {
        for height in 0..=40 {
            for width in (0..=130).filter(|width| width % 13 == height % 13 || (*width < 28 && height < 9)) {
                let (_, cursor) = script.picture(width, height);
                assert!(
                    width == 0 || height == 0 || (cursor.x < width && cursor.y < height),
                    "{name} at {width}x{height}: the cursor is at {cursor}"
                );
            }
        }
    }
}

#[test]
fn a_screen_that_is_too_small_says_how_much_it_needs() {
    let mut script = Script::ready();
    assert!(script.text(60, 5).contains("Too small: leadferry needs 24x6."));
    assert!(!script.text(24, 6).contains("Too small"));
}

#[test]
fn ascii_holds_on_every_screen() {
    for (name, mut script) in sessions() {
        script.look.charset = Charset::Ascii;
        let text = script.text(100, 30);
        assert!(text.is_ascii(), "{name}:\n{text}");
    }
}

#[test]
fn the_cursor_stays_in_sight_when_the_terminal_shrinks() {
    let mut script = Script::open();
    script.press("G");
    for height in (8..40).rev() {
        let text = script.text(100, height);
        assert!(text.contains('▸'), "{text}");
    }
    // An answer that comes late changes nothing of it.
    script.answer(Call::Lists, Ok(Reply::Lists(Vec::new())));
    assert!(script.text(100, 12).contains('▸'));
}
