//! What calls are signed with, and where it comes from: a token kept alive, or one that its owner made.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderValue, header};

use crate::failure::{Code, Failure};
use crate::oauth::TokenKeeper;
use crate::vault::Secret;

/// What a call is signed with.
#[derive(Debug)]
pub struct Credential<'a> {
    /// The access token or static token.
    pub token: &'a Secret,
    /// Whether its owner made it in the vendor's settings; else a sign-in gave it.
    pub is_static: bool,
    /// The values given at sign-in.
    pub fields: &'a BTreeMap<String, String>,
}

/// Puts `Authorization: Bearer …` on a call.
pub fn bearer(headers: &mut HeaderMap, credential: &Credential<'_>) {
    if let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {}", credential.token.expose())) {
        value.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, value);
    }
}

/// Where the token of an account comes from.
#[async_trait::async_trait]
pub trait Credentials: Send + Sync {
    /// The token to sign with, refreshed first when it is about to expire.
    async fn current(&self) -> Result<Secret, Failure>;

    /// The token to sign with after the vendor refused `stale`; refreshed once for all who ask.
    ///
    /// # Errors
    /// [`Code::SignInNeeded`] when no refresh helps.
    async fn refresh_after(&self, stale: &Secret) -> Result<Secret, Failure>;

    /// Whether it is a static token, which some vendors want elsewhere than an access token.
    fn is_static(&self) -> bool {
        false
    }
}

/// A token that lives until its owner revokes it.
#[derive(Debug)]
pub struct FixedToken(pub Secret);

#[async_trait::async_trait]
impl Credentials for FixedToken {
    async fn current(&self) -> Result<Secret, Failure> {
        Ok(self.0.clone())
    }

    async fn refresh_after(&self, _stale: &Secret) -> Result<Secret, Failure> {
        Err(Failure::new(
            Code::SignInNeeded,
            "The static token is not accepted.",
            "Make a new one at the vendor and connect again.",
        ))
    }

    fn is_static(&self) -> bool {
        true
    }
}

/// An access token that a sign-in just gave and that is not kept yet.
#[derive(Debug)]
pub struct FreshToken(pub Secret);

#[async_trait::async_trait]
impl Credentials for FreshToken {
    async fn current(&self) -> Result<Secret, Failure> {
        Ok(self.0.clone())
    }

    async fn refresh_after(&self, _stale: &Secret) -> Result<Secret, Failure> {
        Err(Failure::new(
            Code::SignInNeeded,
            "The vendor does not accept the token that it just gave.",
            "Sign in again.",
        ))
    }
}

#[async_trait::async_trait]
impl Credentials for TokenKeeper {
    async fn current(&self) -> Result<Secret, Failure> {
        TokenKeeper::current(self).await.map(|tokens| tokens.access)
    }

    async fn refresh_after(&self, stale: &Secret) -> Result<Secret, Failure> {
        self.refresh_after_401(stale).await.map(|tokens| tokens.access)
    }
}
