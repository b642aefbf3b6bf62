//! The lead table's commands, what is typed into it, and the news of the worker that owns its rows.

use jiff::Timestamp;
use tui_input::Input;

use super::audience::{Audience, EditKind, Editing, Status};
use super::commands::Cmd;
use super::effect::{About, Call, Effect, News, Then};
use super::key::{Key, KeyCode};
use super::notices::NoticeKind;
use super::overlay::{self, Picked};
use super::{State, call, field, say, send};
use crate::engine::messages::Request;
use crate::lead::Field;
use crate::lead::filter::Filter;

/// News from the worker that owns the rows.
pub(super) fn news(state: &mut State, news: News, now: Timestamp) -> Vec<Effect> {
    let audience = &mut state.audience;
    let current = audience.generation;
    match news {
        News::Progress { generation, about } if generation == current => progress(state, about, now),
        News::Failed { generation, failure } if generation == current => {
            audience.status = Status::Failed(failure.clone());
            vec![state.notices.failure(&failure, now)]
        }
        News::Viewed { generation, view, shown } if generation == current && view == audience.view => {
            audience.viewing = None;
            audience.shown = shown;
            audience.anchor = None;
            (audience.window, audience.window_from) = (Vec::new(), 0);
            audience.cursor = 0;
            audience.follow()
        }
        News::Viewing { generation, done } if generation == current && audience.viewing.is_some() => {
            audience.viewing = Some(done);
            Vec::new()
        }
        News::Window { generation, from, rows } if generation == current => {
            audience.window_from = from;
            audience.window = rows;
            audience.follow()
        }
        News::Rows { generation, rows, then } if generation == current => {
            match then {
                Then::Add => audience.selection |= rows,
                Then::Invert => audience.selection ^= rows,
            }
            audience.twice = None;
            Vec::new()
        }
        News::Found { generation, at } if generation == current => match at {
            Some(at) => audience.go(at),
            None => {
                let text = format!("'{}' was not found.", audience.needle);
                say(state, NoticeKind::Info, &text, now)
            }
        },
        News::Duplicates { generation, addresses, later } if generation == current => {
            audience.twice = (addresses > 0).then_some((addresses, later));
            Vec::new()
        }
        News::Saving(written) => {
            if let Some(saving) = &mut state.saving {
                saving.written = written;
            }
            Vec::new()
        }
        News::Saved(result) => send::saved(state, result, now),
        News::Written(Ok(text)) => say(state, NoticeKind::Success, &text, now),
        News::Written(Err(failure)) => vec![state.notices.failure(&failure, now)],
        News::Notice(text) => say(state, NoticeKind::Info, &text, now),
        _ => Vec::new(),
    }
}

fn progress(state: &mut State, about: About, now: Timestamp) -> Vec<Effect> {
    let audience = &mut state.audience;
    let plain = audience.filter.is_empty() && audience.sort.is_none();
    let mapped_anew = audience.about.schema != about.schema;
    let first = audience.columns.is_empty() && !about.schema.columns.is_empty();
    audience.about = about;
    audience.lay_columns();
    if plain {
        audience.shown = audience.about.rows;
    }
    let mut effects = if mapped_anew { audience.ask_window() } else { audience.follow() };
    if first {
        effects.push(call(Call::Recall("table"), Request::Recall { key: audience.kept_key() }));
    }
    if audience.about.complete && audience.status == Status::Loading {
        audience.status = Status::Ready;
        if !plain {
            effects.extend(audience.ask_view());
        }
        if !audience.is_list && audience.path != "-" {
            let value = serde_json::Value::String(audience.path.clone());
            effects.push(call(Call::Quiet, Request::Remember { key: "last_file".into(), value }));
        }
        let bad = audience.about.bad_count;
        if bad > 0 {
            let rows = if bad == 1 { "1 row".to_owned() } else { format!("{bad} rows") };
            let text = format!("{rows} could not be read. Press b in the table to list them.");
            effects.extend(say(state, NoticeKind::Info, &text, now));
        }
    }
    effects
}

/// A key while a filter or search is typed; `None` = none is.
pub(super) fn editing_key(state: &mut State, key: Key, _now: Timestamp) -> Option<Vec<Effect>> {
    let audience = &mut state.audience;
    let editing = audience.editing.as_mut()?;
    match (key.code, editing.kind) {
        (KeyCode::Esc, _) => audience.editing = None,
        (KeyCode::Enter, EditKind::Search) => {
            audience.needle = editing.input.value().trim().to_owned();
            audience.editing = None;
            return Some(audience.find(false));
        }
        (KeyCode::Enter, EditKind::Filter) if editing.error.is_some() => {}
        (KeyCode::Enter, EditKind::Filter) => {
            audience.filter = editing.input.value().trim().to_owned();
            audience.editing = None;
            return Some(audience.ask_view());
        }
        _ => {
            field::edit(&mut editing.input, key);
            check_filter(audience);
        }
    }
    Some(Vec::new())
}

/// Says what is wrong with a filter as it is typed.
fn check_filter(audience: &mut Audience) {
    let schema = &audience.about.schema;
    if let Some(editing) = audience.editing.as_mut().filter(|editing| editing.kind == EditKind::Filter) {
        editing.error = Filter::parse(editing.input.value(), schema).err().map(|error| (error.at, error.message));
    }
}

/// A command of the table.
pub(super) fn give(state: &mut State, cmd: Cmd, now: Timestamp) -> Vec<Effect> {
    let audience = &mut state.audience;
    let page = i64::try_from(audience.height.saturating_sub(1).max(1)).unwrap_or(1);
    match cmd {
        Cmd::Toggle => {
            audience.toggle();
            audience.step(1)
        }
        Cmd::Down => audience.step(1),
        Cmd::Up => audience.step(-1),
        Cmd::PageDown => audience.step(page),
        Cmd::PageUp => audience.step(-page),
        Cmd::First => audience.go(0),
        Cmd::Last => audience.go(u64::MAX),
        Cmd::Left => {
            audience.left = audience.left.saturating_sub(1);
            Vec::new()
        }
        Cmd::Right => {
            let most = audience.visible_columns().count().saturating_sub(1);
            audience.left = (audience.left + 1).min(most);
            Vec::new()
        }
        Cmd::SelectAll | Cmd::Invert if audience.busy() || audience.status == Status::Loading => {
            // The rows that a person means are not all known yet.
            let text = "The rows are still being found. Do it again when the table is ready.";
            say(state, NoticeKind::Info, text, now)
        }
        Cmd::SelectAll => audience.rows(0, u64::MAX, Then::Add),
        Cmd::Invert => audience.rows(0, u64::MAX, Then::Invert),
        Cmd::Range => {
            let from = audience.anchor.unwrap_or(audience.cursor);
            let (from, to) = (from.min(audience.cursor), from.max(audience.cursor) + 1);
            audience.anchor = Some(audience.cursor);
            audience.rows(from, to, Then::Add)
        }
        Cmd::ClearSelection => {
            audience.selection.clear();
            (audience.anchor, audience.twice) = (None, None);
            Vec::new()
        }
        Cmd::Dedupe => match audience.twice.take() {
            Some((addresses, later)) => {
                audience.selection -= later;
                let text = format!("Kept one lead of each of {addresses} addresses that stood twice.");
                say(state, NoticeKind::Success, &text, now)
            }
            None => audience.count_duplicates(),
        },
        Cmd::Filter | Cmd::Search => {
            let (kind, text) = match cmd {
                Cmd::Filter => (EditKind::Filter, audience.filter.clone()),
                _ => (EditKind::Search, String::new()),
            };
            audience.editing = Some(Editing { kind, input: Input::new(text), error: None });
            Vec::new()
        }
        Cmd::ClearFilter => {
            audience.filter.clear();
            audience.ask_view()
        }
        Cmd::FindNext => audience.find(false),
        Cmd::FindPrevious => audience.find(true),
        Cmd::Sort => {
            let names: Vec<String> = (0..audience.schema().columns.len())
                .map(|position| audience.schema().name(position).to_owned())
                .chain(["file order".to_owned()])
                .collect();
            overlay::pick(state, "Sort by", names, Picked::Sort)
        }
        Cmd::Reverse => match &mut audience.sort {
            Some((_, descending)) => {
                *descending = !*descending;
                let mut effects = audience.ask_view();
                effects.extend(audience.keep());
                effects
            }
            None => Vec::new(),
        },
        Cmd::Detail if audience.focused().is_some() => overlay::detail(state),
        Cmd::Columns if !audience.columns.is_empty() => overlay::columns(state),
        Cmd::BadRows if audience.about.bad_count > 0 => overlay::bad_rows(state),
        _ => Vec::new(),
    }
}

/// Sorts by a column of the schema; past the last one means file order.
pub(super) fn sort_by(state: &mut State, position: usize) -> Vec<Effect> {
    let audience = &mut state.audience;
    let by_score = audience.schema().columns.get(position).is_some_and(|column| column.field == Some(Field::Score));
    audience.sort = match audience.sort {
        _ if position >= audience.schema().columns.len() => None,
        Some((now, descending)) if now == position => Some((position, !descending)),
        _ => Some((position, by_score)),
    };
    let mut effects = audience.ask_view();
    effects.extend(audience.keep());
    effects
}
