//! Everything the interface knows: the state, and the small shapes it is made of.

use jiff::{SignedDuration, Timestamp};
use tui_input::Input;

use super::audience::Audience;
use super::commands::Place;
use super::effect::{Call, Effect};
use super::notices::Notices;
use super::overlay::Overlay;
use super::platform::Platform;
use super::{activity, call, send};
use crate::engine::messages::{ConnectionSummary, Request};
use crate::list::ListSummary;
use crate::webhook::WebhookSummary;

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

/// Everything the interface knows. Views read it, [`super::update`] writes it.
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

    /// When [`super::Action::Wake`] is wanted next; `None` = nothing happens by itself, sleep for ever.
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
