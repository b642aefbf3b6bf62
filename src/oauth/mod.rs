//! Signing in: OAuth 2.0 with PKCE by loopback, pasted address or device code; static tokens; refresh; the deep link.
//!
//! What a vendor wants is data ([`OAuth`]) plus the pure functions of [`Quirks`], both from its CRM file; the flows exist
//! once, here: [`Flow`] talks to the token endpoint, [`sign_in`] leads a person through, [`TokenKeeper`] keeps the result alive.

mod answer;
pub mod browser;
mod callback;
pub mod deep_link;
mod device;
mod endpoints;
mod flow;
mod keeper;
mod pasted;
mod sign_in;
pub mod ssh;
#[cfg(test)]
mod test_vendor;
mod tokens;
mod wire;
mod words;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

pub use endpoints::Endpoints;
pub use flow::Flow;
pub use keeper::{Persist, TokenKeeper};
pub use sign_in::{Opener, SignIn, WAIT, Way, sign_in};
pub use tokens::{Grant, Tokens};

/// Where the time comes from; tests bring their own.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// One vendor's authorisation server, as sign-in needs to know it.
#[derive(Clone)]
pub struct Vendor {
    /// The platform id: `salesforce`.
    pub id: &'static str,
    /// Its name for a person: `Salesforce`.
    pub name: &'static str,
    /// What its server wants.
    pub oauth: OAuth,
    /// Host suffixes to which an answer may point for one account: `.zoho.eu`. Without a leading dot: that very host.
    pub account_hosts: &'static [&'static str],
    /// Its issuer (RFC 9207), where known: an answer that names another one is refused.
    pub issuer: Option<String>,
    /// Where it strays from the standard.
    pub quirks: Arc<dyn Quirks>,
}

/// Where a vendor's sign-in page and token endpoint stray from RFC 6749. Pure functions; the defaults are the standard.
pub trait Quirks: Send + Sync {
    /// Rewrites the address of the sign-in page where the vendor wants other parameter names.
    fn authorize_url(&self, address: url::Url) -> url::Url {
        address
    }

    /// Rewrites a token or device request where the vendor wants more than the RFCs say (JSON body, other names).
    fn encode_request(&self, request: http::Request<Vec<u8>>) -> http::Request<Vec<u8>> {
        request
    }

    /// Rewrites an answer into the RFCs' shape (errors inside 200, no `token_type`, scopes as an array).
    fn normalise_response(&self, response: http::Response<Vec<u8>>) -> http::Response<Vec<u8>> {
        response
    }

    /// The token endpoint that the callback's parameters name (data centres). Used only when it is on the vendor's host list.
    fn token_url(&self, _callback: &BTreeMap<String, String>) -> Option<String> {
        None
    }

    /// The revocation endpoint that the callback's parameters name; used under the same condition.
    fn revoke_url(&self, _callback: &BTreeMap<String, String>) -> Option<String> {
        None
    }

    /// What a normalised answer to a device poll says about where the account is (data centres), in the callback's
    /// parameters; empty when it says nothing. The next poll goes where [`Quirks::token_url`] then points to.
    fn moved(&self, _response: &http::Response<Vec<u8>>) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}

/// No quirks: a server by the book.
#[derive(Clone, Copy, Debug)]
pub struct Standard;

impl Quirks for Standard {}

/// How far a sign-in is. `C` is what the engine tells about the connection once it is stored; nothing here makes one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SignInStep<C> {
    /// The address to open; the callback listens by now, where it can.
    Open {
        /// The vendor's sign-in page with all parameters.
        authorize_url: String,
        /// Where it will come back to.
        redirect_uri: String,
        /// Whether the callback listens (else paste only, with the reason).
        listening: Result<(), String>,
        /// The port for `ssh -L`; 0 when none listens.
        port: u16,
        /// Whether a browser was started.
        browser: bool,
    },
    /// The code to type on the vendor's page.
    Device {
        /// The code.
        user_code: String,
        /// The page.
        verification_uri: String,
        /// The page with the code in it, where the vendor has one.
        verification_uri_complete: Option<String>,
        /// When the code dies.
        expires: Timestamp,
    },
    /// The answer is here; the token is being fetched.
    Exchanging,
    /// Something came back that was not the answer; the wait goes on.
    Ignored {
        /// Why.
        reason: String,
    },
    /// Stored durably.
    Connected(C),
    /// Over.
    Failed(Failure),
}

/// What a vendor's authorisation server wants, as its CRM file states it.
#[derive(Clone, Copy, Debug)]
pub struct OAuth {
    /// The sign-in page.
    pub authorize_url: &'static str,
    /// The token endpoint, for codes and refreshes.
    pub token_url: &'static str,
    /// RFC 7009 revocation, where the vendor has it.
    pub revoke_url: Option<&'static str>,
    /// RFC 8628 device authorisation, where the vendor has it.
    pub device_url: Option<&'static str>,
    /// The minimal scopes, and what stands between them in the address.
    pub scopes: &'static [&'static str],
    /// Usually a space.
    pub scope_separator: &'static str,
    /// More parameters for the sign-in page.
    pub extra: &'static [(&'static str, &'static str)],
    /// Whether the challenge is sent (harmless where ignored).
    pub pkce: bool,
    /// Whether the app has a secret.
    pub client: Client,
    /// How the secret travels.
    pub secret_in: SecretIn,
    /// The redirect address to register unless the configuration names another.
    pub redirect: &'static str,
    /// How the answer comes back to the redirect address.
    pub answer: Answer,
}

/// Whether an app at this vendor has a client secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// Never; PKCE alone.
    Public,
    /// Always.
    Confidential,
    /// As the app was registered.
    Either,
}

/// How the client secret travels to the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretIn {
    /// As `client_secret` in the body.
    Body,
    /// As HTTP Basic.
    Basic,
}

/// How the authorisation answer reaches the redirect address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A GET with the code in the query: the loopback listener can take it.
    Query,
    /// A POST to an HTTPS address: only pasting or a static token works.
    FormPost,
}

/// A way to sign in, as `--method` and the connect pane name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The browser on this machine, answered by the loopback callback.
    Browser,
    /// A browser anywhere; the address it ended on is pasted back.
    Paste,
    /// A code typed into the vendor's page on any device.
    Device,
    /// A static token made in the vendor's settings.
    Token,
}
