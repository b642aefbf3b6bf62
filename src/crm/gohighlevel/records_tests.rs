//! Contacts and tag answers, read in each shape that the vendor may give them.

use super::*;

#[test]
fn a_contact_is_known_by_its_further_addresses_too() {
    for further in [json!([{"email": "Dana@x.test"}]), json!(["dana@x.test"])] {
        let contact: Contact =
            serde_json::from_value(json!({"id": "c1", "email": "first@x.test", "additionalEmails": further})).unwrap();
        assert!(contact.has_email("dana@x.test") && contact.has_email("first@x.test"));
        assert!(!contact.has_email("other@x.test"));
    }
}

#[test]
fn contacts_that_a_tag_did_not_reach_are_named_where_the_answer_names_them() {
    let tagged = |responses: Value| serde_json::from_value::<Tagged>(json!({"errorCount": 1, "responses": responses}));
    let named = tagged(json!([
        {"contactId": "c1", "message": "Tags updated", "type": "success"},
        {"contactId": "c2", "message": "contact is deleted", "type": "error"},
    ]));
    assert_eq!(named.unwrap().refused(), Some(vec![("c2".to_owned(), "contact is deleted".to_owned())]));
    assert_eq!(tagged(json!(["c1 updated", "c2 not found"])).unwrap().refused(), None, "one by one then");
}
