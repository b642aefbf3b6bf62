//! The bytes of a source in order, as UTF-8, with a file behind them from which any part can be read again.
//!
//! A plain UTF-8 file is its own such file. Standard input and converted text go, while they are read, into an unlinked spill file.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use encoding_rs::{Decoder, Encoding};

/// Where the bytes come from, and the file that keeps them.
pub(super) struct Feed {
    source: Box<dyn Read + Send>,
    decoder: Option<Decoder>,
    /// Holds at any moment everything that was handed out, at the offset where it was handed out.
    file: Arc<File>,
    spills: bool,
    raw: Vec<u8>,
    taken: u64,
    damaged: bool,
}

impl Feed {
    /// A file that is read in place.
    pub fn in_place(file: File) -> Feed {
        let file = Arc::new(file);
        Feed::new(Box::new(FromStart { file: Arc::clone(&file), at: 0 }), None, file, false)
    }

    /// A stream that can be read only once; the spill file goes into `folder`.
    pub fn spilled(source: Box<dyn Read + Send>, folder: &Path) -> io::Result<Feed> {
        Ok(Feed::new(source, None, Arc::new(tempfile::tempfile_in(folder)?), true))
    }

    /// The same bytes again from the first one, this time converted from `encoding`.
    pub fn converted(self, encoding: &'static Encoding, folder: &Path) -> io::Result<Feed> {
        let again = FromStart { file: self.file, at: 0 };
        let source: Box<dyn Read + Send> = match self.spills {
            true => Box::new(again.chain(self.source)),
            false => Box::new(again),
        };
        let decoder = encoding.new_decoder_with_bom_removal();
        Ok(Feed::new(source, Some(decoder), Arc::new(tempfile::tempfile_in(folder)?), true))
    }

    fn new(source: Box<dyn Read + Send>, decoder: Option<Decoder>, file: Arc<File>, spills: bool) -> Feed {
        Feed { source, decoder, file, spills, raw: Vec::new(), taken: 0, damaged: false }
    }

    /// The file that holds what was handed out.
    pub fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// Whether the text is being converted.
    pub fn converts(&self) -> bool {
        self.decoder.is_some()
    }

    /// Whether the conversion met bytes that its encoding does not have.
    pub fn damaged(&self) -> bool {
        self.damaged
    }

    /// Bytes taken from the source so far.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// Appends up to about `amount` more bytes to `buffer`; `false` at the end of the source.
    pub fn fill(&mut self, buffer: &mut Vec<u8>, amount: usize) -> io::Result<bool> {
        let before = buffer.len();
        self.raw.resize(amount, 0);
        let read = loop {
            match self.source.read(&mut self.raw) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => break outcome?,
            }
        };
        self.taken += read as u64;
        match &mut self.decoder {
            Some(decoder) => self.damaged |= decode(decoder, &self.raw[..read], buffer),
            None => buffer.extend_from_slice(&self.raw[..read]),
        }
        if self.spills {
            (&*self.file).write_all(&buffer[before..])?;
        }
        Ok(read > 0)
    }
}

/// Appends the converted text; says whether anything had to be replaced.
fn decode(decoder: &mut Decoder, raw: &[u8], buffer: &mut Vec<u8>) -> bool {
    let before = buffer.len();
    // The worst case is a small multiple of the input, far below the range of usize.
    let room = decoder.max_utf8_buffer_length(raw.len()).unwrap_or(raw.len().saturating_mul(4));
    buffer.resize(before + room, 0);
    let (_, _, written, replaced) = decoder.decode_to_utf8(raw, &mut buffer[before..], raw.is_empty());
    buffer.truncate(before + written);
    replaced
}

/// Reads a file from its start by positions, so that no one else's position moves.
struct FromStart {
    file: Arc<File>,
    at: u64,
}

impl Read for FromStart {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(feed: &mut Feed) -> Vec<u8> {
        let mut buffer = Vec::new();
        while feed.fill(&mut buffer, 3).unwrap() {}
        buffer
    }

    #[test]
    fn a_conversion_in_mid_stream_starts_over_and_loses_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut feed = Feed::spilled(Box::new(&b"caf\xe9,na\xefve"[..]), folder.path()).unwrap();
        let mut start = Vec::new();
        feed.fill(&mut start, 5).unwrap();
        let mut feed = feed.converted(encoding_rs::WINDOWS_1252, folder.path()).unwrap();
        assert_eq!(all(&mut feed), "café,naïve".as_bytes());
        let mut kept = [0; 12];
        feed.file().read_exact_at(&mut kept, 0).unwrap();
        assert_eq!(&kept, "café,naïve".as_bytes());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the spill file has no name");
    }
}
