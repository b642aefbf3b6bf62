//! What a person sees: pictures of every screen at the sizes of the design, played through the real `update` and the real
//! drawing, with the place of the cursor.

#![cfg(test)]

mod flows;
mod script;
mod sizes;
mod tabs;

use insta::assert_snapshot;
use leadferry::app::Focus;
use leadferry::tui::{Charset, Colours, Scheme, Theme};
use script::Script;

#[test]
fn an_empty_start_says_how_to_get_leads() {
    assert_snapshot!(Script::new().sizes());
}

#[test]
fn the_audience_shows_leads_marks_and_panes() {
    let mut script = Script::open();
    script.press("space space");
    assert_snapshot!(script.sizes());
}

#[test]
fn the_cursor_stands_on_what_has_the_focus() {
    let mut script = Script::open();
    let mut stands = |keys: &str, on: &str| {
        if !keys.is_empty() {
            script.press(keys);
        }
        for (width, height) in [(120, 36), (80, 24), (40, 12)] {
            let there = script.at_cursor(width, height);
            assert!(there.starts_with(on), "after {keys} at {width}x{height}: {there:?}, not {on:?}");
        }
    };
    // The mark of the focused row, inside its brackets.
    stands("", " ] ");
    stands("space up", "x] ");
    stands("tab", " ");
    stands("a b left", "b ");
    stands("tab", "Save ]");
    stands("tab", "GoHighLevel ↗]");
    stands("right", "Lofty ↗]");
    stands("tab", "Setup Webhook Integration");
    stands("tab", "x] ");
}

#[test]
fn a_filter_is_corrected_as_it_is_typed() {
    let mut script = Script::open();
    script.press("/").write("state = TX and compny ~ homes");
    assert_snapshot!(script.sizes());
    script.press("ctrl-u").write("state = OK").press("enter");
    assert_snapshot!("a_filter_in_force", script.text(120, 36));
}

#[test]
fn disabled_buttons_say_why_and_do_nothing_else() {
    let mut script = Script::open();
    script.press("tab tab");
    assert!(script.text(80, 24).contains("Select at least one lead"));
    script.press("enter");
    assert!(script.text(80, 24).contains("Please select at least one lead"));
    script.press("esc esc esc space tab tab");
    assert!(script.text(80, 24).contains("Enter a list name"), "{}", script.text(80, 24));
    script.press("enter");
    assert_snapshot!(script.sizes());
}

#[test]
fn every_button_says_what_it_does_when_it_has_the_focus() {
    let mut script = Script::ready();
    script.press("tab");
    assert!(script.text(120, 36).contains("Saves 2 leads"));
    script.press("tab right right");
    assert_eq!(script.state.focus, Focus::Crm(2));
    assert!(script.text(120, 36).contains("Opens Salesforce sign-in, then sends the 2 selected leads"));
    script.press("tab");
    assert!(script.text(120, 36).contains("Opens the webhook form, then sends the 2 selected leads"));
}

#[test]
fn help_and_palette_can_be_had_from_everywhere() {
    let mut script = Script::ready();
    script.press("f1");
    assert_snapshot!("help", script.sizes());
    script.press("esc ctrl-p").write("open");
    assert_snapshot!("palette", script.sizes());
    // Esc brings back the field, with the name as it was.
    script.press("esc");
    assert_eq!((script.state.focus, script.state.name.value()), (Focus::Name, "Top Investors"));
}

#[test]
fn one_lead_is_shown_whole() {
    let mut script = Script::open();
    script.press("enter");
    assert_snapshot!(script.sizes());
}

#[test]
fn columns_and_bad_rows_are_listed() {
    let mut script = Script::open();
    script.press("o down");
    assert_snapshot!("columns", script.sizes());
    script.press("esc b");
    assert_snapshot!("bad_rows", script.text(80, 24));
    script.press("esc s");
    assert_snapshot!("sort", script.text(80, 24));
}

#[test]
fn what_colours_say_is_said_without_them_too() {
    let mut script = Script::ready();
    script.press("tab tab enter");
    script.look.theme = Theme::new("dark", Colours::Many, || false);
    assert_snapshot!("styles_dark", script.styles(80, 24));
    script.look.theme = Theme::new("light", Colours::Sixteen, || true);
    assert_snapshot!("styles_light", script.styles(80, 24));
    script.look.theme = Theme { scheme: Scheme::Plain, many: false };
    let plain = script.styles(80, 24);
    assert!(plain.lines().all(|line| line.contains("Reset")), "{plain}");
    assert_snapshot!("styles_plain", plain);
}

#[test]
fn a_terminal_without_unicode_gets_ascii_alone() {
    let mut script = Script::ready();
    script.press("tab tab").saved();
    script.look.charset = Charset::Ascii;
    let text = script.text(80, 24);
    assert!(text.is_ascii(), "{text}");
    assert_snapshot!(text);
}

#[test]
fn foreign_text_cannot_steer_the_terminal() {
    let mut script = Script::new();
    let hostile = "\x1b]52;c;cHduZWQ=\x07\u{202e}evil\x1b[31m";
    for lead in &mut script.leads {
        lead.cells.fill(hostile.into());
    }
    let effects = script.state.start(Some(hostile.into()));
    assert!(!effects.is_empty());
    script.press("ctrl-o").write("x.csv").press("enter enter");
    for (width, height) in [(120, 36), (40, 12)] {
        let (buffer, _) = script.picture(width, height);
        let wild = |symbol: &str| symbol.chars().any(|ch| ch.is_control() || ch == '\u{202e}');
        assert!(!buffer.content.iter().any(|cell| wild(cell.symbol())), "{}", script.text(width, height));
    }
}
