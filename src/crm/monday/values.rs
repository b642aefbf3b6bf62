//! How the values of a monday column look in requests and answers, by the column's type.

use serde::Deserialize;
use serde_json::{Value, json};

/// A column's value of one item.
#[derive(Deserialize)]
pub(super) struct Cell {
    pub id: String,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    value: Value,
}

impl Cell {
    /// The value as text: `ours` itself where it says the same in another writing.
    pub(super) fn held(&self, kind: &str, ours: &str) -> String {
        let part = match kind {
            "email" => "email",
            "phone" => "phone",
            "link" => "url",
            "long_text" => "text",
            _ => "",
        };
        let raw = self.part(part).or_else(|| self.text.clone()).unwrap_or_default();
        let same = match kind {
            "phone" => !digits(&raw).is_empty() && digits(&raw) == digits(ours),
            "link" => raw == address(ours),
            _ => false,
        };
        if same { ours.to_owned() } else { raw }
    }

    /// A part of the raw value, which comes as a text of JSON.
    fn part(&self, name: &str) -> Option<String> {
        let parsed = match &self.value {
            Value::String(text) => serde_json::from_str(text).ok()?,
            value => value.clone(),
        };
        parsed.get(name)?.as_str().map(str::to_owned)
    }
}

/// A value as the column's type wants it.
pub(super) fn on_the_wire(kind: &str, value: &str) -> Value {
    match kind {
        "email" => json!({"email": value, "text": value}),
        "phone" => json!({"phone": plain_number(value)}),
        "link" => json!({"url": address(value), "text": value}),
        "long_text" => json!({"text": value}),
        "status" => json!({"label": value}),
        "date" => json!({"date": value}),
        _ => json!(value),
    }
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// A number without what only helps the eye; anything else stays for monday to judge.
fn plain_number(value: &str) -> String {
    value.chars().filter(|ch| !matches!(ch, ' ' | '-' | '.' | '(' | ')' | '/')).collect()
}

/// A web address with its scheme, which leads often lack.
fn address(value: &str) -> String {
    if value.contains("://") { value.to_owned() } else { format!("https://{value}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(text: &str, value: Value) -> Cell {
        Cell { id: "c".into(), text: Some(text.to_owned()), value: json!(value.to_string()) }
    }

    #[test]
    fn what_was_written_is_read_as_the_same() {
        for (kind, ours) in [
            ("email", "Dana@x.test"),
            ("phone", "+1 (415) 555-0100"),
            ("link", "example.com/a"),
            ("long_text", "two\nlines"),
            ("text", "78701"),
        ] {
            let wire = on_the_wire(kind, ours);
            let text = if wire.is_string() { ours } else { "as shown" };
            assert_eq!(cell(text, wire).held(kind, ours), ours, "{kind}");
        }
    }

    #[test]
    fn another_value_is_read_as_what_it_is() {
        assert_eq!(cell("", json!({"phone": "14155550199"})).held("phone", "+1 415 555 0100"), "14155550199");
        assert_eq!(cell("a@x.test", Value::Null).held("email", ""), "a@x.test");
        assert_eq!(on_the_wire("phone", "415 555 0100 x5"), json!({"phone": "4155550100x5"}));
    }
}
