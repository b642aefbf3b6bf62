//! What reaches the terminal, and what a program reads.

use std::sync::{Arc, Mutex};

use super::*;

/// A stream that keeps what is written, or is closed by its reader.
#[derive(Clone, Default)]
struct Kept {
    bytes: Arc<Mutex<Vec<u8>>>,
    closed: bool,
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.closed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.bytes.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Kept {
    fn text(&self) -> String {
        String::from_utf8(self.bytes.lock().unwrap().clone()).unwrap()
    }
}

fn out(format: Format, watched: bool) -> (Out, Kept, Kept) {
    let (stdout, stderr) = (Kept::default(), Kept::default());
    (Out::over(format, Box::new(stdout.clone()), Box::new(stderr.clone()), watched), stdout, stderr)
}

#[test]
fn no_name_in_a_file_or_answer_can_steer_the_terminal() {
    let hostile = "a\x1b]0;owned\x07\u{202e}b";
    let (mut text, stdout, stderr) = out(Format::Text, false);
    text.line(hostile).unwrap();
    text.page(hostile).unwrap();
    text.fail(&Failure::new(Code::Failed, hostile, hostile));
    for shown in [stdout.text(), stderr.text()] {
        assert!(!shown.contains(['\x1b', '\x07', '\u{202e}']), "{shown:?}");
    }
}

#[test]
fn json_carries_the_value_unchanged_and_no_steering_letter() {
    let value = json!({ "name": "a\u{9b}31m\u{202e}\u{e0041}\"\\\n日本" });
    let (mut json, stdout, _) = out(Format::Json, false);
    json.json(&value).unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&stdout.text()).unwrap(), value);
    assert!(!stdout.text().trim_end().contains(is_dangerous), "{:?}", stdout.text());
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let closed = Kept { closed: true, ..Kept::default() };
    let mut text = Out::over(Format::Text, Box::new(closed), Box::new(Kept::default()), false);
    assert!(!text.is_gone());
    text.line("one").unwrap();
    text.line("two").unwrap();
    assert!(text.is_gone());
}

#[test]
fn an_error_for_a_program_is_one_object_with_cause_and_remedy() {
    let (mut json, stdout, stderr) = out(Format::Json, false);
    json.note("a hint");
    json.fail(&Failure::new(Code::SignInNeeded, "No.", "Sign in."));
    assert_eq!(stderr.text(), "{\"code\":\"sign_in_needed\",\"message\":\"No.\",\"remedy\":\"Sign in.\"}\n");
    assert_eq!(stdout.text(), "");
}

#[test]
fn progress_is_wiped_before_the_next_line_and_absent_from_logs() {
    let (mut watched, _, stderr) = out(Format::Text, true);
    watched.progress("1 of 2");
    watched.warn("careful");
    assert_eq!(stderr.text(), "\r\x1b[K1 of 2\r\x1b[KWarning: careful\n");
    let (mut logged, _, stderr) = out(Format::Text, false);
    logged.progress("1 of 2");
    assert_eq!(stderr.text(), "");
}
