//! `leadferry run`: what was sent, what became of it, and trying again.

use clap::Subcommand;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::columns::{Columns, maybe_time, time};
use super::follow::{add_counts, outcome, print_leads, run_and_follow, sentence};
use super::list::Target;
use super::out::Out;
use super::session::{Session, ask};
use super::sync::wait;
use crate::engine::messages::{Reply, Request};
use crate::failure::Failure;
use crate::lead::{Column, Lead, Schema};
use crate::sync::{LeadOutcome, RunState, RunSummary};

/// The verbs. ID is a run's id or the beginning of it that only one run has.
#[derive(Debug, Subcommand)]
pub enum Run {
    /// Show runs, newest first
    Ls {
        /// How many
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: usize,
    },
    /// Show a run and the leads that need a look
    Show {
        /// The run
        id: String,
    },
    /// Try the failed, unknown and parked leads of a run again
    Retry {
        /// The run
        id: String,
        /// How long to wait for the next try of what has to be retried
        #[arg(long, value_name = "TIME", default_value = "60s", value_parser = wait)]
        wait: SignedDuration,
    },
    /// Write the leads that need a look, with reason and next step, as CSV or JSON lines
    Export {
        /// The run
        id: String,
        #[command(flatten)]
        target: Target,
    },
}

impl Run {
    /// Carries it out.
    pub async fn run(self, session: &Session, out: &mut Out) -> Result<u8, Failure> {
        match self {
            Run::Ls { limit } => ls(session, out, limit).await,
            Run::Show { id } => show(session, out, id).await,
            Run::Retry { id, wait } => run_and_follow(session, out, Request::RetryRun { run: id }, wait).await,
            Run::Export { id, target } => export(session, out, id, &target).await,
        }
    }
}

async fn ls(session: &Session, out: &mut Out, limit: usize) -> Result<u8, Failure> {
    let runs = ask!(session, Request::Runs { limit }, Reply::Runs(runs) => runs)?;
    if out.is_json() {
        out.json(&runs.iter().map(object).collect::<Vec<_>>())?;
        return Ok(0);
    }
    let mut table = Columns::new(&["Run", "Started", "State", "List", "Destination", "Outcome"]);
    for run in runs {
        let told = sentence(&run);
        let told = told.split_once(": ").map_or("", |(_, counts)| counts).to_owned();
        let list = format!("{} v{}", run.list, run.version);
        table.row([run.id, time(run.started), state(run.state).into(), list, run.destination.to_string(), told]);
    }
    table.print(out, "No runs yet. Start one: leadferry sync run LIST --to DEST")?;
    Ok(0)
}

async fn show(session: &Session, out: &mut Out, id: String) -> Result<u8, Failure> {
    let (run, leads) = detail(session, id).await?;
    if out.is_json() {
        let mut shown = object(&run);
        shown["leads_seen"] = leads.iter().map(lead_object).collect();
        out.json(&shown)?;
        return Ok(0);
    }
    out.line(sentence(&run))?;
    out.line(format!("Run:         {} ({})", run.id, state(run.state)))?;
    out.line(format!("List:        {}, version {}", run.list, run.version))?;
    out.line(format!("Destination: {}", run.destination))?;
    out.line(format!("Started:     {}   Ended: {}", time(run.started), maybe_time(run.ended)))?;
    if let Some(next) = run.next_try {
        out.line(format!("Next try:    {}", time(next)))?;
    }
    if let Some(trouble) = &run.trouble {
        out.line(format!("Trouble:     {} {}", trouble.message, trouble.remedy))?;
    }
    print_leads(out, &leads)?;
    Ok(0)
}

async fn export(session: &Session, out: &mut Out, id: String, target: &Target) -> Result<u8, Failure> {
    let (_, leads) = detail(session, id).await?;
    let headings = ["lead", "outcome", "reason", "next_step", "remote_id", "row"];
    let columns = headings.map(|name| Column { header: name.into(), field: None }).to_vec();
    let mut writing = target.begin(out, &Schema { columns })?;
    for LeadOutcome { lead, outcome: became, reason, next_step, remote_id, position } in leads {
        let row = (position + 1).to_string();
        let cells = vec![lead, outcome(became).into(), reason, next_step, remote_id, row];
        if !writing.row(&Lead { cells })? {
            break;
        }
    }
    writing.finish("leads")?;
    Ok(0)
}

async fn detail(session: &Session, id: String) -> Result<(RunSummary, Vec<LeadOutcome>), Failure> {
    ask!(session, Request::Run { run: id }, Reply::RunDetail(run, leads) => (run, leads))
}

fn state(state: RunState) -> &'static str {
    match state {
        RunState::Running => "running",
        RunState::Waiting => "waiting",
        RunState::Done => "done",
        RunState::Stopped => "stopped",
        RunState::Cancelled => "cancelled",
    }
}

fn object(run: &RunSummary) -> Value {
    let mut shown = json!({
        "run": run.id, "list": run.list, "version": run.version, "destination": run.destination,
        "state": state(run.state), "started": run.started, "ended": run.ended, "next_try": run.next_try,
        "leads": run.total,
    });
    add_counts(&mut shown, run);
    shown["trouble"] = json!(run.trouble);
    shown
}

fn lead_object(lead: &LeadOutcome) -> Value {
    json!({
        "lead": lead.lead, "outcome": outcome(lead.outcome), "reason": lead.reason, "next_step": lead.next_step,
        "remote_id": lead.remote_id, "row": lead.position + 1,
    })
}
