//! How the rows of an open table are cut into cells: by a delimiter under headers, or by the keys of JSON objects.

use std::collections::HashSet;
use std::sync::Arc;

use super::delimited;
use super::jsonl::Keys;
use super::row::Row;

/// The format of an open table together with its headers.
#[derive(Clone, Debug)]
pub(super) enum Layout {
    /// Delimited text.
    Delimited {
        /// Between the cells.
        delimiter: u8,
        /// The headers, each different.
        headers: Arc<[String]>,
    },
    /// JSON lines.
    JsonLines {
        /// The keys seen so far.
        keys: Arc<Keys>,
    },
}

impl Layout {
    /// The headers, in the order of the cells.
    pub fn headers(&self) -> &[String] {
        match self {
            Layout::Delimited { headers, .. } => headers,
            Layout::JsonLines { keys } => keys.names(),
        }
    }

    /// Cuts a record into exactly as many cells as there are headers.
    pub fn split(&self, record: &str, row: &mut Row) {
        match self {
            Layout::Delimited { delimiter, headers } => {
                delimited::split(record, *delimiter, row);
                row.set_count(headers.len());
            }
            Layout::JsonLines { keys } => keys.split(record, row),
        }
    }
}

/// Gives every column a name of its own: empty headers are called by their place, repeated ones are numbered.
/// Says whether it had to.
pub(super) fn distinct(headers: Vec<String>) -> (Vec<String>, bool) {
    let taken: HashSet<String> = headers.iter().cloned().collect();
    let mut seen = HashSet::new();
    let mut changed = false;
    let mut names = Vec::with_capacity(headers.len());
    for (at, header) in headers.into_iter().enumerate() {
        let blank = header.trim().is_empty();
        let base = if blank { format!("column {}", at + 1) } else { header };
        let mut name = base.clone();
        let mut copy = 1;
        while seen.contains(&name) || ((blank || copy > 1) && taken.contains(&name)) {
            copy += 1;
            name = format!("{base} ({copy})");
        }
        changed |= blank || copy > 1;
        seen.insert(name.clone());
        names.push(name);
    }
    (names, changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_can_be_addressed() {
        let headers = ["a", "", "a", "a (2)", "column 2", "a"].map(str::to_owned).to_vec();
        let (names, changed) = distinct(headers);
        assert_eq!(names, ["a", "column 2 (2)", "a (3)", "a (2)", "column 2", "a (4)"]);
        assert!(changed);
        assert!(!distinct(vec!["a".into(), "b".into()]).1);
    }
}
