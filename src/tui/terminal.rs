//! The real terminal: taking it over, giving it back however the program ends, and what only it can do (clipboard, editor,
//! suspension).

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::clipboard::CopyToClipboard;
use crossterm::cursor::Show;
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture, Event, EventStream,
};
use crossterm::terminal::{
    EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{execute, terminal};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, stream};
use ratatui::Terminal;
use tokio::signal::unix::{SignalKind, signal};

use super::run::{Heard, Tty};
use super::wire::Wire;
use crate::failure::{Code, Failure};
use crate::store;

/// Whether the screen is ours at the moment, for the panic hook.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal that standard output goes to.
#[derive(Debug)]
pub struct RealTerminal {
    drawing: Terminal<Wire<io::Stdout>>,
    mouse: bool,
}

impl RealTerminal {
    /// Takes the terminal over; it is given back when this is dropped.
    ///
    /// # Errors
    /// Standard output is no terminal, or it cannot be set up.
    pub fn enter(mouse: bool) -> Result<Self, Failure> {
        if !io::stdout().is_terminal() {
            return Err(Failure::new(
                Code::Usage,
                "The interface needs a terminal, and standard output is none.",
                "Run it in a terminal, or use the commands: leadferry help.",
            ));
        }
        let drawing = Terminal::new(Wire::new(io::stdout(), terminal::size)).map_err(unusable)?;
        let mut this = RealTerminal { drawing, mouse };
        this.take()?;
        Ok(this)
    }

    fn take(&mut self) -> Result<(), Failure> {
        enable_raw_mode().map_err(unusable)?;
        TAKEN.store(true, Ordering::SeqCst);
        execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste).map_err(unusable)?;
        if self.mouse {
            execute!(io::stdout(), EnableMouseCapture).map_err(unusable)?;
        }
        self.drawing.backend_mut().forget();
        self.drawing.clear().map_err(unusable)
    }
}

impl Drop for RealTerminal {
    fn drop(&mut self) {
        give_back();
    }
}

/// Gives the terminal back; does nothing when it is not taken.
fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        // Nothing can be done about a terminal that is gone.
        let _gone = execute!(
            io::stdout(),
            EndSynchronizedUpdate,
            DisableMouseCapture,
            DisableBracketedPaste,
            LeaveAlternateScreen,
            Show
        );
        let _gone = disable_raw_mode();
    }
}

/// From now on a panic gives the terminal back before it is reported; one that the store catches is not reported at all.
pub fn restore_on_panic() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if store::panic_is_caught() {
            return;
        }
        give_back();
        report(panic);
    }));
}

fn unusable(error: io::Error) -> Failure {
    Failure::new(
        Code::Failed,
        format!("The terminal cannot be used: {error}."),
        "Check that TERM names your terminal and that standard output is one.",
    )
}

impl Tty for RealTerminal {
    type Backend = Wire<io::Stdout>;

    fn drawing(&mut self) -> &mut Terminal<Self::Backend> {
        &mut self.drawing
    }

    fn keys(&mut self) -> BoxStream<'static, io::Result<Event>> {
        // It reads the controlling terminal when standard input is a file or a pipe.
        EventStream::new().boxed()
    }

    fn signals(&mut self) -> BoxStream<'static, Heard> {
        let kinds = [
            (SignalKind::terminate(), Heard::End),
            (SignalKind::hangup(), Heard::End),
            (SignalKind::interrupt(), Heard::End),
            (SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()), Heard::Continued),
        ];
        let streams = kinds.into_iter().filter_map(|(kind, heard)| {
            let signals = signal(kind).ok()?;
            Some(stream::unfold((signals, heard), |(mut signals, heard)| async move {
                signals.recv().await.map(|()| (heard, (signals, heard)))
            }))
        });
        stream::select_all(streams.map(Box::pin)).boxed()
    }

    fn copy(&mut self, text: &str) -> Result<(), Failure> {
        let out = self.drawing.backend_mut().out();
        execute!(out, CopyToClipboard::to_clipboard_from(text)).map_err(unusable)
    }

    fn suspend(&mut self) -> Result<(), Failure> {
        give_back();
        // The whole group, as the terminal itself would do it for a program in the foreground.
        rustix::process::kill_current_process_group(rustix::process::Signal::STOP)
            .map_err(|error| unusable(error.into()))
    }

    fn resume(&mut self) -> Result<(), Failure> {
        self.take()
    }

    fn edit(&mut self, text: &str) -> Result<String, Failure> {
        give_back();
        let edited = edit(text);
        self.take()?;
        edited
    }
}

/// Opens text in `$VISUAL` or `$EDITOR` and waits for its end. The file between is readable by its owner alone.
fn edit(text: &str) -> Result<String, Failure> {
    let failed = |error: io::Error| {
        Failure::new(Code::Failed, format!("The text could not be edited: {error}."), "Check $EDITOR, then try again.")
    };
    let named = |name| std::env::var(name).ok().filter(|value: &String| !value.trim().is_empty());
    let editor = named("VISUAL").or_else(|| named("EDITOR")).unwrap_or_else(|| "vi".into());
    let mut file = tempfile::Builder::new().prefix("leadferry-").suffix(".json.j2").tempfile().map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.flush().map_err(failed)?;
    let (program, arguments) = words(&editor);
    let mut command = Command::new(program);
    command.args(arguments).arg(file.path());
    if !io::stdin().is_terminal() {
        command.stdin(File::open("/dev/tty").map(Stdio::from).map_err(failed)?);
    }
    let status = command.status().map_err(failed)?;
    if !status.success() {
        return Err(Failure::new(Code::Cancelled, format!("{editor} ended with {status}."), "The text is as it was."));
    }
    // Editors that save by renaming leave another file at the path.
    let mut edited = String::new();
    File::open(file.path()).and_then(|mut file| file.read_to_string(&mut edited)).map_err(failed)?;
    Ok(edited)
}

/// An editor's program and its arguments: `code --wait`.
fn words(editor: &str) -> (&str, Vec<&str>) {
    let mut words = editor.split_whitespace();
    (words.next().unwrap_or("vi"), words.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_editor_may_have_arguments() {
        assert_eq!(words("code --wait"), ("code", vec!["--wait"]));
        assert_eq!(words("vim"), ("vim", vec![]));
    }
}
