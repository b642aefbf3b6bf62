//! What lies on top of a tab: help, palette, pickers, prompts, questions, and the panes of sending. The last one has the keys.

use jiff::Timestamp;
use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use tui_input::Input;

use super::commands::{self, COMMANDS, Cmd, Place};
use super::effect::{Action, Call, Effect};
use super::form::{self, Form};
use super::key::{Key, KeyCode};
use super::{State, Tab, call, columns, confirm, connect, field, run, send, table, tabs, update};
use crate::engine::messages::{Request, SavedList};
use crate::vault::Secret;

/// One thing on top.
#[derive(Debug)]
pub enum Overlay {
    /// Help: the commands of the place it was asked for come first. Holds how far it is scrolled.
    Help {
        /// The place.
        place: Place,
        /// Lines scrolled off.
        scroll: usize,
    },
    /// The palette.
    Palette(Box<Chooser<Cmd>>),
    /// A list to pick one of.
    Picker(Box<Chooser<usize>>, Picked),
    /// A line to type.
    Prompt {
        /// What is asked.
        title: String,
        /// The answer.
        input: Input,
        /// What it is for.
        asked: Asked,
    },
    /// A question with yes and no; no has the focus.
    Question {
        /// The question.
        text: String,
        /// What yes does.
        sure: Sure,
        /// Whether yes has the focus.
        yes: bool,
    },
    /// All of the focused lead. Holds how far it is scrolled.
    Detail(usize),
    /// The rows that could not be read. Holds how far it is scrolled.
    BadRows(usize),
    /// The columns. Holds the focused one.
    Columns(usize),
    /// The connect pane.
    Connect(Box<connect::Connect>),
    /// "Confirm sync settings".
    Confirm(Box<confirm::Confirm>),
    /// A run.
    Run(Box<run::RunPane>),
    /// The webhook form.
    Form(Box<Form>),
    /// A signing secret, shown this once.
    Secret {
        /// The webhook.
        webhook: String,
        /// Its secret.
        secret: Secret,
    },
}

/// A list with a line that narrows it down.
#[derive(Debug)]
pub struct Chooser<T> {
    /// What is to be chosen.
    pub title: String,
    /// The text that narrows it down.
    pub input: Input,
    /// All rows.
    pub all: Vec<(String, T)>,
    /// The rows that match, best first, by their place in `all`.
    pub matching: Vec<usize>,
    /// The focused one of them.
    pub cursor: usize,
}

impl<T: Copy> Chooser<T> {
    fn new(title: &str, all: Vec<(String, T)>) -> Box<Self> {
        let matching = (0..all.len()).collect();
        Box::new(Chooser { title: title.to_owned(), input: Input::default(), all, matching, cursor: 0 })
    }

    fn narrow(&mut self) {
        let text = self.input.value().trim();
        let pattern = Pattern::new(text, CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut space = Vec::new();
        let mut scored: Vec<(u32, usize)> = (self.all.iter().enumerate())
            .filter_map(|(at, (row, _))| {
                pattern.score(Utf32Str::new(row, &mut space), &mut matcher).map(|score| (score, at))
            })
            .collect();
        scored.sort_by_key(|(score, at)| (std::cmp::Reverse(*score), *at));
        self.matching = scored.into_iter().map(|(_, at)| at).collect();
        self.cursor = 0;
    }

    fn chosen(&self) -> Option<T> {
        self.matching.get(self.cursor).and_then(|at| self.all.get(*at)).map(|(_, value)| *value)
    }

    /// A key; `Some(Some(…))` = chosen, `Some(None)` = it belonged here.
    fn key(&mut self, key: Key) -> Option<Option<T>> {
        let last = self.matching.len().saturating_sub(1);
        match key.code {
            KeyCode::Enter => return self.chosen().map(Some).or(Some(None)),
            KeyCode::Down | KeyCode::Tab if !key.shift => self.cursor = (self.cursor + 1).min(last),
            KeyCode::Up | KeyCode::Tab => self.cursor = self.cursor.saturating_sub(1),
            KeyCode::PageDown => self.cursor = (self.cursor + 10).min(last),
            KeyCode::PageUp => self.cursor = self.cursor.saturating_sub(10),
            _ if field::edit(&mut self.input, key) => self.narrow(),
            _ => return None,
        }
        Some(None)
    }
}

/// What a picked row is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Picked {
    /// The column to sort by.
    Sort,
    /// The standard field of the focused column.
    ColumnField,
    /// The vendor's field of the focused mapping row.
    RemoteField,
    /// Where this saved list goes.
    Destination(SavedList),
}

/// What a typed line is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The file to open.
    OpenFile,
    /// The new name of a list.
    RenameList(String),
    /// The file that a list is exported to.
    ExportList(String),
    /// The file that bad rows are written to.
    ExportBad,
}

/// What yes does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sure {
    /// Ends the program.
    Quit,
    /// Deletes a list.
    DeleteList(String),
    /// Removes a connection: platform and label.
    RemoveConnection(String, String),
    /// Removes a webhook.
    RemoveWebhook(String),
}

impl Overlay {
    /// Where its commands are found.
    pub fn place(&self) -> Place {
        match self {
            Overlay::Connect(_) => Place::Connect,
            Overlay::Confirm(_) => Place::Confirm,
            Overlay::Run(_) => Place::Run,
            Overlay::Form(_) => Place::Form,
            Overlay::Columns(_) => Place::Columns,
            _ => Place::Anywhere,
        }
    }

    /// Whether something on it turns.
    pub fn spins(&self) -> bool {
        match self {
            Overlay::Run(pane) => pane.run.as_ref().is_some_and(|run| run.state == crate::sync::RunState::Running),
            _ => false,
        }
    }

    /// Turns it.
    pub fn spin(&mut self) {
        if let Overlay::Run(pane) = self {
            pane.spin = pane.spin.wrapping_add(1);
        }
    }

    /// The text field that has the keys.
    fn input(&mut self) -> Option<&mut Input> {
        match self {
            Overlay::Palette(chooser) => Some(&mut chooser.input),
            Overlay::Picker(chooser, _) => Some(&mut chooser.input),
            Overlay::Prompt { input, .. } => Some(input),
            Overlay::Connect(pane) => connect::input(pane),
            Overlay::Confirm(pane) if pane.at == 1 => Some(&mut pane.group),
            Overlay::Form(pane) => pane.text_mut(),
            _ => None,
        }
    }
}

/// The text field on top that has the keys.
pub(super) fn input(state: &mut State) -> Option<&mut Input> {
    state.overlays.last_mut().and_then(Overlay::input)
}

/// The field on top was pasted into.
pub(super) fn typed(state: &mut State, now: Timestamp) -> Vec<Effect> {
    match state.overlays.last_mut() {
        Some(Overlay::Palette(chooser)) => chooser.narrow(),
        Some(Overlay::Picker(chooser, _)) => chooser.narrow(),
        Some(Overlay::Form(_)) => form::check(state, now),
        _ => {}
    }
    Vec::new()
}

/// Text came back from an editor.
pub(super) fn edited(state: &mut State, text: String, now: Timestamp) -> Vec<Effect> {
    form::edited(state, text, now);
    Vec::new()
}

/// Opens the palette with the commands of the place and of everywhere.
pub(super) fn palette(state: &mut State) -> Vec<Effect> {
    let place = state.place();
    let mut all: Vec<(String, Cmd)> = commands::at(place).map(|row| (row.title.to_owned(), row.cmd)).collect();
    all.retain(|(_, cmd)| !matches!(cmd, Cmd::Palette | Cmd::ItemDown | Cmd::ItemUp));
    state.overlays.push(Overlay::Palette(Chooser::new("Commands", all)));
    Vec::new()
}

/// Opens the help of the place.
pub(super) fn help(state: &mut State) -> Vec<Effect> {
    let place = state.place();
    state.overlays.push(Overlay::Help { place, scroll: 0 });
    Vec::new()
}

/// The lines of help: a title, or keys and what they do; the place's own come first.
pub fn help_lines(place: Place) -> Vec<(String, &'static str)> {
    let mut lines = Vec::new();
    let mut places = vec![place, Place::Anywhere];
    for row in COMMANDS {
        if !places.contains(&row.place) {
            places.push(row.place);
        }
    }
    places.dedup();
    for place in places {
        lines.push((String::new(), place.title()));
        for row in COMMANDS.iter().filter(|row| row.place == place && !row.keys.is_empty()) {
            lines.push((row.keys.join(" "), row.title));
        }
    }
    lines
}

/// Opens a list to pick one of.
pub(super) fn pick(state: &mut State, title: &str, names: Vec<String>, picked: Picked) -> Vec<Effect> {
    let all = names.into_iter().enumerate().map(|(at, name)| (name, at)).collect();
    state.overlays.push(Overlay::Picker(Chooser::new(title, all), picked));
    Vec::new()
}

/// Opens a line to type.
pub(super) fn prompt(state: &mut State, title: &str, text: &str, asked: Asked) -> Vec<Effect> {
    state.overlays.push(Overlay::Prompt { title: title.to_owned(), input: Input::new(text.to_owned()), asked });
    Vec::new()
}

/// Opens a question.
pub(super) fn ask(state: &mut State, text: &str, sure: Sure) -> Vec<Effect> {
    state.overlays.push(Overlay::Question { text: text.to_owned(), sure, yes: false });
    Vec::new()
}

/// Opens the focused lead.
pub(super) fn detail(state: &mut State) -> Vec<Effect> {
    state.overlays.push(Overlay::Detail(0));
    Vec::new()
}

/// Opens the columns.
pub(super) fn columns(state: &mut State) -> Vec<Effect> {
    state.overlays.push(Overlay::Columns(0));
    Vec::new()
}

/// Opens the rows that could not be read.
pub(super) fn bad_rows(state: &mut State) -> Vec<Effect> {
    state.overlays.push(Overlay::BadRows(0));
    Vec::new()
}

/// Closes what is on top; `None` = nothing is.
pub(super) fn close(state: &mut State) -> Option<Vec<Effect>> {
    let mut effects = Vec::new();
    match state.overlays.pop()? {
        Overlay::Connect(mut pane) => {
            effects = connect::stop(&mut pane);
            state.sending = None;
        }
        Overlay::Confirm(_) | Overlay::Form(_) => state.sending = None,
        Overlay::Secret { .. } => effects = run::begin_sending(state),
        _ => {}
    }
    Some(effects)
}

/// A key for what is on top; `None` = it has no use for it.
pub(super) fn key(state: &mut State, key: Key, now: Timestamp) -> Option<Vec<Effect>> {
    let top = state.overlays.last_mut()?;
    if key.code == KeyCode::Esc {
        return close(state);
    }
    match top {
        Overlay::Palette(chooser) => {
            let chosen = chooser.key(key)?;
            Some(chosen.map_or_else(Vec::new, |cmd| {
                state.overlays.pop();
                update(state, Action::Run(cmd), now)
            }))
        }
        Overlay::Picker(chooser, picked) => {
            let chosen = chooser.key(key)?;
            let picked = picked.clone();
            Some(chosen.map_or_else(Vec::new, |at| {
                state.overlays.pop();
                chosen_row(state, picked, at, now)
            }))
        }
        Overlay::Prompt { input, asked, .. } => match key.code {
            KeyCode::Enter if input.value().trim().is_empty() => Some(Vec::new()),
            KeyCode::Enter => {
                let (text, asked) = (input.value().trim().to_owned(), asked.clone());
                state.overlays.pop();
                Some(said(state, asked, text))
            }
            _ => field::edit(input, key).then(Vec::new),
        },
        Overlay::Question { sure, yes, .. } => match key.code {
            KeyCode::Char('y' | 'Y') => {
                let sure = sure.clone();
                state.overlays.pop();
                Some(agreed(state, sure))
            }
            KeyCode::Char('n' | 'N') => close(state),
            KeyCode::Enter if *yes => {
                let sure = sure.clone();
                state.overlays.pop();
                Some(agreed(state, sure))
            }
            KeyCode::Enter => close(state),
            KeyCode::Left | KeyCode::Right | KeyCode::Tab | KeyCode::Up | KeyCode::Down => {
                *yes = !*yes;
                Some(Vec::new())
            }
            _ => Some(Vec::new()),
        },
        Overlay::Connect(_) => connect::key(state, key, now),
        Overlay::Confirm(_) => confirm::key(state, key, now),
        Overlay::Form(_) => form::key(state, key, now),
        Overlay::Secret { .. } if key.code == KeyCode::Enter => close(state),
        Overlay::Detail(_) | Overlay::BadRows(_) | Overlay::Help { .. } if key.code == KeyCode::Char('q') => {
            close(state)
        }
        Overlay::BadRows(_) if key.code == KeyCode::Char('x') => {
            Some(prompt(state, "Write the bad rows to", "bad-rows.csv", Asked::ExportBad))
        }
        _ => None,
    }
}

/// The mouse pressed a row of what is on top; `None` = nothing is on top.
pub(super) fn point(state: &mut State, at: usize, now: Timestamp) -> Option<Vec<Effect>> {
    let enter = Key::plain(KeyCode::Enter);
    let columns = state.audience.columns.len();
    match state.overlays.last_mut()? {
        Overlay::Palette(chooser) if at < chooser.matching.len() => chooser.cursor = at,
        Overlay::Picker(chooser, _) if at < chooser.matching.len() => chooser.cursor = at,
        Overlay::Form(form) => {
            if let Some(row) = form.rows().get(at) {
                form.row = *row;
            }
            return Some(Vec::new());
        }
        Overlay::Confirm(pane) => {
            pane.at = at.min(pane.start_row());
            return Some(Vec::new());
        }
        Overlay::Columns(cursor) => {
            *cursor = at.min(columns.saturating_sub(1));
            return Some(Vec::new());
        }
        Overlay::Run(pane) => {
            pane.outcomes.cursor = at.min(pane.outcomes.items.len().saturating_sub(1));
            return Some(Vec::new());
        }
        _ => return Some(Vec::new()),
    }
    key(state, enter, now).or(Some(Vec::new()))
}

/// Moves in what is on top; answers whether something is.
pub(super) fn step(state: &mut State, by: isize) -> bool {
    let bad = state.audience.about.bad.len();
    let fields = state.audience.schema().columns.len();
    match state.overlays.last_mut() {
        None => return false,
        Some(Overlay::Help { place, scroll }) => {
            *scroll = scroll.saturating_add_signed(by).min(help_lines(*place).len().saturating_sub(1));
        }
        Some(Overlay::Detail(scroll)) => *scroll = scroll.saturating_add_signed(by).min(fields.saturating_sub(1)),
        Some(Overlay::BadRows(scroll)) => *scroll = scroll.saturating_add_signed(by).min(bad.saturating_sub(1)),
        Some(Overlay::Run(pane)) => pane.outcomes.step(by),
        Some(Overlay::Columns(_)) => columns::step(state, by),
        Some(_) => {}
    }
    true
}

fn chosen_row(state: &mut State, picked: Picked, at: usize, now: Timestamp) -> Vec<Effect> {
    match picked {
        Picked::Sort => table::sort_by(state, at),
        Picked::ColumnField => columns::picked(state, at),
        Picked::RemoteField => confirm::picked(state, at),
        Picked::Destination(list) => {
            let platforms = state.platforms.len();
            let webhook = at.checked_sub(platforms).and_then(|at| state.webhooks.items.get(at));
            match (state.platforms.get(at).map(|platform| platform.id.clone()), webhook) {
                (Some(platform), _) => {
                    let mut effects =
                        vec![send::record(crate::events::EventName::ConnectClicked, &platform, list.leads, &list.list)];
                    effects.extend(send::go_on(state, list, send::Next::Crm(platform), now));
                    effects
                }
                (None, Some(webhook)) => {
                    let destination = crate::sync::Destination::Webhook { name: webhook.name.clone() };
                    run::begin(state, list.list, destination, None)
                }
                (None, None) => send::go_on(state, list, send::Next::Webhook, now),
            }
        }
    }
}

fn said(state: &mut State, asked: Asked, text: String) -> Vec<Effect> {
    match asked {
        Asked::OpenFile => {
            // What lies below was about the audience of before.
            let about_it =
                |lies: &Overlay| matches!(lies, Overlay::Detail(_) | Overlay::BadRows(_) | Overlay::Columns(_));
            state.overlays.retain(|lies| !about_it(lies));
            state.tab = Tab::Audience;
            state.audience.open(text)
        }
        Asked::RenameList(name) => {
            let done = format!("{name} is now called {text}");
            vec![call(Call::Changed(done), Request::RenameList { name, to: text })]
        }
        Asked::ExportList(list) => vec![Effect::Export { list, path: text }],
        Asked::ExportBad => vec![Effect::ExportBad { generation: state.audience.generation, path: text }],
    }
}

fn agreed(state: &mut State, sure: Sure) -> Vec<Effect> {
    let (said, request) = match sure {
        Sure::Quit => {
            state.over = true;
            return vec![Effect::Quit];
        }
        Sure::DeleteList(name) => (format!("Deleted {name}"), Request::DeleteList { name }),
        Sure::RemoveConnection(platform, account) => {
            let name = state.platform(&platform).map_or(platform.clone(), |known| known.name.clone());
            (format!("Removed the connection to {name}"), Request::RemoveConnection { platform, account })
        }
        Sure::RemoveWebhook(name) => (format!("Removed the webhook {name}"), Request::RemoveWebhook { name }),
    };
    tabs::then_changed(said, request)
}
