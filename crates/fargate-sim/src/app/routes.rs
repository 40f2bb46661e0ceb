//! What the app answers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse, Json, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::AppOptions;
use super::page::page;
use super::settings::Settings;

struct App {
    service: String,
    task: String,
    started: Instant,
    ready_after: Duration,
    requests: AtomicU64,
    settings: Mutex<Settings>,
}

impl App {
    fn settings(&self) -> MutexGuard<'_, Settings> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Status of every page: 503 until ready or when told to be unhealthy, else 200 or what was set.
    fn status(&self) -> StatusCode {
        let settings = self.settings();
        let down = self.started.elapsed() < self.ready_after || !settings.healthy;
        let code = if down { 503 } else { settings.status.unwrap_or(200) };
        StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

pub(super) fn routes(options: &AppOptions) -> Router {
    let settings = Settings {
        status: options.status,
        ..Settings::default()
    };
    let app = Arc::new(App {
        service: options.service.clone(),
        task: options.task.clone(),
        started: Instant::now(),
        ready_after: options.ready_after,
        requests: AtomicU64::new(0),
        settings: Mutex::new(settings),
    });
    Router::new()
        .route("/healthz", get(health))
        .route("/nginx_status", get(nginx_status))
        .route("/_app/state", get(state))
        .route("/_app/set", post(set))
        .fallback(any)
        .with_state(app)
}

async fn health(State(app): State<Arc<App>>) -> Response {
    let status = app.status();
    (status, if status.is_success() { "ok\n" } else { "not ok\n" }).into_response()
}

/// Any path: the page, or JSON for those who ask for it; headers say who answered and to what.
async fn any(State(app): State<Arc<App>>, request: Request) -> Response {
    app.requests.fetch_add(1, Ordering::Relaxed);
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", |p| p.as_str())
        .to_string();
    let accept = request
        .headers()
        .get(header::ACCEPT)
        .and_then(|a| a.to_str().ok())
        .unwrap_or_default();
    let headers = [
        (HeaderName::from_static("x-sim-service"), app.service.clone()),
        (HeaderName::from_static("x-sim-task"), app.task.clone()),
        (HeaderName::from_static("x-sim-path"), path.clone()),
    ];
    if accept.contains("application/json") {
        let body = json!({"service": app.service, "task": app.task, "method": request.method().as_str(), "path": path});
        return (app.status(), headers, Json(body)).into_response();
    }
    (app.status(), headers, Html(page(&app.service, &app.task, &path))).into_response()
}

/// nginx's `ngx_http_stub_status_module` page, with the connections that were set and, as nginx counts, the one that
/// asks.
async fn nginx_status(State(app): State<Arc<App>>) -> String {
    let (others, requests) = (app.settings().connections, app.requests.load(Ordering::Relaxed));
    format!(
        "Active connections: {} \nserver accepts handled requests\n {requests} {requests} {requests} \n\
         Reading: 0 Writing: 1 Waiting: {others} \n",
        others.saturating_add(1),
    )
}

async fn state(State(app): State<Arc<App>>) -> Json<Value> {
    let mut state = json!(*app.settings());
    state["service"] = app.service.clone().into();
    state["task"] = app.task.clone().into();
    state["requests"] = app.requests.load(Ordering::Relaxed).into();
    state["ready"] = app.status().is_success().into();
    state["active"] = state["connections"].clone();
    Json(state)
}

/// Takes over the fields that are given, and tells the server about the work by a line on standard output.
async fn set(State(app): State<Arc<App>>, Json(change): Json<Value>) -> Response {
    let mut settings = app.settings();
    let mut merged = json!(*settings);
    if let (Some(fields), Some(change)) = (merged.as_object_mut(), change.as_object()) {
        fields.extend(change.clone());
    }
    match serde_json::from_value::<Settings>(merged) {
        Ok(new) => {
            *settings = new;
            println!(
                "{}",
                json!({"cpu": settings.cpu, "memory": settings.memory, "connections": settings.connections})
            );
            Json(json!(*settings)).into_response()
        }
        Err(error) => (StatusCode::BAD_REQUEST, format!("/_app/set: {error}\n")).into_response(),
    }
}
