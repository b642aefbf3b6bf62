//! Leads as CSV or JSON lines, safe to open in a spreadsheet.
//!
//! A spreadsheet runs a cell that begins like a formula. In CSV such a cell gets a `'` in front, unless it is a plain number or a
//! phone number (`-12.50`, `+14155550100`, `+1 (415) 555-0100`), which can do no harm and would be spoiled. JSON lines stay as they are.

use std::io::{self, Write};

use super::filter::parse_number;
use super::layout::distinct;
use super::{Lead, Schema};

/// How leads are written. Columns are named by their standard field, else by their header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// Comma-separated values under a header line.
    Csv {
        /// Whether cells that a spreadsheet would run get a `'` in front.
        defuse: bool,
    },
    /// One JSON object a line; every value is a text.
    JsonLines,
}

/// Writes leads one after another. Call [`LeadWriter::finish`] at the end.
pub struct LeadWriter<W: Write> {
    names: Vec<String>,
    sink: Sink<W>,
}

enum Sink<W: Write> {
    Csv { writer: Box<csv::Writer<W>>, defuse: bool },
    JsonLines(W),
}

impl<W: Write> LeadWriter<W> {
    /// Begins with the header line, where the format has one.
    pub fn new(out: W, schema: &Schema, format: ExportFormat) -> io::Result<Self> {
        let names = (0..schema.columns.len()).map(|position| schema.name(position).to_owned()).collect();
        let (names, _) = distinct(names);
        let sink = match format {
            ExportFormat::JsonLines => Sink::JsonLines(out),
            ExportFormat::Csv { defuse } => {
                let mut writer = Box::new(csv::Writer::from_writer(out));
                write_record(&mut writer, names.iter().map(String::as_str), defuse)?;
                Sink::Csv { writer, defuse }
            }
        };
        Ok(LeadWriter { names, sink })
    }

    /// Writes one lead of the schema given at the start.
    pub fn write(&mut self, lead: &Lead) -> io::Result<()> {
        match &mut self.sink {
            Sink::Csv { writer, defuse } => {
                write_record(writer, (0..self.names.len()).map(|position| lead.cell(position)), *defuse)
            }
            Sink::JsonLines(out) => {
                let mut start = b'{';
                for (position, name) in self.names.iter().enumerate() {
                    out.write_all(&[start])?;
                    serde_json::to_writer(&mut *out, name)?;
                    out.write_all(b":")?;
                    serde_json::to_writer(&mut *out, lead.cell(position))?;
                    start = b',';
                }
                out.write_all(if self.names.is_empty() { b"{}\n" } else { b"}\n" })
            }
        }
    }

    /// Writes what is still in the buffer and gives the writer back.
    pub fn finish(self) -> io::Result<W> {
        match self.sink {
            Sink::Csv { writer, .. } => writer.into_inner().map_err(|error| error.into_error()),
            Sink::JsonLines(mut out) => out.flush().map(|()| out),
        }
    }
}

fn write_record<'c, W: Write>(
    writer: &mut csv::Writer<W>,
    cells: impl Iterator<Item = &'c str>,
    defuse: bool,
) -> io::Result<()> {
    for cell in cells {
        match defuse && is_live(cell) {
            true => writer.write_field(format!("'{cell}")),
            false => writer.write_field(cell),
        }?;
    }
    writer.write_record(None::<&[u8]>)?;
    Ok(())
}

/// Whether a spreadsheet could run the cell as a formula. Leading spaces do not protect, nor do the full-width forms of the signs.
fn is_live(cell: &str) -> bool {
    let starts_live = cell.starts_with(['\t', '\r', '\n']);
    let text = cell.trim_start();
    let live = starts_live || text.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    live && parse_number(cell).is_none() && !is_phone(text)
}

fn is_phone(text: &str) -> bool {
    let Some(number) = text.strip_prefix('+') else { return false };
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    number.starts_with(|ch: char| ch.is_ascii_digit())
        && (7..=15).contains(&digits)
        && number.bytes().all(|byte| byte.is_ascii_digit() || b" ()-.".contains(&byte))
}

#[cfg(test)]
#[path = "export_tests.rs"]
mod tests;
