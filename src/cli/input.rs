//! What the command line reads: lines of standard input, hidden secrets, yes or no.

use std::io::{self, BufRead, IsTerminal};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::sync::mpsc;

use super::out::Out;
use crate::failure::{Code, Failure};
use crate::vault::Secret;

/// Standard input, line by line. A thread of its own reads it, so that a command can wait for something else meanwhile.
#[derive(Default)]
pub struct Input {
    lines: Option<mpsc::Receiver<io::Result<String>>>,
}

impl Input {
    /// Whether a person types.
    pub fn is_terminal(&self) -> bool {
        io::stdin().is_terminal()
    }

    /// The next line without its break; `None` at the end. May be given up and asked again.
    ///
    /// # Errors
    /// [`Code::Unreadable`] when standard input breaks off or is no text.
    pub async fn line(&mut self) -> Result<Option<String>, Failure> {
        let lines = self.lines.get_or_insert_with(read_lines);
        match lines.recv().await {
            None => Ok(None),
            Some(Ok(line)) => Ok(Some(line)),
            Some(Err(error)) => Err(Failure::new(
                Code::Unreadable,
                format!("Standard input cannot be read: {error}."),
                "Give it as plain text.",
            )),
        }
    }

    /// A line that must be there: `what` names it, and `elsewhere` says where else it could come from.
    ///
    /// # Errors
    /// [`Code::Usage`] when standard input has ended or the line is empty.
    pub async fn needed(&mut self, what: &str, elsewhere: &str) -> Result<String, Failure> {
        let line = self.line().await?.unwrap_or_default().trim().to_owned();
        if line.is_empty() {
            return Err(Failure::new(Code::Usage, format!("Standard input holds no {what}."), elsewhere));
        }
        Ok(line)
    }

    /// A secret: typed without being shown where a person types, else a line of standard input.
    ///
    /// # Errors
    /// [`Code::Usage`] when there is none, [`Code::Cancelled`] by ctrl-c.
    pub async fn secret(&mut self, out: &mut Out, what: &str, elsewhere: &str) -> Result<Secret, Failure> {
        if !self.is_terminal() {
            return self.needed(what, elsewhere).await.map(Secret::new);
        }
        out.ask(&format!("{what} (not shown):"));
        let hidden = Hidden::begin();
        let typed = tokio::select! {
            typed = self.needed(what, elsewhere) => typed,
            _ = tokio::signal::ctrl_c() => Err(cancelled()),
        };
        drop(hidden);
        typed.map(Secret::new)
    }

    /// Asks a person; where nobody types, `--yes` has to say it.
    ///
    /// # Errors
    /// [`Code::Usage`] when there is nobody to ask.
    pub async fn confirm(&mut self, out: &mut Out, question: &str) -> Result<bool, Failure> {
        if !self.is_terminal() {
            return Err(Failure::new(
                Code::Usage,
                format!("{question} Nobody is here to answer."),
                "Add --yes to go on without asking.",
            ));
        }
        out.ask(&format!("{question} [y/N]"));
        let answer = self.line().await?.unwrap_or_default();
        Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
    }
}

/// The failure of a command that a person stopped.
pub fn cancelled() -> Failure {
    Failure::new(Code::Cancelled, "Stopped.", "")
}

fn read_lines() -> mpsc::Receiver<io::Result<String>> {
    let (sender, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            let failed = line.is_err();
            if sender.blocking_send(line).is_err() || failed {
                return;
            }
        }
    });
    lines
}

/// While it lives, the terminal does not show what is typed.
struct Hidden(Option<Termios>);

impl Hidden {
    fn begin() -> Hidden {
        let Ok(before) = tcgetattr(io::stdin()) else { return Hidden(None) };
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        silent.local_modes.insert(LocalModes::ECHONL);
        Hidden(tcsetattr(io::stdin(), OptionalActions::Flush, &silent).is_ok().then_some(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}
