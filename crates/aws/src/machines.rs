//! State machines: the sleep timer, with one execution per generation, and the scale-in.

use aws_sdk_sfn::operation::describe_execution::DescribeExecutionError;
use aws_sdk_sfn::operation::start_execution::StartExecutionError;
use aws_sdk_sfn::types::ExecutionStatus;
use dormouse_core::error::{Code, Error};
use dormouse_core::ids::{Generation, GroupName, ServiceId};
use dormouse_core::ports::{ScaleIns, Timers};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::Aws;
use crate::errors::failed;
use crate::lazy::Lazy;

/// The state machines that the function was given.
pub(crate) struct Machines {
    client: Lazy<aws_sdk_sfn::Client>,
    /// ARN of the sleep timer.
    sleep_timer: Option<String>,
    /// ARN of the scale-in.
    scale_in: Option<String>,
}

impl Machines {
    pub(crate) fn new(
        client: Lazy<aws_sdk_sfn::Client>,
        sleep_timer: Option<String>,
        scale_in: Option<String>,
    ) -> Self {
        Self {
            client,
            sleep_timer,
            scale_in,
        }
    }

    /// Starts an execution, unless there is or was one of this name.
    async fn start(&self, machine: &str, name: &str, input: &Value) -> Result<(), Error> {
        let call = self
            .client
            .start_execution()
            .state_machine_arn(machine)
            .name(name)
            .input(input.to_string());
        match call.send().await {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(StartExecutionError::is_execution_already_exists) =>
            {
                Ok(())
            }
            Err(error) => Err(failed(&format!("StartExecution {name}"), &error)),
        }
    }

    fn scale_in(&self) -> Result<&str, Error> {
        self.scale_in.as_deref().ok_or_else(|| {
            let message =
                "environment variable `SCALE_IN_ARN` is missing: it must be the state machine that scales in";
            Error::new(Code::InvalidConfig, message)
        })
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
        let Some(machine) = &self.machines.sleep_timer else {
            return Ok(());
        };
        let name = format!("{group}-g{generation}-{}", woken_at.as_second());
        let input = json!({"group": group, "generation": generation, "at": whole_second(at)});
        self.machines.start(machine, &name, &input).await
    }
}

impl ScaleIns for Aws {
    async fn start_scale_in(
        &self,
        execution: &str,
        group: &GroupName,
        service: &ServiceId,
    ) -> Result<(), Error> {
        let input = json!({"group": group, "service": service});
        let machine = self.machines.scale_in()?;
        self.machines.start(machine, execution, &input).await
    }

    /// An execution that waits to be redriven goes on from where it stopped, so it runs.
    async fn scale_in_runs(&self, execution: &str) -> Result<bool, Error> {
        let machine = self.machines.scale_in()?;
        let arn = execution_arn(machine, execution)?;
        let answer = self
            .machines
            .client
            .describe_execution()
            .execution_arn(arn)
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(matches!(
                answer.status(),
                ExecutionStatus::Running | ExecutionStatus::PendingRedrive
            )),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DescribeExecutionError::is_execution_does_not_exist) =>
            {
                Ok(false)
            }
            Err(error) => Err(failed(&format!("DescribeExecution {execution}"), &error)),
        }
    }
}

/// The ARN of a state machine's execution (Service Authorization Reference, AWS Step Functions, "Resource types"). The
/// qualifier of a version or alias is no part of it.
fn execution_arn(machine: &str, execution: &str) -> Result<String, Error> {
    let Some((account, name)) = machine.split_once(":stateMachine:") else {
        let message = format!(
            "environment variable `SCALE_IN_ARN`, value `{machine}`: must be the ARN of a state machine"
        );
        return Err(Error::new(Code::InvalidConfig, message));
    };
    let name = name.split_once(':').map_or(name, |(name, _)| name);
    Ok(format!("{account}:execution:{name}:{execution}"))
}

/// Step Functions reads RFC 3339 without needing fractions; the next whole second is never too early.
fn whole_second(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second().saturating_add(1))
        .unwrap_or(at)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_execution_is_found_by_the_arn_of_its_state_machine() {
        let machine = "arn:aws:states:eu-west-1:123456789012:stateMachine:ScaleIn-x1";
        let expected = "arn:aws:states:eu-west-1:123456789012:execution:ScaleIn-x1:dev-web-7";
        assert_eq!(execution_arn(machine, "dev-web-7"), Ok(expected.to_owned()));
        let version = format!("{machine}:3");
        assert_eq!(execution_arn(&version, "dev-web-7"), Ok(expected.to_owned()));
        let error = execution_arn("scale-in", "dev-web-7").expect_err("no ARN");
        assert_eq!(error.code, Code::InvalidConfig);
        assert!(
            error.message.contains("`SCALE_IN_ARN`, value `scale-in`"),
            "{error}"
        );
    }
}
