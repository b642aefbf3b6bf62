//! The practice webhook receiver: takes deliveries over HTTPS, checks their signature, answers as its switches say.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::on;
use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};

use super::ground::Ground;

/// The largest body it takes.
const BODY: usize = 1024 * 1024;

/// The receiver's routes.
pub(super) fn routes(ground: Arc<Ground>) -> Router {
    use axum::routing::MethodFilter as On;
    Router::new()
        .route("/hooks/{name}", on(On::POST.or(On::PUT).or(On::PATCH), receive).get(explain))
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(ground)
}

async fn receive(
    State(ground): State<Arc<Ground>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let now = ground.now();
    let taken = ground.change(|world| world.inbox.take(&name, &headers, &body, now));
    match taken {
        Some(200) => (StatusCode::OK, "Received.\n").into_response(),
        Some(401) => (StatusCode::UNAUTHORIZED, "The signature is wrong; the page says why.\n").into_response(),
        Some(410) => (StatusCode::GONE, "This endpoint was switched off.\n").into_response(),
        Some(_) => {
            // A short wait, so that a retry can be watched.
            (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "2")], "Try again later.\n").into_response()
        }
        None => (StatusCode::NOT_FOUND, "An endpoint's name has letters, digits, - and _.\n").into_response(),
    }
}

async fn explain(State(ground): State<Arc<Ground>>) -> Response {
    let words = format!("Webhooks are posted here. What arrived is shown at {}/\n", ground.origin);
    (StatusCode::METHOD_NOT_ALLOWED, words).into_response()
}
