//! From a path, standard input or any stream to a [`Table`]: what is no table of leads is refused with file, line and reason.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::cancel::Cancel;
use super::delimited::{self, Step};
use super::encoding::{self, Kind};
use super::feed::Feed;
use super::format::{self, Format, NotRows};
use super::index::{Indexer, Outcome};
use super::jsonl::Keys;
use super::layout::{self, Layout};
use super::row::{Cells, Row};
use super::table::{Progress, Table};
use crate::failure::{Code, Failure};

/// So much of a file decides on its encoding and format.
const SAMPLE: usize = 64 << 10;
/// Headers that take more than this are no headers.
const LONGEST_HEADERS: usize = 4 << 20;

/// Where leads come from.
pub enum Source {
    /// A file; a pipe or device works like standard input.
    Path(PathBuf),
    /// Standard input.
    Stdin,
    /// Any other stream, and what to call it.
    Reader(String, Box<dyn Read + Send>),
}

/// How to open a source. The default is right for people's files.
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    /// The format, where the first lines could mislead; guessed when `None`.
    pub format: Option<Format>,
    /// The folder of spill files, which have no name there; the system's temporary folder when `None`.
    pub spill_folder: Option<PathBuf>,
}

impl Table {
    /// Indexes a source. `publish` gets a first snapshot after about 1,000 rows, further ones as the index grows, and at last the
    /// complete table, which is also the result. Runs on the calling thread until the end of the source. Fails with
    /// [`Code::Unreadable`] when the source is no table of leads, with [`Code::Cancelled`] when told to stop.
    pub fn open(
        source: Source,
        options: &OpenOptions,
        cancel: &Cancel,
        publish: &mut dyn FnMut(Arc<Table>),
    ) -> Result<Arc<Table>, Failure> {
        let folder = options.spill_folder.clone().unwrap_or_else(std::env::temp_dir);
        let mut opened = Opened::new(source, &folder)?;
        let mut published = 0;
        let mut conversion = None;
        loop {
            let indexer = opened.begin(conversion, options.format, &folder)?;
            match indexer.run(cancel, &mut published, publish)? {
                Outcome::Complete(table) => return Ok(table),
                Outcome::Foreign(feed, encoding) => {
                    opened.feed = Some(feed);
                    conversion = Some(encoding);
                }
            }
        }
    }
}

/// The failure of a read: what the system says about the file of this name.
pub(super) fn unreadable(name: &str, error: &io::Error) -> Failure {
    let (reason, remedy) = match error.kind() {
        io::ErrorKind::NotFound => ("there is no such file".to_owned(), "Check the path."),
        io::ErrorKind::PermissionDenied => {
            ("you may not read it".to_owned(), "Ask its owner, or check its permissions.")
        }
        io::ErrorKind::IsADirectory => ("it is a folder".to_owned(), "Name a file in it."),
        io::ErrorKind::StorageFull => {
            ("there is no room for its spill file".to_owned(), "Free some space, or set TMPDIR.")
        }
        _ => (error.to_string(), "Copy it to this machine's own disk and try again."),
    };
    refuse(name, &reason, remedy)
}

fn refuse(name: &str, reason: &str, remedy: &str) -> Failure {
    Failure::new(Code::Unreadable, format!("{name} cannot be read: {reason}."), remedy)
}

/// A source under way: opened, perhaps looked at, perhaps started over.
struct Opened {
    name: String,
    source: String,
    total: Option<u64>,
    /// Taken out for each start.
    feed: Option<Feed>,
}

impl Opened {
    fn new(source: Source, folder: &Path) -> Result<Opened, Failure> {
        let (name, described, stream): (_, _, Box<dyn Read + Send>) = match source {
            Source::Path(path) => {
                let name = path
                    .file_name()
                    .map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
                let described = path.display().to_string();
                let fail = |error| unreadable(&described, &error);
                let file = File::open(&path).map_err(fail)?;
                let about = file.metadata().map_err(fail)?;
                if about.is_dir() {
                    return Err(fail(io::ErrorKind::IsADirectory.into()));
                }
                if about.is_file() {
                    let (total, feed) = (Some(about.len()), Some(Feed::in_place(file)));
                    return Ok(Opened { name, source: described, total, feed });
                }
                (name, described, Box::new(file))
            }
            Source::Stdin => ("standard input".to_owned(), "standard input".to_owned(), Box::new(io::stdin())),
            Source::Reader(name, stream) => (name.clone(), name, stream),
        };
        let feed = Some(Feed::spilled(stream, folder).map_err(|error| no_spill(&error, folder))?);
        Ok(Opened { name, source: described, total: None, feed })
    }

    /// Looks at the start of the source, converts it if it must be, reads the headers, and stands ready to index.
    fn begin(
        &mut self,
        conversion: Option<&'static encoding_rs::Encoding>,
        format: Option<Format>,
        folder: &Path,
    ) -> Result<Indexer, Failure> {
        let Some(mut feed) = self.feed.take() else { return Err(refuse(&self.source, "it was read before", "")) };
        let mut notices = Vec::new();
        let mut conversion = conversion;
        let (mut buffer, mut ended, mut start) = (Vec::new(), false, 0);
        if conversion.is_none() {
            ended = self.fill(&mut feed, &mut buffer, SAMPLE)?;
            match encoding::kind(&buffer) {
                Kind::Utf8(mark) => start = mark,
                Kind::Foreign(encoding) => conversion = Some(encoding),
                Kind::Binary(what, remedy) => return Err(refuse(&self.source, &format!("it is {what}"), remedy)),
            }
        }
        if let Some(encoding) = conversion {
            feed = feed.converted(encoding, folder).map_err(|error| no_spill(&error, folder))?;
            buffer.clear();
            ended = self.fill(&mut feed, &mut buffer, SAMPLE)?;
            notices.push(format!(
                "The text is in {} and was converted to UTF-8; the file itself is as it was.",
                encoding.name()
            ));
        }
        let text = &buffer[start..];
        if ended && text.trim_ascii().is_empty() {
            return Err(refuse(&self.source, "it is empty", "Check where it was made."));
        }
        let format = match format {
            Some(format) => format,
            None => format::guess(text, ended)
                .map_err(|NotRows(what, remedy)| refuse(&self.source, &format!("it is {what}"), remedy))?,
        };
        let layout = match format {
            Format::JsonLines => Layout::JsonLines { keys: Arc::new(Keys::default()) },
            Format::Delimited(delimiter) => {
                let headers = self.headers(&mut feed, &mut buffer, &mut start, &mut ended, delimiter)?;
                let (headers, changed) = layout::distinct(headers);
                if changed {
                    notices.push("Headers that were empty or stood twice got names of their own.".into());
                }
                Layout::Delimited { delimiter, headers: headers.into() }
            }
        };
        let mut table = Table::new(self.name.clone(), self.source.clone(), Arc::clone(feed.file()), layout, notices);
        table.progress = Progress { done: 0, total: self.total };
        Ok(Indexer::new(feed, table, buffer, start, ended))
    }

    /// Reads until the buffer holds `amount` bytes; `true` at the end of the source.
    fn fill(&self, feed: &mut Feed, buffer: &mut Vec<u8>, amount: usize) -> Result<bool, Failure> {
        while buffer.len() < amount {
            if !feed.fill(buffer, SAMPLE).map_err(|error| unreadable(&self.source, &error))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads the header row and moves `start` behind it.
    fn headers(
        &self,
        feed: &mut Feed,
        buffer: &mut Vec<u8>,
        start: &mut usize,
        ended: &mut bool,
        delimiter: u8,
    ) -> Result<Vec<String>, Failure> {
        loop {
            match delimited::next_record(buffer, *start, delimiter, *ended) {
                Step::Record(record) => {
                    let mut row = Row::default();
                    delimited::split(&String::from_utf8_lossy(&buffer[record.start..record.end]), delimiter, &mut row);
                    *start = record.next;
                    let headers: Vec<String> = (0..row.count()).map(|at| row.cell(at).to_owned()).collect();
                    return self.checked(headers);
                }
                Step::OpenQuote(..) => {
                    let message =
                        format!("{}, line 1: a quote is opened in the headers and never closed.", self.source);
                    return Err(Failure::new(Code::Unreadable, message, "Close the quote."));
                }
                Step::End if *ended => return Err(refuse(&self.source, "it is empty", "Check where it was made.")),
                Step::Unfinished | Step::End if buffer.len() > LONGEST_HEADERS => {
                    return Err(refuse(
                        &self.source,
                        "its header line does not end",
                        "Check quotes and line breaks at its start.",
                    ));
                }
                Step::Unfinished | Step::End => *ended = self.fill(feed, buffer, buffer.len() + SAMPLE)?,
            }
        }
    }

    /// Headers name columns. A first line with an e-mail address, or of nothing but numbers, is a lead already.
    fn checked(&self, headers: Vec<String>) -> Result<Vec<String>, Failure> {
        let is_address =
            |cell: &str| cell.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.'));
        let is_number = |cell: &String| super::filter::parse_number(cell).is_some();
        if headers.iter().any(|cell| is_address(cell.trim())) || headers.iter().all(is_number) {
            let message = format!("{}, line 1: this looks like a lead, and the headers are missing.", self.source);
            return Err(Failure::new(Code::Unreadable, message, "Put a line with a name for every column at the top."));
        }
        Ok(headers)
    }
}

fn no_spill(error: &io::Error, folder: &Path) -> Failure {
    let message = format!("No spill file can be made in {}: {error}.", folder.display());
    Failure::new(Code::Failed, message, "Set TMPDIR to a folder with room.")
}
