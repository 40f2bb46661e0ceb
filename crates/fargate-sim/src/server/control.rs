//! The control API for tests and people: `/_sim/…`.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Shared, jobs, metrics, now};
use crate::model::Throttle;
use crate::protocol::{Fault, state};

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/health", get(health))
        .route("/state", get(whole_state))
        .route("/calls", get(calls).delete(forget_calls))
        .route("/trail", get(trail))
        .route("/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/capacity", post(capacity))
        .route("/throttle", post(throttle))
        .route("/metrics/flush", post(flush))
        .nest("/pipeline/jobs", jobs::routes())
        .fallback(unknown)
}

async fn health(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let endpoint = shared.endpoint();
    let config = &endpoint.world.config;
    Json(json!({"status": "ok", "speed": config.timing.speed, "address_base": config.addresses.to_string()}))
}

async fn whole_state(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(state(&shared.endpoint().world))
}

#[derive(Deserialize)]
struct Since {
    #[serde(default)]
    since: u64,
}

async fn calls(State(shared): State<Arc<Shared>>, Query(query): Query<Since>) -> Json<Value> {
    let endpoint = shared.endpoint();
    Json(json!({"calls": endpoint.calls.since(query.since).collect::<Vec<_>>()}))
}

async fn forget_calls(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.endpoint().calls.clear();
    StatusCode::NO_CONTENT
}

/// What each role did and was refused, since the start.
async fn trail(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let uses = shared.guard.as_ref().map(|guard| guard.trail().list());
    Json(json!({"uses": uses.unwrap_or_default()}))
}

async fn faults(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(json!({"faults": shared.endpoint().faults.list()}))
}

async fn add_fault(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    take(&body, |fault: Fault| shared.endpoint().faults.add(fault))
}

async fn clear_faults(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.endpoint().faults.clear();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Capacity {
    available: bool,
}

async fn capacity(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    take(&body, |capacity: Capacity| {
        shared.endpoint().world.set_capacity(now(), capacity.available);
        shared.wake.notify_one();
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Throttles {
    enabled: bool,
}

/// Switches the token buckets of AWS off, or on, full.
async fn throttle(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    take(&body, |throttles: Throttles| {
        shared.endpoint().throttle = throttles.enabled.then(Throttle::default);
    })
}

async fn flush(State(shared): State<Arc<Shared>>) -> Response {
    match metrics::flush(&shared).await {
        Ok(pushed) => Json(json!({"pushed": pushed})).into_response(),
        Err(error) => (StatusCode::BAD_GATEWAY, Json(json!({"error": error}))).into_response(),
    }
}

async fn unknown() -> Response {
    let known = "health, state, calls, trail, faults, capacity, throttle, metrics/flush, pipeline/jobs";
    (StatusCode::NOT_FOUND, format!("/_sim/ has: {known}\n")).into_response()
}

/// Reads the body, whatever its content type says, and uses it; 400 with the rule that it breaks otherwise.
fn take<T: DeserializeOwned>(body: &[u8], use_it: impl FnOnce(T)) -> Response {
    match serde_json::from_slice(body) {
        Ok(value) => {
            use_it(value);
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => (StatusCode::BAD_REQUEST, Json(json!({"error": error.to_string()}))).into_response(),
    }
}
