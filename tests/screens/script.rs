//! Plays the interface without a terminal: keys and news in, a picture with the cursor's place out. A small table of leads
//! answers what the app asks of the open audience.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use leadferry::app::key::{Key, KeyCode};
use leadferry::app::{About, Action, Call, Effect, Machine, News, Platform, State, Then, update};
use leadferry::engine::messages::{Event, Reply, Request, SavedList};
use leadferry::failure::Failure;
use leadferry::lead::filter::Filter;
use leadferry::lead::{Column, Field, Lead, Schema};
use leadferry::oauth::Method;
use leadferry::tui::{self, Charset, Look, Scheme, Theme};
use leadferry::webhook::guard::Guard;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Position;
use ratatui::style::{Color, Modifier};

/// A session that is being played.
pub struct Script {
    pub state: State,
    pub leads: Vec<Lead>,
    /// What was asked for and is not answered by the table of leads.
    pub asked: Vec<Effect>,
    pub look: Look,
    order: Vec<usize>,
}

/// When everything happens.
pub fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn schema() -> Schema {
    let columns = [
        ("lead_score", Some(Field::Score)),
        ("name", Some(Field::FullName)),
        ("company", Some(Field::Company)),
        ("title", Some(Field::Title)),
        ("city", Some(Field::City)),
        ("state", Some(Field::State)),
        ("email", Some(Field::Email)),
        ("phone", Some(Field::Phone)),
        ("Why this one", Some(Field::Reasons)),
        ("Favourite colour", None),
    ];
    let columns = columns.map(|(header, field)| Column { header: header.into(), field });
    Schema { columns: columns.into() }
}

fn leads() -> Vec<Lead> {
    let names = ["Dana Whitfield", "Łukasz Ferreira", "Núria Ōta", "Omar Haddad", "佐藤 花子", "Zoë Brandt"];
    let cities = [("Austin", "TX"), ("Plano", "TX"), ("Tulsa", "OK"), ("El Paso", "TX")];
    let lead = |at: usize| {
        let name = names[at % names.len()];
        let (city, state) = cities[at % cities.len()];
        let cells = [
            (99 - at / 2).to_string(),
            name.to_owned(),
            format!("{} Homes {at}", name.split(' ').next().unwrap_or_default()),
            "Owner".to_owned(),
            city.to_owned(),
            state.to_owned(),
            format!("lead{}@whitfield.test", if at == 3 { 0 } else { at }),
            format!("+1 512 555 01{at:02}"),
            "Industry=Dental 4.1x, State=TX 1.7x".to_owned(),
            "teal".to_owned(),
        ];
        Lead { cells: cells.into() }
    };
    (0..40).map(lead).collect()
}

fn platforms() -> Vec<Platform> {
    let names = ["GoHighLevel", "Lofty", "Salesforce", "Zoho", "HubSpot", "Pipedrive", "monday.com", "Copper"];
    let platform = |name: &str| Platform {
        id: name.to_lowercase().replace(".com", ""),
        name: name.into(),
        methods: match name {
            "Salesforce" => vec![Method::Browser, Method::Device],
            "HubSpot" => vec![Method::Browser, Method::Token],
            "Copper" => vec![Method::Token],
            _ => vec![Method::Browser],
        },
        token_name: "private app token".into(),
        token_where: "Settings, Integrations, Private Apps".into(),
        fields: if name == "Copper" {
            vec![("email".into(), "E-mail".into(), true), ("note".into(), "Note".into(), false)]
        } else {
            Vec::new()
        },
    };
    names.map(platform).into()
}

impl Script {
    /// Nothing is open.
    pub fn new() -> Script {
        let machine = Machine { browser: false, ssh_line: "ssh -L {port}:localhost:{port} dana@box.test".into() };
        let state = State::new(platforms(), machine, Guard::new(&[]).unwrap());
        let theme = Theme { scheme: Scheme::Plain, many: false };
        let look = Look { theme, charset: Charset::Unicode, zone: TimeZone::UTC };
        let mut script = Script { state, leads: leads(), asked: Vec::new(), look, order: Vec::new() };
        script.fit(120, 36);
        script
    }

    /// With the sample leads open.
    pub fn open() -> Script {
        let mut script = Script::new();
        let effects = script.state.start(Some("leads/prospects.csv".into()));
        script.carry(effects);
        script
    }

    /// With two leads selected and the list named; the name has the focus.
    pub fn ready() -> Script {
        let mut script = Script::open();
        script.press("space space tab").write("Top Investors");
        script
    }

    /// Does something and carries out what follows.
    pub fn act(&mut self, action: Action) -> &mut Self {
        let effects = update(&mut self.state, action, now());
        self.carry(effects);
        self
    }

    /// Presses keys, written as the key map writes them, a space between.
    pub fn press(&mut self, keys: &str) -> &mut Self {
        for key in keys.split(' ') {
            self.act(Action::Key(key.parse().unwrap_or_else(|_| panic!("{key} is no key"))));
        }
        self
    }

    /// Types text letter by letter.
    pub fn write(&mut self, text: &str) -> &mut Self {
        for ch in text.chars() {
            self.act(Action::Key(Key::plain(KeyCode::Char(ch))));
        }
        self
    }

    pub fn tell(&mut self, event: Event) -> &mut Self {
        self.act(Action::Event(Box::new(event)))
    }

    pub fn answer(&mut self, call: Call, answer: Result<Reply, Failure>) -> &mut Self {
        self.act(Action::Answer(call, answer.map(Box::new)))
    }

    /// The save ends well.
    pub fn saved(&mut self) -> &mut Self {
        let list = SavedList { list: "Top Investors".into(), version: 1, leads: 2, unchanged: false };
        self.act(Action::News(News::Saved(Ok(list))))
    }

    /// The last request to the engine that `pick` knows.
    pub fn request<T>(&self, pick: impl Fn(&Request) -> Option<T>) -> Option<T> {
        self.asked.iter().rev().find_map(|effect| match effect {
            Effect::Call(_, request) => pick(request),
            _ => None,
        })
    }

    /// Gives the terminal a size.
    pub fn fit(&mut self, width: u16, height: u16) {
        let rows = tui::table_rows(&self.state, width, height);
        self.act(Action::Viewport { width, height, rows });
    }

    fn carry(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            if let Some(news) = self.news(&effect) {
                self.act(Action::News(news));
            } else {
                self.asked.push(effect);
            }
        }
    }

    fn news(&mut self, effect: &Effect) -> Option<News> {
        Some(match effect {
            Effect::Open { generation, .. } => {
                self.order = (0..self.leads.len()).collect();
                let bad = vec![(7, "11 cells where the header has 10".to_owned())];
                News::Progress {
                    generation: *generation,
                    about: About {
                        name: "prospects.csv".into(),
                        schema: schema(),
                        rows: self.leads.len() as u64,
                        bad_count: 1,
                        bad,
                        read: (4_000, 4_000),
                        complete: true,
                    },
                }
            }
            Effect::View { generation, view, filter, sort } => {
                let schema = schema();
                let filter = Filter::parse(filter, &schema).unwrap();
                self.order = (0..self.leads.len()).filter(|at| filter.matches(&self.leads[*at])).collect();
                if let Some((column, descending)) = sort {
                    self.order.sort_by_key(|at| self.leads[*at].cells[*column].clone());
                    if *descending {
                        self.order.reverse();
                    }
                }
                News::Viewed { generation: *generation, view: *view, shown: self.order.len() as u64 }
            }
            Effect::Window { generation, from, len } => {
                let rows = self.order.iter().skip(*from as usize).take(*len as usize);
                let rows = rows.map(|at| (*at as u32, self.leads[*at].clone())).collect();
                News::Window { generation: *generation, from: *from, rows }
            }
            Effect::Rows { generation, from, to, then } => {
                let ids = self.order.iter().enumerate();
                let rows = ids.filter(|(at, _)| (*from..*to).contains(&(*at as u64))).map(|(_, id)| *id as u32);
                let (rows, then): (_, Then) = (rows.collect(), *then);
                News::Rows { generation: *generation, rows, then }
            }
            Effect::Find { generation, .. } => News::Found { generation: *generation, at: Some(3) },
            Effect::Duplicates { generation, rows } => {
                let both = rows.contains(0) && rows.contains(3);
                let later = if both { [3].into_iter().collect() } else { Default::default() };
                News::Duplicates { generation: *generation, addresses: u64::from(both), later }
            }
            _ => return None,
        })
    }

    /// The picture at a size, and what the cursor stands on.
    pub fn picture(&mut self, width: u16, height: u16) -> (Buffer, Position) {
        self.fit(width, height);
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| drop(tui::draw(frame, &self.state, &self.look))).unwrap();
        let cursor = terminal.backend_mut().cursor_position();
        (terminal.backend().buffer().clone(), cursor)
    }

    /// What stands from the cursor to the end of its line.
    pub fn at_cursor(&mut self, width: u16, height: u16) -> String {
        let (buffer, at) = self.picture(width, height);
        (at.x..width).map(|x| buffer[(x, at.y)].symbol()).collect()
    }

    /// The picture as text, the cursor's place above it.
    pub fn text(&mut self, width: u16, height: u16) -> String {
        let (buffer, at) = self.picture(width, height);
        let mut text = format!("{width}x{height}, cursor at {},{}\n", at.x, at.y);
        for y in 0..height {
            let mut line = String::new();
            let mut skip = 0;
            for x in 0..width {
                let symbol = buffer[(x, y)].symbol();
                if skip == 0 {
                    line.push_str(symbol);
                    skip = unicode_width::UnicodeWidthStr::width(symbol).max(1);
                }
                skip -= 1;
            }
            let _ = writeln!(text, "{}", line.trim_end());
        }
        text
    }

    /// The three sizes of the design.
    pub fn sizes(&mut self) -> String {
        [(120, 36), (80, 24), (40, 12)].map(|(width, height)| self.text(width, height)).join("\n")
    }

    /// Where the picture is not plain text: a line per stretch, `y: x-x style`.
    pub fn styles(&mut self, width: u16, height: u16) -> String {
        let (buffer, _) = self.picture(width, height);
        let mut out = String::new();
        for y in 0..height {
            let mut x = 0;
            while x < width {
                let style = |x: u16| {
                    let cell = &buffer[(x, y)];
                    (cell.fg, cell.bg, cell.modifier)
                };
                let (fg, bg, modifier) = style(x);
                let from = x;
                while x < width && style(x) == (fg, bg, modifier) {
                    x += 1;
                }
                if (fg, bg, modifier) != (Color::Reset, Color::Reset, Modifier::empty()) {
                    let ground = if bg == Color::Reset { String::new() } else { format!(" on {bg}") };
                    let _ = writeln!(out, "{y}: {from}-{} {fg}{ground} {modifier:?}", x - 1);
                }
            }
        }
        out
    }
}
