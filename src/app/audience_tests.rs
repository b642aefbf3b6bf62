use jiff::Timestamp;

use super::super::commands::Cmd;
use super::super::{Action, Machine, News, State, overlay, table, update};
use super::*;
use crate::engine::messages::Reply;
use crate::lead::Column;
use crate::webhook::guard::Guard;

fn opened() -> (State, Vec<Effect>) {
    let mut state = State::new(Vec::new(), Machine::default(), Guard::new(&[]).unwrap());
    state.start(Some("leads.csv".into()));
    let column = |header: &str, field| Column { header: header.into(), field };
    let columns = vec![
        column("First", Some(Field::FirstName)),
        column("Last", Some(Field::LastName)),
        column("Mail", Some(Field::Email)),
        column("Region", None),
    ];
    let about =
        About { name: "leads.csv".into(), schema: Schema { columns }, rows: 3, complete: true, ..About::default() };
    let effects = play(&mut state, Action::News(News::Progress { generation: 1, about }));
    (state, effects)
}

fn play(state: &mut State, action: Action) -> Vec<Effect> {
    update(state, action, Timestamp::UNIX_EPOCH)
}

fn remembered(effects: &[Effect]) -> Option<serde_json::Value> {
    effects.iter().rev().find_map(|effect| match effect {
        Effect::Call(Call::Quiet, request) => match &**request {
            Request::Remember { key, value } if key.starts_with("table/") => Some(value.clone()),
            _ => None,
        },
        _ => None,
    })
}

#[test]
fn first_and_last_name_show_as_one_column() {
    let (state, _) = opened();
    assert_eq!(state.audience.visible_columns().next().map(|column| column.shows), Some(Shows::Name));
}

#[test]
fn columns_and_sort_are_as_they_were_when_such_a_file_is_opened_again() {
    let (mut state, effects) = opened();
    let asks = |effect: &Effect| matches!(effect, Effect::Call(Call::Recall("table"), _));
    assert!(effects.iter().any(asks), "the table was not looked for: {effects:?}");

    overlay::columns(&mut state);
    let hidden = remembered(&play(&mut state, Action::Run(Cmd::ColumnHide)));
    assert!(hidden.is_some(), "a hidden column was not remembered");
    let sorted = remembered(&table::sort_by(&mut state, 3)).expect("a sort was not remembered");

    let (mut later, _) = opened();
    let recalled = Reply::Remembered(Some(sorted));
    let effects = play(&mut later, Action::Answer(Call::Recall("table"), Ok(Box::new(recalled))));
    assert_eq!(later.audience.columns, state.audience.columns);
    assert_eq!(later.audience.sort, Some((3, false)));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::View { sort: Some((3, false)), .. })));
}

#[test]
fn what_is_remembered_of_a_wider_file_does_not_break_a_narrower_one() {
    let (mut state, _) = opened();
    let wide = ColumnView { shows: Shows::Column(99), width: 10, hidden: false };
    let value = serde_json::to_value(Kept { columns: vec![wide], sort: Some((99, true)) }).unwrap();
    assert!(state.audience.recalled(&value).is_empty());
    assert_eq!(state.audience.sort, None);
    assert!(state.audience.visible_columns().count() > 0, "no column is left to see");
}
