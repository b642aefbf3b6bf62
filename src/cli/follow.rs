//! Following a run to its end: counted progress, waiting for retries within bounds, the outcome as text, JSON and exit code.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::sync::broadcast::{Receiver, error::RecvError};

use super::columns::{Columns, time};
use super::out::Out;
use super::session::{Session, ask};
use crate::crm::registry;
use crate::engine::messages::{Event, Reply, Request};
use crate::failure::{Code, Failure};
use crate::sync::{Destination, LeadOutcome, Outcome, RunState, RunSummary};

/// The outcomes that a person has to look at.
const TROUBLED: [Outcome; 3] = [Outcome::Failed, Outcome::Unknown, Outcome::Parked];

/// Starts a run by `request` and stays with it until every lead has an outcome, only a person can help, or the next try is
/// further away than `wait`. Then it tells how it stands and answers the exit code.
pub async fn run_and_follow(
    session: &Session,
    out: &mut Out,
    request: Request,
    wait: SignedDuration,
) -> Result<u8, Failure> {
    // Listening begins before the run does, so that no step of it is missed.
    let events = session.engine.events();
    let run = ask!(session, request, Reply::Run(run) => run)?;
    let run = follow(session, out, events, run, wait).await?;
    report(session, out, &run).await
}

async fn follow(
    session: &Session,
    out: &mut Out,
    mut events: Receiver<Event>,
    mut run: RunSummary,
    wait: SignedDuration,
) -> Result<RunSummary, Failure> {
    let interrupted = tokio::signal::ctrl_c();
    tokio::pin!(interrupted);
    let mut stopping = false;
    loop {
        if is_over(&run, wait, Timestamp::now()) {
            return Ok(run);
        }
        out.progress(progress(&run));
        tokio::select! {
            event = events.recv() => match event {
                Ok(Event::Run(news)) if news.id == run.id => run = news,
                Ok(_) => {}
                // Too many steps at once: the latest one is all that counts.
                Err(RecvError::Lagged(_)) => run = current(session, &run.id).await?.0,
                Err(RecvError::Closed) => return Err(Failure::new(
                    Code::Failed,
                    "The engine ended before the run did.",
                    "Run the same command again: it goes on where this one stopped.",
                )),
            },
            _ = &mut interrupted, if !stopping => {
                stopping = true;
                ask!(session, Request::CancelRun { run: run.id.clone() }, Reply::Done => ())?;
            }
        }
    }
}

/// Whether there is nothing more to wait for.
fn is_over(run: &RunSummary, wait: SignedDuration, now: Timestamp) -> bool {
    match run.state {
        RunState::Running => false,
        RunState::Waiting => run.next_try.is_some_and(|next| next.duration_since(now) > wait),
        RunState::Done | RunState::Stopped | RunState::Cancelled => true,
    }
}

async fn current(session: &Session, id: &str) -> Result<(RunSummary, Vec<LeadOutcome>), Failure> {
    ask!(session, Request::Run { run: id.to_owned() }, Reply::RunDetail(run, leads) => (run, leads))
}

fn progress(run: &RunSummary) -> String {
    let waiting = match (run.state, run.next_try) {
        (RunState::Waiting, Some(next)) => format!(", waiting until {}", time(next)),
        _ => String::new(),
    };
    format!("{}: {}/{} sent{waiting}", receiver(&run.destination), run.settled(), run.total)
}

/// The destination as a person knows it: `Salesforce`, `crm-bridge`.
fn receiver(destination: &Destination) -> String {
    match destination {
        Destination::Crm { platform, account } => {
            let name = registry::by_id(platform).map_or(platform.as_str(), |crm| crm.spec().name);
            if account.is_empty() { name.to_owned() } else { format!("{name} ({account})") }
        }
        Destination::Webhook { name } => name.clone(),
    }
}

async fn report(session: &Session, out: &mut Out, run: &RunSummary) -> Result<u8, Failure> {
    let troubled: Vec<LeadOutcome> =
        current(session, &run.id).await?.1.into_iter().filter(|lead| TROUBLED.contains(&lead.outcome)).collect();
    if out.is_json() {
        out.json(&object(run, &troubled))?;
    } else {
        out.line(sentence(run))?;
        print_leads(out, &troubled)?;
        if let Some(next) = run.next_try.filter(|_| run.state == RunState::Waiting) {
            out.line(format!("The next try is at {}; the same command goes on with it.", time(next)))?;
        }
    }
    // A run that stopped says why on standard error, behind its outcome.
    match (run.state, &run.trouble) {
        (RunState::Stopped, Some(trouble)) => Err(trouble.clone()),
        (RunState::Cancelled, _) => Err(Failure::new(
            Code::Cancelled,
            format!("The run was stopped with {} of {} leads still to go.", run.count(Outcome::Pending), run.total),
            format!("Go on with 'leadferry run retry {}'; the same command begins a new run.", run.id),
        )),
        _ => Ok(exit_code(run)),
    }
}

/// 0, 3 or 6, as the command line's contract has it.
fn exit_code(run: &RunSummary) -> u8 {
    match run.state {
        RunState::Waiting => Code::Waiting.exit(),
        RunState::Stopped => Code::Failed.exit(),
        _ if TROUBLED.iter().any(|outcome| run.count(*outcome) > 0) => Code::SomeFailed.exit(),
        _ => 0,
    }
}

/// `Synced 37 leads to Salesforce: 12 created, 25 updated, 0 failed`
pub fn sentence(run: &RunSummary) -> String {
    let told = match run.destination {
        Destination::Crm { .. } => [
            (Outcome::Created, "created", true),
            (Outcome::Updated, "updated", true),
            (Outcome::Failed, "failed", true),
        ],
        Destination::Webhook { .. } => [
            (Outcome::Delivered, "delivered", true),
            (Outcome::Parked, "parked", true),
            (Outcome::Superseded, "superseded", false),
        ],
    };
    let rest = [
        (Outcome::Unchanged, "unchanged", false),
        (Outcome::Unknown, "unknown", false),
        (Outcome::Skipped, "skipped", false),
        (Outcome::Pending, "to go", false),
    ];
    let counts = told.into_iter().chain(rest).map(|(outcome, word, always)| (run.count(outcome), word, always));
    let counts =
        counts.filter(|(count, _, always)| *always || *count > 0).map(|(count, word, _)| format!("{count} {word}"));
    let (verb, counts) = (if run.state == RunState::Done { "Synced" } else { "So far" }, counts.collect::<Vec<_>>());
    format!("{verb} {} leads to {}: {}", run.total, receiver(&run.destination), counts.join(", "))
}

/// A row per lead that needs a person's eye.
pub fn print_leads(out: &mut Out, leads: &[LeadOutcome]) -> Result<(), Failure> {
    if leads.is_empty() {
        return Ok(());
    }
    let mut table = Columns::new(&["Lead", "Outcome", "Reason", "Next step"]);
    for lead in leads {
        table.row([lead.lead.clone(), outcome(lead.outcome).into(), lead.reason.clone(), lead.next_step.clone()]);
    }
    table.print(out, "")
}

/// An outcome's stable word.
pub fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pending => "pending",
        Outcome::Created => "created",
        Outcome::Updated => "updated",
        Outcome::Unchanged => "unchanged",
        Outcome::Failed => "failed",
        Outcome::Unknown => "unknown",
        Outcome::Skipped => "skipped",
        Outcome::Delivered => "delivered",
        Outcome::Parked => "parked",
        Outcome::Superseded => "superseded",
    }
}

/// The answer of `sync run` and `run retry`.
fn object(run: &RunSummary, troubled: &[LeadOutcome]) -> Value {
    let mut shown = json!({ "run": run.id, "destination": run.destination });
    add_counts(&mut shown, run);
    let failures = troubled.iter().map(|lead| json!({ "lead": lead.lead, "reason": lead.reason }));
    shown["failures"] = failures.collect();
    if run.state == RunState::Waiting {
        shown["waiting"] = run.count(Outcome::Pending).into();
        shown["next_try"] = json!(run.next_try);
    }
    shown
}

/// The counts of a run as members: those of every run, and those of a webhook.
pub fn add_counts(shown: &mut Value, run: &RunSummary) {
    let common =
        [Outcome::Created, Outcome::Updated, Outcome::Unchanged, Outcome::Failed, Outcome::Unknown, Outcome::Skipped];
    for one in common {
        shown[outcome(one)] = run.count(one).into();
    }
    if let Destination::Webhook { .. } = run.destination {
        for one in [Outcome::Delivered, Outcome::Parked, Outcome::Superseded] {
            shown[outcome(one)] = run.count(one).into();
        }
        shown["waiting"] = run.count(Outcome::Pending).into();
    }
}

#[cfg(test)]
#[path = "follow_tests.rs"]
mod tests;
