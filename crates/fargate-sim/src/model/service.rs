//! Services.

use std::collections::VecDeque;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::deployment::Deployment;
use super::events::ServiceEvent;
use super::tags::Tag;
use super::task::{Stage, Task};
use super::time::Millis;
use super::world::World;

/// Cluster and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ServiceKey {
    /// The cluster's name.
    pub cluster: String,
    /// The service's name.
    pub name: String,
}

impl ServiceKey {
    /// A key from its two parts.
    pub fn new(cluster: &str, name: &str) -> ServiceKey {
        ServiceKey {
            cluster: cluster.into(),
            name: name.into(),
        }
    }
}

impl fmt::Display for ServiceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.cluster, self.name)
    }
}

/// Status of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceStatus {
    /// In use.
    Active,
    /// Deleted, with tasks still there.
    Draining,
    /// Deleted and empty; still described, no longer listed.
    Inactive,
}

impl ServiceStatus {
    /// `ACTIVE`, `DRAINING`, `INACTIVE`.
    pub fn name(self) -> &'static str {
        match self {
            ServiceStatus::Active => "ACTIVE",
            ServiceStatus::Draining => "DRAINING",
            ServiceStatus::Inactive => "INACTIVE",
        }
    }
}

/// One load balancer entry of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceLoadBalancer {
    /// The target group.
    pub target_group_arn: String,
    /// The container it leads to.
    pub container_name: String,
    /// The container's port.
    pub container_port: u16,
}

/// A service.
#[derive(Clone, Debug)]
pub struct Service {
    /// Cluster and name.
    pub key: ServiceKey,
    /// Its ARN.
    pub arn: String,
    /// Its status.
    pub status: ServiceStatus,
    /// How many tasks it is to have.
    pub desired_count: u32,
    /// Deployments, the primary one first.
    pub deployments: Vec<Deployment>,
    /// Events, newest first.
    pub events: VecDeque<ServiceEvent>,
    /// Target groups.
    pub load_balancers: Vec<ServiceLoadBalancer>,
    /// Health check grace period, seconds; `None` if it was never set and there is no load balancer.
    pub grace_seconds: Option<u64>,
    /// `minimumHealthyPercent`, 100 unless set.
    pub minimum_healthy_percent: u32,
    /// `maximumPercent`, 200 unless set.
    pub maximum_percent: u32,
    /// Circuit breaker: on, and with rollback.
    pub circuit_breaker: (bool, bool),
    /// `SERVICE`, `TASK_DEFINITION` or `NONE`.
    pub propagate_tags: Option<String>,
    /// Whether ECS puts its own tags on tasks.
    pub managed_tags: bool,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// When it was made.
    pub created_at: Millis,
    /// Fields that the model does not act on, as they were given.
    pub other: Map<String, Value>,
    /// When the scheduler looks at it next.
    pub(crate) look_at: Option<Millis>,
    /// Whether the steady state has been told since the last change.
    pub(crate) steady: bool,
    /// Task definition of the last deployment that completed, for a rollback.
    pub(crate) last_good: Option<Deployment>,
    /// When the lack of capacity was last told.
    pub(crate) no_capacity_told: Option<Millis>,
}

impl Service {
    /// The newest deployment.
    pub fn primary(&self) -> &Deployment {
        // A service is made with one deployment and never loses the first.
        &self.deployments[0]
    }
}

impl World {
    /// A service, whatever its status.
    pub fn service(&self, cluster: &str, name: &str) -> Option<&Service> {
        self.services.get(&ServiceKey::new(cluster, name))
    }

    /// All services.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.services.values()
    }

    /// All tasks that are still described, in the order in which they were made.
    pub fn tasks(&self) -> Vec<&Task> {
        let mut tasks: Vec<&Task> = self.tasks.values().collect();
        tasks.sort_by_key(|t| t.number);
        tasks
    }

    /// The tasks of a service, in the order in which they were made.
    pub fn tasks_of(&self, key: &ServiceKey) -> Vec<&Task> {
        let mut tasks: Vec<&Task> = self.tasks.values().filter(|t| t.service == *key).collect();
        tasks.sort_by_key(|t| t.number);
        tasks
    }

    /// Running and pending count of a service, or of one of its deployments. Tasks on their way out are in
    /// neither (aws/aws-cdk pull request 13559).
    pub fn counts(&self, key: &ServiceKey, deployment: Option<&str>) -> (usize, usize) {
        let tasks = self.tasks.values().filter(|t| t.service == *key);
        let tasks = tasks.filter(|t| deployment.is_none_or(|d| t.deployment == d));
        tasks.fold((0, 0), |(running, pending), task| match task.stage {
            Stage::Running => (running + 1, pending),
            Stage::Provisioning | Stage::Pending | Stage::Activating => (running, pending + 1),
            _ => (running, pending),
        })
    }

    /// Makes the scheduler look at a service soon.
    pub(crate) fn poke(&mut self, key: &ServiceKey, now: Millis) {
        let at = now + self.config.timing.scaled(self.config.timing.scheduler);
        self.look(key, at);
    }

    /// Makes the scheduler look at a service at `at` at the latest.
    pub(crate) fn look(&mut self, key: &ServiceKey, at: Millis) {
        if let Some(service) = self.services.get_mut(key) {
            service.look_at = Some(service.look_at.map_or(at, |old| old.min(at)));
        }
    }
}
