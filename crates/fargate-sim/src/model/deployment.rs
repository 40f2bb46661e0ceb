//! Deployments of a service: one for each change of what its tasks are.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::service::ServiceKey;
use super::task_definition::TaskDefinition;
use super::time::Millis;
use super::world::World;

/// Place of a deployment in its service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeploymentStatus {
    /// The newest.
    Primary,
    /// Still has tasks and is being replaced.
    Active,
}

impl DeploymentStatus {
    /// `PRIMARY` or `ACTIVE`.
    pub fn name(self) -> &'static str {
        match self {
            DeploymentStatus::Primary => "PRIMARY",
            DeploymentStatus::Active => "ACTIVE",
        }
    }
}

/// How far a deployment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RolloutState {
    /// On its way.
    InProgress,
    /// Came to a steady state.
    Completed,
    /// Given up by the circuit breaker.
    Failed,
}

impl RolloutState {
    /// `IN_PROGRESS`, `COMPLETED`, `FAILED`.
    pub fn name(self) -> &'static str {
        match self {
            RolloutState::InProgress => "IN_PROGRESS",
            RolloutState::Completed => "COMPLETED",
            RolloutState::Failed => "FAILED",
        }
    }
}

/// One deployment.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// `ecs-svc/` and digits.
    pub id: String,
    /// Its place.
    pub status: DeploymentStatus,
    /// What its tasks run.
    pub definition: Arc<TaskDefinition>,
    /// The network configuration as it was given.
    pub network: Option<Value>,
    /// Tasks that failed ("Deployment", failedTasks: could not be launched, did not come to RUNNING, or were
    /// stopped for a failed health check).
    pub failed_tasks: u32,
    /// How far it is.
    pub rollout: RolloutState,
    /// In words.
    pub rollout_reason: String,
    /// When it was made.
    pub created_at: Millis,
    /// When it last changed.
    pub updated_at: Millis,
    /// Launches in a row that never came to RUNNING.
    pub(crate) failures_in_row: u32,
    /// No launch before this.
    pub(crate) start_after: Option<Millis>,
}

impl Deployment {
    pub(crate) fn new(
        id: String,
        definition: Arc<TaskDefinition>,
        network: Option<Value>,
        now: Millis,
    ) -> Self {
        Deployment {
            rollout_reason: format!("ECS deployment {id} in progress."),
            id,
            status: DeploymentStatus::Primary,
            definition,
            network,
            failed_tasks: 0,
            rollout: RolloutState::InProgress,
            created_at: now,
            updated_at: now,
            failures_in_row: 0,
            start_after: None,
        }
    }

    fn awsvpc(&self, field: &str) -> Option<&Value> {
        self.network.as_ref()?.get("awsvpcConfiguration")?.get(field)
    }

    /// Subnets it may use.
    pub fn subnets(&self) -> Vec<String> {
        texts(self.awsvpc("subnets"))
    }

    /// Security groups of its interfaces.
    pub fn security_groups(&self) -> Vec<String> {
        texts(self.awsvpc("securityGroups"))
    }

    /// Whether its tasks get public addresses.
    pub fn assigns_public_address(&self) -> bool {
        self.awsvpc("assignPublicIp").and_then(Value::as_str) == Some("ENABLED")
    }

    /// A task came to RUNNING.
    pub(crate) fn launched(&mut self) {
        self.failures_in_row = 0;
        self.start_after = None;
    }
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_string).collect()
}

/// Wait before the next launch after `failures` in a row. "Amazon ECS service throttle logic"
/// (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-throttle-logic.html>) says that the time
/// between attempts grows up to 27 minutes when tasks go from PENDING to STOPPED, and that tasks which were
/// RUNNING once are not throttled. When it begins and how it grows is our estimate: from the third failure on,
/// 10 s doubled each time.
pub(crate) fn backoff(failures: u32) -> Option<Duration> {
    let doublings = failures.checked_sub(3)?;
    Some(Duration::from_secs((10u64 << doublings.min(10)).min(27 * 60)))
}

impl World {
    pub(crate) fn deployment_mut(&mut self, key: &ServiceKey, id: &str) -> Option<&mut Deployment> {
        self.services
            .get_mut(key)?
            .deployments
            .iter_mut()
            .find(|d| d.id == id)
    }

    /// A task of this deployment stopped without having been RUNNING.
    pub(crate) fn launch_failed(&mut self, key: &ServiceKey, id: &str, now: Millis) {
        let timing = self.config.timing.clone();
        let Some(deployment) = self.deployment_mut(key, id) else {
            return;
        };
        deployment.failed_tasks += 1;
        deployment.failures_in_row += 1;
        deployment.updated_at = now;
        if let Some(wait) = backoff(deployment.failures_in_row) {
            deployment.start_after = Some(now + timing.scaled(wait));
            if let Some(service) = self.services.get_mut(key) {
                service.say(&mut self.ids, now, super::events::CANNOT_START);
            }
        }
    }
}
