//! Results of CodePipeline jobs.

use aws_sdk_codepipeline::types::{ExecutionDetails, FailureDetails, FailureType};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use dormouse_core::error::Error;
use dormouse_core::pipeline::{FailureKind, JobResult, Reported};
use dormouse_core::ports::Jobs;

use crate::Aws;
use crate::errors::{failed, rejected};

impl Jobs for Aws {
    async fn report(&self, job: &str, result: &JobResult) -> Result<Reported, Error> {
        match result {
            JobResult::Succeeded { summary } => self.put_success(job, None, summary, 100).await,
            JobResult::Continues {
                token,
                summary,
                percent,
            } => self.put_success(job, Some(token), summary, *percent).await,
            JobResult::Failed { kind, message } => {
                let details = FailureDetails::builder()
                    .r#type(failure_type(*kind))
                    .message(message)
                    .build()
                    .map_err(|error| rejected("PutJobFailureResult", &error))?;
                let call = self
                    .pipeline
                    .put_job_failure_result()
                    .job_id(job)
                    .failure_details(details);
                taken(job, "PutJobFailureResult", call.send().await)
            }
        }
    }
}

impl Aws {
    async fn put_success(
        &self,
        job: &str,
        token: Option<&String>,
        summary: &str,
        percent: i32,
    ) -> Result<Reported, Error> {
        let details = ExecutionDetails::builder()
            .summary(summary)
            .percent_complete(percent)
            .build();
        let call = self
            .pipeline
            .put_job_success_result()
            .job_id(job)
            .set_continuation_token(token.cloned())
            .execution_details(details);
        taken(job, "PutJobSuccessResult", call.send().await)
    }
}

/// A job that has ended already was told before, by an invocation that Lambda repeated.
fn taken<T, E>(
    job: &str,
    operation: &str,
    answer: Result<T, SdkError<E, HttpResponse>>,
) -> Result<Reported, Error>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match answer {
        Ok(_) => Ok(Reported::Yes),
        Err(error) if error.code() == Some("InvalidJobStateException") => Ok(Reported::EndedBefore),
        Err(error) => Err(failed(&format!("{operation} of job {job}"), &error)),
    }
}

fn failure_type(kind: FailureKind) -> FailureType {
    match kind {
        FailureKind::Configuration => FailureType::ConfigurationError,
        FailureKind::Permission => FailureType::PermissionError,
        FailureKind::Unavailable => FailureType::SystemUnavailable,
        FailureKind::Job => FailureType::JobFailed,
    }
}
