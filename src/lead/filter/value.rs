//! How cells compare with the values of a filter: numbers as numbers, text without case, lists by their members.

use std::borrow::Cow;
use std::cmp::Ordering;

/// More digits than this do not survive as a number; such values (long ids) compare as text.
const EXACT_DIGITS: usize = 15;

/// A plain number: an optional sign, an optional currency sign, digits with or without commas between thousands, decimals.
/// Nothing else is one, so that `1e5`, `12 %` and ids of 16 digits stay text.
pub fn parse_number(text: &str) -> Option<f64> {
    let text = text.trim();
    let negative = text.starts_with('-');
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let text = text.strip_prefix(['$', '€', '£', '¥']).unwrap_or(text);
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let ungrouped = match whole.contains(',') {
        true => Cow::Owned(ungroup(whole)? + "." + decimals),
        false => Cow::Borrowed(text),
    };
    let digits = ungrouped.bytes().filter(u8::is_ascii_digit).count();
    let is_plain = ungrouped.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if !is_plain || digits == 0 || digits > EXACT_DIGITS {
        return None;
    }
    let number: f64 = ungrouped.parse().ok()?;
    // There is one zero, whatever its sign.
    Some(if negative && number != 0.0 { -number } else { number })
}

/// Takes the commas out of `1,234,567`; `None` when they do not stand between thousands.
fn ungroup(whole: &str) -> Option<String> {
    let mut groups = whole.split(',');
    let first = groups.next().filter(|first| (1..=3).contains(&first.len()))?;
    groups.clone().all(|group| group.len() == 3).then(|| first.to_owned() + &groups.collect::<String>())
}

/// Appends text in the form in which text compares: lower case.
pub(in crate::lead) fn fold_into(text: &str, out: &mut String) {
    match text.is_ascii() {
        true => out.extend(text.chars().map(|ch| ch.to_ascii_lowercase())),
        false => out.push_str(&text.to_lowercase()),
    }
}

/// A text to look for, whatever the case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::lead) struct Needle {
    text: String,
    folded: String,
}

impl Needle {
    /// Takes the text as typed.
    pub fn new(text: &str) -> Needle {
        Needle { text: text.to_owned(), folded: text.to_lowercase() }
    }

    /// The text as typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether `text` contains it.
    pub fn is_in(&self, text: &str) -> bool {
        if !text.is_ascii() {
            return text.to_lowercase().contains(&self.folded);
        }
        let (text, needle) = (text.as_bytes(), self.folded.as_bytes());
        let Some(&first) = needle.first() else { return true };
        let Some(starts) = (text.len() + 1).checked_sub(needle.len()) else { return false };
        memchr::memchr2_iter(first, first.to_ascii_uppercase(), &text[..starts])
            .any(|at| text[at..at + needle.len()].eq_ignore_ascii_case(needle))
    }
}

/// What a cell is compared with.
#[derive(Clone, Debug)]
pub(super) struct Value {
    /// As typed.
    pub text: String,
    pub needle: Needle,
    number: Option<f64>,
}

impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        self.text == other.text
    }
}

impl Value {
    pub fn new(text: &str) -> Value {
        Value { text: text.to_owned(), needle: Needle::new(text.trim()), number: parse_number(text) }
    }

    /// How a trimmed cell stands to the value.
    pub fn order(&self, cell: &str) -> Ordering {
        if let Some(value) = self.number
            && let Some(cell) = parse_number(cell)
        {
            return cell.total_cmp(&value);
        }
        match cell.is_ascii() {
            true => cell.bytes().map(|byte| byte.to_ascii_lowercase()).cmp(self.needle.folded.bytes()),
            false => cell.to_lowercase().as_str().cmp(&self.needle.folded),
        }
    }
}

/// Whether a cell that lists several values lists this one: a JSON array, or values between `;`, `,` or `|`.
pub(super) fn has(cell: &str, value: &Value) -> bool {
    let is_it = |member: &str| value.order(member.trim()).is_eq();
    if cell.starts_with('[')
        && let Ok(serde_json::Value::Array(members)) = serde_json::from_str(cell)
    {
        return members.iter().any(|member| match member {
            serde_json::Value::String(member) => is_it(member),
            other => is_it(&other.to_string()),
        });
    }
    is_it(cell) || cell.split([';', ',', '|']).any(is_it)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_as_people_write_them() {
        for (text, number) in [
            ("7", 7.0),
            (" -7.50 ", -7.5),
            ("1,200", 1200.0),
            ("$1,234,567.8", 1_234_567.8),
            ("-$5", -5.0),
            (".5", 0.5),
        ] {
            assert_eq!(parse_number(text), Some(number), "{text}");
        }
        for text in [
            "",
            "-",
            ".",
            "$",
            "1e5",
            "inf",
            "nan",
            "12%",
            "1,20",
            ",200",
            "1234,567",
            "1.2.3",
            "1234567890123456",
            "٣",
        ] {
            assert_eq!(parse_number(text), None, "{text}");
        }
        assert_eq!(parse_number("-0").map(|zero| zero.total_cmp(&0.0)), Some(Ordering::Equal));
    }

    proptest! {
        #[test]
        fn searching_without_case_finds_what_lower_case_has(text in "[aAbBéÉ ]{0,12}", needle in "[aAbBé]{0,3}") {
            prop_assert_eq!(Needle::new(&needle).is_in(&text), text.to_lowercase().contains(&needle.to_lowercase()));
        }
    }
}
