//! "Confirm sync settings": account, mapping, mode, grouping, how many leads and calls; then the sync starts by itself.

use jiff::Timestamp;
use tui_input::Input;

use super::commands::Cmd;
use super::effect::{Call, Effect};
use super::key::{Key, KeyCode};
use super::notices::NoticeKind;
use super::overlay::{self, Overlay, Picked};
use super::{State, call, field, run, say};
use crate::engine::messages::{Reply, Request};
use crate::failure::Failure;
use crate::sync::{Mode, Plan, Settings};

/// The pane; `plan` comes once the engine has asked the vendor.
#[derive(Debug)]
pub struct Confirm {
    /// What the run would do.
    pub plan: Option<Box<Plan>>,
    /// Why there is no plan.
    pub failure: Option<Failure>,
    /// The settings as edited.
    pub settings: Settings,
    /// The group's name being edited.
    pub group: Input,
    /// The focused row: 0 mode, 1 group, then the mapping, then Start.
    pub at: usize,
}

impl Confirm {
    /// The focused mapping row.
    pub fn mapping_row(&self) -> Option<usize> {
        self.at.checked_sub(2).filter(|row| *row < self.settings.mapping.len())
    }

    /// The row of the Start button.
    pub fn start_row(&self) -> usize {
        2 + self.settings.mapping.len()
    }
}

/// Opens the pane for what is being sent and asks for its plan.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    let Some((list, destination)) =
        state.sending.as_ref().and_then(|sending| Some((sending.list.list.clone(), sending.destination.clone()?)))
    else {
        return Vec::new();
    };
    let settings = Settings { mode: Mode::default(), mapping: Vec::new(), group: String::new() };
    let pane = Confirm { plan: None, failure: None, settings, group: Input::default(), at: 0 };
    state.overlays.push(Overlay::Confirm(Box::new(pane)));
    vec![call(Call::Plan, Request::Plan { list, destination })]
}

pub(super) fn pane(state: &mut State) -> Option<&mut Confirm> {
    state.overlays.iter_mut().rev().find_map(|overlay| match overlay {
        Overlay::Confirm(pane) => Some(&mut **pane),
        _ => None,
    })
}

/// The plan is here, or cannot be had.
pub(super) fn answered(state: &mut State, answer: Result<Reply, Failure>, _now: Timestamp) -> Vec<Effect> {
    let Some(pane) = pane(state) else { return Vec::new() };
    match answer {
        Ok(Reply::Plan(plan)) => {
            pane.settings = plan.settings.clone();
            pane.group = Input::new(plan.settings.group.clone());
            pane.plan = Some(plan);
            pane.at = pane.start_row();
        }
        Ok(_) => {}
        Err(failure) => pane.failure = Some(failure),
    }
    Vec::new()
}

/// A key on the pane.
pub(super) fn key(state: &mut State, key: Key, now: Timestamp) -> Option<Vec<Effect>> {
    let pane = pane(state)?;
    pane.plan.as_ref()?;
    let last = pane.start_row();
    match key.code {
        KeyCode::Down | KeyCode::Tab if !key.shift => pane.at = (pane.at + 1) % (last + 1),
        KeyCode::Up | KeyCode::Tab => pane.at = (pane.at + last) % (last + 1),
        _ if pane.at == 1 && key.code != KeyCode::Enter => {
            let edited = field::edit(&mut pane.group, key);
            return edited.then(Vec::new);
        }
        KeyCode::Char(' ') | KeyCode::Enter | KeyCode::Left | KeyCode::Right if pane.at == 0 => {
            pane.settings.mode = match (pane.settings.mode, key.code == KeyCode::Left) {
                (Mode::Upsert, false) | (Mode::Update, true) => Mode::Create,
                (Mode::Create, false) | (Mode::Upsert, true) => Mode::Update,
                (Mode::Update, false) | (Mode::Create, true) => Mode::Upsert,
            };
        }
        KeyCode::Enter if pane.at == 1 => pane.at = 2,
        KeyCode::Enter | KeyCode::Char(' ') if pane.at == last => return Some(start(state, now)),
        KeyCode::Enter | KeyCode::Char(' ') => {
            let fields = pane.plan.as_ref().map(|plan| plan.fields.clone()).unwrap_or_default();
            let names = fields.into_iter().map(|field| field.name).chain(["(not sent)".to_owned()]).collect();
            return Some(overlay::pick(state, "Goes into", names, Picked::RemoteField));
        }
        _ => return None,
    }
    Some(Vec::new())
}

/// The field picked for the focused mapping row.
pub(super) fn picked(state: &mut State, at: usize) -> Vec<Effect> {
    if let Some(pane) = pane(state) {
        let to = pane.plan.as_ref().and_then(|plan| plan.fields.get(at)).map(|field| field.name.clone());
        if let Some(row) = pane.mapping_row().and_then(|row| pane.settings.mapping.get_mut(row)) {
            row.to = to.unwrap_or_default();
        }
    }
    Vec::new()
}

/// A command of the pane.
pub(super) fn give(state: &mut State, cmd: Cmd, now: Timestamp) -> Vec<Effect> {
    match cmd {
        Cmd::ConfirmStart => start(state, now),
        _ => Vec::new(),
    }
}

fn start(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let Some(pane) = pane(state) else { return Vec::new() };
    if let Some((at, one, other, to)) = collision(&pane.settings) {
        pane.at = 2 + at;
        let text = format!("{one} and {other} both go into {to}: only one can. Change one of them.");
        return say(state, NoticeKind::Error, &text, now);
    }
    let Some(plan) = pane.plan.take() else { return Vec::new() };
    let mut settings = pane.settings.clone();
    settings.group = pane.group.value().trim().to_owned();
    state.overlays.retain(|overlay| !matches!(overlay, Overlay::Confirm(_)));
    run::begin(state, plan.list, plan.destination, Some(settings))
}

/// Two values that go into one field: the row of the second, both names, the field.
fn collision(settings: &Settings) -> Option<(usize, String, String, String)> {
    let rows = &settings.mapping;
    rows.iter().enumerate().find_map(|(at, row)| {
        let earlier = rows[..at].iter().find(|earlier| !row.to.is_empty() && earlier.to == row.to)?;
        Some((at, earlier.from.clone(), row.from.clone(), row.to.clone()))
    })
}
