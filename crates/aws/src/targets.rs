//! Targets of target groups: which there are, and taking them out and putting them back.

use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types::{
    TargetDescription, TargetGroupAttribute, TargetHealthDescription, TargetHealthStateEnum,
};
use dormouse_core::error::{Code, Error};
use dormouse_core::ports::{Target, TargetName, Targets};

use crate::Aws;
use crate::errors::failed;

/// The attribute with the time that targets drain.
const DELAY: &str = "deregistration_delay.timeout_seconds";
/// The time that targets drain unless the owner says otherwise (Elastic Load Balancing API reference,
/// TargetGroupAttribute).
const DEFAULT_DELAY: Duration = Duration::from_secs(300);

impl Targets for Aws {
    async fn targets(&self, target_group: &str) -> Result<Vec<Target>, Error> {
        let descriptions = self.elb.descriptions(target_group).await?;
        Ok(descriptions.iter().filter_map(read).collect())
    }

    /// Elastic Load Balancing itself passes over targets that are not there (API reference, DeregisterTargets).
    async fn deregister(&self, target_group: &str, targets: &[TargetName]) -> Result<(), Error> {
        if targets.is_empty() {
            return Ok(());
        }
        self.elb
            .client
            .deregister_targets()
            .target_group_arn(target_group)
            .set_targets(Some(described(targets)))
            .send()
            .await
            .map_err(|error| failed(&format!("DeregisterTargets of {target_group}"), &error))?;
        Ok(())
    }

    async fn register(&self, target_group: &str, targets: &[TargetName]) -> Result<(), Error> {
        if targets.is_empty() {
            return Ok(());
        }
        self.elb
            .client
            .register_targets()
            .target_group_arn(target_group)
            .set_targets(Some(described(targets)))
            .send()
            .await
            .map_err(|error| failed(&format!("RegisterTargets of {target_group}"), &error))?;
        Ok(())
    }

    async fn deregistration_delay(&self, target_group: &str) -> Result<Duration, Error> {
        let answer = self
            .elb
            .client
            .describe_target_group_attributes()
            .target_group_arn(target_group)
            .send()
            .await
            .map_err(|error| {
                failed(
                    &format!("DescribeTargetGroupAttributes of {target_group}"),
                    &error,
                )
            })?;
        delay(answer.attributes(), target_group)
    }
}

/// A target without a port is a Lambda function (Elastic Load Balancing API reference, TargetDescription), and no task.
fn read(description: &TargetHealthDescription) -> Option<Target> {
    let target = description.target()?;
    let name = TargetName {
        id: target.id()?.to_owned(),
        port: u16::try_from(target.port()?).ok()?,
    };
    let state = description.target_health().and_then(|health| health.state());
    Some(Target {
        name,
        draining: state == Some(&TargetHealthStateEnum::Draining),
    })
}

fn described(targets: &[TargetName]) -> Vec<TargetDescription> {
    let described = targets.iter().map(|target| {
        TargetDescription::builder()
            .id(&target.id)
            .port(i32::from(target.port))
            .build()
    });
    described.collect()
}

fn delay(attributes: &[TargetGroupAttribute], target_group: &str) -> Result<Duration, Error> {
    let value = attributes
        .iter()
        .find(|attribute| attribute.key() == Some(DELAY))
        .and_then(|attribute| attribute.value());
    let Some(value) = value else {
        return Ok(DEFAULT_DELAY);
    };
    value.parse().map(Duration::from_secs).map_err(|_| {
        let message = format!(
            "DescribeTargetGroupAttributes of {target_group}: `{DELAY}`, value `{value}`: must be seconds"
        );
        Error::new(Code::Rejected, message)
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_elasticloadbalancingv2::types::TargetHealth;

    use super::*;

    #[test]
    fn a_target_drains_only_once_it_was_taken_out() {
        let of = |state| {
            let target = TargetDescription::builder().id("10.0.0.9").port(8080).build();
            let health = TargetHealth::builder().state(state).build();
            let description = TargetHealthDescription::builder().target(target);
            read(&description.target_health(health).build())
        };
        let expected = |draining| {
            let name = TargetName {
                id: "10.0.0.9".to_owned(),
                port: 8080,
            };
            Some(Target { name, draining })
        };
        assert_eq!(of(TargetHealthStateEnum::Draining), expected(true));
        for registered in [
            TargetHealthStateEnum::Healthy,
            TargetHealthStateEnum::Initial,
            TargetHealthStateEnum::UnhealthyDraining,
            TargetHealthStateEnum::Unused,
        ] {
            assert_eq!(of(registered), expected(false));
        }
        let function = TargetDescription::builder().id("arn:aws:lambda:x").build();
        assert_eq!(
            read(&TargetHealthDescription::builder().target(function).build()),
            None
        );
    }

    #[test]
    fn the_delay_is_the_owners_or_the_default_and_never_guessed() {
        let attribute = |key, value| TargetGroupAttribute::builder().key(key).value(value).build();
        let sticky = attribute("stickiness.enabled", "true");
        let with = |value| delay(&[sticky.clone(), attribute(DELAY, value)], "arn:x");
        assert_eq!(with("0"), Ok(Duration::ZERO));
        assert_eq!(with("45"), Ok(Duration::from_secs(45)));
        assert_eq!(
            delay(std::slice::from_ref(&sticky), "arn:x"),
            Ok(Duration::from_secs(300))
        );
        let error = with("soon").expect_err("no number");
        assert_eq!(error.code, Code::Rejected);
        assert!(
            error.message.contains("arn:x") && error.message.contains("`soon`"),
            "{error}"
        );
    }
}
