//! The sandbox's own page: what arrived, live; the switches of the webhook receiver; and the same in plain text.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Form, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Redirect, Response};
use futures_util::Stream;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use minijinja::context;
use serde::{Deserialize, Serialize};

use super::deliveries::{Answers, Signature};
use super::dialog::{Dialog, foreign_form, is_own_form};
use super::ground::{Ground, World};
use crate::text::{Clean, clean};
use crate::vault::Secret;
use crate::webhook::signature::SigningKey;

const PAGE: &str = include_str!("../../assets/sandbox/page.html");
const SCRIPT: &str = include_str!("../../assets/sandbox/page.js");
const STYLE: &str = include_str!("../../assets/sandbox/style.css");

/// Rows of each table.
const ROWS: usize = 50;
/// No live page is told more often than this.
const PAUSE: Duration = Duration::from_millis(250);

/// What arrived so far, ready for showing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// How many contacts there are.
    pub contacts: u64,
    /// The ones changed last, at most 50.
    pub newest: Vec<SeenContact>,
    /// Every list.
    pub lists: Vec<SeenList>,
    /// How many requests the webhook receiver got.
    pub deliveries: u64,
    /// The latest ones, at most 50.
    pub latest: Vec<SeenDelivery>,
    /// Every endpoint of the receiver.
    pub hooks: Vec<SeenHook>,
}

/// One contact of the practice CRM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct SeenContact {
    pub id: String,
    pub name: Clean,
    pub company: Clean,
    pub email: Clean,
    pub city: Clean,
    pub score: Clean,
}

/// One list of the practice CRM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct SeenList {
    pub name: Clean,
    pub members: u64,
}

/// One request that the webhook receiver got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SeenDelivery {
    /// When, UTC, to the second.
    pub time: String,
    /// The endpoint's name.
    pub hook: String,
    /// Its `webhook-id`.
    pub id: Clean,
    /// Which try of this id it was.
    pub attempt: u32,
    /// How many leads it seems to carry.
    pub leads: u64,
    /// What it was answered.
    pub status: u16,
    /// `verified`, `no secret yet`, or why the signature is wrong.
    pub signature: Clean,
    /// Whether it was signed with the endpoint's secret; `None` = the secret is not known.
    pub verified: Option<bool>,
    /// The first 2,000 bytes of the body.
    pub body: Clean,
}

/// One endpoint of the webhook receiver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SeenHook {
    /// Its name.
    pub name: String,
    /// Its address.
    pub url: String,
    /// Whether its signing secret is known.
    pub secret_known: bool,
    /// What it answers: `200`, `503 for 3 more`, `410`.
    pub answers: String,
}

/// What arrived so far.
pub(super) fn seen(ground: &Ground) -> Seen {
    let world = ground.world();
    let mut newest: Vec<_> = world.book.contacts.iter().collect();
    newest.sort_unstable_by_key(|contact| std::cmp::Reverse(contact.turn));
    newest.truncate(ROWS);
    Seen {
        contacts: world.book.contacts.len() as u64,
        newest: newest
            .into_iter()
            .map(|contact| SeenContact {
                id: contact.id.clone(),
                name: clean(format!("{} {}", contact.value("first_name"), contact.value("last_name")).trim()),
                company: clean(contact.value("company")),
                email: clean(contact.value("email")),
                city: clean(contact.value("city")),
                score: clean(contact.value("score")),
            })
            .collect(),
        lists: world
            .book
            .lists
            .iter()
            .map(|list| SeenList { name: clean(&list.name), members: list.members.len() as u64 })
            .collect(),
        deliveries: world.inbox.received,
        latest: latest(&world),
        hooks: world
            .inbox
            .hooks
            .iter()
            .map(|(name, hook)| SeenHook {
                name: name.clone(),
                url: format!("{}/hooks/{name}", ground.hooks_origin),
                secret_known: hook.secret.is_some(),
                answers: match hook.answers {
                    Answers::Fine => "200".into(),
                    Answers::Unavailable(left) => format!("503 for {left} more"),
                    Answers::Gone => "410".into(),
                },
            })
            .collect(),
    }
}

fn latest(world: &World) -> Vec<SeenDelivery> {
    let rows = world.inbox.deliveries.iter().take(ROWS);
    rows.map(|delivery| {
        let (verified, words) = match &delivery.signature {
            Signature::Verified => (Some(true), "verified"),
            Signature::Unknown => (None, "no secret yet"),
            Signature::Wrong(reason) => (Some(false), reason.as_str()),
        };
        SeenDelivery {
            time: delivery.time.strftime("%H:%M:%S").to_string(),
            hook: delivery.hook.clone(),
            id: clean(&delivery.id),
            attempt: delivery.attempt,
            leads: delivery.leads,
            status: delivery.status,
            signature: clean(words),
            verified,
            body: clean(&delivery.start),
        }
    })
    .collect()
}

/// `GET /`
pub(super) async fn page(State(ground): State<Arc<Ground>>) -> Response {
    let hook = format!("{}/hooks/my-webhook", ground.hooks_origin);
    let values = context! { key => ground.form_key, token => ground.token, hook };
    match minijinja::Environment::new().render_named_str("page.html", PAGE, values) {
        Ok(page) => Html(page).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// `GET /page.js`
pub(super) async fn script() -> Response {
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT).into_response()
}

/// `GET /style.css`
pub(super) async fn style() -> Response {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response()
}

/// `GET /events`: what arrived, again after every change (Server-Sent Events; each event is a [`Seen`]).
pub(super) async fn events(
    State(ground): State<Arc<Ground>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>> + use<>> {
    let mut changes = ground.changes();
    changes.mark_changed();
    let stream = futures_util::stream::unfold((ground, changes), |(ground, mut changes)| async move {
        tokio::select! {
            () = ground.closing.cancelled() => return None,
            changed = changes.changed() => changed.ok()?,
        }
        // What changes in this moment is told along with it.
        tokio::time::sleep(PAUSE).await;
        changes.mark_unchanged();
        let event = Event::default().json_data(seen(&ground)).ok()?;
        Some((Ok(event), (ground, changes)))
    });
    Sse::new(stream).keep_alive(KeepAlive::default())
}

/// `GET /status`: what arrived, for people without a browser.
pub(super) async fn status(State(ground): State<Arc<Ground>>) -> String {
    status_text(&seen(&ground))
}

/// What arrived, in lines of text.
fn status_text(seen: &Seen) -> String {
    let mut out = format!("Practice CRM      {} contacts, {} lists\n", seen.contacts, seen.lists.len());
    // Writing into a string cannot fail.
    for list in &seen.lists {
        let _ = writeln!(out, "  list            {} ({} contacts)", list.name, list.members);
    }
    let _ = writeln!(out, "Webhook receiver  {} deliveries", seen.deliveries);
    for hook in &seen.hooks {
        let secret = if hook.secret_known { "secret known" } else { "no secret yet" };
        let _ = writeln!(out, "  endpoint        {} ({secret}, answers {})", hook.url, hook.answers);
    }
    for delivery in seen.latest.iter().take(10) {
        let _ = writeln!(
            out,
            "  {}        {}, {} leads, try {}: answered {}, signature: {}",
            delivery.time, delivery.hook, delivery.leads, delivery.attempt, delivery.status, delivery.signature
        );
    }
    out
}

/// What `POST /secret` takes.
#[derive(Deserialize)]
pub(super) struct SecretForm {
    key: String,
    hook: String,
    secret: String,
}

/// `POST /secret`: the signing secret of an endpoint.
pub(super) async fn learn_secret(
    State(ground): State<Arc<Ground>>,
    headers: HeaderMap,
    Form(form): Form<SecretForm>,
) -> Response {
    if !is_own_form(&headers, &form.key, &ground.form_key) {
        return foreign_form();
    }
    match SigningKey::parse(&Secret::new(form.secret)) {
        Ok(secret) if super::deliveries::is_hook_name(&form.hook) => {
            ground.change(|world| world.inbox.learn_secret(&form.hook, secret));
            Redirect::to("/").into_response()
        }
        Ok(_) => no_such_hook(),
        Err(failure) => Dialog::word("That is not a signing secret", format!("{} {}", failure.message, failure.remedy))
            .respond(StatusCode::BAD_REQUEST, None),
    }
}

/// What `POST /answers` takes.
#[derive(Deserialize)]
pub(super) struct AnswersForm {
    key: String,
    hook: String,
    answer: String,
    #[serde(default)]
    times: String,
}

/// `POST /answers`: how an endpoint answers from now on.
pub(super) async fn set_answers(
    State(ground): State<Arc<Ground>>,
    headers: HeaderMap,
    Form(form): Form<AnswersForm>,
) -> Response {
    if !is_own_form(&headers, &form.key, &ground.form_key) {
        return foreign_form();
    }
    let answers = match form.answer.as_str() {
        "503" => Answers::Unavailable(form.times.trim().parse().unwrap_or(3).clamp(1, 1000)),
        "410" => Answers::Gone,
        _ => Answers::Fine,
    };
    let known = ground.change(|world| world.inbox.hook(&form.hook).map(|hook| hook.answers = answers).is_some());
    if known { Redirect::to("/").into_response() } else { no_such_hook() }
}

fn no_such_hook() -> Response {
    Dialog::word("There is no such endpoint", "Its name is what stands after /hooks/ in the webhook's address.")
        .respond(StatusCode::BAD_REQUEST, None)
}
