//! Whole sessions of random keys, pastes, clicks, news and answers: whatever a person presses, and whenever answers come.

use proptest::collection::vec;
use proptest::prelude::*;

use super::key::Key;
use super::*;
use crate::engine::messages::{Event, SavedList, SignInStep};
use crate::failure::{Code, Failure};
use crate::lead::{Column, Field, Lead, Schema};
use crate::oauth::Method;
use crate::sync::{Destination, Mode, Plan, RunState, RunSummary, Settings};
use crate::webhook::guard::Guard;

/// What happens next.
#[derive(Clone, Debug)]
enum Happens {
    Press(String),
    Write(&'static str),
    Paste(String),
    Click(Target),
    Wheel(i32),
    Resize(u16, u16),
    /// The oldest effect that nobody has answered is answered well, or not.
    Answer(bool),
    SignIn(u8),
    Run(RunState),
    Wake,
}

fn happens() -> impl Strategy<Value = Happens> {
    let keys: Vec<String> =
        commands::COMMANDS.iter().flat_map(|row| row.keys.iter().map(|key| (*key).to_owned())).collect();
    let target = prop_oneof![
        (0usize..6).prop_map(Target::Tab),
        (0usize..50).prop_map(Target::Row),
        (0usize..50).prop_map(Target::Mark),
        (0usize..5).prop_map(|at| Target::Focus(Focus::Crm(at))),
        Just(Target::Focus(Focus::Save)),
        Just(Target::Focus(Focus::Webhook)),
        (0usize..40).prop_map(Target::Item),
    ];
    let states = [RunState::Running, RunState::Waiting, RunState::Done, RunState::Stopped, RunState::Cancelled];
    prop_oneof![
        10 => prop::sample::select(keys).prop_map(Happens::Press),
        4 => prop::sample::select(vec!["a name", "state = TX", "https://h.example.com/x", "y", "\u{1f600}"])
            .prop_map(Happens::Write),
        1 => any::<String>().prop_map(Happens::Paste),
        3 => target.prop_map(Happens::Click),
        1 => (-5i32..5).prop_map(Happens::Wheel),
        1 => (0u16..200, 0u16..60).prop_map(|(width, height)| Happens::Resize(width, height)),
        8 => prop::bool::weighted(0.8).prop_map(Happens::Answer),
        1 => (0u8..5).prop_map(Happens::SignIn),
        1 => prop::sample::select(states.to_vec()).prop_map(Happens::Run),
        1 => Just(Happens::Wake),
    ]
}

fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

fn failure() -> Failure {
    Failure::new(Code::Failed, "It did not work.", "Try again.")
}

fn start() -> State {
    let methods = vec![Method::Browser, Method::Device, Method::Token];
    let platform = |name: &str| Platform {
        id: name.to_lowercase(),
        name: name.into(),
        methods: methods.clone(),
        token_name: "token".into(),
        token_where: "there".into(),
        fields: vec![("board".into(), "Board".into(), false)],
    };
    let platforms = ["Salesforce", "HubSpot", "Zoho", "Copper", "Lofty"].map(platform).into();
    State::new(platforms, Machine::default(), Guard::new(&[]).unwrap())
}

fn schema() -> Schema {
    let columns = [("name", Field::FullName), ("email", Field::Email), ("state", Field::State)];
    Schema { columns: columns.map(|(header, field)| Column { header: header.into(), field: Some(field) }).into() }
}

/// What the open audience or the engine would say to an effect.
fn answer(effect: Effect, well: bool) -> Option<Action> {
    let lead = Lead { cells: ["Dana".to_owned(), "dana@x.test".into(), "TX".into()].into() };
    let news = match effect {
        Effect::Open { generation, .. } | Effect::OpenList { generation, .. } if well => {
            let about = About { name: "f".into(), schema: schema(), rows: 30, complete: true, ..About::default() };
            News::Progress { generation, about }
        }
        Effect::Open { generation, .. } | Effect::OpenList { generation, .. } => {
            News::Failed { generation, failure: failure() }
        }
        Effect::View { generation, view, filter, .. } => {
            News::Viewed { generation, view, shown: if filter.is_empty() { 30 } else { 7 } }
        }
        Effect::Window { generation, from, len } => {
            let rows = (from..(from + len).min(30)).map(|at| (at as u32, lead.clone())).collect();
            News::Window { generation, from, rows }
        }
        Effect::Rows { generation, from, to, then } => {
            News::Rows { generation, rows: (from as u32..to.min(30) as u32).collect(), then }
        }
        Effect::Find { generation, .. } => News::Found { generation, at: well.then_some(12) },
        Effect::Duplicates { generation, rows } => News::Duplicates { generation, addresses: 1, later: rows },
        Effect::Save { name, rows, .. } if well => {
            News::Saved(Ok(SavedList { list: name, version: 1, leads: rows.len(), unchanged: false }))
        }
        Effect::Save { .. } => News::Saved(Err(failure())),
        Effect::Call(call, request) => return Some(Action::Answer(call, reply(*request, well).map(Box::new))),
        _ => return None,
    };
    Some(Action::News(news))
}

fn reply(request: Request, well: bool) -> Result<Reply, Failure> {
    if !well {
        return Err(failure());
    }
    Ok(match request {
        Request::Connect(_) => Reply::SignIn(7),
        Request::Plan { list, destination } => Reply::Plan(Box::new(Plan {
            list,
            version: 1,
            destination,
            account: String::new(),
            grouping: "Campaign".into(),
            settings: Settings { mode: Mode::Upsert, mapping: Vec::new(), group: String::new() },
            fields: Vec::new(),
            leads: 3,
            calls: 1,
            warnings: Vec::new(),
        })),
        Request::StartRun { destination, .. } => Reply::Run(run(destination, RunState::Running)),
        Request::Lists => Reply::Lists(Vec::new()),
        Request::Runs { .. } => Reply::Runs(Vec::new()),
        _ => Reply::Done,
    })
}

fn run(destination: Destination, state: RunState) -> RunSummary {
    RunSummary {
        id: "1".into(),
        list: "a".into(),
        version: 1,
        destination,
        state,
        started: now(),
        ended: None,
        next_try: None,
        total: 3,
        counts: Default::default(),
        trouble: None,
    }
}

/// What must hold whatever happened.
fn check(state: &State) -> Result<(), TestCaseError> {
    let audience = &state.audience;
    prop_assert!(audience.shown == 0 || audience.cursor < audience.shown, "the cursor is past the end");
    prop_assert!(audience.top <= audience.cursor, "the cursor is above the screen");
    prop_assert!(state.lists.items.is_empty() || state.lists.cursor < state.lists.items.len());
    prop_assert!(state.connection_cursor < state.platforms.len());
    prop_assert!(!matches!(state.focus, Focus::Crm(at) if at >= state.platforms.len()), "no button has the focus");
    for overlay in &state.overlays {
        match overlay {
            Overlay::Columns(at) => prop_assert!(*at == 0 || *at < audience.columns.len(), "no column has the focus"),
            Overlay::Confirm(pane) => prop_assert!(pane.at <= pane.start_row()),
            Overlay::Form(form) => prop_assert!(form.rows().contains(&form.row), "no field has the focus"),
            Overlay::Connect(pane) => prop_assert!(pane.at <= pane.fields.len()),
            _ => {}
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_session_breaks_the_interface(script in vec(happens(), 1..120)) {
        let mut state = start();
        let mut open: Vec<Effect> = state.start(Some("f.csv".into()));
        for happened in script {
            let saving = state.saving.is_some();
            let ready = state.guard().is_none();
            let actions = match happened {
                Happens::Press(key) => vec![Action::Key(key.parse().unwrap())],
                Happens::Write(text) => {
                    text.chars().map(|ch| Action::Key(Key::plain(KeyCode::Char(ch)))).collect()
                }
                Happens::Paste(text) => vec![Action::Paste(text)],
                Happens::Click(target) => vec![Action::Point(target)],
                Happens::Wheel(rows) => vec![Action::Wheel(rows)],
                Happens::Resize(width, height) => {
                    vec![Action::Viewport { width, height, rows: height.saturating_sub(9) }]
                }
                Happens::Answer(well) if !open.is_empty() => answer(open.remove(0), well).into_iter().collect(),
                Happens::Answer(_) => Vec::new(),
                Happens::SignIn(which) => vec![Action::Event(Box::new(sign_in(which)))],
                Happens::Run(run_state) => {
                    let destination = Destination::Webhook { name: "w".into() };
                    vec![Action::Event(Box::new(Event::Run(run(destination, run_state))))]
                }
                Happens::Wake => vec![Action::Wake],
            };
            let single = actions.len() == 1;
            for action in actions {
                let answered = matches!(action, Action::News(_));
                let effects = update(&mut state, action, now());
                let saves = effects.iter().filter(|effect| matches!(effect, Effect::Save { .. })).count();
                if single && saves > 0 {
                    prop_assert!(saves == 1 && !saving, "a second save was started");
                    prop_assert!(ready && !answered, "saved without a selection and a name");
                }
                open.extend(effects);
                check(&state)?;
            }
        }
    }
}

fn sign_in(which: u8) -> Event {
    let step = match which {
        0 => SignInStep::Exchanging,
        1 => SignInStep::Ignored { reason: "another state".into() },
        2 => SignInStep::Failed(failure()),
        3 => SignInStep::Failed(Failure::new(Code::SignInNeeded, "Refused.", "")),
        _ => SignInStep::Open {
            authorize_url: "https://a.test".into(),
            redirect_uri: "http://localhost:1/callback".into(),
            listening: Ok(()),
            port: 1,
            browser: false,
        },
    };
    Event::SignIn { sign_in: 7, step }
}

/// A session with leads open, two of them selected and the list named.
fn ready() -> State {
    let mut state = start();
    let mut open = state.start(Some("f.csv".into()));
    let mut keys = vec!["space", "space", "tab", "a"];
    loop {
        while !open.is_empty() {
            if let Some(action) = answer(open.remove(0), true) {
                open.extend(update(&mut state, action, now()));
            }
        }
        let Some(key) = (!keys.is_empty()).then(|| keys.remove(0)) else { return state };
        open.extend(update(&mut state, Action::Viewport { width: 80, height: 24, rows: 10 }, now()));
        open.extend(update(&mut state, Action::Key(key.parse().unwrap()), now()));
    }
}

fn press(state: &mut State, keys: &str) -> Vec<Effect> {
    keys.split(' ').flat_map(|key| update(state, Action::Key(key.parse().unwrap()), now())).collect()
}

#[test]
fn keys_pressed_during_a_save_start_no_second_save() {
    let mut state = ready();
    let effects = press(&mut state, "enter enter tab enter tab enter tab space");
    assert_eq!(effects.iter().filter(|effect| matches!(effect, Effect::Save { .. })).count(), 1);
}

#[test]
fn nothing_goes_out_when_the_save_failed() {
    let mut state = ready();
    let saves = press(&mut state, "tab tab enter");
    assert!(saves.iter().any(|effect| matches!(effect, Effect::Save { .. })), "{saves:?}");
    let effects = update(&mut state, Action::News(News::Saved(Err(failure()))), now());
    let said: Vec<&Effect> = effects
        .iter()
        .filter(|effect| !matches!(effect, Effect::Call(Call::Quiet, request) if matches!(**request, Request::KeepNotice(_))))
        .collect();
    assert!(said.is_empty() && state.overlays.is_empty() && state.sending.is_none(), "{said:?}");
    let notice = state.notices.showing.last().map(|notice| notice.text.to_string());
    assert_eq!(notice.as_deref(), Some("Failed to save leads: It did not work. Try again."));
}

#[test]
fn the_guards_use_the_original_words_and_the_selection_comes_first() {
    let mut state = start();
    let says = |state: &State| state.notices.showing.last().map(|notice| notice.text.to_string());
    press(&mut state, "tab tab enter");
    assert_eq!(says(&state).as_deref(), Some("Please select at least one lead"));
    let mut state = ready();
    press(&mut state, "backspace tab enter");
    assert_eq!(says(&state).as_deref(), Some("Please enter a list name"));
}

#[test]
fn after_a_refused_sign_in_one_is_back_at_the_table_as_it_was() {
    let mut state = ready();
    press(&mut state, "tab tab enter");
    let list = SavedList { list: "a".into(), version: 1, leads: 2, unchanged: false };
    update(&mut state, Action::News(News::Saved(Ok(list))), now());
    assert!(matches!(state.overlays.last(), Some(Overlay::Connect(_))));
    update(&mut state, Action::Answer(Call::SignIn, Ok(Box::new(Reply::SignIn(7)))), now());
    update(&mut state, Action::Event(Box::new(sign_in(3))), now());
    assert!(state.overlays.is_empty() && state.sending.is_none());
    assert_eq!((state.audience.selection.len(), state.name.value()), (2, "a"));
}

#[test]
fn leaving_the_connect_pane_frees_its_port() {
    let mut state = ready();
    press(&mut state, "tab tab enter");
    let list = SavedList { list: "a".into(), version: 1, leads: 2, unchanged: false };
    update(&mut state, Action::News(News::Saved(Ok(list))), now());
    update(&mut state, Action::Answer(Call::SignIn, Ok(Box::new(Reply::SignIn(7)))), now());
    let effects = press(&mut state, "esc");
    let freed = |effect: &Effect| matches!(effect, Effect::Call(_, request) if matches!(**request, Request::CancelSignIn { sign_in: 7 }));
    assert!(effects.iter().any(freed), "{effects:?}");
}

#[test]
fn a_terminal_that_is_left_alone_is_never_woken() {
    let mut state = ready();
    let later = now().checked_add(jiff::SignedDuration::from_hours(1)).unwrap();
    update(&mut state, Action::Wake, later);
    assert_eq!(state.next_wake(later), None);
}
