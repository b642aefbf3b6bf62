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
pub mod tabs;

use jiff::{SignedDuration, Timestamp};
use tui_input::Input;

use crate::engine::messages::{ConnectionSummary, Reply, Request};
use crate::list::ListSummary;
use crate::oauth::Method;
use crate::webhook::WebhookSummary;
pub use audience::Audience;
use commands::{Cmd, Place};
pub use effect::{About, Action, Call, Effect, News, Target, Then};
use key::{Key, KeyCode};
use notices::{NoticeKind, Notices};
use overlay::Overlay;

/// How often a spinner turns.
const SPIN: SignedDuration = SignedDuration::from_millis(120);

/// The tabs, in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tab {
    /// The lead table and the panes below it.
    #[default]
    Audience,
    /// Saved lists.
    Lists,
    /// CRM accounts.
    Connections,
    /// Outgoing webhooks.
    Webhooks,
    /// Runs, deliveries, notices, events.
    Activity,
}

impl Tab {
    /// All, in the order of the tab line.
    pub const ALL: [Tab; 5] = [Tab::Audience, Tab::Lists, Tab::Connections, Tab::Webhooks, Tab::Activity];

    /// Its name on the tab line.
    pub fn title(self) -> &'static str {
        match self {
            Tab::Audience => "Audience",
            Tab::Lists => "Lists",
            Tab::Connections => "Connections",
            Tab::Webhooks => "Webhooks",
            Tab::Activity => "Activity",
        }
    }
}

/// What has the focus on the first tab, in tab order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Focus {
    /// The lead table.
    #[default]
    Table,
    /// The list name.
    Name,
    /// The Save button.
    Save,
    /// A button of the CRM grid, by its place in [`State::platforms`].
    Crm(usize),
    /// "Setup Webhook Integration".
    Webhook,
}

/// A CRM as the grid draws it; made from the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    /// The platform id.
    pub id: String,
    /// The name on the button.
    pub name: String,
    /// How one can sign in.
    pub methods: Vec<Method>,
    /// What the vendor calls its static token.
    pub token_name: String,
    /// Where a static token is made.
    pub token_where: String,
    /// More values a sign-in takes: name, label, required.
    pub fields: Vec<(String, String, bool)>,
}

/// What this machine can do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// Whether a browser can be opened here.
    pub browser: bool,
    /// `ssh -L {port}:localhost:{port} user@host`, with `{port}` to be filled in; empty when this is no SSH session.
    pub ssh_line: String,
}

/// What `leadferry demo` lends a newcomer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demo {
    /// The page that shows what arrived.
    pub page: String,
    /// The practice CRM's static token.
    pub token: String,
    /// The practice webhook's address.
    pub hook_url: String,
}

/// A save under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saving {
    /// What comes after it.
    pub then: send::Next,
    /// Leads written so far.
    pub written: u64,
    /// Which picture of the spinner.
    pub spin: u8,
}

/// A list of rows with a cursor, for every tab and picker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows<T> {
    /// The rows.
    pub items: Vec<T>,
    /// The focused one.
    pub cursor: usize,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Rows { items: Vec::new(), cursor: 0 }
    }
}

impl<T> Rows<T> {
    /// Replaces the rows and keeps the cursor inside.
    pub fn set(&mut self, items: Vec<T>) {
        self.cursor = self.cursor.min(items.len().saturating_sub(1));
        self.items = items;
    }

    /// The focused row.
    pub fn focused(&self) -> Option<&T> {
        self.items.get(self.cursor)
    }

    /// Moves by so many rows and stays inside.
    pub fn step(&mut self, by: isize) {
        self.cursor = self.cursor.saturating_add_signed(by).min(self.items.len().saturating_sub(1));
    }
}

/// Everything the interface knows. Views read it, [`update`] writes it.
pub struct State {
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// What webhooks may reach, so that the form can say it as one types.
    pub guard: crate::webhook::guard::Guard,
    /// What this machine can do.
    pub machine: Machine,
    /// What the demo lends; `None` = this is no demo.
    pub demo: Option<Demo>,
    /// The CRM grid.
    pub platforms: Vec<Platform>,
    /// The tab in front.
    pub tab: Tab,
    /// The focus on the first tab.
    pub focus: Focus,
    /// The leads under review.
    pub audience: Audience,
    /// The name of the list to save.
    pub name: Input,
    /// A save under way.
    pub saving: Option<Saving>,
    /// What lies on top, last on top.
    pub overlays: Vec<Overlay>,
    /// What is being sent, from the press of a button to the run.
    pub sending: Option<send::Sending>,
    /// The saved lists.
    pub lists: Rows<ListSummary>,
    /// The connections.
    pub connections: Vec<ConnectionSummary>,
    /// The focused row of the Connections tab.
    pub connection_cursor: usize,
    /// The webhooks.
    pub webhooks: Rows<WebhookSummary>,
    /// Runs, deliveries, notices, events.
    pub activity: activity::Activity,
    /// The newest run that is going on, for the tab line.
    pub live_run: Option<crate::sync::RunSummary>,
    /// The notices on the screen.
    pub notices: Notices,
    /// Set when the program is to end.
    pub over: bool,
}

impl State {
    /// A state with nothing open.
    pub fn new(platforms: Vec<Platform>, machine: Machine, guard: crate::webhook::guard::Guard) -> Self {
        State {
            size: (80, 24),
            guard,
            machine,
            demo: None,
            platforms,
            tab: Tab::default(),
            focus: Focus::default(),
            audience: Audience::default(),
            name: Input::default(),
            saving: None,
            overlays: Vec::new(),
            sending: None,
            lists: Rows::default(),
            connections: Vec::new(),
            connection_cursor: 0,
            webhooks: Rows::default(),
            activity: activity::Activity::default(),
            live_run: None,
            notices: Notices::default(),
            over: false,
        }
    }

    /// What to ask for at the start: the rows of the tabs and, if named, the audience.
    pub fn start(&mut self, file: Option<String>) -> Vec<Effect> {
        let mut effects = vec![
            call(Call::Connections, Request::Connections),
            call(Call::Lists, Request::Lists),
            call(Call::Webhooks, Request::Webhooks),
        ];
        match file {
            Some(path) => effects.extend(self.audience.open(path)),
            None => effects.push(call(Call::Recall("last_file"), Request::Recall { key: "last_file".into() })),
        }
        effects
    }

    /// Where commands are given now.
    pub fn place(&self) -> Place {
        match self.overlays.last() {
            Some(overlay) => overlay.place(),
            None => match (self.tab, self.focus) {
                (Tab::Audience, Focus::Table) => Place::Table,
                (Tab::Audience, _) => Place::Panes,
                (Tab::Lists, _) => Place::Lists,
                (Tab::Connections, _) => Place::Connections,
                (Tab::Webhooks, _) => Place::Webhooks,
                (Tab::Activity, _) => Place::Activity,
            },
        }
    }

    /// Why the buttons below the table are disabled, in the words their press gives; `None` = they are not.
    pub fn guard(&self) -> Option<&'static str> {
        if self.audience.selection.is_empty() {
            Some("Please select at least one lead")
        } else if self.name.value().trim().is_empty() {
            Some("Please enter a list name")
        } else {
            None
        }
    }

    /// The connection of a platform, if it has one that works or needs attention.
    pub fn connection(&self, platform: &str) -> Option<&ConnectionSummary> {
        self.connections.iter().find(|connection| connection.platform == platform)
    }

    /// The platform of this id.
    pub fn platform(&self, id: &str) -> Option<&Platform> {
        self.platforms.iter().find(|platform| platform.id == id)
    }

    /// When [`Action::Wake`] is wanted next; `None` = nothing happens by itself, sleep for ever.
    pub fn next_wake(&self, now: Timestamp) -> Option<Timestamp> {
        let spinning = self.saving.is_some() || self.overlays.iter().any(Overlay::spins);
        let spin = spinning.then(|| now.saturating_add(SPIN).unwrap_or(now));
        [spin, self.notices.next_fade()].into_iter().flatten().min()
    }

    /// Whether something would be lost or stopped by quitting.
    pub fn pending(&self) -> bool {
        self.saving.is_some() || self.live_run.is_some()
    }
}

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
        Action::News(news) => audience::news(state, news, now),
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
        if let Some(effects) = audience::editing_key(state, key, now) {
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
            Place::Table => audience::give(state, cmd, now),
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
