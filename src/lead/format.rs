//! Which format a text is in: a look at its first lines.

use super::delimited::{Step, next_record};

/// How the rows of a file are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Cells between delimiters, headers in the first row. The byte is the delimiter: `,`, tab, `;` or `|`.
    Delimited(u8),
    /// One JSON object a line.
    JsonLines,
}

/// The look says that these are not rows of leads: what it is instead, and what to do.
pub(super) struct NotRows(pub &'static str, pub &'static str);

/// Delimiters in order of preference between equals.
const DELIMITERS: [u8; 4] = [b',', b'\t', b';', b'|'];

/// As many rows tell a delimiter from a letter.
const ROWS_LOOKED_AT: usize = 50;

/// Guesses the format from the first text of a file; `whole` says that the sample is all of it.
pub(super) fn guess(sample: &[u8], whole: bool) -> Result<Format, NotRows> {
    let text = sample.trim_ascii_start();
    let starts =
        |prefix: &str| text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()));
    match text.first() {
        Some(b'{') => return Ok(Format::JsonLines),
        Some(b'[') if matches!(text[1..].trim_ascii_start().first(), Some(b'{' | b'[' | b']') | None) => {
            return Err(NotRows("one JSON array, not one object a line", "Turn it into lines: jq -c '.[]' FILE"));
        }
        _ if starts("<!doctype") || starts("<html") || starts("<?xml") => {
            return Err(NotRows("a web page or XML, not a table", "Download the table itself, as CSV."));
        }
        _ => {}
    }
    Ok(Format::Delimited(delimiter(sample, whole)))
}

/// The delimiter that cuts the most rows into as many cells as the first one has.
fn delimiter(sample: &[u8], whole: bool) -> u8 {
    let score = |delimiter: u8| {
        let counts = cell_counts(sample, delimiter, whole);
        let columns = counts.first().copied().unwrap_or(0);
        let agreeing = counts.iter().filter(|count| **count == columns).count();
        match columns {
            0 | 1 => (0, 0),
            _ => (agreeing * 100 / counts.len(), columns),
        }
    };
    // max_by_key takes the last of equals, and the preferred one stands first.
    DELIMITERS.into_iter().rev().max_by_key(|delimiter| score(*delimiter)).unwrap_or(b',')
}

fn cell_counts(sample: &[u8], delimiter: u8, whole: bool) -> Vec<usize> {
    let (mut at, mut counts) = (0, Vec::new());
    while counts.len() < ROWS_LOOKED_AT {
        let Step::Record(record) = next_record(sample, at, delimiter, whole) else { break };
        counts.push(record.cells);
        at = record.next;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<Format> {
        guess(text.as_bytes(), true).ok()
    }

    #[test]
    fn delimiters_are_recognised() {
        assert_eq!(of("a,b\n1,2\n"), Some(Format::Delimited(b',')));
        assert_eq!(of("a\tb, c\n1\t2\n"), Some(Format::Delimited(b'\t')));
        assert_eq!(of("Name;Umsatz\nX;1,5\nY;2,25\n"), Some(Format::Delimited(b';')));
        assert_eq!(of("a|b|c\n1|2|3\n"), Some(Format::Delimited(b'|')));
        assert_eq!(of("email\na@b.test\n"), Some(Format::Delimited(b',')));
        assert_eq!(of("name,tags\nx,a;b;c\ny,a;b\n"), Some(Format::Delimited(b',')));
    }

    #[test]
    fn json_lines_and_what_only_looks_like_them() {
        assert_eq!(of("\n {\"a\":1}\n"), Some(Format::JsonLines));
        assert_eq!(of("[{\"a\":1}]"), None);
        assert_eq!(of("<!DOCTYPE html><html>"), None);
    }
}
