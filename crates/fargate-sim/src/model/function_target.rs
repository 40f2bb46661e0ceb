//! Functions as targets.
//!
//! "Use Lambda functions as targets of an Application Load Balancer"
//! (<https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html>): one function a target
//! group; health checks are off unless they are asked for, which is not simulated; nor is the function's permission.

use super::error::ApiError;
use super::target_group::{HealthCheck, MULTI_VALUE_HEADERS, TargetGroup, TargetType};
use super::world::World;

impl HealthCheck {
    /// What a group of a function is described with.
    pub(crate) fn of_functions() -> HealthCheck {
        HealthCheck {
            interval_seconds: 35,
            timeout_seconds: 30,
            ..HealthCheck::default()
        }
    }
}

impl TargetGroup {
    /// Whether events and answers hold all values of a header rather than the last one.
    pub fn multi_value_headers(&self) -> bool {
        self.attributes
            .get(MULTI_VALUE_HEADERS)
            .is_some_and(|v| v == "true")
    }

    /// State, reason and description of the function as DescribeTargetHealth gives them.
    pub fn describe_function(&self) -> (&'static str, &'static str, &'static str) {
        match self.used {
            true => (
                "unavailable",
                "Target.HealthCheckDisabled",
                "Health checks are not enabled for this target",
            ),
            false => (
                "unused",
                "Target.NotInUse",
                "Target group is not configured to receive traffic from the load balancer",
            ),
        }
    }
}

impl World {
    /// RegisterTargets with a function. The same one again is no error.
    pub fn register_function(&mut self, group: &str, function: &str) -> Result<(), ApiError> {
        let known = self.group_of(group, TargetType::Lambda)?.function.as_deref();
        if known.is_some_and(|k| k != function) {
            let text = "You can register only one Lambda function with a target group";
            return Err(ApiError::new("TooManyTargets", text));
        }
        if !function.starts_with("arn:") || !function.contains(":lambda:") || !function.contains(":function:")
        {
            let text = format!("The target '{function}' is not the ARN of a Lambda function");
            return Err(ApiError::new("InvalidTarget", text));
        }
        self.target_group_mut(group)?.function = Some(function.into());
        Ok(())
    }

    /// DeregisterTargets with a function, at once. One that is not there is no error.
    pub fn deregister_function(&mut self, group: &str, function: &str) -> Result<(), ApiError> {
        self.group_of(group, TargetType::Lambda)?;
        let group = self.target_group_mut(group)?;
        group.function = group.function.take().filter(|f| f != function);
        Ok(())
    }

    /// A target group whose targets are of this type.
    pub(crate) fn group_of(&self, group: &str, wanted: TargetType) -> Result<&TargetGroup, ApiError> {
        let found = self.target_group(group)?;
        match found.target_type == wanted {
            true => Ok(found),
            false => {
                let kind = found.target_type.name();
                let text = format!("Target group '{group}' has targets of type {kind}");
                Err(ApiError::new("InvalidTarget", text))
            }
        }
    }
}
