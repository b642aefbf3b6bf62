//! The conversation with one vendor's authorisation server for one app: sign-in page, code, refresh, revocation.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, Request, header};
use oauth2::basic::{BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken, Scope, StandardRevocableToken, TokenUrl,
};
use url::Url;

use super::answer::{Authorization, Expected};
use super::tokens::TokenAnswer;
use super::wire::{Trouble, Wire};
use super::words::Doing;
use super::{Client, Clock, Endpoints, Grant, SecretIn, Tokens, Vendor};
use crate::config::CrmSettings;
use crate::failure::{Code, Failure};
use crate::net;
use crate::vault::Secret;

/// The `oauth2` crate's client with the endpoints that every flow has.
pub(super) type Requests = oauth2::Client<
    BasicErrorResponse,
    TokenAnswer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// One app at one vendor.
#[derive(Clone)]
pub struct Flow {
    pub(super) vendor: Vendor,
    pub(super) endpoints: Endpoints,
    pub(super) wire: Wire,
    pub(super) clock: Clock,
    client_id: String,
    client_secret: Option<Secret>,
}

/// A sign-in that was begun: what the answer must match.
pub(super) struct Pending {
    /// The vendor's sign-in page with all parameters.
    pub(super) authorize_url: Url,
    /// What the answer must look like.
    pub(super) expected: Expected,
    redirect: Url,
    verifier: Option<PkceCodeVerifier>,
}

impl Flow {
    /// Puts vendor, configuration and client together. `http` comes from [`net::client`].
    ///
    /// # Errors
    /// [`Code::Usage`] when the client id or a needed secret is missing, or an address is wrong.
    pub fn new(
        vendor: Vendor,
        settings: &CrmSettings,
        client_secret: Option<Secret>,
        http: reqwest::Client,
        clock: Clock,
    ) -> Result<Flow, Failure> {
        let endpoints = Endpoints::resolve(&vendor.oauth, settings)?;
        let missing = |what: &str| {
            Failure::new(
                Code::Usage,
                format!("{} needs a {what} of your own app, and the configuration has none.", vendor.name),
                format!("Register an app at {}, then set `{what}` under [crm.{}].", vendor.name, vendor.id),
            )
        };
        let client_id = settings.client_id.clone().filter(|id| !id.is_empty()).ok_or_else(|| missing("client_id"))?;
        let client_secret = match vendor.oauth.client {
            Client::Public => None,
            Client::Confidential => Some(client_secret.ok_or_else(|| missing("client_secret"))?),
            Client::Either => client_secret,
        };
        let wire = Wire { http, vendor: vendor.clone() };
        Ok(Flow { vendor, endpoints, wire, clock, client_id, client_secret })
    }

    /// The addresses in use.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The vendor.
    pub fn vendor(&self) -> &Vendor {
        &self.vendor
    }

    /// Makes the sign-in address for this redirect address, with a fresh state and PKCE challenge.
    pub(super) fn begin(&self, redirect: &Url) -> Pending {
        let oauth = &self.vendor.oauth;
        let client =
            self.requests(self.endpoints.token.clone()).set_redirect_uri(RedirectUrl::from_url(redirect.clone()));
        let mut request = client.authorize_url(CsrfToken::new_random);
        if !oauth.scopes.is_empty() {
            // The crate knows no separator but the RFC's blank: joined here, they are one scope to it.
            request = request.add_scope(Scope::new(oauth.scopes.join(oauth.scope_separator)));
        }
        for (name, value) in oauth.extra {
            request = request.add_extra_param(*name, *value);
        }
        let mut verifier = None;
        if oauth.pkce {
            let (challenge, secret) = PkceCodeChallenge::new_random_sha256();
            request = request.set_pkce_challenge(challenge);
            verifier = Some(secret);
        }
        let (authorize_url, state) = request.url();
        let authorize_url = self.vendor.quirks.authorize_url(authorize_url);
        let expected = Expected {
            vendor: self.vendor.clone(),
            state: Secret::from(state.secret().as_str()),
            code_alone: verifier.is_some(),
        };
        Pending { authorize_url, expected, redirect: redirect.clone(), verifier }
    }

    /// Trades the code for tokens.
    pub(super) async fn exchange(&self, pending: Pending, answer: Authorization) -> Result<Grant, Failure> {
        let client =
            self.requests(self.token_url(&answer.params)).set_redirect_uri(RedirectUrl::from_url(pending.redirect));
        let mut request = client.exchange_code(AuthorizationCode::new(answer.code.expose().to_owned()));
        if let Some(verifier) = pending.verifier {
            request = request.set_pkce_verifier(verifier);
        }
        let reply = request.request_async(&self.wire).await;
        let reply = reply.map_err(|error| Trouble::from(error).failure(&self.vendor, Doing::SignIn))?;
        Ok(Grant { tokens: self.read(&reply, None), callback: answer.params })
    }

    /// Asks for a new access token once. A vendor that rotates refresh tokens answers a new one, and the old one is dead.
    pub(super) async fn refresh(
        &self,
        tokens: &Tokens,
        callback: &BTreeMap<String, String>,
    ) -> Result<Tokens, Trouble> {
        let Some(refresh) = &tokens.refresh else {
            return Err(Trouble::Refused {
                error: "invalid_grant".into(),
                description: "there is no refresh token".into(),
            });
        };
        let client = self.requests(self.token_url(callback));
        let refresh = RefreshToken::new(refresh.expose().to_owned());
        let reply = client.exchange_refresh_token(&refresh).request_async(&self.wire).await?;
        Ok(self.read(&reply, Some(tokens)))
    }

    /// Tells the vendor that a grant's tokens are not needed any more (RFC 7009). `Ok(false)`: it has no endpoint for that.
    ///
    /// # Errors
    /// The vendor did not take it; the tokens may live on there.
    pub async fn revoke(&self, grant: &Grant) -> Result<bool, Failure> {
        let named = self.vendor.quirks.revoke_url(&grant.callback).and_then(|named| self.of_the_vendor(&named));
        let Some(url) = named.or_else(|| self.endpoints.revoke.clone()) else { return Ok(false) };
        let request = self.revocation(&url, &grant.tokens)?;
        match self.wire.send(request).await {
            // An empty answer is the usual yes.
            Ok(reply) if reply.status().is_success() => Ok(true),
            Err(Trouble::NotJson(status)) if (200..300).contains(&status) => Ok(true),
            Ok(_) => Err(self.not_revoked("it refused")),
            Err(trouble) => Err(self.not_revoked(&trouble.to_string())),
        }
    }

    fn revocation(&self, url: &Url, tokens: &Tokens) -> Result<Request<Vec<u8>>, Failure> {
        let (hint, token) = match &tokens.refresh {
            Some(refresh) => ("refresh_token", refresh),
            None => ("access_token", &tokens.access),
        };
        // Not by the crate: it refuses plain HTTP for this one, which loopback is allowed.
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("token", token.expose()).append_pair("token_type_hint", hint);
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(url.as_str())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        match (&self.client_secret, self.vendor.oauth.secret_in) {
            (Some(secret), SecretIn::Basic) => request = request.header(header::AUTHORIZATION, self.basic(secret)),
            (Some(secret), SecretIn::Body) => {
                form.append_pair("client_id", &self.client_id).append_pair("client_secret", secret.expose());
            }
            (None, _) => {
                form.append_pair("client_id", &self.client_id);
            }
        }
        request
            .body(form.finish().into_bytes())
            .map_err(|error| Failure::new(Code::Failed, format!("The revocation could not be written: {error}."), ""))
    }

    /// Client id and secret as RFC 6749 2.3.1 has them: form-encoded each, then Basic.
    fn basic(&self, secret: &Secret) -> String {
        let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let pair = format!("{}:{}", encode(&self.client_id), encode(secret.expose()));
        format!("Basic {}", STANDARD.encode(pair))
    }

    fn not_revoked(&self, cause: &str) -> Failure {
        let name = self.vendor.name;
        Failure::new(
            Code::Failed,
            format!("{name} did not end the connection on its side: {cause}."),
            format!("Remove the app among the connected apps in {name} itself."),
        )
    }

    pub(super) fn read(&self, reply: &TokenAnswer, before: Option<&Tokens>) -> Tokens {
        Tokens::from_answer(reply, self.vendor.oauth.scopes, before, (self.clock)())
    }

    /// The token endpoint for an account: the one its callback named, if that is the vendor's.
    pub(super) fn token_url(&self, callback: &BTreeMap<String, String>) -> Url {
        let named = self.vendor.quirks.token_url(callback);
        named.and_then(|named| self.of_the_vendor(&named)).unwrap_or_else(|| self.endpoints.token.clone())
    }

    /// An endpoint that an answer named, if it is the vendor's.
    fn of_the_vendor(&self, named: &str) -> Option<Url> {
        let url = net::check_endpoint(named).ok().filter(|url| self.endpoints.accepts(url, self.vendor.account_hosts));
        if url.is_none() {
            let named = net::redact::url(named);
            tracing::warn!(vendor = self.vendor.id, %named, "an answer names an endpoint that is not the vendor's");
        }
        url
    }

    pub(super) fn requests(&self, token_url: Url) -> Requests {
        let client = oauth2::Client::new(ClientId::new(self.client_id.clone()))
            .set_auth_uri(AuthUrl::from_url(self.endpoints.authorize.clone()))
            .set_token_uri(TokenUrl::from_url(token_url))
            .set_auth_type(match self.vendor.oauth.secret_in {
                SecretIn::Body => AuthType::RequestBody,
                SecretIn::Basic => AuthType::BasicAuth,
            });
        match &self.client_secret {
            Some(secret) => client.set_client_secret(ClientSecret::new(secret.expose().to_owned())),
            None => client,
        }
    }
}

#[cfg(test)]
#[path = "flow_tests.rs"]
mod tests;
