//! From the press of a button to the run: guards, the save that always comes first, then sign-in, confirmation or form.

use jiff::Timestamp;

use super::commands::Cmd;
use super::effect::{Call, Effect};
use super::notices::NoticeKind;
use super::{Focus, Saving, State, call, confirm, connect, focus, form, say};
use crate::engine::messages::{Request, SavedList};
use crate::events::EventName;
use crate::failure::Failure;
use crate::list::Provenance;
use crate::sync::Destination;

/// What comes after the list is saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing.
    Nothing,
    /// A CRM, by its platform id.
    Crm(String),
    /// The webhook form.
    Webhook,
}

/// A list on its way to somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sending {
    /// The list.
    pub list: SavedList,
    /// Where to, once it is known.
    pub destination: Option<Destination>,
}

/// A command of the panes below the table.
pub(super) fn pane(state: &mut State, cmd: Cmd, now: Timestamp) -> Vec<Effect> {
    let grid = state.platforms.len();
    let across = grid_columns(grid, state.size.0);
    let to = match (cmd, state.focus) {
        (Cmd::Press, Focus::Save) => return press(state, Next::Nothing, now),
        (Cmd::Press, Focus::Webhook) => return press(state, Next::Webhook, now),
        (Cmd::Press, Focus::Crm(at)) => {
            return match state.platforms.get(at).map(|platform| platform.id.clone()) {
                Some(id) => press(state, Next::Crm(id), now),
                None => Vec::new(),
            };
        }
        (Cmd::PaneUp, Focus::Save) => Focus::Name,
        (Cmd::PaneDown, Focus::Save) if grid > 0 => Focus::Crm(0),
        (Cmd::PaneRight, Focus::Save) if grid > 0 => Focus::Crm(0),
        (Cmd::PaneLeft, Focus::Crm(at)) if at % across == 0 => Focus::Save,
        (Cmd::PaneLeft, Focus::Crm(at)) => Focus::Crm(at - 1),
        (Cmd::PaneRight, Focus::Crm(at)) if at + 1 < grid => Focus::Crm(at + 1),
        (Cmd::PaneDown, Focus::Crm(at)) if at + across < grid => Focus::Crm(at + across),
        (Cmd::PaneDown, Focus::Crm(_)) => Focus::Webhook,
        (Cmd::PaneUp, Focus::Crm(at)) if at >= across => Focus::Crm(at - across),
        (Cmd::PaneUp, Focus::Crm(_)) => Focus::Table,
        (Cmd::PaneUp, Focus::Webhook) if grid > 0 => Focus::Crm((grid - 1) / across * across),
        (Cmd::PaneLeft, Focus::Webhook) => Focus::Save,
        (_, same) => same,
    };
    focus(state, to)
}

/// How many buttons stand side by side in a grid this wide, so that every row is full where it can be.
pub fn grid_columns(buttons: usize, width: u16) -> usize {
    const BUTTON: u16 = 16;
    buttons.clamp(1, 4).min(usize::from(width / BUTTON).max(1))
}

/// Presses Save, a CRM button or the webhook button.
pub(super) fn press(state: &mut State, then: Next, now: Timestamp) -> Vec<Effect> {
    if state.saving.is_some() {
        return Vec::new();
    }
    if let Some(why) = state.guard() {
        return say(state, NoticeKind::Error, why, now);
    }
    let name = state.name.value().trim().to_owned();
    let (leads, audience) = (state.audience.selection.len(), &state.audience);
    let mut effects = Vec::new();
    if let Next::Crm(platform) = &then {
        effects.push(record(EventName::ConnectClicked, platform, leads, &name));
    }
    effects.push(Effect::Save {
        generation: audience.generation,
        name,
        rows: audience.selection.clone(),
        provenance: Provenance {
            source: "lookalike".into(),
            file: audience.about.name.clone(),
            filter: audience.filter.clone(),
        },
    });
    state.saving = Some(Saving { then, written: 0, spin: 0 });
    effects
}

/// An analytics event.
pub(super) fn record(event: EventName, platform: &str, lead_count: u64, list_name: &str) -> Effect {
    let (platform, list_name) = (platform.to_owned(), list_name.to_owned());
    call(Call::Quiet, Request::Record { event, platform, lead_count, list_name })
}

/// The save ended: only what is on disk goes any further.
pub(super) fn saved(state: &mut State, result: Result<SavedList, Failure>, now: Timestamp) -> Vec<Effect> {
    let Some(saving) = state.saving.take() else { return Vec::new() };
    let list = match result {
        Ok(list) => list,
        Err(failure) => {
            let text = format!("Failed to save leads: {} {}", failure.message, failure.remedy);
            return say(state, NoticeKind::Error, text.trim(), now);
        }
    };
    let mut text = format!("Saved {} leads to {}", list.leads, list.list);
    if list.leads == 1 {
        text = format!("Saved 1 lead to {}", list.list);
    }
    match (list.unchanged, list.version) {
        (true, version) => text.push_str(&format!(" (as before, still version {version})")),
        (false, 1) => {}
        (false, version) => text.push_str(&format!(" as version {version}")),
    }
    if let Some((addresses, _)) = &state.audience.twice {
        text.push_str(&format!(". {addresses} e-mail addresses stand in it more than once"));
    }
    let mut effects = vec![call(Call::Lists, Request::Lists)];
    effects.extend(say(state, NoticeKind::Success, &text, now));
    effects.extend(go_on(state, list, saving.then, now));
    effects
}

/// Goes on with a list that is on disk.
pub(super) fn go_on(state: &mut State, list: SavedList, next: Next, now: Timestamp) -> Vec<Effect> {
    match next {
        Next::Nothing => {
            state.sending = None;
            Vec::new()
        }
        Next::Crm(platform) => {
            let known = state.connection(&platform).filter(|connection| connection.trouble.is_none());
            match known.map(|connection| connection.account.clone()) {
                Some(account) => {
                    let destination = Destination::Crm { platform, account };
                    state.sending = Some(Sending { list, destination: Some(destination) });
                    confirm::open(state)
                }
                None => {
                    state.sending = Some(Sending { list, destination: None });
                    connect::open(state, &platform, now)
                }
            }
        }
        Next::Webhook => {
            let mut effects = vec![record(EventName::WebhookOpened, "webhook", list.leads, &list.list)];
            state.sending = Some(Sending { list, destination: None });
            effects.extend(say(state, NoticeKind::Info, "Configure webhook to sync leads", now));
            effects.extend(form::open(state, now));
            effects
        }
    }
}
