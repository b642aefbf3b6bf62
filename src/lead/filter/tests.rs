//! Tests of the filter language.

use proptest::prelude::*;

use super::*;
use crate::lead::{Column, Field, Lead};

fn schema() -> Schema {
    let column = |header: &str, field| Column { header: header.into(), field };
    Schema {
        columns: vec![
            column("st", Some(Field::State)),
            column("lead_score", Some(Field::Score)),
            column("Job Title", Some(Field::Title)),
            column("email", Some(Field::Email)),
            column("tags", Some(Field::Tags)),
            column("Shoe size", None),
            column("and", None),
        ],
    }
}

fn lead() -> Lead {
    let cells = ["TX", "1,080", "Owner of Größe", "", "vip; Investor", "9", "x"];
    Lead { cells: cells.map(str::to_owned).to_vec() }
}

fn passes(text: &str) -> bool {
    Filter::parse(text, &schema()).unwrap_or_else(|error| panic!("{}", error.pointed(text))).matches(&lead())
}

fn error(text: &str) -> FilterError {
    Filter::parse(text, &schema()).expect_err(text)
}

#[test]
fn the_language_means_what_the_design_says() {
    for text in [
        "",
        "  ",
        "state = TX",
        "state = tx and score >= 80 and not title ~ intern",
        "email is missing",
        "tags has investor",
        "lead_score >= 80",
        "LEAD_SCORE>=80",
        "\"Job Title\" ~ owner",
        "'job title' ~ 'OWNER OF'",
        "title ~ GRÖSSE or title ~ größe",
        "state != OR",
        "not state = OR",
        "score < 1081 and score > 1079.5",
        "score = 1080",
        "score = $1080.00",
        "(state = CA or state = TX) and tx",
        "owner vip",
        "\"Shoe size\" < 10",
        "\"and\" = x",
        "email = \"\"",
        "not not state = TX",
        "state = TX or state = CA and nothing",
    ] {
        assert!(passes(text), "{text}");
    }
    for text in [
        "state = OR",
        "score >= 2000",
        "email < z",
        "email >= a",
        "not email is missing",
        "tags has invest",
        "owner intern",
        "\"vip owner\"",
        "\"Shoe size\" > 10",
        "(state = TX or state = CA) and nothing",
        "state = and",
    ] {
        assert!(!passes(text), "{text}");
    }
}

#[test]
fn tags_of_json_lines_are_a_list_too() {
    let filter = Filter::parse("tags has investor", &schema()).unwrap();
    let with = |tags: &str| {
        let mut lead = lead();
        lead.cells[4] = tags.into();
        filter.matches(&lead)
    };
    assert!(with(r#"["vip","Investor"]"#));
    assert!(!with(r#"["investors"]"#));
    assert!(with("investor"));
    assert!(with("a|INVESTOR"));
}

#[test]
fn a_long_id_is_not_confused_with_its_neighbour() {
    let filter = Filter::parse("lead_score = 12345678901234567890", &schema()).unwrap();
    let mut lead = lead();
    lead.cells[1] = "12345678901234567891".into();
    assert!(!filter.matches(&lead));
}

#[test]
fn an_error_points_at_the_character() {
    for (text, at, part) in [
        ("state = TX and scroe > 1", 15, "near it: score"),
        ("state = ", 8, "value is missing"),
        ("city = New York", 0, "no column \"city\""),
        ("state = New York", 12, "quotes around a value"),
        ("Job Title ~ owner", 0, "quotes around a name"),
        ("(state = TX", 0, "never closed"),
        ("state = TX)", 10, "closes no"),
        ("title ~ \"own", 8, "quote is never closed"),
        ("and state = TX", 0, "missing before"),
        ("state = TX and", 14, "missing here"),
        ("= TX", 0, "name is missing"),
        ("größe > 1", 0, "no column"),
    ] {
        let error = error(text);
        assert_eq!(error.at, at, "{text}: {error}");
        assert!(error.message.contains(part), "{text}: {error}");
    }
    assert!(Filter::check("city = Paris and not x is missing").is_ok());
    assert!(Filter::check("city =").is_err());
}

#[test]
fn the_caret_stands_under_the_place_on_the_screen() {
    let text = "title ~ 日本 and scroe > 1";
    assert_eq!(
        error(text).pointed(text),
        "title ~ 日本 and scroe > 1\n                 ^ there is no column \"scroe\"; near it: score"
    );
    let text = "state = \n";
    assert_eq!(error(text).pointed(text).lines().count(), 2);
}

#[test]
fn hostile_nesting_is_refused_and_not_a_crash() {
    assert!(error(&"(".repeat(100_000)).message.contains("deep"));
    assert!(error(&"not ".repeat(100_000)).message.contains("deep"));
}

#[test]
fn the_canonical_text_is_short_and_plain() {
    let canonical = |text: &str| Filter::parse(text, &schema()).unwrap().to_string();
    assert_eq!(
        canonical("((st=TX) AND (score>=80 or (EMAIL is MISSING)))"),
        "state = TX and (score >= 80 or email is missing)"
    );
    assert_eq!(canonical("state = 'New York'"), "state = \"New York\"");
    assert_eq!(canonical("  "), "");
}

fn filter_text() -> impl Strategy<Value = String> {
    let name = prop_oneof!["state", "Score", "\"job title\"", "'shoe size'", "\"and\"", "tags"];
    let operator =
        prop_oneof![Just("="), Just("!="), Just("<"), Just("<="), Just(">"), Just(">="), Just("~"), Just(" has ")];
    let value = prop_oneof![
        "[a-z0-9.,$=~!<>é\\\\][a-z0-9.,$=~!<>'é\\\\]{0,6}",
        "\"[a-z ()'\\\\é]{0,5}[a-z]\"",
        "'[a-z \"]{0,6}'",
        Just("OR".to_owned())
    ];
    let leaf = prop_oneof![
        (name.clone(), operator, value).prop_map(|(name, operator, value)| format!("{name} {operator} {value}")),
        name.prop_map(|name| format!("{name} is missing")),
        "[a-z.é][a-z!.é]{3,7}( [a-z][a-z'\\\\]{3,5}){0,2}",
        "\"[a-z =()]{1,8}\"",
    ];
    leaf.prop_recursive(5, 24, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("{one} and {other}")),
            (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("({one}) or {other}")),
            inner.prop_map(|inner| format!("not ({inner})")),
        ]
    })
}

proptest! {
    #[test]
    fn canonical_text_means_the_same_filter(text in filter_text()) {
        {
            let filter = Filter::parse(&text, &schema()).map_err(|error| TestCaseError::fail(error.pointed(&text)))?;
            let canonical = filter.to_string();
            let again = Filter::parse(&canonical, &schema());
            prop_assert_eq!(again.as_ref(), Ok(&filter), "{} -> {}", text, canonical);
            prop_assert_eq!(again.unwrap().to_string(), canonical);
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>()) {
        if let Err(error) = Filter::parse(&text, &schema()) {
            prop_assert!(text.is_char_boundary(error.at));
            error.pointed(&text);
        }
    }

    #[test]
    fn no_pile_of_tokens_makes_the_parser_panic(
        tokens in prop::collection::vec(prop_oneof!["and", "or", "not", "is", "missing", "has", "=", "!=", "~", "[(]", "[)]", "\"", "'", "state", "é", " "], 0..12)
    ) {
        let text = tokens.join(" ");
        if let Err(error) = Filter::parse(&text, &schema()) {
            prop_assert!(text.is_char_boundary(error.at));
        } else {
            let filter = Filter::parse(&text, &schema()).unwrap();
            prop_assert_eq!(Filter::parse(&filter.to_string(), &schema()), Ok(filter), "{}", text);
        }
    }
}
