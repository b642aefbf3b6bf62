//! Files with one JSON object a line: their keys, and the cells of one line.
//!
//! A text value becomes its text, `null` an empty cell, and everything else keeps the JSON that stands in the file, so that
//! numbers keep their digits and nested values stay readable. Of a key that stands twice in a line the last value counts.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::row::Row;

/// More different keys than this are taken for values used as keys, which no table can show.
const MAX_KEYS: usize = 2_000;

/// The keys of a file in order of first sight: its columns.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys {
    names: Vec<String>,
    positions: HashMap<String, usize>,
}

/// Why a line is no lead.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum LineError {
    /// Not JSON, from this byte of the line on (counted from 1).
    Broken(u32),
    /// JSON, but not an object.
    NotObject,
    /// It brings more keys than a table can have.
    TooManyKeys,
}

impl Keys {
    /// The keys so far.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The position of a key; `likely` is tried first, as most lines have the same keys in the same order.
    fn position(&self, key: &str, likely: usize) -> Option<usize> {
        match self.names.get(likely) {
            Some(name) if name == key => Some(likely),
            _ => self.positions.get(key).copied(),
        }
    }

    /// Checks one line and names the keys in it that are new.
    pub fn new_keys(&self, line: &str) -> Result<Vec<String>, LineError> {
        let mut reader = serde_json::Deserializer::from_str(line);
        let new = reader.deserialize_any(NewKeys(self)).and_then(|new| reader.end().map(|()| new));
        let new = new.map_err(|error| match error.is_data() {
            true => LineError::NotObject,
            false => LineError::Broken(u32::try_from(error.column()).unwrap_or(u32::MAX)),
        })?;
        match self.names.len() + new.len() > MAX_KEYS {
            true => Err(LineError::TooManyKeys),
            false => Ok(new),
        }
    }

    /// Takes up keys that are new.
    pub fn add(&mut self, new: Vec<String>) {
        for name in new {
            self.positions.insert(name.clone(), self.names.len());
            self.names.push(name);
        }
    }

    /// Puts the cells of a line that [`Keys::new_keys`] accepted into `row`, in the order of the keys.
    pub fn split(&self, line: &str, row: &mut Row) {
        row.clear();
        let mut reader = serde_json::Deserializer::from_str(line);
        let mut values = reader.deserialize_map(Values(self)).unwrap_or_default();
        for position in 0..self.names.len() {
            if let Some(raw) = values.get_mut(position).and_then(Option::take) {
                push_value(raw.get(), row);
            }
            row.end_cell();
        }
    }
}

fn push_value(raw: &str, row: &mut Row) {
    match raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')) {
        Some(inner) if !inner.contains('\\') => row.push_str(inner),
        // A text with half a surrogate pair has no value in UTF-8; what stands in the file is the closest to it.
        Some(inner) => match serde_json::from_str::<String>(raw) {
            Ok(text) => row.push_str(&text),
            Err(_) => row.push_str(inner),
        },
        None if raw == "null" => {}
        None => row.push_str(raw),
    }
}

/// Collects the keys of a line that the file did not have yet.
struct NewKeys<'k>(&'k Keys);

impl<'de> Visitor<'de> for NewKeys<'_> {
    type Value = Vec<String>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<String>, A::Error> {
        let (mut new, mut likely) = (Vec::new(), 0);
        while let Some(Key(key)) = map.next_key()? {
            match self.0.position(&key, likely) {
                Some(position) => likely = position + 1,
                None if new.iter().any(|name| *name == key) => {}
                None => new.push(key.into_owned()),
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(new)
    }
}

/// Collects the values of a line by the position of their keys.
struct Values<'k>(&'k Keys);

impl<'de> Visitor<'de> for Values<'_> {
    type Value = Vec<Option<&'de RawValue>>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut values, mut likely) = (vec![None; self.0.names.len()], 0);
        while let Some(Key(key)) = map.next_key()? {
            let value = map.next_value::<&RawValue>()?;
            if let Some(position) = self.0.position(&key, likely) {
                values[position] = Some(value);
                likely = position + 1;
            }
        }
        Ok(values)
    }
}

/// A key, borrowed from the line where it has no escapes.
struct Key<'de>(Cow<'de, str>);

impl<'de> serde::Deserialize<'de> for Key<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyVisitor)
    }
}

struct KeyVisitor;

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = Key<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Borrowed(key)))
    }

    fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Owned(key.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(keys: &Keys, line: &str) -> Vec<String> {
        let mut row = Row::default();
        keys.split(line, &mut row);
        row.to_lead().cells
    }

    #[test]
    fn values_keep_what_the_file_says() {
        let line = r#"{"a":"x\ny","b":1.50,"c":["p", {"q":1}],"d":null,"a":"Ω\ud83d\ude00","e":"half \ud83d"}"#;
        let mut keys = Keys::default();
        keys.add(keys.new_keys(line).unwrap());
        assert_eq!(keys.names(), ["a", "b", "c", "d", "e"]);
        assert_eq!(cells(&keys, line), ["Ω😀", "1.50", r#"["p", {"q":1}]"#, "", "half \\ud83d"]);
    }

    #[test]
    fn a_later_line_may_bring_new_columns_and_leave_out_old_ones() {
        let mut keys = Keys::default();
        keys.add(keys.new_keys(r#"{"a":1,"b":2}"#).unwrap());
        keys.add(keys.new_keys(r#"{"c":3,"b":4}"#).unwrap());
        assert_eq!(keys.names(), ["a", "b", "c"]);
        assert_eq!(cells(&keys, r#"{"c":3,"b":4}"#), ["", "4", "3"]);
    }

    #[test]
    fn a_bad_line_is_told_apart_and_leaves_no_column_behind() {
        let keys = Keys::default();
        assert_eq!(keys.new_keys("[1]"), Err(LineError::NotObject));
        assert_eq!(keys.new_keys("7"), Err(LineError::NotObject));
        assert_eq!(keys.new_keys(r#"{"a":1"#), Err(LineError::Broken(6)));
        assert_eq!(keys.new_keys(r#"{"a":1} x"#), Err(LineError::Broken(9)));
        assert!(keys.names().is_empty());
    }
}
