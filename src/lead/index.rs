//! The one pass over a file that finds its rows, and hands out snapshots of the table on the way.

use std::sync::Arc;

use encoding_rs::Encoding;

use super::cancel::Cancel;
use super::chunk::{BadReason, BadRow, Chunk};
use super::delimited::{self, Step};
use super::encoding;
use super::feed::Feed;
use super::jsonl::LineError;
use super::layout::Layout;
use super::table::{Progress, Table};
use crate::failure::{Code, Failure};

/// Rows of the first chunk: enough for the first screens, found within a few milliseconds.
const FIRST_ROWS: usize = 1_000;
/// Rows of every other chunk: the unit of work over a whole file.
const CHUNK_ROWS: usize = 4_096;
/// A chunk ends early after so many bytes, so that one block of work stays small in memory.
const CHUNK_BYTES: u64 = 4 << 20;
/// One reading of the source.
const READ: usize = 1 << 20;
/// A longer row is a mistake in the file, nearly always an open quote.
const LONGEST_ROW: usize = 32 << 20;
/// Snapshots after the first come at least so many bytes apart.
const SNAPSHOT_BYTES: u64 = 8 << 20;

/// How the pass ended.
pub(super) enum Outcome {
    /// At the end of the file: the complete table.
    Complete(Arc<Table>),
    /// At a row in this encoding, before which everything was ASCII: the file has to be converted.
    Foreign(Feed, &'static Encoding),
}

/// The pass.
pub(super) struct Indexer {
    feed: Feed,
    /// Snapshots are copies of this table with more rows.
    table: Table,
    buffer: Vec<u8>,
    /// Where the buffer begins in the file.
    base: u64,
    /// The next byte of the buffer to look at.
    at: usize,
    ended: bool,
    lines: Lines,
    open: Chunk,
    /// Letters beyond ASCII were seen, and they were UTF-8.
    seen_utf8: bool,
    next_snapshot: u64,
}

/// Counts lines up to places that only move forward.
struct Lines {
    line: u64,
    at: usize,
    line_break: u8,
}

impl Lines {
    fn line_at(&mut self, buffer: &[u8], place: usize) -> u64 {
        self.line += memchr::memchr_iter(self.line_break, &buffer[self.at..place]).count() as u64;
        self.at = place;
        self.line
    }
}

/// What stands at the place the pass has come to.
enum Found {
    Row { start: usize, next: usize },
    Bad { start: usize, end: usize, next: usize, reason: BadReason },
    Foreign(&'static Encoding),
    OpenQuote(usize),
    Unfinished,
    End,
}

impl Indexer {
    /// Starts behind the headers: `buffer` is what was read from `feed` so far, `at` where the first row may start.
    pub fn new(feed: Feed, table: Table, buffer: Vec<u8>, at: usize, ended: bool) -> Indexer {
        // Only the oldest files break lines with a carriage return alone.
        let line_break = if memchr::memchr(b'\n', &buffer).is_none() { b'\r' } else { b'\n' };
        let lines = Lines { line: 1, at: 0, line_break };
        let open = Chunk { start: at as u64, end: at as u64, ..Chunk::default() };
        Indexer { feed, table, buffer, base: 0, at, ended, lines, open, seen_utf8: false, next_snapshot: 0 }
    }

    /// Runs to the end of the file, to a row in another encoding, or into a failure. A snapshot with fewer rows than
    /// `published` is not handed out; the complete table is handed out and given back.
    pub fn run(
        mut self,
        cancel: &Cancel,
        published: &mut u32,
        publish: &mut dyn FnMut(Arc<Table>),
    ) -> Result<Outcome, Failure> {
        loop {
            match self.find()? {
                Found::Row { start, next } => {
                    let place = self.base + start as u64;
                    self.begin_record(place)?;
                    self.open.rows.push((place - self.open.start) as u32);
                    self.end_record(next);
                }
                Found::Bad { start, end, next, reason } => {
                    let place = self.base + start as u64;
                    self.begin_record(place)?;
                    let line = self.lines.line_at(&self.buffer, start);
                    self.open.bad.push(BadRow { line, reason, start: place, length: (end - start) as u32 });
                    self.end_record(next);
                }
                Found::Foreign(encoding) => return Ok(Outcome::Foreign(self.feed, encoding)),
                Found::OpenQuote(quote) => return Err(self.open_quote(quote)),
                Found::Unfinished => self.refill(cancel)?,
                Found::End if self.ended => break,
                Found::End => {
                    self.at = self.buffer.len();
                    self.refill(cancel)?;
                }
            }
            if self.is_chunk_full() {
                self.close_chunk();
                self.snapshot(published, publish);
            }
        }
        self.close_chunk();
        self.table.finish(&self.feed)?;
        let table = Arc::new(self.table);
        publish(Arc::clone(&table));
        Ok(Outcome::Complete(table))
    }

    fn find(&mut self) -> Result<Found, Failure> {
        let (start, end, next, filled) = match &self.table.layout {
            Layout::Delimited { delimiter, .. } => {
                match delimited::next_record(&self.buffer, self.at, *delimiter, self.ended) {
                    Step::Record(record) => (record.start, record.end, record.next, record.filled),
                    Step::OpenQuote(_, quote) => return Ok(Found::OpenQuote(quote)),
                    Step::Unfinished if self.buffer.len() - self.at > LONGEST_ROW => {
                        return self.explain_long(*delimiter);
                    }
                    Step::Unfinished => return Ok(Found::Unfinished),
                    Step::End => return Ok(Found::End),
                }
            }
            Layout::JsonLines { .. } => {
                let rest = &self.buffer[self.at..];
                let Some(start) = rest.iter().position(|byte| !byte.is_ascii_whitespace()) else {
                    return Ok(Found::End);
                };
                let start = self.at + start;
                match memchr::memchr(b'\n', &self.buffer[start..]) {
                    Some(length) => (start, start + length, start + length + 1, 0),
                    None if self.ended => (start, self.buffer.len(), self.buffer.len(), 0),
                    None if self.buffer.len() - start > LONGEST_ROW => return Err(self.long_row(start)),
                    None => return Ok(Found::Unfinished),
                }
            }
        };
        Ok(match self.judge(start, end, filled) {
            Ok(()) => Found::Row { start, next },
            Err(Verdict::Bad(reason)) => Found::Bad { start, end, next, reason },
            Err(Verdict::Foreign(encoding)) => Found::Foreign(encoding),
        })
    }

    /// Whether the record is a lead; takes up the new keys of a JSON line.
    fn judge(&mut self, start: usize, end: usize, filled: usize) -> Result<(), Verdict> {
        let record = &self.buffer[start..end];
        let is_ascii = record.is_ascii();
        let Ok(text) = std::str::from_utf8(record) else {
            let first_letter = !self.seen_utf8 && !self.feed.converts();
            return match first_letter.then(|| encoding::foreign(&self.buffer[start..])).flatten() {
                Some(encoding) => Err(Verdict::Foreign(encoding)),
                None => Err(Verdict::Bad(BadReason::NotUtf8)),
            };
        };
        self.seen_utf8 |= !is_ascii;
        match &mut self.table.layout {
            Layout::Delimited { headers, .. } if filled > headers.len() => {
                Err(Verdict::Bad(BadReason::TooManyCells { cells: filled as u32, headers: headers.len() as u32 }))
            }
            Layout::Delimited { .. } => Ok(()),
            Layout::JsonLines { keys } => {
                let new = keys.new_keys(text).map_err(|error| {
                    Verdict::Bad(match error {
                        LineError::Broken(at) => BadReason::BrokenJson(at),
                        LineError::NotObject => BadReason::NotAnObject,
                        LineError::TooManyKeys => BadReason::TooManyKeys,
                    })
                })?;
                if !new.is_empty() {
                    Arc::make_mut(keys).add(new);
                }
                Ok(())
            }
        }
    }

    /// A row id has to fit its type, and a new chunk begins where its first record does.
    fn begin_record(&mut self, place: u64) -> Result<(), Failure> {
        if self.open.rows.is_empty() && self.open.bad.is_empty() {
            self.open.start = place;
        }
        if self.open.end_row() == u32::MAX {
            let message = format!("{} has more than {} rows.", self.table.name, u32::MAX);
            return Err(Failure::new(Code::Unreadable, message, "Split the file and open the parts."));
        }
        Ok(())
    }

    fn end_record(&mut self, next: usize) {
        self.at = next;
        self.open.end = self.base + next as u64;
    }

    fn is_chunk_full(&self) -> bool {
        let most = if self.open.first_row == 0 { FIRST_ROWS } else { CHUNK_ROWS };
        self.open.rows.len() + self.open.bad.len() >= most || self.open.end - self.open.start >= CHUNK_BYTES
    }

    fn close_chunk(&mut self) {
        let next =
            Chunk { first_row: self.open.end_row(), start: self.open.end, end: self.open.end, ..Chunk::default() };
        let mut chunk = std::mem::replace(&mut self.open, next);
        if chunk.rows.is_empty() && chunk.bad.is_empty() {
            return;
        }
        chunk.rows.shrink_to_fit();
        chunk.bad.shrink_to_fit();
        self.table.add_chunk(Arc::new(chunk));
    }

    fn snapshot(&mut self, published: &mut u32, publish: &mut dyn FnMut(Arc<Table>)) {
        let progress = Progress { done: self.feed.taken(), ..self.table.progress };
        if self.open.start < self.next_snapshot || self.table.len() <= *published {
            return;
        }
        self.next_snapshot = self.open.start + SNAPSHOT_BYTES.max(progress.total.unwrap_or(0) / 64);
        self.table.progress = progress;
        self.table.take_up_new_columns();
        *published = self.table.len();
        publish(Arc::new(self.table.clone()));
    }

    /// Drops what was looked at from the buffer and reads on.
    fn refill(&mut self, cancel: &Cancel) -> Result<(), Failure> {
        cancel.check()?;
        self.lines.line_at(&self.buffer, self.at);
        self.buffer.drain(..self.at);
        self.base += self.at as u64;
        (self.at, self.lines.at) = (0, 0);
        // A long row is looked at again from its start: reading as much again as there is keeps that linear.
        let amount = READ.max(self.buffer.len());
        let more = self.feed.fill(&mut self.buffer, amount);
        self.ended = !more.map_err(|error| super::open::unreadable(&self.table.name, &error))?;
        Ok(())
    }

    /// A row beyond all measure is looked at as if the file ended here: mostly an open quote explains it.
    fn explain_long(&mut self, delimiter: u8) -> Result<Found, Failure> {
        match delimited::next_record(&self.buffer, self.at, delimiter, true) {
            Step::OpenQuote(_, quote) => Ok(Found::OpenQuote(quote)),
            _ => Err(self.long_row(self.at)),
        }
    }

    fn open_quote(&mut self, quote: usize) -> Failure {
        let line = self.lines.line_at(&self.buffer, quote);
        let message = format!("{}, line {line}: a quote is opened here and never closed.", self.table.name);
        Failure::new(Code::Unreadable, message, "Close the quote, or double it where it is part of the text.")
    }

    fn long_row(&mut self, start: usize) -> Failure {
        let line = self.lines.line_at(&self.buffer, start);
        let message = format!("{}, line {line}: the row is longer than {} MiB.", self.table.name, LONGEST_ROW >> 20);
        Failure::new(Code::Unreadable, message, "Check the line breaks of the file.")
    }
}

enum Verdict {
    Bad(BadReason),
    Foreign(&'static Encoding),
}
