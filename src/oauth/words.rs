//! What a person reads when a sign-in or a refresh does not work: cause, and what to do about it.

use super::Vendor;
use crate::failure::{Code, Failure};
use crate::text;

/// Longest part of a server's own words that is repeated.
const SAID: usize = 200;

/// What we were at when it went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    /// Signing in: somebody is there and can try again.
    SignIn,
    /// Renewing an access token: nobody may be watching.
    Refresh,
}

impl Vendor {
    /// A failure in the words of an OAuth `error` code (RFC 6749 4.1.2.1 and 5.2, RFC 8628 3.5) and its description.
    pub(super) fn refused(&self, doing: Doing, error: &str, description: &str) -> Failure {
        let because = because(error, description);
        let (name, id) = (self.name, self.id);
        let (code, message, remedy) = match (error, doing) {
            ("invalid_grant", Doing::Refresh) => return self.ended(description),
            ("invalid_grant", Doing::SignIn) => (
                Code::SignInNeeded,
                format!("{name} did not accept the code of this sign-in{because}."),
                "Sign in again; a code works once, and only for a minute or so.".to_owned(),
            ),
            ("invalid_client" | "unauthorized_client", _) => (
                Code::Forbidden,
                format!("{name} did not accept this app's client id or secret{because}."),
                format!("Check `client_id` and `client_secret` under [crm.{id}] against the app's page at {name}."),
            ),
            ("invalid_scope" | "insufficient_scope", _) => (
                Code::Forbidden,
                format!("{name} did not grant the permissions asked for{because}."),
                format!("Allow these scopes for the app at {name}: {}.", self.oauth.scopes.join(", ")),
            ),
            ("access_denied", _) => (
                Code::SignInNeeded,
                format!("{name} refused the sign-in{because}."),
                "Sign in again and choose Allow, or ask your admin to allow the app.".to_owned(),
            ),
            ("expired_token", _) => (
                Code::SignInNeeded,
                format!("The code for {name} was not confirmed in time."),
                "Sign in again; a new code will be shown.".to_owned(),
            ),
            ("temporarily_unavailable" | "server_error", _) => (
                Code::Failed,
                format!("{name} could not complete this right now{because}."),
                "Try again in a few minutes.".to_owned(),
            ),
            (_, Doing::SignIn) => (
                Code::Failed,
                format!("{name} refused the sign-in{because}."),
                format!("Check the app's settings at {name} and [crm.{id}], then sign in again."),
            ),
            (_, Doing::Refresh) => {
                (Code::Failed, format!("{name} did not renew the access token{because}."), self.reconnect())
            }
        };
        Failure::new(code, message, remedy)
    }

    /// The refresh token is worth nothing any more.
    pub(super) fn ended(&self, description: &str) -> Failure {
        let because = because("", description);
        Failure::new(Code::SignInNeeded, format!("{} has ended the connection{because}.", self.name), self.reconnect())
    }

    /// The access token is used up and there was never a refresh token.
    pub(super) fn cannot_renew(&self) -> Failure {
        let message = format!("The access to {} has run out and cannot be renewed by itself.", self.name);
        Failure::new(Code::SignInNeeded, message, self.reconnect())
    }

    pub(super) fn reconnect(&self) -> String {
        format!("Reconnect with `leadferry connect {} --reconnect`.", self.id)
    }
}

/// ": the server's words", or its error code when it gave none, or nothing.
fn because(error: &str, description: &str) -> String {
    let said = text::clean(description.trim().trim_end_matches('.')).shorten(SAID);
    match (said.is_empty(), error) {
        (false, _) => format!(": {said}"),
        (true, "" | "access_denied") => String::new(),
        (true, error) => format!(" ({})", text::clean(error).shorten(SAID)),
    }
}
