//! The connect pane: all ways to sign in side by side, until an account is connected.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tui_input::Input;

use super::commands::{self, Cmd, Place};
use super::effect::{Call, Effect};
use super::key::{Key, KeyCode};
use super::notices::NoticeKind;
use super::overlay::Overlay;
use super::{State, call, confirm, field, say};
use crate::engine::messages::{ConnectRequest, Reply, Request, SignInStep};
use crate::failure::{Code, Failure};
use crate::oauth::Method;
use crate::oauth::deep_link::DeepLink;
use crate::sync::Destination;
use crate::vault::Secret;

/// The address that waits for the person, by browser or paste.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenPage {
    /// The vendor's sign-in page.
    pub url: String,
    /// Where it comes back to.
    pub redirect: String,
    /// Whether the callback listens, or why not.
    pub listening: Result<(), String>,
    /// The ready `ssh -L` line; empty when this is no SSH session or nothing listens.
    pub ssh_line: String,
    /// Whether a browser was started here.
    pub browser: bool,
}

/// The code to type on the vendor's page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceCode {
    /// The code.
    pub code: String,
    /// The page.
    pub page: String,
    /// The page with the code in it; the plain page when the vendor has none.
    pub page_with_code: String,
    /// When the code dies.
    pub expires: Timestamp,
}

/// The connect pane.
#[derive(Debug)]
pub struct Connect {
    /// The platform id.
    pub platform: String,
    /// Its name.
    pub name: String,
    /// The ways it has.
    pub methods: Vec<Method>,
    /// The way in front.
    pub method: Method,
    /// The deep link shown as the pane's address.
    pub link: String,
    /// The sign-in under way.
    pub sign_in: Option<u64>,
    /// The page to open.
    pub page: Option<OpenPage>,
    /// The code to type.
    pub device: Option<DeviceCode>,
    /// The pasted address.
    pub pasted: Input,
    /// The static token; never drawn in the clear.
    pub token: Input,
    /// More values: name, label, required, text.
    pub fields: Vec<(String, String, bool, Input)>,
    /// The focused field: 0 = pasted address or token, then the more values.
    pub at: usize,
    /// Whether the QR code is shown.
    pub qr: bool,
    /// What is going on, or what went wrong.
    pub status: Result<String, Failure>,
    /// What a static token is called and where one is made.
    pub token_help: (String, String),
    /// Whether something is being waited for that a spinner should say.
    pub busy: bool,
    /// Whether an address was pasted into this sign-in.
    pub typed: bool,
}

/// Opens the pane for a platform and starts its first way.
pub(super) fn open(state: &mut State, platform: &str, now: Timestamp) -> Vec<Effect> {
    let Some(known) = state.platform(platform).cloned() else { return Vec::new() };
    let (list, leads) = list_in_hand(state);
    let reconnect = state.connection(platform).is_some();
    let methods = known.methods;
    let method = methods.first().copied().unwrap_or(Method::Token);
    let link = DeepLink { platform: known.id.clone(), list_name: list, lead_count: leads, reconnect };
    state.overlays.push(Overlay::Connect(Box::new(Connect {
        platform: known.id,
        name: known.name.clone(),
        methods,
        method,
        link: link.to_string(),
        sign_in: None,
        page: None,
        device: None,
        pasted: Input::default(),
        token: Input::default(),
        fields: known.fields.into_iter().map(|(name, label, must)| (name, label, must, Input::default())).collect(),
        at: 0,
        qr: false,
        status: Ok(String::new()),
        token_help: (known.token_name, known.token_where),
        busy: false,
        typed: false,
    })));
    let mut effects = say(state, NoticeKind::Info, &format!("Redirecting to {} OAuth setup…", known.name), now);
    effects.extend(begin(state, method));
    effects
}

fn list_in_hand(state: &State) -> (String, u64) {
    state.sending.as_ref().map_or_else(Default::default, |sending| (sending.list.list.clone(), sending.list.leads))
}

fn pane(state: &mut State) -> Option<&mut Connect> {
    state.overlays.iter_mut().rev().find_map(|overlay| match overlay {
        Overlay::Connect(pane) => Some(&mut **pane),
        _ => None,
    })
}

/// Starts a way; one that was under way is stopped first, so that its port is free.
fn begin(state: &mut State, method: Method) -> Vec<Effect> {
    let (list_name, lead_count) = list_in_hand(state);
    let open_browser = state.machine.browser;
    let account = pane(state).map(|pane| pane.platform.clone()).and_then(|id| state.connection(&id).cloned());
    let Some(pane) = pane(state) else { return Vec::new() };
    let mut effects = stop(pane);
    (pane.method, pane.at, pane.page, pane.device) = (method, 0, None, None);
    pane.status = Ok(String::new());
    if method == Method::Token {
        pane.busy = false;
        return effects;
    }
    pane.busy = true;
    effects.push(call(
        Call::SignIn,
        Request::Connect(ConnectRequest {
            platform: pane.platform.clone(),
            account: account.map(|known| known.account).unwrap_or_default(),
            method,
            fields: filled(pane),
            token: None,
            open_browser,
            list_name,
            lead_count,
        }),
    ));
    effects
}

fn filled(pane: &Connect) -> BTreeMap<String, String> {
    let filled = pane.fields.iter().filter(|(.., input)| !input.value().trim().is_empty());
    filled.map(|(name, _, _, input)| (name.clone(), input.value().trim().to_owned())).collect()
}

/// Stops the sign-in under way.
pub(super) fn stop(pane: &mut Connect) -> Vec<Effect> {
    pane.busy = false;
    match pane.sign_in.take() {
        Some(sign_in) => vec![call(Call::Quiet, Request::CancelSignIn { sign_in })],
        None => Vec::new(),
    }
}

/// The engine took the wish, or could not.
pub(super) fn answered(state: &mut State, answer: Result<Reply, Failure>, _now: Timestamp) -> Vec<Effect> {
    let Some(pane) = pane(state) else {
        return match answer {
            Ok(Reply::SignIn(sign_in)) => vec![call(Call::Quiet, Request::CancelSignIn { sign_in })],
            _ => Vec::new(),
        };
    };
    match answer {
        Ok(Reply::SignIn(sign_in)) => pane.sign_in = Some(sign_in),
        Ok(_) => {}
        Err(failure) => (pane.busy, pane.status) = (false, Err(failure)),
    }
    Vec::new()
}

/// A sign-in got further.
pub(super) fn step(state: &mut State, sign_in: u64, step: SignInStep, now: Timestamp) -> Vec<Effect> {
    let ssh_line = state.machine.ssh_line.clone();
    let Some(pane) = pane(state) else { return Vec::new() };
    // The first step can overtake the answer that names the sign-in.
    if pane.sign_in.is_some_and(|current| current != sign_in) || (pane.sign_in.is_none() && !pane.busy) {
        return Vec::new();
    }
    pane.sign_in = Some(sign_in);
    match step {
        SignInStep::Open { authorize_url, redirect_uri, listening, port, browser } => {
            let ssh_line =
                if listening.is_ok() { ssh_line.replace("{port}", &port.to_string()) } else { String::new() };
            pane.status = Ok(match (&listening, browser) {
                (_, true) => "The sign-in page was opened in your browser.".into(),
                (Ok(()), false) => "Open the address in a browser, here or elsewhere.".into(),
                (Err(_), false) => "Open the address, then paste where your browser ended.".into(),
            });
            pane.page = Some(OpenPage { url: authorize_url, redirect: redirect_uri, listening, ssh_line, browser });
            Vec::new()
        }
        SignInStep::Device { user_code, verification_uri, verification_uri_complete, expires } => {
            let page_with_code = verification_uri_complete.unwrap_or_else(|| verification_uri.clone());
            pane.status = Ok("Type the code on that page, on any device.".into());
            pane.device = Some(DeviceCode { code: user_code, page: verification_uri, page_with_code, expires });
            Vec::new()
        }
        SignInStep::Exchanging => {
            pane.status = Ok(format!("Signed in. Asking {} for the connection…", pane.name));
            Vec::new()
        }
        SignInStep::Ignored { reason } => {
            pane.status = Ok(reason);
            Vec::new()
        }
        SignInStep::Failed(failure) => {
            (pane.busy, pane.sign_in) = (false, None);
            pane.status = Err(failure.clone());
            // What was typed here can be typed again; keys meant for a field must not fall on the screen below.
            let typed = pane.method == Method::Token || std::mem::take(&mut pane.typed);
            if failure.code == Code::SignInNeeded && !typed {
                // Refused at the vendor: back to the table with the message, as the original does.
                state.overlays.retain(|overlay| !matches!(overlay, Overlay::Connect(_)));
                state.sending = None;
                return vec![state.notices.failure(&failure, now)];
            }
            Vec::new()
        }
        SignInStep::Connected(connection) => {
            let name = pane.name.clone();
            state.overlays.retain(|overlay| !matches!(overlay, Overlay::Connect(_)));
            let text = format!("Connected to {name}: {}", who(&connection.who.name, &connection.who.user));
            let mut effects = say(state, NoticeKind::Success, &text, now);
            effects.push(call(Call::Connections, Request::Connections));
            if let Some(sending) = &mut state.sending {
                let (platform, account) = (connection.platform, connection.account);
                sending.destination = Some(Destination::Crm { platform, account });
                effects.extend(confirm::open(state));
            }
            effects
        }
    }
}

/// An account for a person: `Acme Inc. (dana@acme.test)`.
pub fn who(name: &str, user: &str) -> String {
    match (name.is_empty(), user.is_empty()) {
        (false, false) => format!("{name} ({user})"),
        (false, true) => name.to_owned(),
        _ => user.to_owned(),
    }
}

/// The field that has the focus.
pub(super) fn input(pane: &mut Connect) -> Option<&mut Input> {
    match (pane.method, pane.at) {
        (Method::Device, _) => None,
        (Method::Token, 0) => Some(&mut pane.token),
        (_, 0) => Some(&mut pane.pasted),
        (_, at) => pane.fields.get_mut(at - 1).map(|(.., input)| input),
    }
}

/// A key on the pane.
pub(super) fn key(state: &mut State, key: Key, now: Timestamp) -> Option<Vec<Effect>> {
    let pane = pane(state)?;
    let fields = if pane.method == Method::Token { 1 + pane.fields.len() } else { 1 };
    match key.code {
        KeyCode::Tab | KeyCode::Down => pane.at = (pane.at + 1) % fields,
        KeyCode::Up => pane.at = (pane.at + fields - 1) % fields,
        KeyCode::Enter => return Some(submit(state, now)),
        _ => {
            let own = commands::is_own(Place::Connect, key);
            let edited = !own && input(pane).is_some_and(|input| field::edit(input, key));
            return edited.then(Vec::new);
        }
    }
    Some(Vec::new())
}

/// Enter: the pasted address or the token goes to the engine; with nothing typed the way starts again.
fn submit(state: &mut State, _now: Timestamp) -> Vec<Effect> {
    let Some(pane) = pane(state) else { return Vec::new() };
    let (method, typed) = (pane.method, pane.pasted.value().trim().to_owned());
    match (method, pane.sign_in) {
        (Method::Token, _) => return submit_token(state),
        (Method::Browser | Method::Paste, Some(sign_in)) if !typed.is_empty() => {
            pane.pasted.reset();
            pane.typed = true;
            return vec![call(Call::Quiet, Request::AnswerSignIn { sign_in, text: typed })];
        }
        (_, None) if !pane.busy => {}
        _ => return Vec::new(),
    }
    begin(state, method)
}

fn submit_token(state: &mut State) -> Vec<Effect> {
    let (list_name, lead_count) = list_in_hand(state);
    let Some(pane) = pane(state) else { return Vec::new() };
    let missing = pane.fields.iter().find(|(_, _, must, input)| *must && input.value().trim().is_empty());
    if pane.token.value().trim().is_empty() || missing.is_some() {
        let what = missing.map_or(pane.token_help.0.clone(), |(_, label, ..)| label.clone());
        pane.status =
            Err(Failure::new(Code::Usage, format!("The {what} is missing."), "Fill it in, then press Enter."));
        return Vec::new();
    }
    pane.busy = true;
    pane.status = Ok(format!("Asking {} who this token belongs to…", pane.name));
    let token = Secret::new(pane.token.value().trim());
    pane.token.reset();
    vec![call(
        Call::SignIn,
        Request::Connect(ConnectRequest {
            platform: pane.platform.clone(),
            account: String::new(),
            method: Method::Token,
            fields: filled(pane),
            token: Some(token),
            open_browser: false,
            list_name,
            lead_count,
        }),
    )]
}

/// A command of the pane.
pub(super) fn give(state: &mut State, cmd: Cmd, now: Timestamp) -> Vec<Effect> {
    let Some(pane) = pane(state) else { return Vec::new() };
    let address = match (&pane.page, &pane.device) {
        (Some(page), _) => Some(page.url.clone()),
        (None, Some(device)) => Some(device.page_with_code.clone()),
        _ => None,
    };
    match (cmd, address) {
        (Cmd::ConnectOpen, Some(url)) => vec![Effect::Browse(url)],
        (Cmd::ConnectCopy, Some(url)) => {
            let mut effects = vec![Effect::Copy(url)];
            effects.extend(say(state, NoticeKind::Info, "The address was copied to your clipboard.", now));
            effects
        }
        (Cmd::ConnectQr, Some(_)) => {
            pane.qr = !pane.qr;
            Vec::new()
        }
        (Cmd::ConnectPaste, _) => {
            pane.at = 0;
            Vec::new()
        }
        (Cmd::ConnectDevice, _) if pane.methods.contains(&Method::Device) => begin(state, Method::Device),
        (Cmd::ConnectToken, _) if pane.methods.contains(&Method::Token) => begin(state, Method::Token),
        (Cmd::ConnectBrowser, _) if pane.methods.contains(&Method::Browser) => begin(state, Method::Browser),
        _ => Vec::new(),
    }
}
