//! Signing in with a code typed on any device (RFC 8628).

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use oauth2::{
    AsyncHttpClient, DeviceAuthorizationUrl, HttpRequest, HttpResponse, Scope, StandardDeviceAuthorizationResponse,
};
use tokio::sync::oneshot;

use super::wire::Trouble;
use super::words::Doing;
use super::{Flow, Grant};
use crate::failure::{Code, Failure};

/// After this many failed polls in a row the reason is told instead of polling on.
const MOST_FAILURES: u32 = 3;

/// A code that waits to be typed.
pub(super) struct DeviceCode {
    details: StandardDeviceAuthorizationResponse,
    /// When it dies.
    pub(super) expires: Timestamp,
}

impl DeviceCode {
    pub(super) fn user_code(&self) -> &str {
        self.details.user_code().secret()
    }

    pub(super) fn page(&self) -> &str {
        self.details.verification_uri().as_str()
    }

    pub(super) fn page_with_code(&self) -> Option<&str> {
        self.details.verification_uri_complete().map(|page| page.secret().as_str())
    }
}

impl Flow {
    /// Asks the vendor for a code.
    pub(super) async fn device_code(&self) -> Result<DeviceCode, Failure> {
        let Some(url) = &self.endpoints.device else {
            return Err(Failure::new(
                Code::Usage,
                format!("{} has no sign-in by device code.", self.vendor.name),
                "Sign in with the browser, or paste the address it ended on.",
            ));
        };
        let client = self
            .requests(self.endpoints.token.clone())
            .set_device_authorization_url(DeviceAuthorizationUrl::from_url(url.clone()));
        let mut request = client.exchange_device_code();
        if !self.vendor.oauth.scopes.is_empty() {
            request = request.add_scope(Scope::new(self.vendor.oauth.scopes.join(self.vendor.oauth.scope_separator)));
        }
        let details: StandardDeviceAuthorizationResponse = request
            .request_async(&self.wire)
            .await
            .map_err(|error| Trouble::from(error).failure(&self.vendor, Doing::SignIn))?;
        let life = SignedDuration::try_from(details.expires_in()).unwrap_or(SignedDuration::ZERO);
        let expires = (self.clock)().saturating_add(life).unwrap_or(Timestamp::MAX);
        Ok(DeviceCode { details, expires })
    }

    /// Polls, as often as the vendor allows, until the code was typed, refused, or died.
    pub(super) async fn device_tokens(&self, code: &DeviceCode) -> Result<Grant, Failure> {
        let (give_up, gave_up) = oneshot::channel();
        let wire =
            Impatient { flow: self, failures: Mutex::new((0, Some(give_up))), place: Mutex::new(BTreeMap::new()) };
        let client = self.requests(self.endpoints.token.clone());
        let request = client.exchange_device_access_token(&code.details);
        let reply = tokio::select! {
            reply = request.request_async(&wire, tokio::time::sleep, None) => reply.map_err(Trouble::from),
            Ok(trouble) = gave_up => Err(trouble),
        };
        let reply = reply.map_err(|trouble| trouble.failure(&self.vendor, Doing::SignIn))?;
        let callback = wire.place.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(Grant { tokens: self.read(&reply, None), callback })
    }
}

/// The crate polls on after failed calls until the code dies; somebody who waits wants to know sooner what is wrong. And it
/// knows one token endpoint only, where an answer may name that of another data centre.
struct Impatient<'a> {
    flow: &'a Flow,
    /// Failed calls in a row, and where the last one is told when there are too many.
    failures: Mutex<(u32, Option<oneshot::Sender<Trouble>>)>,
    /// Where the account is, as the answers said.
    place: Mutex<BTreeMap<String, String>>,
}

impl<'c> AsyncHttpClient<'c> for Impatient<'_> {
    type Error = Trouble;
    type Future = BoxFuture<'c, Result<HttpResponse, Trouble>>;

    fn call(&'c self, mut request: HttpRequest) -> Self::Future {
        let place = self.place();
        if !place.is_empty()
            && let Ok(uri) = self.flow.token_url(&place).as_str().parse()
        {
            *request.uri_mut() = uri;
        }
        drop(place);
        let reply = self.flow.wire.send(request);
        async {
            let reply = reply.await;
            if let Ok(reply) = &reply {
                self.place().extend(self.flow.vendor.quirks.moved(reply));
            }
            self.count(&reply);
            reply
        }
        .boxed()
    }
}

impl Impatient<'_> {
    fn place(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, reply: &Result<HttpResponse, Trouble>) {
        let Ok(mut failures) = self.failures.lock() else { return };
        let Err(trouble) = reply else {
            failures.0 = 0;
            return;
        };
        failures.0 += 1;
        if failures.0 >= MOST_FAILURES
            && let Some(give_up) = failures.1.take()
        {
            let _ = give_up.send(trouble.clone());
        }
    }
}

#[cfg(test)]
#[path = "device_tests.rs"]
mod tests;
