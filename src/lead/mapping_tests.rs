//! Tests of the guesses.

use super::*;

fn fields(headers: &[&str]) -> Vec<Option<Field>> {
    let headers: Vec<String> = headers.iter().map(|header| (*header).to_owned()).collect();
    guess(&headers).schema.columns.into_iter().map(|column| column.field).collect()
}

#[test]
fn the_headers_of_usual_exports_find_their_fields() {
    let headers = [
        "\u{feff}E-mail Address",
        "First Name",
        "LAST_NAME",
        "Mobile",
        "Company Name",
        "Job Title",
        "Zip",
        "lead_score",
        "Why",
    ];
    let expected = [
        Field::Email,
        Field::FirstName,
        Field::LastName,
        Field::Phone,
        Field::Company,
        Field::Title,
        Field::PostalCode,
        Field::Score,
        Field::Reasons,
    ];
    assert_eq!(fields(&headers), expected.map(Some));
    assert_eq!(
        fields(&["Organization", "State/Region", "Postal Code", "Annual Revenue"]),
        [Some(Field::Company), Some(Field::State), Some(Field::PostalCode), Some(Field::Revenue),]
    );
    assert_eq!(fields(&["Email 1", "Email 2", "Contact Phone"]), [Some(Field::Email), None, Some(Field::Phone)]);
    assert_eq!(fields(&["Company ID", "Last Contact", "Lead Source", "Email Status"]), [None, None, None, None]);
    assert_eq!(fields(&["Shoe size", "Created", ""]), [None, None, None]);
}

#[test]
fn the_surest_column_has_the_field() {
    assert_eq!(fields(&["Work Email", "Mail", "email"]), [None, None, Some(Field::Email)]);
    assert_eq!(fields(&["Mobile", "Phone Number"]), [None, Some(Field::Phone)], "the more usual name");
    assert_eq!(fields(&["id", "Lead ID"]), [Some(Field::Id), None]);
    assert_eq!(fields(&["Contact", "Name"]), [None, Some(Field::FullName)]);
}

#[test]
fn a_guess_says_how_sure_it_is() {
    let headers = ["email", "Job Title", "Contact Phone 2", "Hobby"].map(str::to_owned);
    assert_eq!(guess(&headers).certainty, [Certainty::Exact, Certainty::Synonym, Certainty::Fuzzy, Certainty::Custom]);
}

#[test]
fn no_synonym_names_two_fields() {
    let mut seen = std::collections::HashMap::new();
    for (field, names) in SYNONYMS {
        for name in *names {
            assert_eq!(fold(name), *name, "synonyms are kept folded");
            assert_eq!(seen.insert(*name, *field), None, "{name}");
        }
    }
}

#[test]
fn fingerprints_tell_header_sets_apart() {
    let of = |headers: &[&str]| {
        fingerprint(&guess(&headers.iter().map(|header| (*header).to_owned()).collect::<Vec<_>>()).schema)
    };
    assert_eq!(of(&["a", "b"]), of(&["a", "b"]));
    assert_ne!(of(&["a", "b"]), of(&["ab"]));
    assert_eq!(of(&["a"]).len(), 64);
}
