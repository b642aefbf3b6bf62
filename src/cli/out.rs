//! What the command line prints: clean text for people, JSON for programs, errors on standard error. A reader that goes away
//! (`| head`) is no error.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;
use serde_json::json;

use crate::failure::{Code, Failure};
use crate::text::{clean, clean_lines, is_dangerous};

/// Whom the output is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A person: aligned, cleaned text.
    Text,
    /// A program: one JSON value a line.
    Json,
}

/// Standard output and standard error of one command.
pub struct Out {
    format: Format,
    stdout: Box<dyn Write>,
    stderr: Box<dyn Write>,
    /// The reader of standard output went away.
    gone: bool,
    /// Whether somebody watches standard error, so that counted progress makes sense.
    watched: bool,
    /// Whether a progress line stands on the screen and has to be wiped first.
    progress: bool,
}

impl Out {
    /// The process's own streams.
    pub fn new(format: Format) -> Out {
        let watched = io::stderr().is_terminal() && format == Format::Text;
        let stdout = io::BufWriter::new(io::stdout().lock());
        Out::over(format, Box::new(stdout), Box::new(io::stderr().lock()), watched)
    }

    /// Any streams; `watched` says whether progress is shown.
    pub fn over(format: Format, stdout: Box<dyn Write>, stderr: Box<dyn Write>, watched: bool) -> Out {
        Out { format, stdout, stderr, gone: false, watched, progress: false }
    }

    /// Whether a program reads it.
    pub fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Whether the reader of standard output went away, so that more of it is wasted.
    pub fn is_gone(&self) -> bool {
        self.gone
    }

    /// One cleaned line.
    ///
    /// # Errors
    /// When standard output cannot be written, other than by its reader going away; so do all methods here.
    pub fn line(&mut self, text: impl AsRef<str>) -> Result<(), Failure> {
        let text = clean(text.as_ref());
        self.put(|out| writeln!(out, "{}", text.as_str().trim_end()))
    }

    /// Several cleaned lines.
    pub fn page(&mut self, text: &str) -> Result<(), Failure> {
        let lines = clean_lines(text);
        self.put(|out| lines.iter().try_for_each(|line| writeln!(out, "{}", line.as_str().trim_end())))
    }

    /// One JSON value on a line. Letters that could steer a terminal are escaped, which changes no value.
    pub fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let mut line = Vec::new();
        value.serialize(&mut serde_json::Serializer::with_formatter(&mut line, Escaping)).map_err(|error| {
            Failure::new(Code::Failed, format!("The answer cannot be written as JSON: {error}."), "Report this.")
        })?;
        line.push(b'\n');
        self.put(|out| out.write_all(&line))
    }

    /// Lets `write` put bytes as they are: exports.
    pub fn raw(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
        self.put(|out| write(out))
    }

    /// Hands over what has been written so far; the other side of a dialogue waits for it.
    pub fn flush(&mut self) -> Result<(), Failure> {
        self.put(|out| out.flush())
    }

    /// A hint for a person, on standard error; a program does not get it.
    pub fn note(&mut self, text: impl AsRef<str>) {
        if self.format == Format::Text {
            self.error_line(text.as_ref());
        }
    }

    /// Several lines for a person, on standard error.
    pub fn note_page(&mut self, text: &str) {
        self.error_lines(text);
    }

    /// Something that did not stop the command but should be known; on standard error, as `{"warning"}` for a program.
    pub fn warn(&mut self, text: impl AsRef<str>) {
        match self.format {
            Format::Text => self.error_line(&format!("Warning: {}", text.as_ref())),
            Format::Json => self.error_json(&json!({ "warning": text.as_ref() })),
        }
    }

    /// Counted progress that replaces the one before; only where somebody watches.
    pub fn progress(&mut self, text: impl AsRef<str>) {
        if self.watched {
            let _ = write!(self.stderr, "\r\x1b[K{}", clean(text.as_ref()).shorten(79));
            let _ = self.stderr.flush();
            self.progress = true;
        }
    }

    /// A question, without a line break behind it.
    pub fn ask(&mut self, question: &str) {
        self.wipe();
        let _ = write!(self.stderr, "{} ", clean(question));
        let _ = self.stderr.flush();
    }

    /// Why the command failed, and what to do.
    pub fn fail(&mut self, failure: &Failure) {
        // What was answered before belongs before the error.
        let _ = self.flush();
        match self.format {
            Format::Json => self.error_json(failure),
            Format::Text => {
                self.error_lines(&format!("Error: {}", failure.message));
                if !failure.remedy.is_empty() {
                    self.error_lines(&failure.remedy);
                }
            }
        }
    }

    fn put(&mut self, write: impl FnOnce(&mut Box<dyn Write>) -> io::Result<()>) -> Result<(), Failure> {
        self.wipe();
        if self.gone {
            return Ok(());
        }
        match write(&mut self.stdout) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.gone = true;
                Ok(())
            }
            Err(error) => Err(Failure::new(
                Code::Failed,
                format!("Standard output cannot be written: {error}."),
                "Check the disk or program that it goes to.",
            )),
            Ok(()) => Ok(()),
        }
    }

    // Standard error is the last resort: when it cannot be written there is nobody left to tell.

    fn error_line(&mut self, text: &str) {
        self.wipe();
        let _ = writeln!(self.stderr, "{}", clean(text));
    }

    fn error_lines(&mut self, text: &str) {
        self.wipe();
        for line in clean_lines(text) {
            let _ = writeln!(self.stderr, "{line}");
        }
    }

    fn error_json(&mut self, value: &impl Serialize) {
        let mut line = Vec::new();
        if value.serialize(&mut serde_json::Serializer::with_formatter(&mut line, Escaping)).is_ok() {
            line.push(b'\n');
            let _ = self.stderr.write_all(&line);
        }
    }

    fn wipe(&mut self) {
        if std::mem::take(&mut self.progress) {
            let _ = write!(self.stderr, "\r\x1b[K");
        }
    }
}

/// JSON in which no letter can steer a terminal.
struct Escaping;

impl serde_json::ser::Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, letter)) = rest.char_indices().find(|(_, letter)| is_dangerous(*letter)) {
            writer.write_all(&rest.as_bytes()[..at])?;
            for unit in letter.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = &rest[at + letter.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
#[path = "out_tests.rs"]
mod tests;
