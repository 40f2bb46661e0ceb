//! CodePipeline jobs: whatever happens, the pipeline is told.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use dormouse_core::config::Config;
use dormouse_core::error::{Code, Error};
use dormouse_core::intent::{Action, Cause, Intent};
use dormouse_core::pipeline::{self, Job, JobResult, Reported};
use dormouse_core::ports::{Jobs, World};
use dormouse_function::{direct, log};
use futures_util::FutureExt;
use jiff::Timestamp;
use serde_json::{Value, json};

/// The work may take this long; the rest of the function's 29 s is for telling the pipeline.
const LIMIT: Duration = Duration::from_secs(18);

/// So long it waits for calls that others make too: the rest of the time is for looking and acting.
const PATIENCE: Duration = Duration::from_secs(10);

/// Handles a job.
///
/// # Errors
/// [`Code::InvalidRequest`] for a job without an id. Those of CodePipeline, if it cannot be told the result: Lambda
/// then repeats the event.
pub(crate) async fn handle<W: World + Jobs>(
    world: &W,
    config: &Config,
    event: &Value,
    request_id: &str,
) -> Result<Value, Error> {
    let job = pipeline::parse(event)?;
    let began = job.began.unwrap_or_else(|| world.now());
    let work = AssertUnwindSafe(work(world, config, &job, began, request_id)).catch_unwind();
    let worked = match world.within(LIMIT, work).await {
        Some(Ok(worked)) => worked,
        Some(Err(_panic)) => Err(Error::new(
            Code::Internal,
            "the function panicked: its log says where",
        )),
        None => {
            let message = format!("AWS did not answer within {LIMIT:?}");
            Err(Error::new(Code::Unavailable, message))
        }
    };
    let (result, answer) = worked.unwrap_or_else(|error| {
        log::error(&error, None, request_id);
        (
            pipeline::after_error(&error, began, world.now(), &config.defaults),
            Value::Null,
        )
    });
    let (name, message) = describe(&result);
    log::job(&job.id, name, message, request_id);
    let reported = world.report(&job.id, &result).await?;
    Ok(json!({
        "job": job.id,
        "result": name,
        "message": message,
        "ended_before": reported == Reported::EndedBefore,
        "answer": answer,
    }))
}

/// Wakes the group, each time anew: a wake that is repeated does nothing more, and one that was lost is made good.
async fn work<W: World>(
    world: &W,
    config: &Config,
    job: &Job,
    began: Timestamp,
    request_id: &str,
) -> Result<(JobResult, Value), Error> {
    let request = job.request.clone()?;
    let intent = Intent::of(Action::Wake(request.wake.clone()), Cause::Pipeline)
        .patient_for(PATIENCE)
        .by(Some(job.id.clone()));
    let turn = direct::turn(world, config, &request.group, &intent, request_id).await?;
    let answer = json!(dormouse_core::direct::answer(&turn));
    Ok((pipeline::judge(&turn, &request, began), answer))
}

fn describe(result: &JobResult) -> (&'static str, &str) {
    match result {
        JobResult::Succeeded { summary } => ("succeeded", summary),
        JobResult::Continues { summary, .. } => ("continues", summary),
        JobResult::Failed { message, .. } => ("failed", message),
    }
}
