//! The one way to call a vendor: signed, limited, refreshed on 401, answers classified.

use crate::vault::Secret;

/// A handle on one account.
#[derive(Debug)]
pub struct Api;

/// What a call is signed with.
#[derive(Debug)]
pub struct Credential<'a> {
    /// The access token or static token.
    pub token: &'a Secret,
    /// The values given at sign-in.
    pub fields: &'a std::collections::BTreeMap<String, String>,
}

/// An answer of the vendor.
#[derive(Clone, Debug)]
pub struct ApiReply {
    /// HTTP status.
    pub status: http::StatusCode,
    /// Headers.
    pub headers: http::HeaderMap,
    /// The body, at most 16 MB.
    pub body: Vec<u8>,
}

/// What is left of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Calls left in the window.
    pub remaining: u32,
    /// Milliseconds until the window begins anew.
    pub resets_in_ms: u64,
}

/// Puts `Authorization: Bearer …` on a call.
pub fn bearer(headers: &mut http::HeaderMap, credential: &Credential<'_>) {
    if let Ok(mut value) = http::HeaderValue::from_str(&format!("Bearer {}", credential.token.expose())) {
        value.set_sensitive(true);
        headers.insert(http::header::AUTHORIZATION, value);
    }
}
