//! The columns pane: which columns show, how wide, and which standard field each one holds.

use super::State;
use super::audience::Shows;
use super::commands::Cmd;
use super::effect::Effect;
use super::overlay::{self, Overlay, Picked};
use crate::lead::Field;

fn cursor(state: &mut State) -> Option<&mut usize> {
    match state.overlays.last_mut() {
        Some(Overlay::Columns(at)) => Some(at),
        _ => None,
    }
}

/// A command of the pane.
pub(super) fn give(state: &mut State, cmd: Cmd) -> Vec<Effect> {
    let Some(at) = cursor(state).map(|at| *at) else { return Vec::new() };
    let of_file = state.audience.columns.get(at).is_some_and(|column| column.shows != Shows::Name);
    if cmd == Cmd::ColumnField && of_file {
        let names = Field::ALL.iter().map(|field| field.name().to_owned()).chain(["custom field".to_owned()]).collect();
        return overlay::pick(state, "Holds", names, Picked::ColumnField);
    }
    let shown = state.audience.visible_columns().count();
    let Some(column) = state.audience.columns.get_mut(at) else { return Vec::new() };
    match cmd {
        Cmd::ColumnHide if column.hidden || shown > 1 => column.hidden = !column.hidden,
        Cmd::ColumnWider => column.width = (column.width + 2).min(120),
        Cmd::ColumnNarrower => column.width = column.width.saturating_sub(2).max(3),
        _ => return Vec::new(),
    }
    state.audience.keep()
}

/// Moves the cursor of the pane.
pub(super) fn step(state: &mut State, by: isize) {
    let last = state.audience.columns.len().saturating_sub(1);
    if let Some(at) = cursor(state) {
        *at = at.saturating_add_signed(by).min(last);
    }
}

/// The field picked for the focused column; past the last one means a custom field.
pub(super) fn picked(state: &mut State, picked: usize) -> Vec<Effect> {
    let Some(at) = cursor(state).map(|at| *at) else { return Vec::new() };
    let Some(Shows::Column(position)) = state.audience.columns.get(at).map(|column| column.shows) else {
        return Vec::new();
    };
    let field = Field::ALL.get(picked).copied();
    let mut schema = state.audience.schema().clone();
    for (index, column) in schema.columns.iter_mut().enumerate() {
        if index == position {
            column.field = field;
        } else if field.is_some() && column.field == field {
            column.field = None;
        }
    }
    vec![Effect::Remap { generation: state.audience.generation, schema }]
}
