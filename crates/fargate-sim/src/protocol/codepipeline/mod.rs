//! CodePipeline over AWS JSON 1.1: the results that a job's function reports.
//!
//! "PutJobSuccessResult" and "PutJobFailureResult" in the API reference
//! (<https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PutJobSuccessResult.html>). AWS answers with an
//! empty body; an empty object means the same to its SDKs.

mod event;
mod input;
mod rules;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::endpoint::unknown;
use crate::model::{ApiError, JobFailure, JobId, JobOutcome, Millis, World};
use input::{PutJobFailureResult, PutJobSuccessResult};

pub use event::{function_name, job_event, job_view};

/// Performs one operation of CodePipeline.
pub(crate) fn perform(
    world: &mut World,
    now: Millis,
    operation: &str,
    input: &Value,
) -> Result<Value, ApiError> {
    let (job, outcome) = match operation {
        "PutJobSuccessResult" => {
            let result: PutJobSuccessResult = read(input)?;
            result.check()?;
            let outcome = match result.continuation_token {
                Some(token) => JobOutcome::Continues(token),
                None => JobOutcome::Succeeded,
            };
            (result.job_id, outcome)
        }
        "PutJobFailureResult" => {
            let result: PutJobFailureResult = read(input)?;
            result.check()?;
            let details = result.failure_details.unwrap_or_default();
            let failure = JobFailure {
                kind: details.kind.unwrap_or_default(),
                message: details.message.unwrap_or_default(),
            };
            (result.job_id, JobOutcome::Failed(failure))
        }
        _ => return Err(unknown(operation)),
    };
    world.put_job_result(now, &JobId(job.unwrap_or_default()), outcome, input.clone())?;
    Ok(json!({}))
}

fn read<T: DeserializeOwned>(input: &Value) -> Result<T, ApiError> {
    T::deserialize(input).map_err(|e| ApiError::new("SerializationException", e.to_string()))
}
