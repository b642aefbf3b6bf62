//! Signing in: OAuth 2.0 with PKCE by loopback, pasted address or device code; static tokens; refresh; the deep link.
//!
//! What a vendor wants is data ([`OAuth`]) plus two pure functions of its CRM file (see `crm::Crm`); the flows exist once, here.

use serde::{Deserialize, Serialize};

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
