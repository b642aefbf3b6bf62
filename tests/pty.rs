//! The real program in a real terminal: start, type, resize, suspend and continue, be ended, panic; the terminal is given
//! back each time. And nothing is written while nothing happens.
#![cfg(test)]

use std::fs::File;
use std::io::{Read, Write};
use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use leadferry::tui::{RealTerminal, restore_on_panic};
use rexpect::process::PtyProcess;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

/// No machine is so slow that this is not enough.
const LONGEST: Duration = Duration::from_secs(30);

/// A program in a terminal of our own.
struct Terminal {
    /// Ended when this goes.
    _process: PtyProcess,
    handle: File,
    bytes: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    /// Everything that came so far.
    written: Vec<u8>,
    home: tempfile::TempDir,
}

impl Terminal {
    /// Runs a line of shell in a folder with `leads.csv`; `$LF` is the program, `$SELF` this test.
    fn run(line: &str) -> Terminal {
        let home = tempfile::tempdir().unwrap();
        let mut leads = String::from("score,name,company,email\n");
        for at in 0..200 {
            leads.push_str(&format!("{},Person {at},Homes {at},p{at}@example.test\n", 99 - at / 4));
        }
        std::fs::write(home.path().join("leads.csv"), leads).unwrap();
        // A program starts with the size that its terminal has by then.
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("stty cols 100 rows 30; echo $$ > pid; exec {line}")]);
        shell.current_dir(home.path()).env_clear();
        shell.env("LF", env!("CARGO_BIN_EXE_leadferry")).env("SELF", std::env::current_exe().unwrap());
        shell.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        shell.env("LEADFERRY_HOME", home.path().join("home")).env("TERM", "xterm-256color").env("LANG", "C.UTF-8");
        let mut process = PtyProcess::new(shell).unwrap();
        process.set_kill_timeout(Some(5_000));
        let handle = process.get_file_handle().unwrap();
        let mut reader = process.get_file_handle().unwrap();
        let (sender, bytes) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 65_536];
            while let Ok(len @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..len].to_vec()).is_err() {
                    return;
                }
            }
        });
        let screen = vt100::Parser::new(30, 100, 0);
        Terminal { _process: process, handle, bytes, screen, written: Vec::new(), home }
    }

    fn pid(&self) -> Pid {
        let text = std::fs::read_to_string(self.home.path().join("pid")).unwrap();
        Pid::from_raw(text.trim().parse().unwrap()).unwrap()
    }

    fn send(&mut self, keys: &[u8]) {
        self.handle.write_all(keys).unwrap();
    }

    fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Takes in what comes until the picture is as wished.
    fn until(&mut self, what: &str, wished: impl Fn(&vt100::Screen) -> bool) {
        let deadline = Instant::now() + LONGEST;
        while !wished(self.screen.screen()) {
            match self.bytes.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(bytes) => {
                    self.screen.process(&bytes);
                    self.written.extend(bytes);
                }
                Err(why) => panic!("{what} never came ({why}):\n{}", self.screen.screen().contents()),
            }
        }
    }

    fn until_text(&mut self, text: &str) {
        self.until(text, |screen| screen.contents().contains(text));
    }

    /// Takes in what comes until nothing has come for so long; answers how many bytes that were.
    fn quiet(&mut self, for_long: Duration) -> usize {
        let mut many = 0;
        loop {
            match self.bytes.recv_timeout(for_long) {
                Ok(bytes) => {
                    many += bytes.len();
                    self.screen.process(&bytes);
                    self.written.extend(bytes);
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return many,
            }
        }
    }

    /// Waits for the end; answers the exit code.
    fn end(&mut self) -> Option<i32> {
        let ended = waitpid(Some(self.pid()), WaitOptions::empty()).unwrap();
        self.quiet(Duration::from_millis(300));
        ended.and_then(|(_, status)| status.exit_status())
    }

    /// Whether the terminal is as a shell wants it: no other screen, lines edited by the terminal, cursor shown.
    fn assert_given_back(&mut self) {
        let screen = self.screen.screen();
        assert!(!screen.alternate_screen(), "the other screen is still there");
        assert!(!screen.bracketed_paste(), "pastes are still bracketed");
        assert!(!screen.hide_cursor(), "the cursor is hidden");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None, "the mouse is still captured");
        let modes = tcgetattr(&self.handle).unwrap().local_modes;
        assert!(modes.contains(LocalModes::ICANON | LocalModes::ISIG), "the terminal is still raw");
    }
}

/// With the leads on the screen.
fn opened() -> Terminal {
    let mut terminal = Terminal::run(r#""$LF" leads.csv"#);
    terminal.until_text("0 of 200 selected");
    terminal
}

#[test]
fn leads_are_selected_named_and_saved_and_a_resize_draws_anew() {
    let mut terminal = opened();
    terminal.send(b"  \x1b[B ");
    terminal.until_text("3 of 200 selected");
    terminal.send(b"\tTop Three");
    terminal.until_text("Top Three");
    tcsetwinsize(&terminal.handle, Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    terminal.screen.screen_mut().set_size(24, 80);
    terminal
        .until("the smaller screen", |screen| screen.rows(0, 80).last().is_some_and(|row| row.contains("enter save")));
    terminal.send(b"\r");
    terminal.until_text("Saved 3 leads to Top Three");
    let written = String::from_utf8_lossy(&terminal.written).into_owned();
    assert_eq!(written.matches("\x1b[?2026h").count(), written.matches("\x1b[?2026l").count());
    terminal.send(b"\x1b\x1bq");
    assert_eq!(terminal.end(), Some(0));
    terminal.assert_given_back();
}

#[test]
fn the_cursor_is_where_the_focus_is() {
    let mut terminal = opened();
    terminal.until("the cursor on the first mark", |screen| {
        let (row, column) = screen.cursor_position();
        let line = screen.rows(0, 100).nth(usize::from(row)).unwrap_or_default();
        line.contains("▸[ ]") && column == 3
    });
    terminal.send(b"\tab");
    terminal.until("the cursor after the name", |screen| {
        let (row, column) = screen.cursor_position();
        let cell = |column: u16| screen.cell(row, column).map(|cell| cell.contents().to_owned());
        column > 0 && cell(column - 1).as_deref() == Some("b")
    });
}

#[test]
fn nothing_is_written_while_nothing_happens() {
    let mut terminal = opened();
    terminal.send(b"jjk");
    terminal.quiet(Duration::from_millis(800));
    assert_eq!(terminal.quiet(Duration::from_secs(2)), 0);
    // It is still there.
    terminal.send(b" ");
    terminal.until_text("1 of 200 selected");
}

#[test]
fn ctrl_z_gives_the_terminal_back_and_going_on_takes_it_again() {
    let mut terminal = opened();
    terminal.send(b" ");
    terminal.until_text("1 of 200 selected");
    for _ in 0..2 {
        terminal.send(b"\x1a");
        let stopped = waitpid(Some(terminal.pid()), WaitOptions::UNTRACED).unwrap();
        assert!(stopped.is_some_and(|(_, status)| status.stopped()), "{stopped:?}");
        terminal.quiet(Duration::from_millis(300));
        terminal.assert_given_back();
        terminal.signal(Signal::CONT);
        terminal
            .until("the screen", |screen| screen.alternate_screen() && screen.contents().contains("1 of 200 selected"));
    }
    terminal.send(b" ");
    terminal.until_text("2 of 200 selected");
}

#[test]
fn the_terminal_is_given_back_when_the_program_is_ended() {
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let mut terminal = opened();
        terminal.signal(signal);
        assert_eq!(terminal.end(), Some(0), "{signal:?}");
        terminal.assert_given_back();
    }
}

#[test]
fn leads_from_a_pipe_leave_the_keyboard_to_the_person() {
    let mut terminal = Terminal::run(r#""$LF" - < leads.csv"#);
    terminal.until_text("0 of 200 selected");
    terminal.send(b"  ");
    terminal.until_text("2 of 200 selected");
}

#[test]
fn the_payload_is_edited_in_the_editor_and_the_screen_comes_back() {
    let mut terminal = Terminal::run(r#"env EDITOR="sh edit.sh" "$LF" leads.csv"#);
    let script = r#"test "$(stat -c %a "$1")" = 600 && printf '{"mine": {{ lead.email }}}' > "$1""#;
    std::fs::write(terminal.home.path().join("edit.sh"), script).unwrap();
    terminal.until_text("0 of 200 selected");
    terminal.send(b"4");
    terminal.until_text("Press n to make one");
    terminal.send(b"n");
    terminal.until_text("Activate");
    terminal.send(b"\x18");
    terminal.until_text(r#""mine": "p0@example.test""#);
    // Keys are heard again.
    terminal.send(b"bridge");
    terminal.until_text("bridge");
}

#[test]
fn a_panic_is_told_on_a_terminal_that_was_given_back() {
    let mut terminal =
        Terminal::run(r#"env PANIC_HERE=1 "$SELF" --exact --nocapture --ignored panics_in_the_terminal"#);
    terminal.until_text("the panic of the test");
    terminal.end();
    terminal.assert_given_back();
}

/// Run by the test above, in a terminal.
#[test]
#[ignore = "takes the terminal and panics on purpose; another test runs it"]
fn panics_in_the_terminal() {
    if std::env::var_os("PANIC_HERE").is_some() {
        restore_on_panic();
        let _terminal = RealTerminal::enter(true).unwrap();
        panic!("the panic of the test");
    }
}
