//! What sign-in needs to know of a vendor, taken from its file; and what a person is told who has no app there yet.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Crm, Spec};
use crate::config::CrmSettings;
use crate::failure::{Code, Failure};
use crate::oauth::{Method, Quirks, Vendor};

/// A vendor's quirks, asked of its file.
struct OfCrm(&'static dyn Crm);

impl Quirks for OfCrm {
    fn authorize_url(&self, address: url::Url) -> url::Url {
        self.0.authorize_url(address)
    }

    fn encode_request(&self, request: http::Request<Vec<u8>>) -> http::Request<Vec<u8>> {
        self.0.encode_request(request)
    }

    fn normalise_response(&self, response: http::Response<Vec<u8>>) -> http::Response<Vec<u8>> {
        self.0.normalise_response(response)
    }

    fn token_url(&self, callback: &BTreeMap<String, String>) -> Option<String> {
        self.0.token_url(callback)
    }
}

/// The vendor as sign-in sees it; `None` when it has no OAuth.
pub fn vendor(crm: &'static dyn Crm) -> Option<Vendor> {
    let spec = crm.spec();
    Some(Vendor {
        id: spec.id,
        name: spec.name,
        oauth: spec.oauth?,
        account_hosts: spec.account_hosts,
        issuer: None,
        quirks: Arc::new(OfCrm(crm)),
    })
}

/// The ways to sign in that a vendor has, the usual one first.
pub fn methods(spec: &Spec) -> Vec<Method> {
    let mut methods = Vec::new();
    if let Some(oauth) = &spec.oauth {
        methods.extend([Method::Browser, Method::Paste]);
        methods.extend(oauth.device_url.map(|_| Method::Device));
    }
    methods.extend(spec.token.map(|_| Method::Token));
    methods
}

/// What to say when OAuth is wanted and the configuration has no client id: how to register an app, with the exact redirect
/// address and scopes, and the static token where there is one.
pub fn no_app(spec: &Spec, settings: &CrmSettings) -> Failure {
    let mut remedy = spec.register.to_owned();
    if let Some(oauth) = &spec.oauth {
        let redirect = settings.redirect.as_deref().unwrap_or(oauth.redirect);
        remedy.push_str(&format!("\nRedirect address: {redirect}"));
        if !oauth.scopes.is_empty() {
            remedy.push_str(&format!("\nScopes: {}", oauth.scopes.join(" ")));
        }
    }
    remedy.push_str(&format!("\nThen set client_id under [crm.{}] in the configuration file.", spec.id));
    if let Some(token) = &spec.token {
        remedy.push_str(&format!("\nOr use a {}: {}", token.name, token.where_to));
    }
    let message = format!("{} needs an app of your own there, and none is configured.", spec.name);
    Failure::new(Code::Usage, message, remedy)
}
