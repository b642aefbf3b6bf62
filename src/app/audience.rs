//! The leads under review: what is shown of them, the cursor, the selection, filter, sort and search.
//!
//! The rows themselves belong to the opening process (`effects`); here are a window of them and a bitmap of row ids.

use jiff::Timestamp;
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};
use tui_input::Input;

use super::commands::Cmd;
use super::effect::{About, Call, Effect, News, Then};
use super::key::{Key, KeyCode};
use super::notices::NoticeKind;
use super::overlay::{self, Picked};
use super::{State, call, field, say, send};
use crate::engine::messages::Request;
use crate::failure::Failure;
use crate::lead::filter::Filter;
use crate::lead::mapping::fingerprint;
use crate::lead::{Field, Lead, Schema};

/// How an audience stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// None is open.
    #[default]
    Empty,
    /// Rows are usable while more are being found.
    Loading,
    /// All rows are known.
    Ready,
    /// It could not be opened.
    Failed(Failure),
}

/// What a column of the table shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shows {
    /// The lead's name, joined from first and last name where the file has them apart.
    Name,
    /// A column of the schema.
    Column(usize),
}

/// A column as the table shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnView {
    /// What it shows.
    pub shows: Shows,
    /// Columns of the terminal it wants.
    pub width: u16,
    /// Whether it is left out.
    pub hidden: bool,
}

/// What is remembered of the table for files with the same headers.
#[derive(Serialize, Deserialize)]
struct Kept {
    columns: Vec<ColumnView>,
    sort: Option<(usize, bool)>,
}

/// What is being typed into the table's title.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EditKind {
    /// A filter.
    Filter,
    /// Text to search for.
    Search,
}

/// A filter or search being typed.
#[derive(Clone, Debug)]
pub struct Editing {
    /// Which.
    pub kind: EditKind,
    /// The text.
    pub input: Input,
    /// What is wrong with the filter and at which byte.
    pub error: Option<(usize, String)>,
}

/// The leads under review.
#[derive(Debug, Default)]
pub struct Audience {
    /// Counts the audiences opened; news of an older one are dropped.
    pub generation: u64,
    /// How it stands.
    pub status: Status,
    /// Whether it is a saved list.
    pub is_list: bool,
    /// The path it was opened from; `-` for standard input; empty for a list.
    pub path: String,
    /// What is known of it.
    pub about: About,
    /// Rows in the order in force.
    pub shown: u64,
    /// The focused position in the order.
    pub cursor: u64,
    /// The position at the top of the table.
    pub top: u64,
    /// Rows of leads that the table shows.
    pub height: u64,
    /// The position of the first row in `window`.
    pub window_from: u64,
    /// Rows at hand: row id and lead.
    pub window: Vec<(u32, Lead)>,
    /// The selected row ids.
    pub selection: RoaringBitmap,
    /// Where a range begins.
    pub anchor: Option<u64>,
    /// The filter in force.
    pub filter: String,
    /// The column sorted by, and whether descending.
    pub sort: Option<(usize, bool)>,
    /// The text last searched for.
    pub needle: String,
    /// A filter or search being typed.
    pub editing: Option<Editing>,
    /// Which view is in force.
    pub view: u64,
    /// Rows of a view done so far, while one is being built.
    pub viewing: Option<u64>,
    /// The columns in the order of the table.
    pub columns: Vec<ColumnView>,
    /// How many shown columns are scrolled off to the left.
    pub left: usize,
    /// E-mail addresses that stand twice in the selection, and the later rows of each.
    pub twice: Option<(u64, RoaringBitmap)>,
}

/// The standard fields the table shows, with their widths, in order; the rest is hidden until asked for.
const SHOWN: &[(Field, u16)] = &[
    (Field::Score, 5),
    (Field::FullName, 18),
    (Field::Company, 20),
    (Field::Title, 15),
    (Field::City, 12),
    (Field::Email, 22),
    (Field::Phone, 14),
    (Field::Reasons, 32),
];

impl Audience {
    /// Opens a path as the audience.
    pub fn open(&mut self, path: String) -> Vec<Effect> {
        self.begin(false, path.clone());
        vec![Effect::Open { generation: self.generation, path }]
    }

    /// Opens a saved list as the audience.
    pub fn open_list(&mut self, name: String) -> Vec<Effect> {
        self.begin(true, String::new());
        vec![Effect::OpenList { generation: self.generation, name }]
    }

    fn begin(&mut self, is_list: bool, path: String) {
        *self = Audience {
            generation: self.generation + 1,
            status: Status::Loading,
            is_list,
            path,
            height: self.height,
            ..Audience::default()
        };
    }

    /// What its columns mean.
    pub fn schema(&self) -> &Schema {
        &self.about.schema
    }

    /// Whether the worker is busy with something Esc can stop.
    pub fn busy(&self) -> bool {
        self.viewing.is_some()
    }

    /// Forgets a view that is being built.
    pub fn give_up(&mut self) {
        self.viewing = None;
        self.view += 1;
    }

    /// The row at a position, when it is at hand.
    pub fn row(&self, position: u64) -> Option<&(u32, Lead)> {
        position.checked_sub(self.window_from).and_then(|at| self.window.get(usize::try_from(at).ok()?))
    }

    /// The focused lead.
    pub fn focused(&self) -> Option<&(u32, Lead)> {
        self.row(self.cursor)
    }

    /// The columns that are not hidden.
    pub fn visible_columns(&self) -> impl Iterator<Item = &ColumnView> {
        self.columns.iter().filter(|column| !column.hidden)
    }

    /// The table shows so many rows from now on.
    pub fn set_height(&mut self, rows: u64) -> Vec<Effect> {
        self.height = rows;
        self.follow()
    }

    /// Moves the cursor by so many rows.
    pub fn step(&mut self, by: i64) -> Vec<Effect> {
        self.go(self.cursor.saturating_add_signed(by))
    }

    /// Moves the cursor to a position.
    pub fn go(&mut self, position: u64) -> Vec<Effect> {
        self.cursor = position.min(self.shown.saturating_sub(1));
        self.follow()
    }

    /// Moves the cursor to a visible row.
    pub fn point(&mut self, row: u64) -> Vec<Effect> {
        self.go(self.top + row)
    }

    /// Keeps the cursor in sight and asks for rows that are not at hand.
    fn follow(&mut self) -> Vec<Effect> {
        let height = self.height.max(1);
        self.top = self.top.min(self.cursor).max((self.cursor + 1).saturating_sub(height));
        self.top = self.top.min(self.shown.saturating_sub(height));
        let end = (self.top + height).min(self.shown);
        let have = self.window_from..self.window_from + self.window.len() as u64;
        if self.top >= end || (have.contains(&self.top) && have.contains(&(end - 1))) {
            return Vec::new();
        }
        self.ask_window()
    }

    fn ask_window(&self) -> Vec<Effect> {
        let from = self.top.saturating_sub(self.height);
        vec![Effect::Window { generation: self.generation, from, len: self.height.max(1) * 3 }]
    }

    /// Selects or unselects the focused lead.
    pub fn toggle(&mut self) {
        if let Some((id, _)) = self.focused() {
            let id = *id;
            if !self.selection.remove(id) {
                self.selection.insert(id);
            }
            self.anchor = Some(self.cursor);
            self.twice = None;
        }
    }

    fn rows(&self, from: u64, to: u64, then: Then) -> Vec<Effect> {
        vec![Effect::Rows { generation: self.generation, from, to, then }]
    }

    /// Asks whether an address stands twice in the selection.
    pub fn count_duplicates(&self) -> Vec<Effect> {
        match self.schema().position(Field::Email) {
            Some(_) => vec![Effect::Duplicates { generation: self.generation, rows: self.selection.clone() }],
            None => Vec::new(),
        }
    }

    /// Builds the view anew for filter and sort.
    fn ask_view(&mut self) -> Vec<Effect> {
        self.view += 1;
        self.viewing = Some(0);
        let (generation, view) = (self.generation, self.view);
        vec![Effect::View { generation, view, filter: self.filter.clone(), sort: self.sort }]
    }

    fn find(&mut self, backwards: bool) -> Vec<Effect> {
        if self.needle.is_empty() || self.shown == 0 {
            return Vec::new();
        }
        let last = self.shown - 1;
        let from = match (backwards, self.cursor) {
            (false, at) if at == last => 0,
            (false, at) => at + 1,
            (true, 0) => last,
            (true, at) => at - 1,
        };
        vec![Effect::Find { generation: self.generation, needle: self.needle.clone(), from, backwards }]
    }

    fn kept_key(&self) -> String {
        format!("table/{}", fingerprint(self.schema()))
    }

    /// Remembers columns and sort for files with these headers.
    pub(super) fn keep(&self) -> Vec<Effect> {
        let kept = Kept { columns: self.columns.clone(), sort: self.sort };
        match serde_json::to_value(kept) {
            Ok(value) => vec![call(Call::Quiet, Request::Remember { key: self.kept_key(), value })],
            Err(_) => Vec::new(),
        }
    }

    /// Takes up columns and sort of an earlier session.
    pub(super) fn recalled(&mut self, value: &serde_json::Value) -> Vec<Effect> {
        let Ok(kept) = serde_json::from_value::<Kept>(value.clone()) else { return Vec::new() };
        let known = self.schema().columns.len();
        let stands = |shows| !matches!(shows, Shows::Column(position) if position >= known);
        self.columns = kept.columns.into_iter().filter(|column| stands(column.shows)).collect();
        self.lay_columns();
        self.sort = kept.sort.filter(|(position, _)| *position < known);
        if self.sort.is_some() { self.ask_view() } else { Vec::new() }
    }

    /// Columns for a schema seen for the first time; columns that appear later are added hidden.
    fn lay_columns(&mut self) {
        let schema = &self.about.schema;
        if self.columns.is_empty() {
            for (field, width) in SHOWN {
                let joined = *field == Field::FullName
                    && (schema.position(Field::FirstName).is_some() || schema.position(Field::LastName).is_some());
                let shows = match schema.position(*field) {
                    Some(position) => Shows::Column(position),
                    None if joined => Shows::Name,
                    None => continue,
                };
                self.columns.push(ColumnView { shows, width: *width, hidden: false });
            }
        }
        let few = self.columns.len() < 3;
        for position in 0..schema.columns.len() {
            if self.columns.iter().all(|column| column.shows != Shows::Column(position)) {
                self.columns.push(ColumnView { shows: Shows::Column(position), width: 16, hidden: !few });
            }
        }
    }
}

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

#[cfg(test)]
#[path = "audience_tests.rs"]
mod tests;
