//! The webhook form: settings that say what is wrong as one types, a live preview, a test, and activation.

use jiff::Timestamp;
use tui_input::Input;

use super::commands::{self, Cmd, Place};
use super::effect::{Call, Effect};
use super::key::{Key, KeyCode};
use super::notices::NoticeKind;
use super::overlay::Overlay;
use super::{State, call, field, run, say};
use crate::engine::messages::{Reply, Request};
use crate::failure::Failure;
use crate::lead::{Lead, Schema};
use crate::sync::Destination;
use crate::vault::Secret;
use crate::webhook::ready::{self, READY};
use crate::webhook::spec::{self, SpecField};
use crate::webhook::{Auth, Exchange, HttpMethod, WebhookSpec, retry, template};

/// A row of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Row {
    /// The webhook's name.
    Name,
    /// The address.
    Url,
    /// POST, PUT, PATCH.
    Method,
    /// None, API key, bearer, basic.
    Auth,
    /// The API key's header or the user.
    AuthName,
    /// The key, token or password.
    AuthSecret,
    /// `Name: value; Name: value`.
    Headers,
    /// A ready payload or one's own.
    Payload,
    /// Leads per request.
    Batch,
    /// Delays between attempts.
    Retry,
    /// Which leads go out.
    Filter,
    /// The Test button.
    Test,
    /// The Activate button.
    Activate,
}

impl Row {
    /// The label.
    pub fn label(self) -> &'static str {
        match self {
            Row::Name => "Name",
            Row::Url => "URL",
            Row::Method => "Method",
            Row::Auth => "Auth",
            Row::AuthName => "Header/User",
            Row::AuthSecret => "Secret",
            Row::Headers => "Headers",
            Row::Payload => "Payload",
            Row::Batch => "Batch size",
            Row::Retry => "Retries",
            Row::Filter => "Filter",
            Row::Test => "Test",
            Row::Activate => "Activate",
        }
    }

    /// What is said about the row while it is focused.
    pub fn hint(self) -> &'static str {
        match self {
            Row::Name => "A name to find it by, such as crm-bridge",
            Row::Url => "Where leads are sent; HTTPS only",
            Row::Method | Row::Auth | Row::Payload => "Left and right change it",
            Row::AuthName => "The header that holds the key, or the user",
            Row::AuthSecret => "Kept sealed; never shown again",
            Row::Headers => "More headers: Name: value; Name: value",
            Row::Batch => "Leads per request",
            Row::Retry => "Delays between attempts, such as 5s,30s,2m",
            Row::Filter => "Only leads that match go out; empty = all",
            Row::Test => "Sends the focused lead and shows request and answer",
            Row::Activate => "Saves the webhook and sends the saved list",
        }
    }

    fn complains(self) -> Option<SpecField> {
        Some(match self {
            Row::Name => SpecField::Name,
            Row::Url => SpecField::Url,
            Row::Auth | Row::AuthName | Row::AuthSecret => SpecField::Auth,
            Row::Headers => SpecField::Headers,
            Row::Payload => SpecField::Template,
            Row::Batch => SpecField::Batch,
            Row::Retry => SpecField::Retry,
            Row::Filter => SpecField::Filter,
            Row::Method | Row::Test | Row::Activate => return None,
        })
    }
}

/// The kinds of auth, in the order in which left and right pass them.
pub const AUTH: [&str; 4] = ["none", "API key header", "bearer token", "basic"];
/// The methods, likewise.
const METHODS: [HttpMethod; 3] = [HttpMethod::Post, HttpMethod::Put, HttpMethod::Patch];

/// The form.
#[derive(Debug)]
pub struct Form {
    /// The webhook being changed; `None` = a new one.
    pub id: Option<String>,
    /// The focused row.
    pub row: Row,
    /// The text rows.
    pub name: Input,
    /// Where leads are sent.
    pub url: Input,
    /// The method.
    pub method: HttpMethod,
    /// Which of [`AUTH`].
    pub auth: usize,
    /// The API key's header or the user.
    pub auth_name: Input,
    /// The key, token or password; never drawn in the clear.
    pub auth_secret: Input,
    /// More headers.
    pub headers: Input,
    /// Which payload: a ready one's name or `custom`.
    pub payload: String,
    /// The text of one's own payload.
    pub payload_text: String,
    /// Leads per request.
    pub batch: Input,
    /// Delays.
    pub retry: Input,
    /// Filter.
    pub filter: Input,
    /// What is wrong, row by row.
    pub complaints: Vec<(Row, String)>,
    /// The body of the focused lead, or why there is none.
    pub preview: Result<String, String>,
    /// A test under way.
    pub testing: bool,
    /// The last test.
    pub tested: Option<Result<Exchange, Failure>>,
    /// A save under way.
    pub saving: bool,
    /// Whether something was pressed, so that empty fields are complained about.
    pub pressed: bool,
}

impl Form {
    fn of(spec: &WebhookSpec, id: Option<String>) -> Form {
        let (auth, auth_name, auth_secret) = match &spec.auth {
            Auth::None => (0, String::new(), String::new()),
            Auth::ApiKey { header, key } => (1, header.clone(), key.expose().to_owned()),
            Auth::Bearer { token } => (2, String::new(), token.expose().to_owned()),
            Auth::Basic { user, password } => (3, user.clone(), password.expose().to_owned()),
        };
        let headers: Vec<String> = spec.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        Form {
            id,
            row: if spec.name.is_empty() { Row::Name } else { Row::Url },
            name: Input::new(spec.name.clone()),
            url: Input::new(spec.url.clone()),
            method: spec.method,
            auth,
            auth_name: Input::new(auth_name),
            auth_secret: Input::new(auth_secret),
            headers: Input::new(headers.join("; ")),
            payload: spec.template.clone(),
            payload_text: spec.template_text.clone(),
            batch: Input::new(spec.batch.to_string()),
            retry: Input::new(retry::display(&spec.retry)),
            filter: Input::new(spec.filter.clone()),
            complaints: Vec::new(),
            preview: Ok(String::new()),
            testing: false,
            tested: None,
            saving: false,
            pressed: false,
        }
    }

    /// The rows that the form has now.
    pub fn rows(&self) -> Vec<Row> {
        let mut rows = vec![Row::Name, Row::Url, Row::Method, Row::Auth];
        if self.auth == 1 || self.auth == 3 {
            rows.push(Row::AuthName);
        }
        if self.auth > 0 {
            rows.push(Row::AuthSecret);
        }
        rows.extend([Row::Headers, Row::Payload, Row::Batch, Row::Retry, Row::Filter, Row::Test, Row::Activate]);
        rows
    }

    /// The text of a text row.
    pub fn text(&self, row: Row) -> Option<&Input> {
        Some(match row {
            Row::Name => &self.name,
            Row::Url => &self.url,
            Row::AuthName => &self.auth_name,
            Row::AuthSecret => &self.auth_secret,
            Row::Headers => &self.headers,
            Row::Batch => &self.batch,
            Row::Retry => &self.retry,
            Row::Filter => &self.filter,
            Row::Method | Row::Auth | Row::Payload | Row::Test | Row::Activate => return None,
        })
    }

    /// The same, to be typed into.
    pub fn text_mut(&mut self) -> Option<&mut Input> {
        Some(match self.row {
            Row::Name => &mut self.name,
            Row::Url => &mut self.url,
            Row::AuthName => &mut self.auth_name,
            Row::AuthSecret => &mut self.auth_secret,
            Row::Headers => &mut self.headers,
            Row::Batch => &mut self.batch,
            Row::Retry => &mut self.retry,
            Row::Filter => &mut self.filter,
            Row::Method | Row::Auth | Row::Payload | Row::Test | Row::Activate => return None,
        })
    }

    /// The settings as they stand in the form, and what cannot be read of them.
    pub fn spec(&self) -> (WebhookSpec, Vec<(Row, String)>) {
        let mut wrong = Vec::new();
        let secret = || Secret::new(self.auth_secret.value().trim());
        let named = self.auth_name.value().trim().to_owned();
        let auth = match self.auth {
            1 => Auth::ApiKey { header: named, key: secret() },
            2 => Auth::Bearer { token: secret() },
            3 => Auth::Basic { user: named, password: secret() },
            _ => Auth::None,
        };
        let mut headers = Vec::new();
        for part in self.headers.value().split(';').map(str::trim).filter(|part| !part.is_empty()) {
            match part.split_once(':') {
                Some((name, value)) => headers.push((name.trim().to_owned(), value.trim().to_owned())),
                None => wrong.push((Row::Headers, format!("'{part}' has no colon; write Name: value."))),
            }
        }
        let retry = retry::parse(self.retry.value()).unwrap_or_else(|failure| {
            wrong.push((Row::Retry, failure.message));
            Vec::new()
        });
        let spec = WebhookSpec {
            name: self.name.value().trim().to_owned(),
            url: self.url.value().trim().to_owned(),
            stage: "outgoing".into(),
            category: "leads".into(),
            method: self.method,
            auth,
            headers,
            template: self.payload.clone(),
            template_text: self.payload_text.clone(),
            batch: self.batch.value().trim().parse().unwrap_or(0),
            filter: self.filter.value().trim().to_owned(),
            retry,
        };
        (spec, wrong)
    }

    /// What is wrong with a row, unless it is only still empty.
    pub fn complaint(&self, row: Row) -> Option<&str> {
        let empty = self.text(row).is_some_and(|input| input.value().is_empty());
        let quiet = empty && !self.pressed;
        self.complaints.iter().find(|(of, _)| *of == row && !quiet).map(|(_, message)| message.as_str())
    }

    fn cycle(&mut self, forward: bool) {
        let turn = |at: usize, len: usize| (at + if forward { 1 } else { len - 1 }) % len;
        match self.row {
            Row::Method => {
                let at = METHODS.iter().position(|method| *method == self.method).unwrap_or(0);
                self.method = METHODS[turn(at, METHODS.len())];
            }
            Row::Auth => self.auth = turn(self.auth, AUTH.len()),
            Row::Payload => {
                let names: Vec<&str> = READY.iter().map(|ready| ready.name).chain([template::CUSTOM]).collect();
                let at = names.iter().position(|name| *name == self.payload).unwrap_or(0);
                let next = names[turn(at, names.len())];
                if next == template::CUSTOM && self.payload_text.is_empty() {
                    let ready = READY.iter().find(|ready| ready.name == self.payload);
                    self.payload_text = ready.map(|ready| ready.text.to_owned()).unwrap_or_default();
                }
                self.payload = next.to_owned();
            }
            _ => {}
        }
    }
}

/// Opens the form for a new webhook.
pub(super) fn open(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let mut spec = WebhookSpec::default();
    if let Some(demo) = &state.demo {
        (spec.name, spec.url) = ("practice".into(), demo.hook_url.clone());
    }
    state.overlays.push(Overlay::Form(Box::new(Form::of(&spec, None))));
    check(state, now);
    Vec::new()
}

fn pane(state: &mut State) -> Option<&mut Form> {
    state.overlays.iter_mut().rev().find_map(|overlay| match overlay {
        Overlay::Form(pane) => Some(&mut **pane),
        _ => None,
    })
}

/// The lead that preview and test use: a selected one under the cursor, else the focused one, else a made-up one.
fn sample(state: &State) -> (Schema, Lead) {
    match state.audience.focused().or_else(|| state.audience.window.first()) {
        Some((_, lead)) => (state.audience.schema().clone(), lead.clone()),
        None => ready::sample(),
    }
}

/// Says anew what is wrong, and previews.
pub(super) fn check(state: &mut State, now: Timestamp) {
    let (schema, lead) = sample(state);
    let list = state.name.value().trim().to_owned();
    let guard = state.guard.clone();
    let Some(pane) = pane(state) else { return };
    let (spec, mut wrong) = pane.spec();
    let unread: Vec<Row> = wrong.iter().map(|(row, _)| *row).collect();
    for complaint in spec::check(&spec, &guard) {
        let row = pane.rows().into_iter().rev().find(|row| row.complains() == Some(complaint.field));
        if let Some(row) = row.filter(|row| !unread.contains(row)) {
            wrong.push((row, complaint.message));
        }
    }
    pane.complaints = wrong;
    pane.preview = template::preview(&spec, &list, &schema, &lead, now).map_err(|failure| failure.message);
}

/// A key on the form.
pub(super) fn key(state: &mut State, key: Key, now: Timestamp) -> Option<Vec<Effect>> {
    let pane = pane(state)?;
    let rows = pane.rows();
    let at = rows.iter().position(|row| *row == pane.row).unwrap_or(0);
    let cycles = matches!(pane.row, Row::Method | Row::Auth | Row::Payload);
    match key.code {
        KeyCode::Down | KeyCode::Tab if !key.shift => pane.row = rows[(at + 1) % rows.len()],
        KeyCode::Up | KeyCode::Tab => pane.row = rows[(at + rows.len() - 1) % rows.len()],
        KeyCode::Enter | KeyCode::Char(' ') if pane.row == Row::Test => return Some(test(state, now)),
        KeyCode::Enter | KeyCode::Char(' ') if pane.row == Row::Activate => return Some(save(state, now)),
        KeyCode::Left if cycles => pane.cycle(false),
        KeyCode::Right | KeyCode::Char(' ') | KeyCode::Enter if cycles => pane.cycle(true),
        KeyCode::Enter => pane.row = rows[(at + 1) % rows.len()],
        _ if commands::is_own(Place::Form, key) => return None,
        _ => {
            if !pane.text_mut().is_some_and(|input| field::edit(input, key)) {
                return None;
            }
        }
    }
    check(state, now);
    Some(Vec::new())
}

/// A command of the form.
pub(super) fn give(state: &mut State, cmd: Cmd, now: Timestamp) -> Vec<Effect> {
    match cmd {
        Cmd::FormTest => test(state, now),
        Cmd::FormSave => save(state, now),
        Cmd::FormEdit => {
            let Some(pane) = pane(state) else { return Vec::new() };
            let text = READY.iter().find(|ready| ready.name == pane.payload).map(|ready| ready.text);
            vec![Effect::Edit(text.map_or_else(|| pane.payload_text.clone(), str::to_owned))]
        }
        _ => Vec::new(),
    }
}

/// The payload came back from the editor.
pub(super) fn edited(state: &mut State, text: String, now: Timestamp) {
    if let Some(pane) = pane(state) {
        pane.payload_text = text;
        pane.payload = template::CUSTOM.into();
        check(state, now);
    }
}

/// Goes to the first row that is wrong; answers whether one is.
fn refuses(pane: &mut Form, but: &[Row]) -> bool {
    pane.pressed = true;
    match pane.complaints.iter().find(|(row, _)| !but.contains(row)) {
        Some((row, _)) => {
            pane.row = *row;
            true
        }
        None => false,
    }
}

fn test(state: &mut State, now: Timestamp) -> Vec<Effect> {
    check(state, now);
    let lead = Some(sample(state));
    let Some(pane) = pane(state) else { return Vec::new() };
    if pane.testing || refuses(pane, &[Row::Name]) {
        return Vec::new();
    }
    (pane.testing, pane.tested, pane.row) = (true, None, Row::Test);
    let spec = Some(pane.spec().0);
    vec![call(Call::TestWebhook, Request::TestWebhook { spec, name: pane.id.clone(), lead })]
}

fn save(state: &mut State, now: Timestamp) -> Vec<Effect> {
    check(state, now);
    let waiting = state.sending.as_ref().map(|sending| (sending.list.list.clone(), sending.list.leads));
    let (list_name, lead_count) = waiting.unwrap_or_default();
    let Some(pane) = pane(state) else { return Vec::new() };
    if pane.saving || refuses(pane, &[]) {
        return Vec::new();
    }
    pane.saving = true;
    let (spec, id) = (pane.spec().0, pane.id.clone());
    let save = Request::SaveWebhook { id, spec, secret: None, paused: false, list_name, lead_count };
    vec![call(Call::SaveWebhook, save)]
}

/// The engine's answer to test, save or edit.
pub(super) fn answered(state: &mut State, answer: Result<Reply, Failure>, now: Timestamp) -> Vec<Effect> {
    match answer {
        Ok(Reply::Tested(exchange)) => match pane(state) {
            Some(pane) => {
                (pane.testing, pane.tested) = (false, Some(Ok(*exchange)));
                Vec::new()
            }
            None => {
                let text = match exchange.status {
                    0 => format!("The test got no answer: {}", exchange.response.error),
                    status => format!("The test was answered {status} in {} ms", exchange.ms),
                };
                let kind = if (200..300).contains(&exchange.status) { NoticeKind::Success } else { NoticeKind::Error };
                say(state, kind, &text, now)
            }
        },
        Ok(Reply::WebhookSpec(spec)) => {
            let id = state.webhooks.items.iter().find(|known| known.name == spec.name).map(|known| known.id.clone());
            state.overlays.push(Overlay::Form(Box::new(Form::of(&spec, id))));
            check(state, now);
            Vec::new()
        }
        Ok(Reply::Webhook(saved)) => {
            state.overlays.retain(|overlay| !matches!(overlay, Overlay::Form(_)));
            let name = saved.webhook.name;
            let mut effects = say(state, NoticeKind::Success, &format!("Webhook {name} is saved and active"), now);
            effects.push(call(Call::Webhooks, Request::Webhooks));
            if let Some(sending) = &mut state.sending {
                sending.destination = Some(Destination::Webhook { name: name.clone() });
            }
            match saved.secret {
                // The receiver needs it before the first delivery: the run begins when it was read.
                Some(secret) => state.overlays.push(Overlay::Secret { webhook: name, secret }),
                None => effects.extend(run::begin_sending(state)),
            }
            effects
        }
        Ok(_) => Vec::new(),
        Err(failure) => {
            if let Some(pane) = pane(state) {
                if pane.testing {
                    (pane.testing, pane.tested) = (false, Some(Err(failure)));
                    return Vec::new();
                }
                pane.saving = false;
            }
            vec![state.notices.failure(&failure, now)]
        }
    }
}
