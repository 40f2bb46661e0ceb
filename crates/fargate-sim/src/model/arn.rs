//! Amazon Resource Names: building them, and reading the names in them.
//!
//! Shapes: "Actions, resources, and condition keys for Amazon ECS" in the Service Authorization Reference.

use super::config::Config;

impl Config {
    pub(crate) fn cluster_arn(&self, cluster: &str) -> String {
        self.ecs(format!("cluster/{cluster}"))
    }

    pub(crate) fn service_arn(&self, cluster: &str, service: &str) -> String {
        self.ecs(format!("service/{cluster}/{service}"))
    }

    pub(crate) fn task_arn(&self, cluster: &str, id: &str) -> String {
        self.ecs(format!("task/{cluster}/{id}"))
    }

    /// ARN of a container.
    pub(crate) fn container_arn(&self, cluster: &str, task: &str, id: &str) -> String {
        self.ecs(format!("container/{cluster}/{task}/{id}"))
    }

    pub(crate) fn task_definition_arn(&self, family: &str, revision: u32) -> String {
        self.ecs(format!("task-definition/{family}:{revision}"))
    }

    pub(crate) fn elb_arn(&self, resource: &str) -> String {
        format!(
            "arn:aws:elasticloadbalancing:{}:{}:{resource}",
            self.region, self.account
        )
    }

    fn ecs(&self, resource: String) -> String {
        format!("arn:aws:ecs:{}:{}:{resource}", self.region, self.account)
    }
}

/// The name after the last `/` of an ARN of this kind (`cluster`, `service`, `task`), or the text itself when it
/// is no ARN.
pub fn resource_name<'a>(kind: &str, text: &'a str) -> &'a str {
    match text
        .strip_prefix("arn:")
        .and_then(|rest| rest.split_once(&format!(":{kind}/")))
    {
        Some((_, name)) => name.rsplit('/').next().unwrap_or(name),
        None => text,
    }
}

/// Cluster and name in a service's long ARN.
pub fn service_parts(arn: &str) -> Option<(&str, &str)> {
    arn.split_once(":service/")
        .and_then(|(_, rest)| rest.split_once('/'))
}
