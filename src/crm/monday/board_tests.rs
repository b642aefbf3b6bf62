//! Which board is taken, and how its columns become fields.

use super::*;

fn board(id: &str, name: &str, columns: Value) -> Board {
    serde_json::from_value(json!({"id": id, "name": name, "type": "board", "columns": columns})).unwrap()
}

fn with_email(id: &str, name: &str) -> Board {
    board(
        id,
        name,
        json!([{"id": "name", "title": "Name", "type": "name"}, {"id": "e1", "title": "Mail", "type": "email"}]),
    )
}

fn picked(given: &str, boards: &[Board]) -> Result<String, String> {
    pick(given, boards.to_vec()).map(|board| board.id).map_err(|trouble| trouble.message)
}

#[test]
fn a_board_is_taken_by_name_or_when_there_is_no_doubt() {
    let tasks = board("1", "Tasks", json!([{"id": "name", "title": "Name", "type": "name"}]));
    let (leads, clients) = (with_email("2", "LEADS"), with_email("3", "Clients"));
    assert_eq!(picked("", &[tasks.clone(), clients.clone()]), Ok("3".into()));
    assert_eq!(picked("", &[clients.clone(), leads.clone()]), Ok("2".into()), "the one called Leads");
    assert_eq!(picked("clients", &[clients.clone(), leads.clone()]), Ok("3".into()));
    let doubt = picked("", &[clients.clone(), with_email("4", "More")]).unwrap_err();
    assert!(doubt.contains("Clients (3), More (4)"), "{doubt}");
    assert!(picked("Tasks", &[tasks.clone(), leads.clone()]).unwrap_err().contains("no e-mail column"));
    assert!(picked("Nowhere", &[leads]).unwrap_err().contains("no board called"));
    assert!(picked("", &[tasks]).unwrap_err().contains("None"));
}

#[test]
fn columns_that_a_text_can_fill_become_fields_and_a_key_column_is_used() {
    let columns = json!([
        {"id": "name", "title": "Name", "type": "name"}, {"id": "e1", "title": "Mail", "type": "email"},
        {"id": "p1", "title": "Owner", "type": "people"}, {"id": "t1", "title": "Old", "type": "text", "archived": true},
        {"id": "k1", "title": "Lookalike ID", "type": "text"}, {"id": "l1", "title": "Notes", "type": "long_text"}
    ]);
    let survey = board("1", "Leads", columns).survey();
    let fields: Vec<_> =
        survey.fields.iter().map(|field| (field.name.as_str(), field.length, field.required)).collect();
    assert_eq!(fields, [("name", 255, true), ("e1", 0, false), ("k1", 0, false), ("l1", 2_000, false)]);
    assert_eq!((survey.key.field(), survey.by), ("k1", MatchBy::LeadKey));
    assert_eq!(email_field(&survey).map(|field| field.name.as_str()), Some("e1"));
    let survey = with_email("2", "Leads").survey();
    assert_eq!((survey.key.field(), survey.by), ("e1", MatchBy::Email));
}
