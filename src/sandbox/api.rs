//! The practice CRM's REST interface: contacts in batches with an answer per row, look-up, fields, lists.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::contacts::MatchBy;
use super::fields::FIELDS;
use super::grants::{Grant, SCOPES};
use super::ground::Ground;
use super::limit;
use super::mint::digest;
use super::sign_in::USER;

/// Rows per batch, values per look-up.
const BATCH: usize = 50;
/// Members per call.
const MEMBERS: usize = 500;

/// An error as the practice CRM puts it.
#[derive(Debug)]
struct Refused {
    status: StatusCode,
    code: &'static str,
    message: String,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Refused {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Refused {
        Refused { status, code, message: message.into(), header: None }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let body = Json(json!({ "error": { "code": self.code, "message": self.message } }));
        let mut response = (self.status, body).into_response();
        response.headers_mut().extend(self.header);
        response
    }
}

/// Whom a call speaks for.
fn admit(ground: &Ground, headers: &HeaderMap, scope: Option<&str>) -> Result<Grant, Refused> {
    let token = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let token = match token.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token,
        _ => "",
    };
    let (now, mut world) = (ground.now(), ground.world());
    let holder = if token == ground.token {
        let scopes = SCOPES.iter().map(|(name, _)| (*name).to_owned()).collect();
        Some(Grant { family: 0, user: USER.to_owned(), scopes })
    } else {
        world.grants.holder(token, now).cloned()
    };
    let grant = holder.ok_or_else(|| {
        let challenge = (WWW_AUTHENTICATE, HeaderValue::from_static("Bearer error=\"invalid_token\""));
        let words = "The access token is missing, expired or revoked.";
        Refused { header: Some(challenge), ..Refused::new(StatusCode::UNAUTHORIZED, "invalid_token", words) }
    })?;
    world.limits.take(digest(token), now).map_err(|seconds| {
        let words = format!("More than {} calls in {} seconds.", limit::CALLS, limit::WINDOW);
        let wait = (RETRY_AFTER, HeaderValue::from(seconds));
        Refused { header: Some(wait), ..Refused::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", words) }
    })?;
    match scope {
        Some(scope) if !grant.scopes.iter().any(|held| held == scope) => {
            let words = format!("This token lacks the scope {scope}.");
            Err(Refused::new(StatusCode::FORBIDDEN, "insufficient_scope", words))
        }
        _ => Ok(grant),
    }
}

/// Answers a call whose body is JSON of type `T`, once it is let in.
fn answer<T: DeserializeOwned>(
    ground: &Ground,
    headers: &HeaderMap,
    scope: &str,
    body: &Bytes,
    act: impl FnOnce(T) -> Result<Value, Refused>,
) -> Response {
    let acted = admit(ground, headers, Some(scope)).and_then(|_| {
        let request = serde_json::from_slice(body).map_err(|wrong| {
            Refused::new(StatusCode::BAD_REQUEST, "invalid_body", format!("The body is not as expected: {wrong}."))
        })?;
        Ok(Json(act(request)?))
    });
    acted.into_response()
}

fn too_many(count: usize, most: usize) -> Result<(), Refused> {
    if count <= most {
        return Ok(());
    }
    let words = format!("At most {most} at once, these are {count}.");
    Err(Refused::new(StatusCode::BAD_REQUEST, "too_many", words))
}

/// `GET /api/me`
pub(super) async fn me(State(ground): State<Arc<Ground>>, headers: HeaderMap) -> Response {
    let answer = admit(&ground, &headers, None).map(|grant| {
        Json(json!({
            "organisation": { "id": "practice", "name": "Practice CRM" },
            "user": { "email": grant.user },
            "environment": "practice",
            "scopes": grant.scopes,
        }))
    });
    answer.into_response()
}

/// `GET /api/fields`
pub(super) async fn fields(State(ground): State<Arc<Ground>>, headers: HeaderMap) -> Response {
    admit(&ground, &headers, Some("contacts")).map(|_| Json(json!({ "fields": FIELDS }))).into_response()
}

#[derive(Deserialize)]
struct Batch {
    #[serde(default)]
    match_by: MatchBy,
    contacts: Vec<Map<String, Value>>,
}

/// `POST /api/contacts/batch`: creates or updates up to 50 contacts; one result per row, in order.
pub(super) async fn batch(State(ground): State<Arc<Ground>>, headers: HeaderMap, body: Bytes) -> Response {
    answer(&ground, &headers, "contacts", &body, |batch: Batch| {
        too_many(batch.contacts.len(), BATCH)?;
        let now = ground.now();
        let results = ground.change(|world| {
            let rows = batch.contacts.iter();
            rows.map(|row| world.book.upsert(batch.match_by, row, now)).collect::<Vec<_>>()
        });
        Ok(json!({ "results": results }))
    })
}

#[derive(Deserialize)]
struct Find {
    by: MatchBy,
    values: Vec<String>,
}

/// `POST /api/contacts/find`: the contacts with these external ids or addresses; one result per value, in order.
pub(super) async fn find(State(ground): State<Arc<Ground>>, headers: HeaderMap, body: Bytes) -> Response {
    answer(&ground, &headers, "contacts", &body, |find: Find| {
        too_many(find.values.len(), BATCH)?;
        let world = ground.world();
        let matches = |value: &String| {
            let found = world.book.find(find.by, value);
            let contacts: Vec<Value> =
                found.map(|contact| json!({ "id": contact.id, "values": contact.values })).into_iter().collect();
            json!({ "value": value, "contacts": contacts })
        };
        Ok(json!({ "results": find.values.iter().map(matches).collect::<Vec<_>>() }))
    })
}

#[derive(Deserialize)]
struct NewList {
    name: String,
}

/// `POST /api/lists`: finds or makes the list of this name.
pub(super) async fn open_list(State(ground): State<Arc<Ground>>, headers: HeaderMap, body: Bytes) -> Response {
    answer(&ground, &headers, "lists", &body, |list: NewList| {
        let name = list.name.trim();
        if name.is_empty() || name.chars().count() > 120 {
            let words = "A list's name has 1 to 120 characters.";
            return Err(Refused::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_name", words));
        }
        let (id, created) = ground.change(|world| world.book.open_list(name));
        Ok(json!({ "id": id, "name": name, "created": created }))
    })
}

#[derive(Deserialize)]
struct Members {
    contacts: Vec<String>,
}

/// `POST /api/lists/{id}/members`: adds up to 500 contacts and removes none.
pub(super) async fn add_members(
    State(ground): State<Arc<Ground>>,
    Path(list): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    answer(&ground, &headers, "lists", &body, |members: Members| {
        too_many(members.contacts.len(), MEMBERS)?;
        let added = ground.change(|world| world.book.add_members(&list, &members.contacts));
        let (added, there, unknown) =
            added.ok_or_else(|| Refused::new(StatusCode::NOT_FOUND, "not_found", "There is no such list."))?;
        let refused: Vec<Value> =
            unknown.iter().map(|id| json!({ "id": id, "message": "There is no such contact." })).collect();
        Ok(json!({ "added": added, "already": there, "refused": refused }))
    })
}
