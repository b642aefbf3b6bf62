//! The command line: one file per noun; arguments in, text or JSON out, an exit code at the end.

mod columns;
mod connect;
mod connection;
mod demo;
mod doctor;
mod event;
mod follow;
mod help;
mod input;
mod interface;
mod list;
mod out;
mod run;
mod session;
mod sync;
mod webhook;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
use clap_complete::Shell;

use self::input::Input;
use self::out::{Format, Out};
use self::session::{Ground, Session};
use crate::failure::{Code, Failure};

/// What stands below the help of the whole program.
const AFTER_HELP: &str = "\
Exit codes: 0 done; 1 failed; 2 wrong usage or unreadable input; 3 finished, but some leads failed; 4 sign-in needed; \
5 the store is held, damaged or newer than this program; 6 still waiting for a retry.

More: leadferry help COMMAND, leadferry help json, leadferry help filter";

/// Pick leads in the terminal, save them as a list, and ferry them into a CRM or a webhook
#[derive(Debug, Parser)]
#[command(name = "leadferry", version, after_help = AFTER_HELP, disable_help_subcommand = true, max_term_width = 100)]
struct Arguments {
    /// Answer in JSON, one value a line; see help json
    #[arg(long, global = true, display_order = 900)]
    json: bool,
    /// A setting for this once, such as network.timeout=30s; wins over file and environment
    #[arg(long = "set", global = true, display_order = 900, value_name = "SECTION.KEY=VALUE")]
    settings: Vec<String>,
    /// A file of leads to open in the terminal interface: CSV, TSV or JSON lines; - is standard input
    file: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Try everything with sample leads and a practice CRM and webhook on this machine
    Demo {
        #[command(subcommand)]
        verb: Option<demo::Demo>,
    },
    /// Saved lead lists
    #[command(subcommand)]
    List(list::List),
    /// Sign in to a CRM
    Connect(connect::Connect),
    /// CRM accounts that are signed in
    #[command(subcommand)]
    Connection(connection::Connection),
    /// Outgoing webhooks
    #[command(subcommand)]
    Webhook(webhook::Webhook),
    /// Send a list to a destination
    #[command(subcommand)]
    Sync(sync::Sync),
    /// What was sent, and what became of it
    #[command(subcommand)]
    Run(run::Run),
    /// Analytics events, kept on this machine
    #[command(subcommand)]
    Event(event::Event),
    /// Check the store and the settings
    Doctor,
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page of leadferry or of a command
    Man {
        /// The command
        command: Vec<String>,
    },
    /// Show the help of a command, or on json or filter
    Help {
        /// The command or topic
        command: Vec<String>,
    },
}

/// Runs the program with these arguments (the first is its own name) and answers the exit code.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let wants_json = arguments.iter().any(|argument| argument == "--json");
    let mut out = Out::new(if wants_json { Format::Json } else { Format::Text });
    let ended = match Arguments::try_parse_from(&arguments) {
        Ok(arguments) => run(arguments, &mut out),
        Err(error) => refuse(&error, &mut out),
    };
    let code = match ended {
        Ok(code) => code,
        Err(failure) => {
            out.fail(&failure);
            failure.code.exit()
        }
    };
    match out.flush() {
        Ok(()) => code,
        Err(failure) => {
            out.fail(&failure);
            failure.code.exit()
        }
    }
}

/// Help and version that were asked for are answers; everything else is wrong usage.
fn refuse(error: &clap::Error, out: &mut Out) -> Result<u8, Failure> {
    let text = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            out.page(&text)?;
            return Ok(0);
        }
        // A noun without its verb: the help is what is missing.
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand if !out.is_json() => {
            out.note_page(&text);
            return Ok(Code::Usage.exit());
        }
        _ => {}
    }
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let cause = lines.next().unwrap_or_default().trim_start_matches("error: ");
    let lines: Vec<&str> = lines.filter(|line| !line.starts_with("For more information")).collect();
    let (cause, remedy) = match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => ("The command is not complete.", String::new()),
        _ => (cause, lines.join("\n")),
    };
    Err(Failure::new(Code::Usage, cause, if remedy.is_empty() { "See leadferry --help.".into() } else { remedy }))
}

fn run(arguments: Arguments, out: &mut Out) -> Result<u8, Failure> {
    let Arguments { settings, file, command, .. } = arguments;
    if let (Some(file), Some(_)) = (&file, &command) {
        let message = format!("{} stands before a command, where only a file to open could.", file.display());
        return Err(Failure::new(Code::Usage, message, "Leave it out, or put it behind the command's name."));
    }
    match command {
        Some(Command::Completions { shell }) => return help::completions(shell, out),
        Some(Command::Man { command }) => return help::man(&command, out),
        Some(Command::Help { command }) => return help::help(&command, out),
        _ => {}
    }
    crate::net::install_provider();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        Failure::new(
            Code::Failed,
            format!("No threads can be started: {error}."),
            "Close other programs and try again.",
        )
    })?;
    let ended = runtime.block_on(async {
        match command {
            None => interface::run(file, &settings, out).await,
            Some(Command::Demo { verb }) => demo::run(verb, &settings, out).await,
            Some(command) => with_engine(command, &settings, out).await,
        }
    });
    // A thread that still waits for standard input must not hold the program up.
    runtime.shutdown_background();
    ended
}

async fn with_engine(command: Command, settings: &[String], out: &mut Out) -> Result<u8, Failure> {
    let ground = Ground::prepare(settings, out)?;
    let session = ground.open().await?;
    let ended = carry_out(command, &session, out).await;
    session.close().await;
    ended
}

async fn carry_out(command: Command, session: &Session, out: &mut Out) -> Result<u8, Failure> {
    let mut input = Input::default();
    match command {
        Command::List(list) => list.run(session, out, &mut input).await,
        Command::Connect(connect) => connect.run(session, out, &mut input).await,
        Command::Connection(connection) => connection.run(session, out, &mut input).await,
        Command::Webhook(webhook) => webhook.run(session, out, &mut input).await,
        Command::Sync(sync) => sync.run(session, out).await,
        Command::Run(run) => run.run(session, out).await,
        Command::Event(event) => event.run(session, out).await,
        Command::Doctor => doctor::run(session, out).await,
        // These need no engine and were carried out before.
        Command::Demo { .. } | Command::Completions { .. } | Command::Man { .. } | Command::Help { .. } => Ok(0),
    }
}
