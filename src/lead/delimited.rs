//! Where the records and cells of a delimited file (CSV, TSV, `;`, `|`) stand.
//!
//! One state machine serves the index and the reading of cells. It agrees with the `csv` crate: a quote opens a quoted cell only
//! at the cell's start, `""` inside is a quote, what follows the closing quote is plain text, each of `\n`, `\r\n`, `\r` ends a
//! record, and lines without any byte are no records.

use memchr::{memchr, memchr3};

use super::row::Row;

/// One record found in a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// Where it starts, behind blank lines.
    pub start: usize,
    /// Where its last byte before the line break ends.
    pub end: usize,
    /// Where the search for the next record goes on.
    pub next: usize,
    /// How many cells it has.
    pub cells: usize,
    /// How many it has up to the last one that is not empty.
    pub filled: usize,
}

/// What the search for a record met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A whole record.
    Record(Record),
    /// The buffer ends before the record does.
    Unfinished,
    /// The file ends inside a quoted cell of the record that starts here; the quote stands at the second place.
    OpenQuote(usize, usize),
    /// Nothing but line breaks is left.
    End,
}

enum Stop {
    Delimiter,
    Break,
    End,
    InQuotes,
}

struct Cell {
    /// The content without the quotes around it; of a quoted cell, `""` still stands for `"`.
    inner: (usize, usize),
    /// Whether the cell began with a quote.
    quoted: bool,
    /// Where the cell ends, at the delimiter or line break.
    end: usize,
    stop: Stop,
}

/// Finds the record that starts at or after `from`. `last` says that nothing follows the buffer.
pub(super) fn next_record(bytes: &[u8], from: usize, delimiter: u8, last: bool) -> Step {
    let start = from + bytes[from..].iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
    if start == bytes.len() {
        return Step::End;
    }
    let (mut at, mut cells, mut filled) = (start, 0, 0);
    loop {
        let cell = next_cell(bytes, at, delimiter);
        cells += 1;
        if cell.inner.0 < cell.inner.1 || cell.end > cell.inner.1 + 1 {
            filled = cells;
        }
        match cell.stop {
            Stop::Delimiter => at = cell.end + 1,
            Stop::Break => return Step::Record(Record { start, end: cell.end, next: cell.end + 1, cells, filled }),
            Stop::End if last => return Step::Record(Record { start, end: cell.end, next: cell.end, cells, filled }),
            Stop::InQuotes if last => return Step::OpenQuote(start, at),
            Stop::End | Stop::InQuotes => return Step::Unfinished,
        }
    }
}

/// Splits the one record that `record` begins with into cells.
pub(super) fn split(record: &str, delimiter: u8, row: &mut Row) {
    row.clear();
    let bytes = record.as_bytes();
    let mut at = 0;
    loop {
        let cell = next_cell(bytes, at, delimiter);
        let (start, end) = cell.inner;
        match cell.quoted {
            true => {
                let mut rest = &record[start..end];
                while let Some(quote) = memchr(b'"', rest.as_bytes()) {
                    row.push_str(&rest[..=quote]);
                    rest = &rest[quote + 2..];
                }
                row.push_str(rest);
                row.push_str(record.get(end + 1..cell.end).unwrap_or(""));
            }
            false => row.push_str(&record[start..end]),
        }
        row.end_cell();
        match cell.stop {
            Stop::Delimiter => at = cell.end + 1,
            _ => return,
        }
    }
}

#[inline]
fn next_cell(bytes: &[u8], at: usize, delimiter: u8) -> Cell {
    if bytes.get(at) != Some(&b'"') {
        let (end, stop) = plain_end(bytes, at, delimiter);
        return Cell { inner: (at, end), quoted: false, end, stop };
    }
    let mut from = at + 1;
    loop {
        let Some(quote) = memchr(b'"', &bytes[from..]).map(|found| from + found) else {
            return Cell { inner: (at + 1, bytes.len()), quoted: true, end: bytes.len(), stop: Stop::InQuotes };
        };
        if bytes.get(quote + 1) == Some(&b'"') {
            from = quote + 2;
            continue;
        }
        let (end, stop) = plain_end(bytes, quote + 1, delimiter);
        return Cell { inner: (at + 1, quote), quoted: true, end, stop };
    }
}

#[inline]
fn plain_end(bytes: &[u8], from: usize, delimiter: u8) -> (usize, Stop) {
    match memchr3(delimiter, b'\n', b'\r', &bytes[from..]).map(|found| from + found) {
        Some(end) if bytes[end] == delimiter => (end, Stop::Delimiter),
        Some(end) => (end, Stop::Break),
        None => (bytes.len(), Stop::End),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn records(text: &str, delimiter: u8) -> Option<Vec<Vec<String>>> {
        let (mut at, mut all, mut row) = (0, Vec::new(), Row::default());
        loop {
            match next_record(text.as_bytes(), at, delimiter, true) {
                Step::Record(record) => {
                    split(&text[record.start..record.end], delimiter, &mut row);
                    let cells = row.to_lead().cells;
                    let filled = cells.iter().rposition(|cell| !cell.is_empty()).map_or(0, |at| at + 1);
                    assert_eq!(filled, record.filled, "{text:?}");
                    all.push(cells);
                    // What the table reads may hold line breaks and more rows behind the record: they must not matter.
                    split(&text[record.start..], delimiter, &mut row);
                    assert_eq!(Some(&row.to_lead().cells), all.last());
                    at = record.next;
                }
                Step::OpenQuote(..) => return None,
                Step::Unfinished => unreachable!("the whole text was given"),
                Step::End => return Some(all),
            }
        }
    }

    fn records_of_csv_crate(text: &str, delimiter: u8) -> Vec<Vec<String>> {
        let mut builder = csv::ReaderBuilder::new();
        let reader =
            builder.delimiter(delimiter).flexible(true).has_headers(false).from_reader(text.as_bytes()).into_records();
        reader.map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    #[test]
    fn a_cell_that_ends_with_the_buffer_is_not_taken_for_whole() {
        assert_eq!(next_record(b"a,b", 0, b',', false), Step::Unfinished);
        assert_eq!(next_record(b"a,\"b\"", 0, b',', false), Step::Unfinished);
        assert_eq!(next_record(b"a,\"b\n", 0, b',', true), Step::OpenQuote(0, 2));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn cells_are_what_the_csv_crate_reads(
            text in "([a-c \u{e9}\0]|\"|\"\"|[,;\n]|\r\n|\r|,\"a\nb\",|\"x, \"\"y\"\"\"){0,40}",
            semicolon in any::<bool>(),
        ) {
            let delimiter = if semicolon { b';' } else { b',' };
            if let Some(ours) = records(&text, delimiter) {
                prop_assert_eq!(ours, records_of_csv_crate(&text, delimiter));
            }
        }
    }
}
