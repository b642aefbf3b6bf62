//! A run on the screen: counted progress while it goes, its outcomes per lead when it has ended.

use jiff::Timestamp;

use super::commands::Cmd;
use super::effect::{Call, Effect};
use super::notices::NoticeKind;
use super::overlay::Overlay;
use super::{Rows, State, call, say};
use crate::engine::messages::{Reply, Request};
use crate::failure::Failure;
use crate::sync::{Destination, LeadOutcome, Outcome, RunState, RunSummary, Settings};

/// The pane of one run.
#[derive(Debug, Default)]
pub struct RunPane {
    /// The run; `None` until the engine has taken it.
    pub run: Option<RunSummary>,
    /// What needs a person's eye, once it has ended.
    pub outcomes: Rows<LeadOutcome>,
    /// Why it did not start.
    pub failure: Option<Failure>,
    /// Which picture of the spinner.
    pub spin: u8,
}

/// Starts a run and shows it.
pub(super) fn begin(
    state: &mut State,
    list: String,
    destination: Destination,
    settings: Option<Settings>,
) -> Vec<Effect> {
    state.overlays.push(Overlay::Run(Box::default()));
    vec![call(Call::Run, Request::StartRun { list, destination, settings, mode: None })]
}

/// Starts the run of the list that waits for a webhook; nothing when none does.
pub(super) fn begin_sending(state: &mut State) -> Vec<Effect> {
    let webhook = |sending: &super::send::Sending| matches!(sending.destination, Some(Destination::Webhook { .. }));
    match state.sending.take_if(|sending| webhook(sending)) {
        Some(super::send::Sending { list, destination: Some(destination) }) => {
            begin(state, list.list, destination, None)
        }
        _ => Vec::new(),
    }
}

/// Shows a run of before.
pub(super) fn show(state: &mut State, run: &RunSummary) -> Vec<Effect> {
    state.overlays.push(Overlay::Run(Box::new(RunPane { run: Some(run.clone()), ..RunPane::default() })));
    vec![call(Call::Run, Request::Run { run: run.id.clone() })]
}

fn pane(state: &mut State) -> Option<&mut RunPane> {
    state.overlays.iter_mut().rev().find_map(|overlay| match overlay {
        Overlay::Run(pane) => Some(&mut **pane),
        _ => None,
    })
}

/// Started, retried or looked up.
pub(super) fn answered(state: &mut State, answer: Result<Reply, Failure>, now: Timestamp) -> Vec<Effect> {
    match answer {
        Ok(Reply::Run(run)) => event(state, run, now),
        Ok(Reply::RunDetail(run, outcomes)) => {
            if let Some(pane) = pane(state) {
                pane.run = Some(run);
                pane.outcomes.set(outcomes);
            }
            Vec::new()
        }
        Ok(_) => Vec::new(),
        Err(failure) => match pane(state) {
            Some(pane) => {
                pane.failure = Some(failure);
                Vec::new()
            }
            None => vec![state.notices.failure(&failure, now)],
        },
    }
}

/// A run got further.
pub(super) fn event(state: &mut State, run: RunSummary, now: Timestamp) -> Vec<Effect> {
    let ended = matches!(run.state, RunState::Done | RunState::Stopped | RunState::Cancelled);
    let live = state.live_run.as_ref();
    let was_live = live.is_some_and(|live| live.id == run.id);
    // An answer may arrive after the event that ended the run.
    let known_end = state.activity.ended.contains(&run.id);
    if !ended && known_end {
        return Vec::new();
    }
    state.activity.run(&run);
    let mut effects = Vec::new();
    let mut shown = false;
    if let Some(pane) = pane(state)
        && pane.run.as_ref().is_none_or(|known| known.id == run.id)
    {
        pane.run = Some(run.clone());
        shown = true;
        if ended {
            effects.push(call(Call::Run, Request::Run { run: run.id.clone() }));
        }
    }
    if ended {
        if was_live || live_is_none(state) {
            state.live_run = None;
        }
        if !known_end && (was_live || shown) {
            let kind = match (run.state, run.count(Outcome::Failed) + run.count(Outcome::Parked)) {
                (RunState::Done, 0) => NoticeKind::Success,
                (RunState::Cancelled, _) => NoticeKind::Info,
                _ => NoticeKind::Error,
            };
            let name = destination_name(state, &run.destination);
            effects.extend(say(state, kind, &ended_text(&run, &name), now));
            state.activity.ended.insert(run.id.clone());
        }
    } else {
        state.live_run = Some(run);
    }
    effects
}

fn live_is_none(state: &State) -> bool {
    state.live_run.is_none()
}

/// The name of a destination on the screen: the vendor's, or the webhook's.
pub fn destination_name(state: &State, destination: &Destination) -> String {
    match destination {
        Destination::Crm { platform, account } => {
            let name = state.platform(platform).map_or(platform.clone(), |known| known.name.clone());
            if account.is_empty() { name } else { format!("{name} ({account})") }
        }
        Destination::Webhook { name } => name.clone(),
    }
}

/// How a run ended, in a sentence.
pub fn ended_text(run: &RunSummary, destination: &str) -> String {
    let trouble = run.trouble.as_ref().map(|failure| format!("{} {}", failure.message, failure.remedy));
    let (created, updated) = (run.count(Outcome::Created), run.count(Outcome::Updated));
    let unchanged = run.count(Outcome::Unchanged);
    let failed = run.count(Outcome::Failed);
    let (delivered, parked) = (run.count(Outcome::Delivered), run.count(Outcome::Parked));
    let sent = created + updated + unchanged + delivered;
    match (run.state, &run.destination) {
        (RunState::Stopped, _) => {
            format!("Stopped after {sent} of {} leads: {}", run.total, trouble.unwrap_or_default())
        }
        (RunState::Cancelled, _) => format!("Cancelled after {sent} of {} leads to {destination}", run.total),
        (_, Destination::Webhook { .. }) => {
            format!("Synced {sent} leads to {destination}: {delivered} delivered, {parked} parked")
        }
        _ => {
            let mut text =
                format!("Synced {sent} leads to {destination}: {created} created, {updated} updated, {failed} failed");
            for (count, word) in [
                (unchanged, "unchanged"),
                (run.count(Outcome::Skipped), "skipped"),
                (run.count(Outcome::Unknown), "unknown"),
            ] {
                if count > 0 {
                    text.push_str(&format!(", {count} {word}"));
                }
            }
            text
        }
    }
}

/// A command of the pane.
pub(super) fn give(state: &mut State, cmd: Cmd, _now: Timestamp) -> Vec<Effect> {
    let Some(run) = pane(state).and_then(|pane| pane.run.clone()) else { return Vec::new() };
    let going = matches!(run.state, RunState::Running | RunState::Waiting);
    match cmd {
        Cmd::RunCancel if going => vec![call(Call::Quiet, Request::CancelRun { run: run.id })],
        Cmd::RunRetry if !going => {
            state.activity.ended.remove(&run.id);
            vec![call(Call::Run, Request::RetryRun { run: run.id })]
        }
        _ => Vec::new(),
    }
}
