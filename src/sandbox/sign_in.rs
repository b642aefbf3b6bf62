//! The pages and endpoints of the practice CRM's sign-in: consent, token, device code, revocation.
//!
//! Anybody on this machine may press Allow: there is no password, and what a token opens is practice data.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Form, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::dialog::{Dialog, foreign_form, is_own_form};
use super::fields::is_email;
use super::grants::{self, Asked, CLIENT_ID, Decision, Refusal, SCOPES};
use super::ground::Ground;

/// Who signs in when nobody says otherwise.
pub(super) const USER: &str = "robin@practice.test";

type Values = HashMap<String, String>;

fn value<'a>(values: &'a Values, name: &str) -> &'a str {
    values.get(name).map_or("", String::as_str)
}

/// `GET /oauth/authorize`: checks the request (RFC 6749 section 4.1.1, RFC 7636 section 4.3) and asks for consent.
pub(super) async fn authorize(State(ground): State<Arc<Ground>>, Query(query): Query<Values>) -> Response {
    let refuse = |word: String| Dialog::word("This sign-in cannot go on", word).respond(StatusCode::BAD_REQUEST, None);
    if value(&query, "client_id") != CLIENT_ID {
        return refuse(format!("The practice CRM knows one app, {CLIENT_ID}; the request names another client_id."));
    }
    // Until the redirect address is known to be the app's, nothing may be sent there: errors are said here.
    let Some(redirect) = grants::registered_redirect(value(&query, "redirect_uri")) else {
        return refuse(
            "The redirect_uri is not http://127.0.0.1:PORT/callback or http://localhost:PORT/callback.".into(),
        );
    };
    let asked = match check(&query, redirect.clone()) {
        Ok(asked) => asked,
        Err(refusal) => return send_back(redirect, &refusal, value(&query, "state"), &ground.origin),
    };
    let mut lines = vec![
        format!("{CLIENT_ID} on this machine wants to use your practice CRM account."),
        format!("Afterwards your browser goes back to {redirect}"),
    ];
    if asked.state.is_empty() {
        lines.push("The request carries no state, so the app cannot tell whether it began this sign-in.".into());
    }
    let powers = powers(&asked.scopes);
    let number = ground.world().grants.ask(asked, &mut ground.mint(), ground.now());
    consent("/oauth/decide", lines, powers, vec![("request", number), ("key", ground.form_key.clone())])
        .respond(StatusCode::OK, Some(&redirect))
}

fn check(query: &Values, redirect: Url) -> Result<Asked, Refusal> {
    let refuse = |error, description| Err(Refusal { error, description });
    if value(query, "response_type") != "code" {
        return refuse("unsupported_response_type", "response_type has to be code.");
    }
    let challenge = value(query, "code_challenge");
    if challenge.is_empty() {
        return refuse("invalid_request", "code_challenge is missing: this server requires PKCE.");
    }
    if value(query, "code_challenge_method") != "S256" {
        return refuse("invalid_request", "code_challenge_method has to be S256.");
    }
    if challenge.len() != 43 {
        return refuse("invalid_request", "code_challenge is not the SHA-256 of a verifier in base64url.");
    }
    let scopes = grants::scopes(value(query, "scope"))?;
    Ok(Asked { redirect, state: value(query, "state").to_owned(), scopes, challenge: challenge.to_owned() })
}

fn send_back(mut redirect: Url, refusal: &Refusal, state: &str, issuer: &str) -> Response {
    redirect
        .query_pairs_mut()
        .append_pair("error", refusal.error)
        .append_pair("error_description", refusal.description)
        .extend_pairs((!state.is_empty()).then_some(("state", state)))
        .append_pair("iss", issuer);
    Redirect::to(redirect.as_str()).into_response()
}

fn powers(scopes: &[String]) -> Vec<&'static str> {
    SCOPES.iter().filter(|(name, _)| scopes.iter().any(|scope| scope == name)).map(|(_, words)| *words).collect()
}

fn consent(
    action: &'static str,
    lines: Vec<String>,
    powers: Vec<&'static str>,
    hidden: Vec<(&'static str, String)>,
) -> Dialog {
    Dialog {
        title: "Sign in to the practice CRM",
        lines,
        powers,
        action,
        hidden,
        ask_consent: true,
        user: USER,
        ..Dialog::default()
    }
}

/// The decision in a posted form; `None` when who signs in is not an e-mail address.
fn decision(form: &Values) -> Option<Decision> {
    match value(form, "decision") {
        "allow" => {
            let user = value(form, "user").trim();
            let user = if user.is_empty() { USER } else { user };
            (is_email(user) && user.len() <= 100).then(|| Decision::Allow(user.to_owned()))
        }
        _ => Some(Decision::Deny),
    }
}

fn not_an_address() -> Response {
    let word = "Who signs in has to be an e-mail address, for example robin@practice.test. Go back and correct it.";
    Dialog::word("Nobody was signed in", word).respond(StatusCode::BAD_REQUEST, None)
}

/// `POST /oauth/decide`: Allow or Deny on the consent page.
pub(super) async fn decide(
    State(ground): State<Arc<Ground>>,
    headers: HeaderMap,
    Form(form): Form<Values>,
) -> Response {
    if !is_own_form(&headers, value(&form, "key"), &ground.form_key) {
        return foreign_form();
    }
    let Some(decision) = decision(&form) else { return not_an_address() };
    let (number, now) = (value(&form, "request"), ground.now());
    let back = ground.world().grants.decide(number, decision, &ground.origin, &mut ground.mint(), now);
    match back {
        Some(back) => Redirect::to(back.as_str()).into_response(),
        None => {
            Dialog::word("This page was used or is older than ten minutes", "Start the sign-in again in leadferry.")
                .respond(StatusCode::GONE, None)
        }
    }
}

/// `POST /oauth/token`: code, refresh token and device code (RFC 6749 sections 4.1.3 and 6, RFC 8628 section 3.4).
pub(super) async fn token(State(ground): State<Arc<Ground>>, Form(form): Form<Values>) -> Response {
    if value(&form, "client_id") != CLIENT_ID {
        return refused(&Refusal { error: "invalid_client", description: "The client_id is not known." });
    }
    let now = ground.now();
    let issued = ground.change(|world| {
        let (grants, mut mint) = (&mut world.grants, ground.mint());
        match value(&form, "grant_type") {
            "authorization_code" => {
                let (redirect, verifier) = (value(&form, "redirect_uri"), value(&form, "code_verifier"));
                grants.redeem(value(&form, "code"), redirect, verifier, &mut mint, now)
            }
            "refresh_token" => grants.refresh(value(&form, "refresh_token"), &mut mint, now),
            "urn:ietf:params:oauth:grant-type:device_code" => {
                grants.poll_device(value(&form, "device_code"), &mut mint, now)
            }
            _ => Err(Refusal { error: "unsupported_grant_type", description: "This grant_type is not known." }),
        }
    });
    match issued {
        Ok(answer) => Json(answer).into_response(),
        Err(refusal) => refused(&refusal),
    }
}

fn refused(refusal: &Refusal) -> Response {
    let status = if refusal.error == "invalid_client" { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
    (status, Json(json!({ "error": refusal.error, "error_description": refusal.description }))).into_response()
}

/// `POST /oauth/device`: begins a sign-in without a browser (RFC 8628 section 3.1).
pub(super) async fn start_device(State(ground): State<Arc<Ground>>, Form(form): Form<Values>) -> Response {
    if value(&form, "client_id") != CLIENT_ID {
        return refused(&Refusal { error: "invalid_client", description: "The client_id is not known." });
    }
    match grants::scopes(value(&form, "scope")) {
        Ok(scopes) => {
            let now = ground.now();
            let answer = ground.world().grants.devices.start(scopes, &ground.origin, &mut ground.mint(), now);
            Json(answer).into_response()
        }
        Err(refusal) => refused(&refusal),
    }
}

/// `POST /oauth/revoke` (RFC 7009).
pub(super) async fn revoke(State(ground): State<Arc<Ground>>, Form(form): Form<Values>) -> StatusCode {
    ground.change(|world| world.grants.revoke(value(&form, "token")));
    StatusCode::OK
}

/// `GET /device`: where a person types the code of a device, and then decides.
pub(super) async fn device_page(State(ground): State<Arc<Ground>>, Query(query): Query<Values>) -> Response {
    let typed = value(&query, "code");
    let world = ground.world();
    if let Some((code, scopes)) = world.grants.devices.waiting(typed, ground.now()) {
        let line = format!("{CLIENT_ID} shows the code {code} and wants to use your practice CRM account.");
        let hidden = vec![("code", code.to_owned()), ("key", ground.form_key.clone())];
        return consent("/device", vec![line], powers(scopes), hidden).respond(StatusCode::OK, None);
    }
    let (status, line) = match typed {
        "" => (StatusCode::OK, "Type the code that leadferry shows."),
        _ => (
            StatusCode::NOT_FOUND,
            "No sign-in waits under that code: look at it again, or start a new one in leadferry.",
        ),
    };
    let lines = vec![line.to_owned()];
    Dialog { title: "Approve a sign-in", lines, ask_code: true, action: "/device", ..Dialog::default() }
        .respond(status, None)
}

/// What `POST /device` takes.
#[derive(Deserialize)]
pub(super) struct DeviceForm {
    code: String,
    #[serde(flatten)]
    rest: Values,
}

/// `POST /device`: Allow or Deny for a device.
pub(super) async fn decide_device(
    State(ground): State<Arc<Ground>>,
    headers: HeaderMap,
    Form(form): Form<DeviceForm>,
) -> Response {
    if !is_own_form(&headers, value(&form.rest, "key"), &ground.form_key) {
        return foreign_form();
    }
    let Some(decision) = decision(&form.rest) else { return not_an_address() };
    let allowed = decision != Decision::Deny;
    if !ground.change(|world| world.grants.devices.decide(&form.code, decision, ground.now())) {
        return Dialog::word("No sign-in waits under that code", "Start a new one in leadferry.")
            .respond(StatusCode::NOT_FOUND, None);
    }
    let title = if allowed { "Signed in" } else { "Denied" };
    Dialog::word(title, "You can close this page and go back to the terminal.").respond(StatusCode::OK, None)
}
