//! Pipeline jobs: starting them by the control API, and invoking their functions.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::json;

use super::{Shared, driver};
use crate::model::{Answer, ApiError, JobId};
use crate::protocol::{job_event, job_view};

/// Routes below `/_sim/pipeline/jobs`.
pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/", post(start))
        .route("/{id}", get(show))
        .route("/{id}/invoke", post(repeat))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Start {
    /// Name or ARN.
    function: String,
    user_parameters: Option<String>,
}

async fn start(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let start: Start = match serde_json::from_slice(&body) {
        Ok(start) => start,
        Err(error) => return refusal(StatusCode::BAD_REQUEST, error.to_string()),
    };
    if shared.stack.is_none() {
        let text = "no --stack was given to invoke functions of";
        return refusal(StatusCode::BAD_GATEWAY, text.into());
    }
    let id = shared
        .endpoint()
        .world
        .start_job(start.function, start.user_parameters);
    shared.wake.notify_one();
    (StatusCode::CREATED, Json(json!({"id": id.0}))).into_response()
}

async fn show(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    match shared.endpoint().world.job(&JobId(id)) {
        Ok(job) => Json(job_view(job)).into_response(),
        Err(error) => not_found(&error),
    }
}

/// A second delivery of the same event, also to a job that has ended; answers like [`show`].
async fn repeat(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    let id = JobId(id);
    let world = &mut shared.endpoint().world;
    let answer = match world.repeat_job(&id).and_then(|()| world.job(&id)) {
        Ok(job) => (StatusCode::ACCEPTED, Json(job_view(job))).into_response(),
        Err(error) => not_found(&error),
    };
    shared.wake.notify_one();
    answer
}

fn not_found(error: &ApiError) -> Response {
    refusal(StatusCode::NOT_FOUND, error.to_string())
}

fn refusal(status: StatusCode, error: String) -> Response {
    (status, Json(json!({"error": error}))).into_response()
}

/// Invokes a job's function with the event of the job as it is now.
pub(super) fn invoke(shared: &Arc<Shared>, id: JobId) {
    let (function, event) = {
        let world = &shared.endpoint().world;
        let Ok(job) = world.job(&id) else { return };
        (job.function.clone(), job_event(world, job).to_string())
    };
    let shared = shared.clone();
    tokio::spawn(async move {
        let Some(stack) = &shared.stack else { return };
        if let Err(why) = stack.invoke(&function, event).await {
            eprintln!("fargate-sim: the function {function} of pipeline job {id} is not invoked: {why}");
            driver::report(&shared, Answer::JobNotInvoked { job: id, why });
        }
    });
}
