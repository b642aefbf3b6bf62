//! What a sign-in yields: tokens, when they die, and what else the vendor said.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use oauth2::TokenResponse as _;
use oauth2::basic::BasicTokenType;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::vault::Secret;

/// The tokens of one connection. Serialises for sealed records only, and to a self-describing format (JSON).
#[derive(Clone, Serialize, Deserialize)]
pub struct Tokens {
    /// What calls are signed with: an access token, or a static token.
    #[serde(with = "crate::vault::sealed")]
    pub access: Secret,
    /// What a new access token is asked with, where the vendor gives one.
    #[serde(default, with = "crate::vault::sealed")]
    pub refresh: Option<Secret>,
    /// When the access token dies, where that is known.
    pub expires_at: Option<Timestamp>,
    /// What was granted; what was asked for when the vendor does not say.
    pub scopes: Vec<String>,
    /// The answer's other fields: `instance_url`, `api_domain`, …
    pub extra: Map<String, Value>,
}

/// A completed sign-in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Grant {
    /// The tokens.
    pub tokens: Tokens,
    /// What else the callback carried (`location`, `accounts-server`); refreshing needs it again. Never the code or the state.
    pub callback: BTreeMap<String, String>,
}

/// The token endpoint's answer in the RFC's shape, with what goes beyond it.
pub(super) type TokenAnswer = oauth2::StandardTokenResponse<Extra, BasicTokenType>;

/// Fields beyond RFC 6749.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Extra {
    #[serde(flatten)]
    fields: Map<String, Value>,
}

impl oauth2::ExtraTokenFields for Extra {}

impl Tokens {
    /// A static token: never refreshed, never known to expire.
    pub fn fixed(token: Secret) -> Tokens {
        Tokens { access: token, refresh: None, expires_at: None, scopes: Vec::new(), extra: Map::new() }
    }

    /// From an answer. A refresh that names no new refresh token, scopes or extra fields keeps those of `before`.
    pub(super) fn from_answer(answer: &TokenAnswer, asked: &[&str], before: Option<&Tokens>, now: Timestamp) -> Tokens {
        let access = answer.access_token().secret();
        let lifetime =
            answer.expires_in().and_then(|life| SignedDuration::try_from(life).ok()).or_else(|| jwt_life(access, now));
        let scopes = match (answer.scopes(), before) {
            (Some(granted), _) => granted.iter().map(|scope| scope.as_str().to_owned()).collect(),
            (None, Some(before)) => before.scopes.clone(),
            (None, None) => asked.iter().map(|&scope| scope.to_owned()).collect(),
        };
        let mut extra = before.map(|before| before.extra.clone()).unwrap_or_default();
        extra.extend(answer.extra_fields().fields.clone());
        Tokens {
            access: Secret::from(access.as_str()),
            refresh: answer
                .refresh_token()
                .map(|token| Secret::from(token.secret().as_str()))
                .or_else(|| before.and_then(|before| before.refresh.clone())),
            expires_at: lifetime.and_then(|life| now.checked_add(life).ok()),
            scopes,
            extra,
        }
    }

    /// Whether the access token dies within this time from `now`.
    pub fn dies_within(&self, margin: SignedDuration, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|dies| dies.duration_since(now) <= margin)
    }
}

/// How much longer a JWT lives. With `iat` it is a difference of the server's own times, so that a wrong clock here does
/// not matter.
fn jwt_life(token: &str, now: Timestamp) -> Option<SignedDuration> {
    #[derive(Deserialize)]
    struct Claims {
        exp: f64,
        iat: Option<f64>,
    }
    let [_, claims, _] = token.split('.').collect::<Vec<_>>().try_into().ok()?;
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    let from = claims.iat.unwrap_or_else(|| now.as_second() as f64);
    SignedDuration::try_from_secs_f64(claims.exp - from).ok()
}

/// Names what is there, never what it says.
impl fmt::Debug for Tokens {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Tokens")
            .field("refresh", &self.refresh.is_some())
            .field("expires_at", &self.expires_at)
            .field("scopes", &self.scopes)
            .field("extra", &self.extra.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "tokens_tests.rs"]
mod tests;
