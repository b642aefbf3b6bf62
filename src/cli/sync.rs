//! `leadferry sync`: sending a list to a destination, now.

use clap::{Subcommand, ValueEnum};
use jiff::SignedDuration;

use super::follow::run_and_follow;
use super::out::Out;
use super::session::Session;
use crate::config::parse_duration;
use crate::engine::messages::Request;
use crate::failure::{Code, Failure};
use crate::sync::{Destination, Mode};

/// How long a command stays with a run whose next try is some time away.
pub const DEFAULT_WAIT: SignedDuration = SignedDuration::from_secs(60);

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Sync {
    /// Send a list to a destination now
    ///
    /// An unfinished run of the same list and destination is settled first. The command ends when every lead has an outcome
    /// (exit 0, or 3 when some failed), or when the next try is further away than --wait (exit 6).
    Run {
        /// The list's name
        list: String,
        /// crm:PLATFORM, crm:PLATFORM/ACCOUNT or webhook:NAME
        #[arg(long, value_name = "DEST", value_parser = destination)]
        to: Destination,
        /// What may be done to records of a CRM; as remembered, or upsert
        #[arg(long)]
        mode: Option<ModeName>,
        /// How long to wait for the next try of what has to be retried
        #[arg(long, value_name = "TIME", default_value = "60s", value_parser = wait)]
        wait: SignedDuration,
    },
}

/// [`Mode`] as a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ModeName {
    /// Create what is new, update what is there
    Upsert,
    /// Create what is new, leave what is there
    Create,
    /// Update what is there, leave what is new
    Update,
}

impl Sync {
    /// Carries it out.
    pub async fn run(self, session: &Session, out: &mut Out) -> Result<u8, Failure> {
        let Sync::Run { list, to, mode, wait } = self;
        if let (Destination::Webhook { .. }, Some(_)) = (&to, mode) {
            return Err(Failure::new(Code::Usage, "A webhook has no --mode: it gets every lead.", "Leave --mode out."));
        }
        let mode = mode.map(|mode| match mode {
            ModeName::Upsert => Mode::Upsert,
            ModeName::Create => Mode::Create,
            ModeName::Update => Mode::Update,
        });
        let request = Request::StartRun { list, destination: to, settings: None, mode };
        run_and_follow(session, out, request, wait).await
    }
}

/// A destination as a flag: cause and remedy in one sentence.
fn destination(text: &str) -> Result<Destination, String> {
    text.parse().map_err(|failure: Failure| format!("{} {}", failure.message, failure.remedy))
}

/// A length of time as a flag.
pub fn wait(text: &str) -> Result<SignedDuration, String> {
    SignedDuration::try_from(parse_duration(text)?).map_err(|_| format!("'{text}' is too long."))
}
