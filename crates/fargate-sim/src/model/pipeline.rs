//! Jobs of AWS CodePipeline that invoke a Lambda function.
//!
//! "Invoke an AWS Lambda function in a pipeline in CodePipeline"
//! (<https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-invoke-lambda-function.html>): the pipeline
//! invokes the function and waits for its verdict by PutJobSuccessResult or PutJobFailureResult; what the function
//! returns does not count. Pipelines themselves, and the time after which one gives a job up, are not modelled.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use super::error::ApiError;
use super::time::Millis;

/// Id of a job: the shape of a UUID.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct JobId(pub String);

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How far a job is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobStatus {
    /// The pipeline waits for a result.
    InProgress,
    /// The action succeeded.
    Succeeded,
    /// The action failed.
    Failed(JobFailure),
}

/// Why a job failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobFailure {
    /// `JobFailed`, `ConfigurationError` and so on ("FailureDetails" in the API reference).
    pub kind: String,
    /// For people.
    pub message: String,
}

/// What a result says of its job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobOutcome {
    /// It is done.
    Succeeded,
    /// Not done yet: invoke the function again with this continuation token.
    Continues(String),
    /// It failed.
    Failed(JobFailure),
}

/// A result as it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobResult {
    /// `PutJobSuccessResult` or `PutJobFailureResult`.
    pub operation: &'static str,
    /// Code of the error that it was refused with.
    pub refused: Option<String>,
    /// The call's parameters.
    pub parameters: Value,
}

/// A job: one function that a pipeline invokes until it has a result.
///
/// A result with a continuation token leaves it in progress, and the function is invoked again with that token
/// [`super::Timing::job_continuation`] later. CodePipeline does not document that interval; 30 s is what is observed.
/// The job keeps its id then. "PutJobSuccessResult" speaks of "future jobs" that use the token, so on AWS a function
/// should rely on the id of the event at hand only.
#[derive(Clone, Debug)]
pub struct PipelineJob {
    /// Its id.
    pub id: JobId,
    /// Name of the function.
    pub function: String,
    /// The action's `UserParameters`, if it has any.
    pub user_parameters: Option<String>,
    /// How far it is.
    pub status: JobStatus,
    /// How often its function was invoked.
    pub invocations: u32,
    /// Continuation token in the event of the latest invocation.
    pub token: Option<String>,
    /// Results that named it, in order.
    pub results: Vec<JobResult>,
    continues: Option<(Millis, String)>,
}

impl PipelineJob {
    /// A job whose function is to be invoked now.
    pub(crate) fn new(id: JobId, function: String, user_parameters: Option<String>) -> PipelineJob {
        PipelineJob {
            id,
            function,
            user_parameters,
            status: JobStatus::InProgress,
            invocations: 1,
            token: None,
            results: Vec::new(),
            continues: None,
        }
    }

    /// When its function is invoked again without anybody's doing.
    pub fn continues_at(&self) -> Option<Millis> {
        self.continues.as_ref().map(|(at, _)| *at)
    }

    /// Takes in a result. The later of two continuation tokens counts.
    ///
    /// Errors: `InvalidJobStateException` if the job has ended; the words are ours.
    pub(crate) fn put(
        &mut self,
        outcome: JobOutcome,
        parameters: Value,
        continue_at: Millis,
    ) -> Result<(), ApiError> {
        let (operation, verb) = match outcome {
            JobOutcome::Failed(_) => ("PutJobFailureResult", "fail"),
            _ => ("PutJobSuccessResult", "succeed"),
        };
        let refusal = (self.status != JobStatus::InProgress).then(|| {
            let text = format!("Cannot {verb} the job because it is in a terminal state");
            ApiError::new("InvalidJobStateException", text)
        });
        self.results.push(JobResult {
            operation,
            refused: refusal.as_ref().map(|e| e.code.clone()),
            parameters,
        });
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        match outcome {
            JobOutcome::Continues(token) => self.continues = Some((continue_at, token)),
            JobOutcome::Succeeded => self.end(JobStatus::Succeeded),
            JobOutcome::Failed(failure) => self.end(JobStatus::Failed(failure)),
        }
        Ok(())
    }

    /// Whether the function is to be invoked again now, with the token that it gave.
    pub(crate) fn continues(&mut self, now: Millis) -> bool {
        let Some((_, token)) = self.continues.take_if(|(at, _)| *at <= now) else {
            return false;
        };
        self.token = Some(token);
        self.invocations += 1;
        true
    }

    /// The function could not be invoked: the action fails, unless there is a result already.
    pub(crate) fn not_invoked(&mut self, why: String) {
        if self.status == JobStatus::InProgress {
            self.end(JobStatus::Failed(JobFailure {
                kind: "ConfigurationError".into(),
                message: why,
            }));
        }
    }

    fn end(&mut self, status: JobStatus) {
        self.status = status;
        self.continues = None;
    }
}

/// However fast the simulation runs, a function gets this long between two invocations.
pub(crate) const LEAST_CONTINUATION: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LATER: Millis = Millis(30_000);

    fn job() -> PipelineJob {
        PipelineJob::new(JobId("id".into()), "wake".into(), None)
    }

    fn put(job: &mut PipelineJob, outcome: JobOutcome) -> Result<(), String> {
        job.put(outcome, json!({}), LATER).map_err(|e| e.to_string())
    }

    fn failed() -> JobOutcome {
        JobOutcome::Failed(JobFailure {
            kind: "JobFailed".into(),
            message: "no capacity".into(),
        })
    }

    #[test]
    fn a_job_ends_with_its_first_verdict_and_refuses_later_ones() {
        let mut job = job();
        assert_eq!(put(&mut job, JobOutcome::Succeeded), Ok(()));
        let refused = put(&mut job, failed()).unwrap_err();
        assert_eq!(
            refused,
            "InvalidJobStateException: Cannot fail the job because it is in a terminal state"
        );
        assert_eq!(job.status, JobStatus::Succeeded);
        let seen: Vec<_> = job
            .results
            .iter()
            .map(|r| (r.operation, r.refused.as_deref()))
            .collect();
        assert_eq!(
            seen,
            [
                ("PutJobSuccessResult", None),
                ("PutJobFailureResult", Some("InvalidJobStateException")),
            ]
        );
    }

    #[test]
    fn a_job_with_a_continuation_token_goes_on_with_it_later_and_once() {
        let mut job = job();
        put(&mut job, JobOutcome::Continues("a".into())).unwrap();
        put(&mut job, JobOutcome::Continues("b".into())).unwrap();
        assert_eq!(
            (&job.status, job.continues_at()),
            (&JobStatus::InProgress, Some(LATER))
        );
        assert!(!job.continues(Millis(29_999)));
        assert_eq!((job.token.as_deref(), job.invocations), (None, 1));
        assert!(job.continues(LATER));
        assert_eq!((job.token.as_deref(), job.invocations), (Some("b"), 2));
        assert!(!job.continues(LATER), "once");
    }

    #[test]
    fn a_job_that_has_ended_does_not_go_on() {
        let mut job = job();
        put(&mut job, JobOutcome::Continues("a".into())).unwrap();
        put(&mut job, failed()).unwrap();
        assert!(!job.continues(LATER));
        job.not_invoked("too late to matter".into());
        assert!(matches!(&job.status, JobStatus::Failed(f) if f.message == "no capacity"));
    }

    #[test]
    fn a_job_whose_function_cannot_be_invoked_fails() {
        let mut job = job();
        job.not_invoked("Function not found".into());
        assert!(matches!(&job.status, JobStatus::Failed(f) if f.kind == "ConfigurationError"));
    }
}
