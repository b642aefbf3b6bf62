//! What would go wrong for a user who pastes: a right address refused, a wrong one taken, words that do not help.

use proptest::prelude::*;

use super::super::test_vendor::{STATE, expected};
use super::*;

fn judged(text: &str) -> Result<(String, BTreeMap<String, String>), String> {
    match judge(text, &expected()) {
        Verdict::Granted(answer) => Ok((answer.code.expose().to_owned(), answer.params)),
        Verdict::Refused(failure) => Err(failure.message),
        Verdict::Ignored(reason) => Err(reason),
    }
}

#[test]
fn an_address_is_taken_however_a_terminal_mangles_it() {
    let address = format!("http://localhost:8976/callback?code=a%2Bb%3D%3D&state={STATE}&location=eu");
    let (start, end) = address.split_at(40);
    for text in [
        address.clone(),
        format!("  \"{address}\"\n"),
        format!("<{address}>"),
        format!("`{address}`,"),
        format!("{start}\r\n   {end}"),
        format!("HTTPS://LOCALHOST:8977/callback{}", &address[address.find('?').unwrap()..]),
        format!("{address}#_=_"),
        address.split_once('?').unwrap().1.to_owned(),
        format!("?{}", address.split_once('?').unwrap().1),
    ] {
        let (code, params) = judged(&text).unwrap_or_else(|reason| panic!("{text}: {reason}"));
        assert_eq!(code, "a+b==", "{text}");
        assert_eq!(params["location"], "eu");
        assert!(!params.contains_key("state") && !params.contains_key("code"), "{params:?}");
    }
}

#[test]
fn a_code_alone_is_enough_only_with_pkce() {
    assert_eq!(judged("4/0AbC+d%3D%3D\n").unwrap().0, "4/0AbC+d==");
    let without = Expected { code_alone: false, ..expected() };
    let Verdict::Ignored(reason) = judge("4/0AbCdEf", &without) else { panic!("a foreign code could be slipped in") };
    assert!(reason.contains("whole address"), "{reason}");
}

#[test]
fn what_is_not_the_answer_is_told_in_words() {
    for (text, words) in [
        ("", "Nothing"),
        (" \n ", "Nothing"),
        ("abc", "neither"),
        ("äöü äöü äöü", "neither"),
        ("http://localhost:8976/callback", "copy it whole"),
        ("http://localhost:8976/callback?code=abcdef&state=other", "another sign-in"),
        ("http://localhost:8976/callback?code=abcdef", "no `state`"),
        ("code=abcdef", "no `state`"),
        ("https://testland.test/auth?response_type=code&state=the-right-state", "sign-in page's own"),
        ("http://localhost/?state=the-right-state", "no `code`"),
        ("http://localhost/?state=the-right-state&code=", "no `code`"),
        ("http://localhost/?state=the-right-state&state=other&code=x", "`state` twice"),
        ("http://localhost/?error=access_denied&error_description=nope", "nope"),
        ("http://localhost/?error=access_denied&state=the-right-state", "Testland refused the sign-in."),
        (
            "?error=access_denied&error_description=no+way.&state=the-right-state",
            "Testland refused the sign-in: no way.",
        ),
        ("?code=abcdef&state=the-right-state&iss=https://evil.test", "https://evil.test"),
        (&"x".repeat(LONGEST + 1), "too long"),
    ] {
        let reason = judged(text).unwrap_err();
        assert!(reason.contains(words), "{text}: {reason}");
    }
}

#[test]
fn the_right_issuer_is_no_obstacle() {
    assert!(judged(&format!("?code=abcdef&state={STATE}&iss=https%3A%2F%2Ftestland.test")).is_ok());
}

#[test]
fn a_description_cannot_steer_the_terminal() {
    let reason = judged(&format!("?error=x&error_description=a%1b%5b2J%0ab&state={STATE}")).unwrap_err();
    assert!(!reason.chars().any(char::is_control), "{reason:?}");
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        let _ = judge(&text, &expected());
        let _ = judge(&format!("http://localhost/?{text}"), &expected());
    }

    #[test]
    fn only_our_state_lets_an_address_through(state in "[a-z-]{0,20}", code in "[a-z]{1,20}") {
        prop_assume!(state != STATE);
        let address = format!("http://localhost/?code={code}&state={state}");
        prop_assert!(judged(&address).is_err());
    }
}
