//! An audience's table: where its rows stand in the file, and any of them on request.
//!
//! A [`Table`] is an immutable snapshot. While a file is being indexed, later snapshots have more rows (and, for JSON lines,
//! perhaps more columns at the end); a row keeps its id and a column its position in all of them.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::chunk::{BadRow, Chunk};
use super::feed::Feed;
use super::format::Format;
use super::layout::Layout;
use super::mapping::{self, Certainty};
use super::row::Row;
use super::{Lead, Schema};
use crate::failure::{Code, Failure};

/// Rows no further apart than this are read in one go.
const GAP: u64 = 16 << 10;
/// One reading of scattered rows takes at most about so many bytes.
const LONGEST_READ: u64 = 1 << 20;

/// How much of a source has been indexed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes taken from the source.
    pub done: u64,
    /// All its bytes; unknown for a stream that has not ended.
    pub total: Option<u64>,
}

/// A snapshot of an audience. Cloning shares everything.
#[derive(Clone, Debug)]
pub struct Table {
    pub(super) name: String,
    pub(super) source: String,
    pub(super) file: Arc<File>,
    pub(super) layout: Layout,
    pub(super) progress: Progress,
    pub(super) notices: Vec<String>,
    pub(super) chunks: Vec<Arc<Chunk>>,
    bad_rows: usize,
    complete: bool,
    schema: Arc<Schema>,
    guessed: Arc<[Certainty]>,
}

impl Table {
    pub(super) fn new(name: String, source: String, file: Arc<File>, layout: Layout, notices: Vec<String>) -> Table {
        let guess = mapping::guess(layout.headers());
        Table {
            name,
            source,
            file,
            layout,
            progress: Progress::default(),
            notices,
            chunks: Vec::new(),
            bad_rows: 0,
            complete: false,
            schema: Arc::new(guess.schema),
            guessed: guess.certainty.into(),
        }
    }

    /// The good rows indexed so far. Row ids are `0..len`.
    pub fn len(&self) -> u32 {
        self.chunks.last().map_or(0, |chunk| chunk.end_row())
    }

    /// Whether there is no good row (yet).
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the whole file has been indexed.
    pub fn complete(&self) -> bool {
        self.complete
    }

    /// How far the index is.
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// The format the file was read as.
    pub fn format(&self) -> Format {
        match self.layout {
            Layout::Delimited { delimiter, .. } => Format::Delimited(delimiter),
            Layout::JsonLines { .. } => Format::JsonLines,
        }
    }

    /// What the columns mean: as guessed, or as [`Table::with_mapping`] said.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// How sure the guess of each column's field was; aligned with the schema's columns.
    pub fn certainty(&self) -> &[Certainty] {
        &self.guessed
    }

    /// What a person should know about how the file was read, a sentence each. May hold foreign text.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// The file's name without folders; `standard input` for that.
    pub fn file_name(&self) -> &str {
        &self.name
    }

    /// Where it came from: the path as given, or `standard input`.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The bad rows in the order of the file.
    pub fn bad_rows(&self) -> impl Iterator<Item = &BadRow> {
        self.chunks.iter().flat_map(|chunk| &chunk.bad)
    }

    /// How many bad rows there are.
    pub fn bad_row_count(&self) -> usize {
        self.bad_rows
    }

    /// The first bytes of a bad row, up to `most`, as far as they are text. May hold foreign text, and line breaks.
    pub fn bad_row_text(&self, bad: &BadRow, most: usize) -> Result<String, Failure> {
        let raw = self.read(bad.start, most.min(bad.length as usize))?;
        Ok(String::from_utf8_lossy(&raw).into_owned())
    }

    /// Writes the bad rows as they stand in the file, under its header line, so that they can be mended and opened again.
    /// Returns how many there were. Fails when the file cannot be read or `out` not written.
    pub fn export_bad_rows(&self, out: &mut dyn Write) -> Result<usize, Failure> {
        let unwritten = |error| Failure::new(Code::Failed, format!("The bad rows could not be written: {error}."), "");
        if let Layout::Delimited { delimiter, headers } = &self.layout {
            let mut header = csv::WriterBuilder::new().delimiter(*delimiter).from_writer(&mut *out);
            header.write_record(headers.iter()).map_err(|error| unwritten(error.into()))?;
            header.flush().map_err(unwritten)?;
        }
        for bad in self.bad_rows() {
            let raw = self.read(bad.start, bad.length as usize)?;
            out.write_all(&raw).and_then(|()| out.write_all(b"\n")).map_err(unwritten)?;
        }
        out.flush().map_err(unwritten)?;
        Ok(self.bad_rows)
    }

    /// The same rows with other fields on the columns. Columns are matched by header; a column that `mapping` does not know
    /// keeps its guess, unless that field is taken.
    pub fn with_mapping(&self, mapping: &Schema) -> Arc<Table> {
        let mut schema = (*self.schema).clone();
        for column in &mut schema.columns {
            let told = mapping.columns.iter().find(|told| told.header == column.header);
            column.field = match told {
                Some(told) => told.field,
                None => column.field.filter(|field| mapping.position(*field).is_none()),
            };
        }
        let mut seen = std::collections::HashSet::new();
        for column in &mut schema.columns {
            column.field = column.field.filter(|field| seen.insert(*field));
        }
        Arc::new(Table { schema: Arc::new(schema), ..self.clone() })
    }

    /// One lead. Fails when the row does not exist, or the file cannot be read or has changed.
    pub fn lead(&self, row: u32) -> Result<Lead, Failure> {
        self.leads(&[row])?.pop().ok_or_else(|| self.changed())
    }

    /// Some leads, in the order asked for. Rows that are neighbours in the file are read together.
    pub fn leads(&self, rows: &[u32]) -> Result<Vec<Lead>, Failure> {
        let mut leads = Vec::with_capacity(rows.len());
        self.each_of(rows, &mut |_, cells| leads.push(cells.to_lead()))?;
        Ok(leads)
    }

    /// Shows each of `rows` in turn to `each`, without allocating per row.
    pub(super) fn each_of(&self, rows: &[u32], each: &mut dyn FnMut(u32, &Row)) -> Result<(), Failure> {
        let mut cells = Row::default();
        let mut at = 0;
        while at < rows.len() {
            let (start, mut end) = self.span(rows[at])?;
            let mut spans = vec![(start, end)];
            for row in &rows[at + 1..] {
                let span = self.span(*row)?;
                if span.0 < end || span.0 > end + GAP || span.1 - start > LONGEST_READ {
                    break;
                }
                end = span.1;
                spans.push(span);
            }
            let bytes = self.read(start, (end - start) as usize)?;
            for (row, (from, to)) in rows[at..].iter().zip(&spans) {
                self.split(&bytes[(from - start) as usize..(to - start) as usize], &mut cells);
                each(*row, &cells);
            }
            at += spans.len();
        }
        Ok(())
    }

    /// Cuts the bytes of one row into cells.
    pub(super) fn split(&self, record: &[u8], cells: &mut Row) {
        // Only a file that was changed since can hold anything but UTF-8 here.
        self.layout.split(&String::from_utf8_lossy(record), cells);
    }

    fn span(&self, row: u32) -> Result<(u64, u64), Failure> {
        let after = self.chunks.partition_point(|chunk| chunk.first_row <= row);
        let chunk = after.checked_sub(1).and_then(|at| self.chunks.get(at));
        let span = chunk.and_then(|chunk| {
            let (start, end) = chunk.span((row - chunk.first_row) as usize)?;
            Some((chunk.start + start as u64, chunk.start + end as u64))
        });
        span.ok_or_else(|| {
            let message = format!("{} has no row {}; it has {}.", self.name, u64::from(row) + 1, self.len());
            Failure::new(Code::NotFound, message, "Open the file again.")
        })
    }

    pub(super) fn read(&self, start: u64, length: usize) -> Result<Vec<u8>, Failure> {
        let mut bytes = vec![0; length];
        match self.file.read_exact_at(&mut bytes, start) {
            Ok(()) => Ok(bytes),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(self.changed()),
            Err(error) => Err(super::open::unreadable(&self.name, &error)),
        }
    }

    fn changed(&self) -> Failure {
        let message = format!("{} has become shorter since it was opened.", self.name);
        Failure::new(Code::Unreadable, message, "Open it again.")
    }

    pub(super) fn add_chunk(&mut self, chunk: Arc<Chunk>) {
        self.bad_rows += chunk.bad.len();
        self.chunks.push(chunk);
    }

    /// JSON lines may have brought keys since the schema was made.
    pub(super) fn take_up_new_columns(&mut self) {
        if self.layout.headers().len() != self.schema.columns.len() {
            let guess = mapping::guess(self.layout.headers());
            self.schema = Arc::new(guess.schema);
            self.guessed = guess.certainty.into();
        }
    }

    /// Turns the table into the last snapshot. Fails when there were only bad rows.
    pub(super) fn finish(&mut self, feed: &Feed) -> Result<(), Failure> {
        self.take_up_new_columns();
        self.complete = true;
        self.progress = Progress { done: feed.taken(), total: Some(feed.taken()) };
        if feed.damaged() {
            self.notices.push("Some bytes have no meaning in that encoding; \u{fffd} stands in their place.".into());
        }
        let Some(bad) = self.bad_rows().next().filter(|_| self.is_empty()) else { return Ok(()) };
        let message = format!("{}, line {}: {}, and no row after it is better.", self.name, bad.line, bad.reason);
        let remedy = match self.format() {
            Format::Delimited(_) => "Put one header line with a name for every column at the top of the file.",
            Format::JsonLines => "Write one JSON object a line.",
        };
        Err(Failure::new(Code::Unreadable, message, remedy))
    }
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
