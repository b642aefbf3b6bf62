//! What kind of bytes a file begins with: text in some encoding, or something that is no text and gets its name.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// The outcome of a look at the first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// UTF-8, with so many bytes of byte order mark before it.
    Utf8(usize),
    /// Text that has to be converted.
    Foreign(&'static Encoding),
    /// No text: what it is, and what to do about it.
    Binary(&'static str, &'static str),
}

const UNPACK: &str = "Unpack it first.";
const EXPORT: &str = "Save it as CSV and open that.";

const SIGNATURES: &[(&[u8], &str, &str)] = &[
    (b"\x1f\x8b", "a gzip archive", UNPACK),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", UNPACK),
    (b"BZh", "a bzip2 archive", UNPACK),
    (b"\xfd7zXZ", "an xz archive", UNPACK),
    (b"7z\xbc\xaf", "a 7-Zip archive", UNPACK),
    (b"PAR1", "a Parquet file", EXPORT),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", EXPORT),
    (b"SQLite format 3\0", "an SQLite database", EXPORT),
    (b"%PDF-", "a PDF", "Find the table as CSV where the PDF came from."),
];

/// Judges the first bytes of a file.
pub(super) fn kind(sample: &[u8]) -> Kind {
    if let Some((encoding, mark)) = Encoding::for_bom(sample) {
        return if encoding == UTF_8 { Kind::Utf8(mark) } else { Kind::Foreign(encoding) };
    }
    if sample.starts_with(b"PK\x03\x04") {
        let workbook = ["[Content_Types].xml", "xl/"].iter();
        let is_workbook =
            workbook.map(|part| memchr::memmem::find(sample, part.as_bytes())).any(|found| found.is_some());
        return match is_workbook {
            true => Kind::Binary("an Excel workbook", EXPORT),
            false => Kind::Binary("a zip archive", UNPACK),
        };
    }
    if let Some((_, what, remedy)) = SIGNATURES.iter().find(|(signature, ..)| sample.starts_with(signature)) {
        return Kind::Binary(what, remedy);
    }
    if let Some(encoding) = utf16_without_mark(sample) {
        return Kind::Foreign(encoding);
    }
    let controls = sample.iter().filter(|byte| **byte < 0x20 && !matches!(**byte, b'\t' | b'\n' | b'\r')).count();
    if controls * 10 > sample.len() {
        return Kind::Binary("binary data, not text", EXPORT);
    }
    foreign(sample).map_or(Kind::Utf8(0), Kind::Foreign)
}

/// The encoding of bytes that are not UTF-8; `None` when they are, or when they are mostly and only some are damaged.
pub(super) fn foreign(sample: &[u8]) -> Option<&'static Encoding> {
    let (mut letters, mut broken) = (0, 0);
    let mut chunks = sample.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        letters += chunk.valid().chars().filter(|ch| !ch.is_ascii()).count();
        // A letter cut by the end of the sample is no damage.
        let cut = chunks.peek().is_none() && chunk.invalid().len() < 4 && may_continue(chunk.invalid());
        broken += usize::from(!chunk.invalid().is_empty() && !cut);
    }
    if broken == 0 || letters > broken {
        return None;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(sample, true);
    Some(detector.guess(None, Utf8Detection::Deny))
}

fn may_continue(tail: &[u8]) -> bool {
    std::str::from_utf8(tail).is_err_and(|error| error.error_len().is_none())
}

/// Western text in UTF-16 has a zero in almost every second byte.
fn utf16_without_mark(sample: &[u8]) -> Option<&'static Encoding> {
    let pairs = sample.len() / 2;
    let zeros = |odd: usize| sample.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    match pairs {
        0..4 => None,
        _ if odd * 10 > pairs * 7 && even * 20 < pairs => Some(UTF_16LE),
        _ if even * 10 > pairs * 7 && odd * 20 < pairs => Some(UTF_16BE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_called_by_its_name() {
        assert!(matches!(kind(b"PK\x03\x04....[Content_Types].xml"), Kind::Binary("an Excel workbook", _)));
        assert!(matches!(kind(b"PK\x03\x04....notes.txt"), Kind::Binary("a zip archive", _)));
        assert!(matches!(kind(b"\x1f\x8b\x08\0"), Kind::Binary("a gzip archive", _)));
        assert!(matches!(kind(b"PAR1\x15\x04"), Kind::Binary("a Parquet file", _)));
        assert!(matches!(kind(&[0, 1, 2, 3, 0, 0, 7, 9]), Kind::Binary(..)));
    }

    #[test]
    fn encodings_are_told_apart() {
        assert_eq!(kind(b"name\nJos\xe9\nZo\xeb\n"), Kind::Foreign(encoding_rs::WINDOWS_1252));
        assert_eq!(kind(b"\xff\xfen\0a\0"), Kind::Foreign(UTF_16LE));
        assert_eq!(kind(b"n\0a\0m\0e\0\n\0b\0"), Kind::Foreign(UTF_16LE));
        assert_eq!(kind(b"\xef\xbb\xbfname"), Kind::Utf8(3));
        assert_eq!(kind("name\nJosé\nZoë\n".as_bytes()), Kind::Utf8(0));
        assert_eq!(
            kind(b"name\nJohn\0\nabcdefghijklmnop\n"),
            Kind::Utf8(0),
            "a stray NUL is a damaged cell, not a binary"
        );
    }

    #[test]
    fn one_damaged_letter_in_utf8_does_not_change_the_encoding_of_the_rest() {
        assert_eq!(
            kind("José\nZoë\nAnaïs\n".as_bytes().iter().copied().chain(*b"\xe9\n").collect::<Vec<_>>().as_slice()),
            Kind::Utf8(0)
        );
        assert_eq!(kind(&"José".as_bytes()[..4]), Kind::Utf8(0), "a letter cut by the end of the sample");
    }
}
