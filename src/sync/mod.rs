//! Moving a list to a destination: mapping, planning a run, carrying it out, an outcome per lead, backoff and limits.

pub mod backoff;
pub mod journal;
pub mod mapping;
pub mod plan;
pub mod run;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::failure::{Code, Failure};

/// Where leads go.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Destination {
    /// `crm:salesforce` or `crm:zoho/eu-team`.
    Crm {
        /// The platform id.
        platform: String,
        /// The connection's label; empty for the only or first one.
        account: String,
    },
    /// `webhook:crm-bridge`.
    Webhook {
        /// The webhook's name.
        name: String,
    },
}

impl fmt::Display for Destination {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Destination::Crm { platform, account } if account.is_empty() => write!(out, "crm:{platform}"),
            Destination::Crm { platform, account } => write!(out, "crm:{platform}/{account}"),
            Destination::Webhook { name } => write!(out, "webhook:{name}"),
        }
    }
}

impl FromStr for Destination {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        let parsed = match text.split_once(':') {
            Some(("crm", rest)) if !rest.is_empty() => {
                let (platform, account) = rest.split_once('/').unwrap_or((rest, ""));
                Some(Destination::Crm { platform: platform.into(), account: account.into() })
            }
            Some(("webhook", name)) if !name.is_empty() => Some(Destination::Webhook { name: name.into() }),
            _ => None,
        };
        parsed.ok_or_else(|| {
            Failure::new(
                Code::Usage,
                format!("'{text}' is not a destination."),
                "Write crm:PLATFORM, crm:PLATFORM/ACCOUNT or webhook:NAME.",
            )
        })
    }
}

impl TryFrom<String> for Destination {
    type Error = Failure;

    fn try_from(text: String) -> Result<Self, Failure> {
        text.parse()
    }
}

impl From<Destination> for String {
    fn from(destination: Destination) -> String {
        destination.to_string()
    }
}

/// What a run may do to records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Create what is new, update what is there.
    #[default]
    Upsert,
    /// Create what is new, leave what is there.
    Create,
    /// Update what is there, leave what is new.
    Update,
}

/// One row of a mapping: a lead's value goes into a field of the destination.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MappingRow {
    /// A standard field's name or an original header.
    pub from: String,
    /// The destination's field name; empty = not sent.
    pub to: String,
}

/// What "confirm sync settings" shows and sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// What may be done to records.
    pub mode: Mode,
    /// Which value goes where.
    pub mapping: Vec<MappingRow>,
    /// The Campaign, static list, tag … that the leads are kept together by; empty = none.
    pub group: String,
}

/// What a run would do, before it does it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The list's name.
    pub list: String,
    /// The version it would send.
    pub version: u32,
    /// Where to.
    pub destination: Destination,
    /// The account, for a person: `Acme Inc. (dana@acme.test)`.
    pub account: String,
    /// What the vendor calls its groups: `Campaign`.
    pub grouping: String,
    /// The settings it starts from: remembered ones, else the vendor's defaults.
    pub settings: Settings,
    /// The fields of the account that a mapping may name.
    pub fields: Vec<crate::crm::RemoteField>,
    /// How many leads.
    pub leads: u64,
    /// The least number of calls.
    pub calls: u64,
    /// What a person should know before: `12 leads have no e-mail and will be skipped`.
    pub warnings: Vec<String>,
}

/// What became of one lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Not tried yet.
    Pending,
    /// A record was made.
    Created,
    /// A record was changed.
    Updated,
    /// The record already said the same.
    Unchanged,
    /// Refused, with a reason.
    Failed,
    /// The answer never came and a look-up could not tell.
    Unknown,
    /// Not sent: filtered, mode, no key.
    Skipped,
    /// A webhook took it (2xx).
    Delivered,
    /// Given up for now; can be replayed.
    Parked,
    /// A newer version of the lead went out instead.
    Superseded,
}

/// One lead of a run that needs a person's eye.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadOutcome {
    /// Its position in the list version.
    pub position: u64,
    /// Name or e-mail, for a person.
    pub lead: String,
    /// What became of it.
    pub outcome: Outcome,
    /// The vendor's reason, its own words.
    pub reason: String,
    /// What to do about it.
    pub next_step: String,
    /// The vendor's id of the record; empty when there is none.
    pub remote_id: String,
}

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Going on.
    Running,
    /// Waiting for a time: backoff, quota.
    Waiting,
    /// Every lead has an outcome.
    Done,
    /// Stopped by something only a person can mend: sign-in, permission, plan.
    Stopped,
    /// Stopped by the person.
    Cancelled,
}

/// One execution of a sync, as lists and progress show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSummary {
    /// The run's id; sorts by time.
    pub id: String,
    /// The list's name when it started.
    pub list: String,
    /// The version sent.
    pub version: u32,
    /// Where to.
    pub destination: Destination,
    /// How it stands.
    pub state: RunState,
    /// When it started.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// When it goes on, while waiting.
    pub next_try: Option<Timestamp>,
    /// How many leads in all.
    pub total: u64,
    /// How many leads per outcome; absent = 0.
    pub counts: BTreeMap<Outcome, u64>,
    /// Why it waits or stopped, with what to do.
    pub trouble: Option<Failure>,
}

impl RunSummary {
    /// How many leads ended like this.
    pub fn count(&self, outcome: Outcome) -> u64 {
        self.counts.get(&outcome).copied().unwrap_or(0)
    }

    /// How many leads have an outcome.
    pub fn settled(&self) -> u64 {
        self.total.saturating_sub(self.count(Outcome::Pending))
    }
}
