//! What would go wrong for a user between a lead and its Zoho record: the wrong record, the wrong value, the wrong tag.

use proptest::prelude::*;

use super::*;
use crate::crm::{MatchKey, RemoteField};

fn survey(by: MatchBy) -> Survey {
    let field = |name: &str, kind: &str| RemoteField { name: name.into(), kind: kind.into(), ..Default::default() };
    let fields = vec![field("Last_Name", "text"), field("Score", "double"), field("Topics", "multiselectpicklist")];
    let key = if by == MatchBy::LeadKey { "Lookalike_Id" } else { EMAIL };
    Survey { fields, key: MatchKey::LookUp(key.into()), by }
}

fn lead(key: &str, email: &str) -> Outgoing {
    let values = vec![("Last_Name".into(), "O'Neil".into()), ("Score".into(), "7.5".into())];
    Outgoing { position: 0, key: key.into(), email: email.into(), values }
}

fn rows(rows: Value) -> Vec<Map<String, Value>> {
    serde_json::from_value(rows).unwrap()
}

#[test]
fn a_look_up_asks_for_key_and_e_mail_and_a_quote_cannot_end_it() {
    let leads = [lead("id:1", "dana.o'neil@x.test"), lead("id:2", "")];
    assert_eq!(
        query(&survey(MatchBy::LeadKey), &leads).unwrap(),
        "select id, Created_Time, Email, Lookalike_Id, Last_Name, Score from Leads \
         where ((Lookalike_Id in ('id:1', 'id:2')) or (Email in (\"dana.o'neil@x.test\")))"
    );
    assert!(query(&survey(MatchBy::Email), &leads).unwrap().ends_with("where (Email in (\"dana.o'neil@x.test\"))"));
    assert_eq!(query(&survey(MatchBy::Email), &leads[1..]), None);
    assert_eq!(quoted("a'b\"c"), None);
}

#[test]
fn the_key_wins_over_the_e_mail_and_several_are_never_guessed_from() {
    let held = rows(json!([
        {"id": "1", "Lookalike_Id": "id:1", "Email": "old@x.test", "Created_Time": "2026-01-01T10:00:00+00:00", "Score": 7.5},
        {"id": "2", "Lookalike_Id": null, "Email": "A@x.test"},
        {"id": "3", "Lookalike_Id": "id:9", "Email": "b@x.test"},
        {"id": "4", "Email": "B@x.test"}
    ]));
    let survey = survey(MatchBy::LeadKey);
    let found = |key, email| found(&held, &survey, &lead(key, email));
    let Found::One { id, values, created } = found("id:1", "a@x.test") else { panic!() };
    assert_eq!((id.as_str(), values[1].1.as_str()), ("1", "7.5"));
    assert_eq!(created, Some("2026-01-01T10:00:00Z".parse().unwrap()));
    assert!(matches!(found("id:2", "a@x.test"), Found::One { id, .. } if id == "2"));
    assert_eq!(found("id:3", "b@x.test"), Found::Several(vec!["3".into(), "4".into()]));
    assert_eq!(found("id:4", ""), Found::None, "no e-mail is not the e-mail of records without one");
}

#[test]
fn rows_carry_the_key_and_values_of_the_fields_types() {
    let survey = survey(MatchBy::LeadKey);
    let mut one = lead("id:1", "a@x.test");
    one.values.push(("Topics".into(), "tax; solar ;".into()));
    assert_eq!(
        row(&survey, &one, &Write::Update { id: "55".into() }),
        json!({"id": "55", "Lookalike_Id": "id:1", "Last_Name": "O'Neil", "Score": 7.5, "Topics": ["tax", "solar"]})
    );
    assert_eq!(typed("double", "many"), json!("many"));
    assert_eq!(typed("text", "78701"), json!("78701"));
}

#[test]
fn each_row_of_an_answer_says_what_became_of_its_lead() {
    let row = |row: Value| Some(serde_json::from_value::<Row>(row).unwrap());
    let made = written(row(json!({"status": "success", "action": "insert", "details": {"id": "7"}})), &Write::Create);
    assert_eq!((made.outcome, made.remote_id.as_str()), (Outcome::Created, "7"));
    // Somebody else made it between the look-up and the write.
    let there = written(row(json!({"status": "success", "action": "update", "details": {"id": "7"}})), &Write::Create);
    assert_eq!(there.outcome, Outcome::Updated);
    let bad = json!({"status": "error", "code": "INVALID_DATA", "message": "invalid data",
        "details": {"api_name": "City", "maximum_length": 100, "json_path": "$.data[0].City"}});
    let bad = written(row(bad), &Write::Create);
    assert_eq!(bad.outcome, Outcome::Failed);
    assert_eq!(bad.reason, "invalid data: City (INVALID_DATA)");
    assert_eq!(bad.next_step, "Shorten City in the file to 100 characters.");
    assert_eq!(written(None, &Write::Create).outcome, Outcome::Unknown);
}

#[test]
fn two_long_list_names_that_begin_alike_get_two_tags() {
    assert_eq!(tag_name(" Lookalike - Top Investors "), "Lookalike - Top Investors");
    let (texas, ohio) = (tag_name("Lookalike - Top Investors Texas"), tag_name("Lookalike - Top Investors Ohio"));
    assert!(texas.starts_with("Lookalike - Top Inve") && texas != ohio, "{texas} {ohio}");
}

proptest! {
    #[test]
    fn any_name_becomes_a_tag_that_zoho_takes(name in any::<String>()) {
        let tag = tag_name(&name);
        prop_assert!(tag.chars().count() <= TAG_NAME);
        prop_assert_eq!(&tag, &tag_name(&name));
    }

    #[test]
    fn any_value_stays_one_literal(text in any::<String>()) {
        if let Some(literal) = quoted(&text) {
            let quote = literal.chars().next().unwrap();
            prop_assert_eq!(literal.matches(quote).count(), 2);
        }
    }
}
