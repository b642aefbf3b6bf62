//! What comes back from a sign-in page, and whether it is the answer to our question.

use std::collections::BTreeMap;

use super::Vendor;
use super::words::Doing;
use crate::failure::{Code, Failure};
use crate::text;
use crate::vault::Secret;

/// What an answer must match.
#[derive(Clone)]
pub(super) struct Expected {
    /// Who was asked.
    pub(super) vendor: Vendor,
    /// The state that only our question holds.
    pub(super) state: Secret,
    /// Whether a pasted code is enough without the state: with PKCE a foreign code is of no use.
    pub(super) code_alone: bool,
}

/// A code that may be traded for tokens.
pub(super) struct Authorization {
    /// The code.
    pub(super) code: Secret,
    /// The other parameters, without state.
    pub(super) params: BTreeMap<String, String>,
}

/// What to do with something that came back.
pub(super) enum Verdict {
    /// The answer.
    Granted(Authorization),
    /// The answer, and it is no.
    Refused(Failure),
    /// Not the answer to our question; the wait goes on.
    Ignored(String),
}

impl Expected {
    /// Judges the query part of an address.
    pub(super) fn judge(&self, query: &str) -> Verdict {
        let mut params = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()).into_owned() {
            if let Some(twice) = params.insert(name.clone(), value)
                && params.get(&name) != Some(&twice)
            {
                return Verdict::Ignored(format!("An answer has `{}` twice.", text::clean(&name).shorten(40)));
            }
        }
        let description = params.get("error_description").cloned().unwrap_or_default();
        match params.remove("state") {
            Some(state) if state == self.state.expose() => {}
            Some(_) => {
                return Verdict::Ignored("An answer belongs to another sign-in: its `state` is not ours.".into());
            }
            None => match params.get("error") {
                // Perhaps a vendor that forgets the state when it refuses: not believed, but told.
                Some(error) => {
                    let told = if description.is_empty() { error } else { &description };
                    let told = text::clean(told).shorten(200);
                    return Verdict::Ignored(format!("A refusal without `state` came back: {told}"));
                }
                None => return Verdict::Ignored("An answer has no `state`, so it may not be ours.".into()),
            },
        }
        if let (Some(expected), Some(iss)) = (&self.vendor.issuer, params.get("iss"))
            && expected != iss
        {
            return Verdict::Refused(self.wrong_issuer(iss));
        }
        if let Some(error) = params.get("error") {
            return Verdict::Refused(self.vendor.refused(Doing::SignIn, error, &description));
        }
        match params.remove("code").filter(|code| !code.is_empty()) {
            Some(code) => Verdict::Granted(Authorization { code: Secret::from(code), params }),
            None => Verdict::Ignored("An answer has no `code`.".into()),
        }
    }

    fn wrong_issuer(&self, iss: &str) -> Failure {
        let iss = text::clean(iss).shorten(80);
        Failure::new(
            Code::Failed,
            format!("The answer says it comes from {iss}, not from {}, so it was refused.", self.vendor.name),
            "Sign in again; if this comes back, tell your admin: somebody may be in between.",
        )
    }
}
