//! The leads under review: what is shown of them, the cursor, the selection, filter, sort and search.
//!
//! The rows themselves belong to the opening process (`effects`); here are a window of them and a bitmap of row ids.

use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};
use tui_input::Input;

use super::call;
use super::effect::{About, Call, Effect, Then};
use crate::engine::messages::Request;
use crate::failure::Failure;
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
    pub(super) fn follow(&mut self) -> Vec<Effect> {
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

    pub(super) fn ask_window(&self) -> Vec<Effect> {
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

    pub(super) fn rows(&self, from: u64, to: u64, then: Then) -> Vec<Effect> {
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
    pub(super) fn ask_view(&mut self) -> Vec<Effect> {
        self.view += 1;
        self.viewing = Some(0);
        let (generation, view) = (self.generation, self.view);
        vec![Effect::View { generation, view, filter: self.filter.clone(), sort: self.sort }]
    }

    pub(super) fn find(&mut self, backwards: bool) -> Vec<Effect> {
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

    pub(super) fn kept_key(&self) -> String {
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
    pub(super) fn lay_columns(&mut self) {
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

#[cfg(test)]
#[path = "audience_tests.rs"]
mod tests;
