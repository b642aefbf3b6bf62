//! The tabs besides the first: lists, connections, webhooks, activity; and what the engine tells by itself.

use jiff::Timestamp;

use super::activity::Section;
use super::commands::Cmd;
use super::connect;
use super::effect::{Call, Effect};
use super::notices::NoticeKind;
use super::overlay::{self, Asked, Picked, Sure};
use super::{State, Tab, call, form, run, say};
use crate::engine::messages::{Event, Reply, Request, SavedList};
use crate::webhook::WebhookState;

/// Brings a tab to the front and asks for its rows.
pub(super) fn show(state: &mut State, tab: Tab) -> Vec<Effect> {
    state.tab = tab;
    refresh(state)
}

fn refresh(state: &State) -> Vec<Effect> {
    match state.tab {
        Tab::Audience => Vec::new(),
        Tab::Lists => vec![call(Call::Lists, Request::Lists)],
        Tab::Connections => vec![call(Call::Connections, Request::Connections)],
        Tab::Webhooks => vec![call(Call::Webhooks, Request::Webhooks)],
        Tab::Activity => vec![call(Call::Activity, state.activity.request())],
    }
}

/// A request after which its tab's rows are asked for again, and this is said.
pub(super) fn then_changed(said: String, request: Request) -> Vec<Effect> {
    vec![call(Call::Changed(said), request)]
}

/// Something was changed.
pub(super) fn changed(state: &mut State, said: &str, reply: Reply, now: Timestamp) -> Vec<Effect> {
    let mut effects = match reply {
        Reply::Count(count) => say(state, NoticeKind::Success, &format!("{said}: {count}"), now),
        Reply::Webhook(saved) => {
            if let Some(secret) = saved.secret {
                state.overlays.push(overlay::Overlay::Secret { webhook: saved.webhook.name, secret });
            }
            say(state, NoticeKind::Success, said, now)
        }
        _ => say(state, NoticeKind::Success, said, now),
    };
    effects.extend(refresh(state));
    effects
}

/// Something remembered from an earlier session.
pub(super) fn recalled(state: &mut State, key: &str, value: &serde_json::Value) -> Vec<Effect> {
    match (key, value.as_str(), &state.audience.status) {
        ("last_file", Some(path), super::audience::Status::Empty) => state.audience.open(path.to_owned()),
        ("table", ..) => state.audience.recalled(value),
        _ => Vec::new(),
    }
}

/// What the engine tells by itself.
pub(super) fn event(state: &mut State, event: Event, now: Timestamp) -> Vec<Effect> {
    match event {
        Event::SignIn { sign_in, step } => connect::step(state, sign_in, step, now),
        Event::Run(summary) => run::event(state, summary, now),
        Event::Webhook(webhook) => {
            let text = match webhook.state {
                WebhookState::Active => format!("Webhook {} sends again", webhook.name),
                WebhookState::Paused => format!("Webhook {} is paused. {}", webhook.name, webhook.reason),
                WebhookState::Disabled => format!("Webhook {} is disabled. {}", webhook.name, webhook.reason),
            };
            let kind = if webhook.state == WebhookState::Active { NoticeKind::Success } else { NoticeKind::Error };
            let mut effects = say(state, kind, text.trim(), now);
            effects.push(call(Call::Webhooks, Request::Webhooks));
            effects
        }
        Event::Changed => refresh(state),
    }
}

/// Moves in the list on top, or of the tab.
pub(super) fn step(state: &mut State, cmd: Cmd) -> Vec<Effect> {
    const FAR: isize = isize::MAX / 2;
    let by = match cmd {
        Cmd::ItemDown => 1,
        Cmd::ItemUp => -1,
        Cmd::ItemFirst => -FAR,
        _ => FAR,
    };
    if !overlay::step(state, by) {
        match state.tab {
            Tab::Audience => return state.audience.step(by as i64),
            Tab::Lists => state.lists.step(by),
            Tab::Connections => {
                let last = state.platforms.len().saturating_sub(1);
                state.connection_cursor = state.connection_cursor.saturating_add_signed(by).min(last);
            }
            Tab::Webhooks => state.webhooks.step(by),
            Tab::Activity => state.activity.step(by),
        }
    }
    Vec::new()
}

/// The mouse pressed a row of the tab.
pub(super) fn point(state: &mut State, at: usize, _now: Timestamp) -> Vec<Effect> {
    let by = isize::try_from(at).unwrap_or(isize::MAX);
    step(state, Cmd::ItemFirst);
    match state.tab {
        Tab::Lists => state.lists.step(by),
        Tab::Connections => state.connection_cursor = at.min(state.platforms.len().saturating_sub(1)),
        Tab::Webhooks => state.webhooks.step(by),
        Tab::Activity => state.activity.step(by),
        Tab::Audience => {}
    }
    Vec::new()
}

/// A command of a tab.
pub(super) fn give(state: &mut State, cmd: Cmd, now: Timestamp) -> Vec<Effect> {
    match state.tab {
        Tab::Audience => Vec::new(),
        Tab::Lists => list(state, cmd),
        Tab::Connections => connection(state, cmd, now),
        Tab::Webhooks => webhook(state, cmd, now),
        Tab::Activity => activity(state, cmd),
    }
}

fn list(state: &mut State, cmd: Cmd) -> Vec<Effect> {
    let Some(list) = state.lists.focused().cloned() else { return Vec::new() };
    match cmd {
        Cmd::ListOpen => {
            state.tab = Tab::Audience;
            state.audience.open_list(list.name)
        }
        Cmd::ListRename => {
            overlay::prompt(state, "Rename the list to", &list.name, Asked::RenameList(list.name.clone()))
        }
        Cmd::ListExport => {
            let file: String = list.name.chars().map(|ch| if ch.is_alphanumeric() { ch } else { '-' }).collect();
            overlay::prompt(state, "Export to (.csv or .jsonl)", &format!("{file}.csv"), Asked::ExportList(list.name))
        }
        Cmd::ListDelete => {
            let text = format!("Delete the list {} with its {} leads? It cannot be undone.", list.name, list.leads);
            overlay::ask(state, &text, Sure::DeleteList(list.name))
        }
        Cmd::ListSend => {
            let platforms = state.platforms.iter().map(|platform| platform.name.clone());
            let webhooks = state.webhooks.items.iter().map(|webhook| format!("Webhook {}", webhook.name));
            let names = platforms.chain(webhooks).chain(["New webhook…".to_owned()]).collect();
            let saved = SavedList { list: list.name, version: list.version, leads: list.leads, unchanged: true };
            overlay::pick(state, "Send to", names, Picked::Destination(saved))
        }
        _ => Vec::new(),
    }
}

fn connection(state: &mut State, cmd: Cmd, now: Timestamp) -> Vec<Effect> {
    let Some(platform) = state.platforms.get(state.connection_cursor).cloned() else { return Vec::new() };
    let known = state.connection(&platform.id).cloned();
    match (cmd, known) {
        (Cmd::ConnectionOpen, _) => {
            state.sending = None;
            connect::open(state, &platform.id, now)
        }
        (Cmd::ConnectionTest, Some(known)) => then_changed(
            format!("{} answers: {}", platform.name, connect::who(&known.who.name, &known.who.user)),
            Request::TestConnection { platform: known.platform, account: known.account },
        ),
        (Cmd::ConnectionRemove, Some(known)) => {
            let text = format!("Remove the connection to {}? What was sent stays there.", platform.name);
            overlay::ask(state, &text, Sure::RemoveConnection(known.platform, known.account))
        }
        _ => Vec::new(),
    }
}

fn webhook(state: &mut State, cmd: Cmd, now: Timestamp) -> Vec<Effect> {
    if cmd == Cmd::WebhookNew {
        state.sending = None;
        return form::open(state, now);
    }
    let Some(webhook) = state.webhooks.focused().cloned() else { return Vec::new() };
    let name = webhook.name.clone();
    match cmd {
        Cmd::WebhookEdit => vec![call(Call::EditWebhook, Request::Webhook { name })],
        Cmd::WebhookTest => {
            vec![call(Call::TestWebhook, Request::TestWebhook { spec: None, name: Some(name), lead: None })]
        }
        Cmd::WebhookToggle => {
            let active = webhook.state != WebhookState::Active;
            let said = format!("Webhook {name} is {}", if active { "active" } else { "paused" });
            then_changed(said, Request::SetWebhookActive { name, active })
        }
        Cmd::WebhookRotate => {
            let said = format!("Webhook {name} has a new secret; the old one signs for another day");
            then_changed(said, Request::RotateSecret { name })
        }
        Cmd::WebhookReplay => {
            let said = format!("Deliveries of {name} queued again");
            then_changed(said, Request::Replay { webhook: name, delivery: None })
        }
        Cmd::WebhookLog => {
            state.activity.section = Section::Deliveries;
            state.activity.webhook = Some(name);
            show(state, Tab::Activity)
        }
        Cmd::WebhookRemove => {
            let text = format!("Remove the webhook {name}? Its log and what waits in its queue go too.");
            overlay::ask(state, &text, Sure::RemoveWebhook(name))
        }
        _ => Vec::new(),
    }
}

fn activity(state: &mut State, cmd: Cmd) -> Vec<Effect> {
    match cmd {
        Cmd::ActivityNext | Cmd::ActivityPrevious => {
            state.activity.webhook = None;
            state.activity.turn(cmd == Cmd::ActivityNext);
            refresh(state)
        }
        Cmd::ActivityOpen if state.activity.section == Section::Runs => match state.activity.runs.focused().cloned() {
            Some(known) => run::show(state, &known),
            None => Vec::new(),
        },
        _ => Vec::new(),
    }
}
