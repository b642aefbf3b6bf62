//! `leadferry list export`: a list's leads as CSV or JSON lines.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::json;
use tempfile::NamedTempFile;

use super::save::unwritable;
use super::{block, pick, versions};
use crate::cli::out::Out;
use crate::cli::session::Session;
use crate::failure::Failure;
use crate::lead::export::{ExportFormat, LeadWriter};
use crate::lead::{Lead, Schema};

/// `leadferry list export`
#[derive(Debug, Args)]
pub struct Export {
    /// The list's name
    name: String,
    #[command(flatten)]
    target: Target,
    /// A version other than the newest
    #[arg(long, value_name = "N")]
    version: Option<u32>,
}

/// Where an export goes, and how it looks.
#[derive(Debug, Args)]
pub struct Target {
    /// The file to write; - is standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    /// The format; without it the file's ending decides, and CSV where it says nothing
    #[arg(long, value_name = "FORMAT")]
    format: Option<Shape>,
    /// Leave cells that a spreadsheet would run as formulas as they are
    #[arg(long)]
    raw: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Shape {
    /// Comma-separated values
    Csv,
    /// One JSON object a line
    Jsonl,
}

impl Target {
    /// Begins an export under these columns; a file appears only with [`Writing::finish`].
    pub fn begin<'o>(&self, out: &'o mut Out, schema: &Schema) -> Result<Writing<'o>, Failure> {
        let failed = |error: io::Error| unwritable(&self.output, &error);
        let file = if self.output == Path::new("-") {
            None
        } else {
            let folder = self.output.parent().filter(|folder| !folder.as_os_str().is_empty());
            let file = NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).map_err(failed)?;
            Some((self.output.clone(), BufWriter::new(file)))
        };
        let writer = LeadWriter::new(Sink { out, file }, schema, self.format()).map_err(failed)?;
        Ok(Writing { writer, path: self.output.clone(), count: 0 })
    }

    fn format(&self) -> ExportFormat {
        let ending = self.output.extension().and_then(|ending| ending.to_str());
        let by_name = if matches!(ending, Some("jsonl" | "ndjson")) { Shape::Jsonl } else { Shape::Csv };
        match self.format.unwrap_or(by_name) {
            Shape::Csv => ExportFormat::Csv { defuse: !self.raw },
            Shape::Jsonl => ExportFormat::JsonLines,
        }
    }
}

/// An export under way.
pub struct Writing<'o> {
    writer: LeadWriter<Sink<'o>>,
    path: PathBuf,
    count: u64,
}

impl Writing<'_> {
    /// Writes one row; `false` when the reader of standard output went away and more would be wasted.
    pub fn row(&mut self, lead: &Lead) -> Result<bool, Failure> {
        self.count += 1;
        match self.writer.write(lead) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            written => written.map(|()| true).map_err(|error| unwritable(&self.path, &error)),
        }
    }

    /// Ends it: a file appears under its name, and how many of `what` it holds is told.
    pub fn finish(self, what: &str) -> Result<(), Failure> {
        match self.writer.finish() {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            finished => finished.map_err(|error| unwritable(&self.path, &error))?.keep(self.count, what),
        }
    }
}

/// Where an export is written: standard output, or a file that appears as a whole.
pub struct Sink<'o> {
    out: &'o mut Out,
    file: Option<(PathBuf, BufWriter<NamedTempFile>)>,
}

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some((_, file)) = &mut self.file {
            return file.write(bytes);
        }
        self.out.raw(|stdout| stdout.write_all(bytes)).map_err(io::Error::other)?;
        if self.out.is_gone() { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), |(_, file)| file.flush())
    }
}

impl Sink<'_> {
    /// Makes a file appear under its name, and tells how many of `what` it holds.
    fn keep(self, count: u64, what: &str) -> Result<(), Failure> {
        let Some((path, file)) = self.file else { return Ok(()) };
        let file = file.into_inner().map_err(|error| unwritable(&path, error.error()))?;
        file.persist(&path).map_err(|error| unwritable(&path, &error.error))?;
        if self.out.is_json() {
            return self.out.json(&json!({ "file": path.to_string_lossy(), what: count }));
        }
        self.out.line(format!("Wrote {count} {what} to {}.", path.display()))
    }
}

impl Export {
    /// Carries it out.
    pub async fn run(self, session: &Session, out: &mut Out) -> Result<u8, Failure> {
        let (list, versions) = versions(session, &self.name).await?;
        let version = pick(&list, &versions, self.version)?;
        let mut writing = self.target.begin(out, &version.schema)?;
        'blocks: for n in 0..version.blocks {
            let (_, leads) = block(session, &list.name, version.version, n).await?;
            for lead in &leads {
                if !writing.row(lead)? {
                    break 'blocks;
                }
            }
        }
        writing.finish("leads")?;
        Ok(0)
    }
}
