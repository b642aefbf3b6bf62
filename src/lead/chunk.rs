//! Where rows stand in a file: immutable runs of a few thousand rows, four bytes a row, shared by all snapshots of a table.

use std::fmt;

/// A row that is no lead, kept by its place in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// The line on which it starts, from 1.
    pub line: u64,
    /// Why it is no lead.
    pub reason: BadReason,
    /// Its first byte in the file the table reads.
    pub(super) start: u64,
    /// Its length in bytes, without the line break.
    pub(super) length: u32,
}

/// Why a row is no lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadReason {
    /// It has filled cells beyond the last header.
    TooManyCells {
        /// Its cells, up to the last filled one.
        cells: u32,
        /// The headers.
        headers: u32,
    },
    /// Not JSON from this byte of the line on, counted from 1.
    BrokenJson(u32),
    /// JSON, but not an object.
    NotAnObject,
    /// It brings more different keys than a table can have.
    TooManyKeys,
    /// Its bytes are not UTF-8, while the rest of the file is.
    NotUtf8,
}

impl fmt::Display for BadReason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadReason::TooManyCells { cells, headers } => write!(out, "{cells} cells for {headers} headers"),
            BadReason::BrokenJson(at) => write!(out, "broken JSON at byte {at} of the line"),
            BadReason::NotAnObject => out.write_str("JSON, but not an object"),
            BadReason::TooManyKeys => out.write_str("more different keys than a table can have"),
            BadReason::NotUtf8 => out.write_str("bytes that are not UTF-8"),
        }
    }
}

/// A run of rows, good and bad, over a stretch of the file.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    /// The row id of its first good row.
    pub first_row: u32,
    /// Where its first record starts.
    pub start: u64,
    /// Where its last record ends.
    pub end: u64,
    /// Where each good row starts, counted from `start`.
    pub rows: Vec<u32>,
    /// The bad rows, in order.
    pub bad: Vec<BadRow>,
}

impl Chunk {
    /// The bytes of its good row `at` (counted within the chunk), counted from `start`. Blank lines may follow the row in them.
    pub fn span(&self, at: usize) -> Option<(usize, usize)> {
        let start = *self.rows.get(at)?;
        let next = self.rows.get(at + 1).map_or(self.end, |next| self.start + u64::from(*next));
        // A bad row between this and the next good one ends the row too.
        let place = self.start + u64::from(start);
        let end = match self.bad.get(self.bad.partition_point(|bad| bad.start <= place)) {
            Some(bad) => next.min(bad.start),
            None => next,
        };
        Some((start as usize, usize::try_from(end - self.start).ok()?))
    }

    /// The row id after its last one.
    pub fn end_row(&self) -> u32 {
        self.first_row + self.rows.len() as u32
    }
}
