//! Reads what a person pastes after signing in elsewhere: the address the browser ended on, its query, or only the code.

use std::collections::BTreeMap;

use super::answer::{Authorization, Expected, Verdict};
use crate::vault::Secret;

/// Longer text is not an answer.
const LONGEST: usize = 16 << 10;
/// Shorter text is a slip of the hand, not a code: trying it would end the sign-in.
const SHORTEST_CODE: usize = 6;
/// What may stand around a pasted address.
const WRAPPING: &[char] = &['"', '\'', '`', ',', ';', '<', '>', '(', ')', '“', '”', '‘', '’', '«', '»', '„'];

/// Judges pasted text. Blanks and line breaks (a wrapped terminal line) and surrounding quotes do not matter.
pub(super) fn judge(text: &str, expected: &Expected) -> Verdict {
    let ignored = |words: &str| Verdict::Ignored(words.to_owned());
    if text.len() > LONGEST {
        return ignored("The pasted text is too long for an address.");
    }
    let joined: String = text.chars().filter(|ch| !ch.is_whitespace() && !ch.is_control()).collect();
    let text = joined.trim_matches(WRAPPING);
    if text.is_empty() {
        return ignored("Nothing was pasted.");
    }
    let is_address = ["http://", "https://"]
        .iter()
        .any(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
    let query = match text.split_once('?') {
        Some((_, query)) => query,
        None if is_address => {
            return ignored("The pasted address has no `?code=…` part; copy it whole from the address bar.");
        }
        None => text,
    };
    let query = query.split('#').next().unwrap_or(query);
    let names = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
    if names("response_type") || names("code_challenge") {
        return ignored("That is the sign-in page's own address; paste the one the browser ended on.");
    }
    if is_address
        || text.contains('?')
        || ["code", "state", "error"].iter().any(|name| names(name) && query.contains('='))
    {
        return expected.judge(query);
    }
    code_alone(text, expected)
}

fn code_alone(text: &str, expected: &Expected) -> Verdict {
    if !expected.code_alone {
        let name = expected.vendor.name;
        return Verdict::Ignored(format!("A code alone is not enough for {name}; paste the whole address."));
    }
    if text.len() < SHORTEST_CODE || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Verdict::Ignored("The pasted text is neither an address nor a code.".into());
    }
    // From an address bar a code comes percent-encoded; a plus sign in it is one.
    let pair = format!("code={}", text.replace('+', "%2B").replace('&', "%26"));
    let code =
        url::form_urlencoded::parse(pair.as_bytes()).next().map_or_else(String::new, |(_, code)| code.into_owned());
    Verdict::Granted(Authorization { code: Secret::from(code), params: BTreeMap::new() })
}

#[cfg(test)]
#[path = "pasted_tests.rs"]
mod tests;
