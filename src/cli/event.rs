//! `leadferry event`: the analytics events, which never leave this machine by themselves.

use clap::Subcommand;

use super::columns::{Columns, time};
use super::out::Out;
use super::session::{Session, ask};
use crate::engine::messages::{Reply, Request};
use crate::failure::Failure;

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Event {
    /// Show events, newest first
    Ls {
        /// How many
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: usize,
    },
}

impl Event {
    /// Carries it out.
    pub async fn run(self, session: &Session, out: &mut Out) -> Result<u8, Failure> {
        let Event::Ls { limit } = self;
        let events = ask!(session, Request::Events { limit }, Reply::Events(events) => events)?;
        if out.is_json() {
            out.json(&events)?;
            return Ok(0);
        }
        let mut table = Columns::new(&["Time", "Event", "Platform", "#Leads", "List"]);
        for event in events {
            let name = serde_json::to_value(event.event).ok();
            let name = name.as_ref().and_then(|name| name.as_str()).unwrap_or_default().to_owned();
            table.row([time(event.timestamp), name, event.platform, event.lead_count.to_string(), event.list_name]);
        }
        table.print(out, "No events yet.")?;
        Ok(0)
    }
}
