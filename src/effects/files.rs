//! Writes a saved list to a file, whole or not at all.

use std::io::{BufWriter, Write};
use std::path::Path;

use crate::engine::Engine;
use crate::engine::messages::{Reply, Request};
use crate::failure::{Code, Failure};
use crate::lead::export::{ExportFormat, LeadWriter};

/// Exports the newest version of a list; the file's ending chooses CSV (formulas defused) or JSONL. Answers what to say.
///
/// # Errors
/// No such list, or the file cannot be written.
pub(super) async fn export_list(engine: &Engine, list: &str, path: &str) -> Result<String, Failure> {
    let format = match Path::new(path).extension().and_then(|ending| ending.to_str()) {
        Some("jsonl" | "ndjson") => ExportFormat::JsonLines,
        Some("csv") => ExportFormat::Csv { defuse: true },
        _ => {
            return Err(Failure::new(
                Code::Usage,
                format!("{path} does not say what to write."),
                "End the name in .csv or .jsonl.",
            ));
        }
    };
    let Reply::List(summary, versions) = engine.call(Request::List { name: list.to_owned() }).await? else {
        return Err(unexpected());
    };
    let Some(version) = versions.last() else { return Err(unexpected()) };
    let mut file = WholeFile::create(path)?;
    let mut writer = LeadWriter::new(&mut file, &version.schema, format).map_err(|error| cannot_write(path, &error))?;
    for block in 0..version.blocks {
        let request = Request::Block { list: list.to_owned(), version: version.version, block };
        let Reply::Block(_, leads) = engine.call(request).await? else { return Err(unexpected()) };
        for lead in &leads {
            writer.write(lead).map_err(|error| cannot_write(path, &error))?;
        }
    }
    writer.finish().map_err(|error| cannot_write(path, &error))?;
    file.finish()?;
    Ok(format!("Wrote {} leads of {} to {path}", summary.leads, summary.name))
}

/// A file that is written beside its place and renamed at the end, so that no half file is left.
pub(super) struct WholeFile {
    path: String,
    out: BufWriter<tempfile::NamedTempFile>,
}

impl WholeFile {
    pub(super) fn create(path: &str) -> Result<Self, Failure> {
        if Path::new(path).exists() {
            return Err(Failure::new(Code::Failed, format!("{path} is there already."), "Choose another name."));
        }
        let folder = Path::new(path).parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = tempfile::NamedTempFile::new_in(folder).map_err(|error| cannot_write(path, &error))?;
        Ok(WholeFile { path: path.to_owned(), out: BufWriter::new(file) })
    }

    /// Puts the file in its place.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let WholeFile { path, out } = self;
        let file = out.into_inner().map_err(|error| cannot_write(&path, error.error()))?;
        file.as_file().sync_all().map_err(|error| cannot_write(&path, &error))?;
        file.persist(&path).map_err(|error| cannot_write(&path, &error.error))?;
        Ok(())
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

pub(super) fn cannot_write(path: &str, error: &std::io::Error) -> Failure {
    Failure::new(Code::Failed, format!("{path} cannot be written: {error}."), "Choose another place and try again.")
}

fn unexpected() -> Failure {
    Failure::new(Code::Failed, "The engine gave an answer that does not fit.", "Start leadferry again.")
}
