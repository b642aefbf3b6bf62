//! The interface without a terminal: [`State`], what can happen to it ([`Action`]), what it asks for ([`Effect`]).
//!
//! [`update`] is the only writer of the state. There is no clock, no input or output and no terminal in here, so that a test
//! can play a whole session.

pub mod activity;
pub mod audience;
pub mod columns;
pub mod commands;
pub mod confirm;
pub mod connect;
pub mod effect;
pub mod field;
pub mod form;
pub mod key;
pub mod notices;
pub mod overlay;
pub mod platform;
pub mod run;
pub mod send;
pub mod state;
pub mod table;
pub mod tabs;

use jiff::Timestamp;

use crate::engine::messages::{Reply, Request};
pub use audience::Audience;
use commands::{Cmd, Place};
pub use effect::{About, Action, Call, Effect, News, Target, Then};
use key::{Key, KeyCode};
use notices::NoticeKind;
use overlay::Overlay;
pub use platform::Platform;
pub use state::{Demo, Focus, Machine, Rows, Saving, State, Tab};

/// An engine call as an effect.
pub(crate) fn call(call: Call, request: Request) -> Effect {
    Effect::Call(call, Box::new(request))
}

/// Changes the state for one action and answers with what is to be carried out.
pub fn update(state: &mut State, action: Action, now: Timestamp) -> Vec<Effect> {
    state.notices.fade(now);
    match action {
        Action::Key(key) => press(state, key, now),
        Action::Paste(text) => paste(state, &text, now),
        Action::Point(target) => point(state, target, now),
        Action::Wheel(rows) => wheel(state, rows, now),
        Action::Viewport { width, height, rows } => {
            state.size = (width, height);
            state.audience.set_height(u64::from(rows))
        }
        Action::Run(cmd) => give(state, cmd, now),
        Action::Answer(call, answer) => answered(state, call, answer, now),
        Action::Event(event) => tabs::event(state, *event, now),
        Action::News(news) => table::news(state, news, now),
        Action::Edited(text) => overlay::edited(state, text, now),
        Action::Wake => {
            if let Some(saving) = &mut state.saving {
                saving.spin = saving.spin.wrapping_add(1);
            }
            state.overlays.iter_mut().for_each(Overlay::spin);
            Vec::new()
        }
        Action::Terminate => {
            state.over = true;
            vec![Effect::Quit]
        }
    }
}

fn press(state: &mut State, key: Key, now: Timestamp) -> Vec<Effect> {
    if let Some(effects) = overlay::key(state, key, now) {
        return effects;
    }
    if state.overlays.is_empty() && state.tab == Tab::Audience {
        if let Some(effects) = table::editing_key(state, key, now) {
            return effects;
        }
        if state.focus == Focus::Name {
            match key.code {
                KeyCode::Enter => return send::press(state, send::Next::Nothing, now),
                KeyCode::Esc => return focus(state, Focus::Table),
                KeyCode::Down => return focus(state, Focus::Save),
                KeyCode::Up => return focus(state, Focus::Table),
                _ if field::edit(&mut state.name, key) => return Vec::new(),
                _ => {}
            }
        }
    }
    match commands::find(state.place(), key) {
        Some(cmd) => give(state, cmd, now),
        None => Vec::new(),
    }
}

fn paste(state: &mut State, text: &str, now: Timestamp) -> Vec<Effect> {
    if let Some(input) = overlay::input(state) {
        field::paste(input, text);
        return overlay::typed(state, now);
    }
    match (state.overlays.is_empty(), state.tab, state.focus, &mut state.audience.editing) {
        (true, Tab::Audience, _, Some(editing)) => field::paste(&mut editing.input, text),
        (true, Tab::Audience, Focus::Name, None) => field::paste(&mut state.name, text),
        _ => {}
    }
    Vec::new()
}

fn point(state: &mut State, target: Target, now: Timestamp) -> Vec<Effect> {
    match target {
        Target::Item(at) => overlay::point(state, at, now).unwrap_or_else(|| tabs::point(state, at, now)),
        _ if !state.overlays.is_empty() => Vec::new(),
        Target::Tab(at) => Tab::ALL.get(at).map_or_else(Vec::new, |tab| tabs::show(state, *tab)),
        Target::Row(at) | Target::Mark(at) => {
            let mut effects = focus(state, Focus::Table);
            effects.extend(state.audience.point(at as u64));
            if matches!(target, Target::Mark(_)) {
                state.audience.toggle();
            }
            effects
        }
        Target::Focus(place) => {
            let mut effects = focus(state, place);
            if matches!(place, Focus::Save | Focus::Crm(_) | Focus::Webhook) {
                effects.extend(give(state, Cmd::Press, now));
            }
            effects
        }
    }
}

fn wheel(state: &mut State, rows: i32, now: Timestamp) -> Vec<Effect> {
    let cmd = if rows < 0 { Cmd::ItemUp } else { Cmd::ItemDown };
    if state.overlays.is_empty() && state.tab == Tab::Audience {
        return state.audience.step(i64::from(rows));
    }
    (0..rows.unsigned_abs()).flat_map(|_| give(state, cmd, now)).collect()
}

/// Moves the focus of the first tab.
pub(crate) fn focus(state: &mut State, to: Focus) -> Vec<Effect> {
    let from = std::mem::replace(&mut state.focus, to);
    state.audience.editing = None;
    let leaves_table = from == Focus::Table && to != Focus::Table;
    if leaves_table && !state.audience.selection.is_empty() { state.audience.count_duplicates() } else { Vec::new() }
}

/// The focus after this one, in tab order.
fn neighbour(state: &State, forward: bool) -> Focus {
    let grid = state.platforms.len();
    let order: Vec<Focus> = [Focus::Table, Focus::Name, Focus::Save]
        .into_iter()
        .chain((grid > 0).then_some(Focus::Crm(match state.focus {
            Focus::Crm(at) => at,
            _ => 0,
        })))
        .chain([Focus::Webhook])
        .collect();
    let at = order.iter().position(|place| *place == state.focus).unwrap_or(0);
    let step = if forward { 1 } else { order.len() - 1 };
    order[(at + step) % order.len()]
}

/// Carries out a command, from a key or the palette.
pub(crate) fn give(state: &mut State, cmd: Cmd, now: Timestamp) -> Vec<Effect> {
    match cmd {
        Cmd::NextPane | Cmd::PreviousPane if !state.overlays.is_empty() => Vec::new(),
        Cmd::NextPane | Cmd::PreviousPane if state.tab == Tab::Audience => {
            let to = neighbour(state, cmd == Cmd::NextPane);
            focus(state, to)
        }
        Cmd::NextPane | Cmd::PreviousPane => {
            let at = Tab::ALL.iter().position(|tab| *tab == state.tab).unwrap_or(0);
            let step = if cmd == Cmd::NextPane { 1 } else { Tab::ALL.len() - 1 };
            tabs::show(state, Tab::ALL[(at + step) % Tab::ALL.len()])
        }
        Cmd::TabAudience => tabs::show(state, Tab::Audience),
        Cmd::TabLists => tabs::show(state, Tab::Lists),
        Cmd::TabConnections => tabs::show(state, Tab::Connections),
        Cmd::TabWebhooks => tabs::show(state, Tab::Webhooks),
        Cmd::TabActivity => tabs::show(state, Tab::Activity),
        Cmd::OpenFile => overlay::prompt(state, "Open a file of leads", "", overlay::Asked::OpenFile),
        Cmd::Palette => overlay::palette(state),
        Cmd::Help => overlay::help(state),
        Cmd::Dismiss => dismiss(state),
        Cmd::Redraw => vec![Effect::Redraw],
        Cmd::Suspend => vec![Effect::Suspend],
        Cmd::Quit if state.pending() => {
            let question = "Something is still being sent. Quit? It goes on at the next start.";
            overlay::ask(state, question, overlay::Sure::Quit)
        }
        Cmd::Quit => {
            state.over = true;
            vec![Effect::Quit]
        }
        Cmd::ItemDown | Cmd::ItemUp | Cmd::ItemFirst | Cmd::ItemLast => tabs::step(state, cmd),
        _ => match cmd.row().place {
            Place::Table => table::give(state, cmd, now),
            Place::Panes => send::pane(state, cmd, now),
            Place::Connect => connect::give(state, cmd, now),
            Place::Confirm => confirm::give(state, cmd, now),
            Place::Run => run::give(state, cmd, now),
            Place::Form => form::give(state, cmd, now),
            Place::Columns => columns::give(state, cmd),
            _ => tabs::give(state, cmd, now),
        },
    }
}

/// Esc: the thing on top closes, else the newest notice goes, else the focus returns to the table.
fn dismiss(state: &mut State) -> Vec<Effect> {
    if let Some(effects) = overlay::close(state) {
        return effects;
    }
    if state.audience.busy() {
        state.audience.give_up();
        return vec![Effect::Stop];
    }
    if state.notices.dismiss() {
        return Vec::new();
    }
    if state.tab != Tab::Audience {
        return tabs::show(state, Tab::Audience);
    }
    focus(state, Focus::Table)
}

fn answered(
    state: &mut State,
    to: Call,
    answer: Result<Box<Reply>, crate::failure::Failure>,
    now: Timestamp,
) -> Vec<Effect> {
    match (to, answer.map(|reply| *reply)) {
        (Call::Quiet, Ok(_)) => Vec::new(),
        (Call::Connections, Ok(Reply::Connections(connections))) => {
            state.connections = connections;
            Vec::new()
        }
        (Call::Lists, Ok(Reply::Lists(lists))) => {
            state.lists.set(lists);
            Vec::new()
        }
        (Call::Webhooks, Ok(Reply::Webhooks(webhooks))) => {
            state.webhooks.set(webhooks);
            Vec::new()
        }
        (Call::Activity, Ok(reply)) => {
            state.activity.answer(reply);
            Vec::new()
        }
        (Call::SignIn, answer) => connect::answered(state, answer, now),
        (Call::Plan, answer) => confirm::answered(state, answer, now),
        (Call::Run, answer) => run::answered(state, answer, now),
        (Call::SaveWebhook | Call::TestWebhook | Call::EditWebhook, answer) => form::answered(state, answer, now),
        (Call::Changed(said), Ok(reply)) => tabs::changed(state, &said, reply, now),
        (Call::Recall(key), Ok(Reply::Remembered(Some(value)))) => tabs::recalled(state, key, &value),
        (_, Ok(_)) => Vec::new(),
        (_, Err(failure)) => vec![state.notices.failure(&failure, now)],
    }
}

/// A notice as an effect list, the usual end of a command.
pub(crate) fn say(state: &mut State, kind: NoticeKind, text: &str, now: Timestamp) -> Vec<Effect> {
    vec![state.notices.push(kind, text, now)]
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
