//! The target groups of the wake function, and why a door cannot be led to one.

use std::collections::BTreeSet;

use aws_sdk_elasticloadbalancingv2::types::{ProtocolEnum, TargetTypeEnum};
use dormouse_core::error::{Code, Error};
use dormouse_core::front::DoorId;
use futures_util::future::try_join;

use super::{By, arn};
use crate::Aws;
use crate::errors::failed;

/// The tag that lets a listener or rule be led to the wake function; the functions' policy asks for it, too.
pub(super) const TAG: &str = "dormouse:front";
/// Its value.
pub(super) const ON: &str = "on";

/// A target group of the wake function, and the load balancers that use it.
#[derive(Clone, Debug)]
pub(super) struct Usage {
    pub(super) target_group: String,
    pub(super) balancers: Vec<String>,
}

impl Aws {
    /// The configured ones that there are.
    pub(super) async fn wake_target_groups(&self) -> Result<Vec<Usage>, Error> {
        let (arns, names): (Vec<String>, Vec<String>) = self
            .doors
            .wake
            .iter()
            .cloned()
            .partition(|name| name.starts_with("arn:"));
        let (arns, names) = try_join(self.usages(&arns, By::Arn), self.usages(&names, By::Name)).await?;
        Ok(names.into_iter().chain(arns).collect())
    }
}

impl Aws {
    /// The target groups in this account whose target is a function, by its name or ARN.
    pub async fn target_groups_of_function(&self, function: &str) -> Result<Vec<String>, Error> {
        let mut pages = self
            .elb
            .client
            .describe_target_groups()
            .into_paginator()
            .items()
            .send();
        let mut of_functions = Vec::new();
        while let Some(group) = pages.next().await {
            let group = group.map_err(|error| failed("DescribeTargetGroups", &error))?;
            if group.target_type == Some(TargetTypeEnum::Lambda) {
                of_functions.extend(group.target_group_arn);
            }
        }
        let name = format!(":function:{function}");
        let mut found = Vec::new();
        for target_group in of_functions {
            let targets = self.elb.health(&target_group).await?;
            let is_it = |id: &str| id == function || id.ends_with(&name);
            if targets.iter().any(|target| is_it(&target.id)) {
                found.push(target_group);
            }
        }
        Ok(found)
    }
}

/// The target group by which a load balancer reaches the wake function. "Each target group can be associated with only one
/// load balancer" ("Target groups for your Application Load Balancers"), so it is the one that it uses already, else one that
/// nobody does; `given` are those that other load balancers are to use in the same moment.
pub(super) fn choose(
    balancer: &str,
    configured: &[Usage],
    given: &mut BTreeSet<String>,
) -> Result<String, Error> {
    if configured.is_empty() {
        let message = "the wake function has no target group: deploy its stack with the parameter Front=on, or name one in \
                       FrontTargetGroups";
        return Err(Error::new(Code::FrontNotLed, message));
    }
    let used = configured
        .iter()
        .find(|usage| usage.balancers.iter().any(|user| user == balancer));
    let free = || {
        configured
            .iter()
            .find(|usage| usage.balancers.is_empty() && !given.contains(&usage.target_group))
    };
    let Some(usage) = used.or_else(free) else {
        let message = format!(
            "no target group of the wake function is left for {balancer}: each can be used with one load balancer only, and \
             the {} that there are belong to others; make another one and add it to the stack's parameter \
             FrontTargetGroups",
            configured.len()
        );
        return Err(Error::new(Code::FrontNotLed, message));
    };
    given.insert(usage.target_group.clone());
    Ok(usage.target_group.clone())
}

pub(super) fn untagged(door: &DoorId) -> Error {
    let region = arn::region(&door.0);
    let what = if arn::is_rule(door) { "rule" } else { "listener" };
    let message = format!(
        "{what} {door} has no tag {TAG}={ON}, without which it may not be led to the wake function; to set it: aws elbv2 \
         add-tags --region {region} --resource-arns {door} --tags Key={TAG},Value={ON}"
    );
    Error::new(Code::FrontNotLed, message)
}

pub(super) fn no_application(listener: &str, protocol: Option<&ProtocolEnum>) -> Error {
    let protocol = protocol.map_or("another protocol", ProtocolEnum::as_str);
    let message = format!(
        "listener {listener} speaks {protocol}: only those of Application Load Balancers can lead to a function; take {TAG} \
         off the service"
    );
    Error::new(Code::FrontNotLed, message)
}

pub(super) fn rewrites(rule: &DoorId) -> Error {
    let message = format!(
        "rule {rule} rewrites the host or path of requests, so the wake function could not tell which rule a request came \
         through"
    );
    Error::new(Code::FrontNotLed, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(target_group: &str, balancers: &[&str]) -> Usage {
        Usage {
            target_group: target_group.to_owned(),
            balancers: balancers.iter().map(|arn| (*arn).to_owned()).collect(),
        }
    }

    #[test]
    fn a_load_balancer_keeps_its_target_group_and_takes_none_of_another() {
        let configured = [usage("a", &["other"]), usage("b", &[]), usage("c", &["mine"])];
        let mut given = BTreeSet::new();
        assert_eq!(choose("mine", &configured, &mut given).as_deref(), Ok("c"));
        assert_eq!(choose("new", &configured, &mut given).as_deref(), Ok("b"));
        let error = choose("newer", &configured, &mut given).expect_err("none is left");
        assert_eq!(error.code, Code::FrontNotLed);
        assert!(error.message.contains("FrontTargetGroups"), "{error}");
        let error = choose("mine", &[], &mut given).expect_err("none at all");
        assert!(error.message.contains("Front=on"), "{error}");
    }

    #[test]
    fn a_door_without_its_tag_says_how_to_set_it() {
        let rule =
            "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/dev/b1/l1/r1".to_owned();
        let error = untagged(&DoorId(rule.clone()));
        let command = format!(
            "aws elbv2 add-tags --region eu-west-1 --resource-arns {rule} --tags Key=dormouse:front,Value=on"
        );
        assert!(error.message.ends_with(&command), "{error}");
    }
}
