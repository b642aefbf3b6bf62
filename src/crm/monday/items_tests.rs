//! Documents and their variables, and what answers say about each lead.

use super::*;
use crate::crm::MatchKey;

fn survey(by: MatchBy) -> Survey {
    let field = |name: &str, kind: &str| RemoteField { name: name.into(), kind: kind.into(), ..RemoteField::default() };
    let fields = vec![field(NAME, "name"), field("e1", "email"), field("k1", "text"), field("s1", "status")];
    let key = if by == MatchBy::LeadKey { "k1" } else { "e1" };
    Survey { fields, key: MatchKey::LookUp(key.into()), by }
}

fn lead(number: u64, values: &[(&str, &str)]) -> Outgoing {
    let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Outgoing { position: number, key: format!("id:{number}"), email: format!("dana{number}@x.test"), values }
}

fn answer(answer: Value) -> Answer {
    serde_json::from_value(answer).unwrap()
}

#[test]
fn values_travel_as_variables_never_as_part_of_the_document() {
    let hostile = "x\") { id } } mutation { delete_board(board_id: 1) { id } #";
    let leads = [
        (lead(1, &[(NAME, hostile), ("e1", "Dana1@x.test"), (GROUP, "g7")]), Write::Create),
        (lead(2, &[(NAME, "Dana")]), Write::Update { id: "55".into() }),
    ];
    let (text, variables) = mutations(&survey(MatchBy::LeadKey), &leads);
    assert!(
        !text.contains("delete_board") && text.contains("m0: create_item(") && text.contains("m1: change_multiple")
    );
    assert_eq!((&variables["n0"], &variables["g0"], &variables["i1"]), (&json!(hostile), &json!("g7"), &json!("55")));
    let columns: Value = serde_json::from_str(variables["v0"].as_str().unwrap()).unwrap();
    assert_eq!(columns, json!({"e1": {"email": "Dana1@x.test", "text": "Dana1@x.test"}, "k1": "id:1"}));
    let columns: Value = serde_json::from_str(variables["v1"].as_str().unwrap()).unwrap();
    assert_eq!(columns, json!({"name": "Dana", "k1": "id:2"}));
    assert_eq!(variables["labels"], json!(false), "no right to change the board is needed");
}

#[test]
fn new_labels_are_made_only_where_a_lead_has_one() {
    let leads = [(lead(1, &[(NAME, "Dana"), ("s1", "New")]), Write::Create)];
    assert_eq!(mutations(&survey(MatchBy::Email), &leads).1["labels"], json!(true));
}

#[test]
fn each_lead_hears_its_own_part_of_the_answer() {
    let answer = answer(json!({
        "data": {"m0": {"id": "7", "group": {"id": "g1"}}, "m1": null, "m2": null, "m3": null},
        "errors": [
            {"message": "not a date", "path": ["m1"], "extensions": {"code": "ColumnValueException", "error_data": {"column_name": "Due"}}},
            {"message": "slow", "path": ["m2"], "extensions": {"code": "COMPLEXITY_BUDGET_EXHAUSTED"}}
        ]
    }));
    let end = |field: &str| written(&answer, field, &lead(1, &[(GROUP, "g1")]), &Write::Create);
    assert_eq!((end("m0").outcome, end("m0").remote_id), (Outcome::Created, "7".into()));
    let bad = end("m1");
    assert!(
        bad.outcome == Outcome::Failed && bad.reason.contains("not a date") && bad.next_step.contains("Due"),
        "{bad:?}"
    );
    assert_eq!(end("m2").outcome, Outcome::Pending, "tried again");
    assert_eq!(end("m3").outcome, Outcome::Unknown);
}

#[test]
fn an_item_of_another_group_stays_there_and_it_is_said() {
    let answer = answer(json!({"data": {"m0": {"id": "7", "group": {"id": "g2", "title": "Hot"}}}}));
    let end = written(&answer, "m0", &lead(1, &[(GROUP, "g1")]), &Write::Update { id: "7".into() });
    assert!(end.outcome == Outcome::Updated && end.reason.contains("'Hot'"), "{end:?}");
}

#[test]
fn addresses_are_looked_for_as_written_and_folded() {
    let leads = [lead(1, &[("e1", "Dana1@X.test")]), lead(2, &[])];
    let survey = survey(MatchBy::LeadKey);
    let by = columns_of(&survey, &leads);
    assert_eq!(by[0], ("k1", vec!["id:1", "id:2"]));
    assert_eq!(by[1], ("e1", vec!["Dana1@X.test", "dana1@x.test", "dana2@x.test"]));
    assert_eq!(shown(&survey, &leads), ["e1", "k1"]);
}

#[test]
fn key_and_address_of_two_items_are_a_doubt() {
    let item = |id: &str, column: &str, text: &str| -> Item {
        serde_json::from_value(
            json!({"id": id, "name": "n", "column_values": [{"id": column, "text": text, "value": null}]}),
        )
        .unwrap()
    };
    let items = [item("1", "k1", "id:9"), item("2", "e1", "DANA9@x.test"), item("3", "e1", "dana8@x.test")];
    let items: BTreeMap<String, Item> = items.into_iter().map(|item| (item.id.clone(), item)).collect();
    let found = |number| found(&survey(MatchBy::LeadKey), &items, &lead(number, &[]));
    assert_eq!(found(9), Found::Several(vec!["1".into(), "2".into()]));
    assert!(matches!(found(8), Found::One { id, .. } if id == "3"));
    assert_eq!(found(7), Found::None);
}
