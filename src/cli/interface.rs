//! The way into the terminal interface: only with a terminal, and with a hint when the argument was meant as a command.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::CommandFactory;

use super::out::Out;
use super::session::Ground;
use crate::failure::{Code, Failure};
use crate::text::nearest;
use crate::tui;

/// Opens the interface on a file of leads, `-` for standard input, or on what was open last.
pub async fn run(file: Option<PathBuf>, flags: &[String], out: &mut Out) -> Result<u8, Failure> {
    if let Some(file) = &file {
        check(file)?;
    }
    if !std::io::stdout().is_terminal() {
        return Err(Failure::new(
            Code::Usage,
            "The interface needs a terminal, and standard output is none.",
            "Run it in a terminal, or use the commands: leadferry --help.",
        ));
    }
    let ground = Ground::prepare(flags, out)?;
    let spill = ground.paths.data.clone();
    show(&ground, tui::Start { file, demo: None, spill }).await
}

/// Runs the interface; the one place that does. It holds the engine until it ends.
pub async fn show(ground: &Ground, start: tui::Start) -> Result<u8, Failure> {
    let session = ground.open().await?;
    let ended = tui::run(session.engine.clone(), start).await;
    session.close().await;
    ended
}

/// A file that is not there may have been meant as a command.
fn check(file: &Path) -> Result<(), Failure> {
    if file == Path::new("-") || file.exists() {
        return Ok(());
    }
    let word = file.to_string_lossy();
    let command = super::Arguments::command();
    let remedy = match nearest(&word, command.get_subcommands().map(clap::Command::get_name)) {
        Some(name) => format!("Did you mean the command {name}? See leadferry --help."),
        None => "Check the path, or see leadferry --help for the commands.".to_owned(),
    };
    Err(Failure::new(Code::Unreadable, format!("There is no file {word}."), remedy))
}
