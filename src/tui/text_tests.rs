use proptest::prelude::*;
use ratatui::layout::Rect;

use super::*;

#[test]
fn large_counts_can_be_read_at_a_glance() {
    for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
        assert_eq!(count(number).as_str(), text);
    }
    assert_eq!(counted(1, "lead").as_str(), "1 lead");
    assert_eq!(counted(2000, "lead").as_str(), "2,000 leads");
}

#[test]
fn a_locale_without_unicode_gets_ascii_and_no_locale_gets_everything() {
    let with = |name: &'static str, value: &'static str| move |var: &str| (var == name).then(|| value.to_owned());
    assert_eq!(Charset::detect(true, with("LANG", "en_US.UTF-8")), Charset::Unicode);
    assert_eq!(Charset::detect(false, with("LANG", "C.utf8")), Charset::AsciiSigns);
    assert_eq!(Charset::detect(true, with("LC_ALL", "C")), Charset::Ascii);
    assert_eq!(Charset::detect(true, |_| None), Charset::Unicode);
}

#[test]
fn the_interface_is_whole_in_ascii() {
    assert_eq!(Charset::Ascii.spell("Custom sync → José 日…"), "Custom sync > Jos? ??~");
    assert_eq!(Charset::AsciiSigns.spell("José · a"), "José - a");
}

#[test]
fn words_stay_whole_where_they_can() {
    let lines = |text: &str, columns| wrap(&clean(text), columns).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(lines("one two three", 8), ["one two", "three"]);
    assert_eq!(lines("https://a.test/b?c=d", 8), ["https://", "a.test/b", "?c=d"]);
    assert_eq!(lines("", 8), [""]);
}

proptest! {
    #[test]
    fn wrapped_text_fits_and_loses_no_letter(text in "[a-z \u{e9}日.:/]{0,80}", columns in 2usize..30) {
        let text = clean(&text);
        let lines = wrap(&text, columns);
        prop_assert!(lines.iter().all(|line| line.width() <= columns), "{lines:?}");
        let letters = |text: &str| text.chars().filter(|ch| *ch != ' ').collect::<String>();
        let kept: String = lines.iter().map(|line| letters(line.as_str())).collect();
        prop_assert_eq!(kept, letters(text.as_str()));
    }

    #[test]
    fn the_caret_is_always_inside_the_field(text in any::<String>(), back in 0usize..9, columns in 1u16..30) {
        let cursor = text.chars().count().saturating_sub(back);
        let input = Input::new(text).with_cursor(cursor);
        for masked in [false, true] {
            let (_, caret) = field(&input, columns, masked);
            prop_assert!(caret < columns, "{caret} of {columns}");
        }
    }

    #[test]
    fn nothing_is_written_outside_its_columns(text in any::<String>(), x in 0u16..20, right in 0u16..30) {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 1));
        write(&mut buffer, (x, 0, right), clean(&text), Style::new(), Charset::Unicode);
        for at in 0..20u16 {
            if at < x || at >= right {
                prop_assert_eq!(buffer[(at, 0)].symbol(), " ");
            }
        }
    }
}

#[test]
fn words_that_end_with_the_line_do_not_grow_together() {
    let lines: Vec<String> = wrap(&clean("press b in the table"), 10).iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["press b in", "the table"]);
}
