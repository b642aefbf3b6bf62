use proptest::prelude::*;
use serde_json::json;

use super::*;

fn upsert(book: &mut Book, by: MatchBy, row: Value) -> RowResult {
    book.upsert(by, row.as_object().expect("an object"), Timestamp::UNIX_EPOCH)
}

fn refusal(result: RowResult) -> (&'static str, String) {
    match result {
        RowResult::Failed { error } => (error.code, error.field),
        other => panic!("{other:?} is no refusal"),
    }
}

/// The outcome table of the demo would show wrong words or nothing at all.
#[test]
fn refusals_name_the_field_and_the_rule() {
    let mut book = Book::default();
    let by = MatchBy::ExternalId;
    let long = "x".repeat(81);
    for (row, code, field) in [
        (json!({"external_id": "1"}), "required", "last_name"),
        (json!({"last_name": "Roe"}), "required", "external_id"),
        (json!({"external_id": "1", "last_name": long}), "too_long", "last_name"),
        (json!({"external_id": "1", "last_name": "Roe", "email": "roe at example.com"}), "invalid", "email"),
        (json!({"external_id": "1", "last_name": "Roe", "website": "example.com"}), "invalid", "website"),
        (json!({"external_id": "1", "last_name": "Roe", "employees": "many"}), "invalid", "employees"),
        (json!({"external_id": "1", "last_name": "Roe", "shoe": "43"}), "unknown_field", "shoe"),
        (json!({"external_id": "1", "last_name": ["Roe"]}), "wrong_type", "last_name"),
        (json!({"id": "c_9", "last_name": "Roe"}), "not_found", "id"),
    ] {
        assert_eq!(refusal(upsert(&mut book, by, row)), (code, field.to_owned()));
    }
    assert!(book.contacts.is_empty());
}

/// A second sync would create everybody anew, or report changes where there are none.
#[test]
fn a_contact_is_recognised_by_id_and_by_folded_email() {
    let mut book = Book::default();
    let first = json!({"external_id": "1", "email": "Roe@example.com", "last_name": "Roe", "score": 97});
    assert_eq!(upsert(&mut book, MatchBy::ExternalId, first.clone()), RowResult::Created { id: "c_1".into() });
    assert_eq!(upsert(&mut book, MatchBy::ExternalId, first), RowResult::Unchanged { id: "c_1".into() });
    let other = json!({"email": "ROE@EXAMPLE.COM", "city": "Austin"});
    assert_eq!(upsert(&mut book, MatchBy::Email, other), RowResult::Updated { id: "c_1".into() });
    let twin = json!({"external_id": "2", "email": "roe@Example.com", "last_name": "Roe"});
    assert_eq!(refusal(upsert(&mut book, MatchBy::ExternalId, twin)), ("duplicate", "email".to_owned()));
    let moved = json!({"id": "c_1", "external_id": "7", "email": ""});
    assert_eq!(upsert(&mut book, MatchBy::ExternalId, moved), RowResult::Updated { id: "c_1".into() });
    assert!(book.find(MatchBy::ExternalId, "1").is_none() && book.find(MatchBy::Email, "roe@example.com").is_none());
    assert!(book.find(MatchBy::ExternalId, "7").is_some());
}

/// After a restart of the demo every contact would be created a second time.
#[test]
fn a_kept_book_recognises_its_contacts() {
    let mut book = Book::default();
    upsert(&mut book, MatchBy::ExternalId, json!({"external_id": "1", "last_name": "Roe"}));
    let text = serde_json::to_string(&book).expect("kept");
    let mut again: Book = serde_json::from_str(&text).expect("read");
    let row = json!({"external_id": "1", "last_name": "Roe"});
    assert_eq!(upsert(&mut again, MatchBy::ExternalId, row), RowResult::Unchanged { id: "c_1".into() });
}

/// Adding to a list would remove or double somebody.
#[test]
fn lists_only_grow_and_say_who_is_unknown() {
    let mut book = Book::default();
    for id in ["1", "2"] {
        upsert(&mut book, MatchBy::ExternalId, json!({"external_id": id, "last_name": "Roe"}));
    }
    assert_eq!(book.open_list("Top"), ("l_1".to_owned(), true));
    assert_eq!(book.open_list("TOP"), ("l_1".to_owned(), false));
    let ids = ["c_1", "c_1", "c_3", "c_0"].map(String::from);
    assert_eq!(book.add_members("l_1", &ids), Some((1, 1, vec!["c_3".to_owned(), "c_0".to_owned()])));
    assert_eq!(book.add_members("l_1", &["c_2".to_owned()]), Some((1, 0, vec![])));
    assert_eq!(book.lists[0].members.len(), 2);
    assert_eq!(book.add_members("l_2", &[]), None);
}

proptest! {
    /// Two contacts would share a key, and a later write would hit the wrong one.
    #[test]
    fn keys_stay_unique_whatever_is_written(
        rows in prop::collection::vec((0usize..2, 0u8..4, 0u8..4, any::<bool>()), 1..40)
    ) {
        let mut book = Book::default();
        for (by, id, mail, upper) in rows {
            let mail = format!("m{mail}@example.com");
            let mail = if upper { mail.to_uppercase() } else { mail };
            let row = json!({"external_id": id.to_string(), "email": mail, "last_name": "Roe"});
            upsert(&mut book, [MatchBy::ExternalId, MatchBy::Email][by], row);
            let ids: BTreeSet<_> = book.contacts.iter().map(|contact| contact.value("external_id")).collect();
            let mails: BTreeSet<_> = book.contacts.iter().map(|contact| fold_email(contact.value("email"))).collect();
            prop_assert_eq!(ids.len(), book.contacts.len());
            prop_assert_eq!(mails.len(), book.contacts.len());
        }
    }
}
