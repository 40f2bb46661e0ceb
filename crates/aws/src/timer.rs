//! The sleep timer: one execution of the state machine per generation.

use aws_sdk_sfn::operation::start_execution::StartExecutionError;
use aws_smithy_runtime_api::client::result::SdkError;
use dormouse_core::error::Error;
use dormouse_core::ids::{Generation, GroupName};
use dormouse_core::ports::Timers;
use jiff::Timestamp;
use serde_json::json;

use crate::Aws;
use crate::errors::failed;

/// Starts executions of the sleep timer, where the function was given one.
pub(crate) struct SleepTimer {
    client: aws_sdk_sfn::Client,
    arn: Option<String>,
}

impl SleepTimer {
    pub(crate) fn new(client: aws_sdk_sfn::Client, arn: Option<String>) -> Self {
        Self { client, arn }
    }
}

impl Timers for Aws {
    /// The execution is named by group, generation and beginning, so that two starts make one. A function that
    /// was not given a timer starts none: the tick, which it is part of, watches.
    async fn start(
        &self,
        group: &GroupName,
        generation: Generation,
        woken_at: Timestamp,
        at: Timestamp,
    ) -> Result<(), Error> {
        let Some(arn) = &self.timer.arn else { return Ok(()) };
        let name = format!("{group}-g{generation}-{}", woken_at.as_second());
        let input = json!({"group": group, "generation": generation, "at": whole_second(at)});
        let result = self
            .timer
            .client
            .start_execution()
            .state_machine_arn(arn)
            .name(&name)
            .input(input.to_string())
            .send()
            .await;
        match result {
            Ok(_) => Ok(()),
            Err(error) if runs_already(&error) => Ok(()),
            Err(error) => Err(failed(&format!("StartExecution {name}"), &error)),
        }
    }
}

fn runs_already<R>(error: &SdkError<StartExecutionError, R>) -> bool {
    error
        .as_service_error()
        .is_some_and(StartExecutionError::is_execution_already_exists)
}

/// Step Functions reads RFC 3339 without needing fractions; the next whole second is never too early.
fn whole_second(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second().saturating_add(1))
        .unwrap_or(at)
        .to_string()
}
