//! Tasks.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::container_health::ContainerHealth;
use super::network::Interface;
use super::service::{ServiceKey, ServiceLoadBalancer};
use super::tags::Tag;
use super::task_definition::TaskDefinition;
use super::time::Millis;

/// 32 hex digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct TaskId(pub String);

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Last status of a task, in the order in which a task goes through it ("Amazon ECS task lifecycle",
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The network interface is being made.
    Provisioning,
    /// The image is being pulled.
    Pending,
    /// The containers are being started.
    Activating,
    /// The containers run; nothing is said about whether they answer.
    Running,
    /// Targets are being drained.
    Deactivating,
    /// SIGTERM was sent.
    Stopping,
    /// The network interface is being deleted.
    Deprovisioning,
    /// Gone; described for one more hour.
    Stopped,
}

impl Stage {
    /// `PROVISIONING` and so on.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Provisioning => "PROVISIONING",
            Stage::Pending => "PENDING",
            Stage::Activating => "ACTIVATING",
            Stage::Running => "RUNNING",
            Stage::Deactivating => "DEACTIVATING",
            Stage::Stopping => "STOPPING",
            Stage::Deprovisioning => "DEPROVISIONING",
            Stage::Stopped => "STOPPED",
        }
    }
}

/// The app in the task's main container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum App {
    /// Not started yet.
    None,
    /// Told to start.
    Starting,
    /// Started.
    Running,
    /// Ended with this code; `None` if it never ran, with the reason in [`Task::container_reason`].
    Exited(Option<i32>),
}

/// What an app says about its work. The outside reports it, tests set it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// CPU, percent of what is reserved.
    pub cpu: f64,
    /// Memory, percent of what is reserved.
    pub memory: f64,
    /// Open connections.
    pub connections: u64,
}

impl Default for Load {
    /// An idle app.
    fn default() -> Self {
        Load {
            cpu: 1.0,
            memory: 10.0,
            connections: 0,
        }
    }
}

/// A task.
#[derive(Clone, Debug)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// Its ARN.
    pub arn: String,
    /// Tasks in the order in which they were made.
    pub number: u64,
    /// Its cluster.
    pub cluster: String,
    /// The service it belongs to.
    pub service: ServiceKey,
    /// Id of the deployment that made it.
    pub deployment: String,
    /// Target groups that it is registered in while it runs.
    pub load_balancers: Vec<ServiceLoadBalancer>,
    /// What it runs.
    pub definition: Arc<TaskDefinition>,
    /// Last status.
    pub stage: Stage,
    /// Whether its desired status is STOPPED.
    pub stop_wanted: bool,
    /// +1 with each change of status or health.
    pub version: u64,
    /// When it was made.
    pub created_at: Millis,
    /// When its interface was attached.
    pub connected_at: Option<Millis>,
    /// When the pull began.
    pub pull_started_at: Option<Millis>,
    /// When the pull ended.
    pub pull_stopped_at: Option<Millis>,
    /// When it came to RUNNING.
    pub started_at: Option<Millis>,
    /// When its end began.
    pub stopping_at: Option<Millis>,
    /// When its app had ended.
    pub execution_stopped_at: Option<Millis>,
    /// When it was gone.
    pub stopped_at: Option<Millis>,
    /// Why it stops: `ServiceSchedulerInitiated`, `EssentialContainerExited`, `TaskFailedToStart`, `UserInitiated`.
    pub stop_code: Option<&'static str>,
    /// Why it stops, for people.
    pub stopped_reason: Option<String>,
    /// Why the main container could not start or ended.
    pub container_reason: Option<String>,
    /// Its network interface once it is attached.
    pub interface: Option<Interface>,
    /// The app in it.
    pub app: App,
    /// Scale-in protection ends then.
    pub protected_until: Option<Millis>,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// Work of its app.
    pub load: Load,
    pub(crate) health: ContainerHealth,
    pub(crate) network: TaskNetwork,
    /// When its present stage ends by itself.
    pub(crate) due: Option<Millis>,
}

/// What the interface is to be made with.
#[derive(Clone, Debug, Default)]
pub(crate) struct TaskNetwork {
    pub(crate) subnet: String,
    pub(crate) groups: Vec<String>,
    pub(crate) public: bool,
}

impl Task {
    /// Whether it counts as one of its service's: it is there and not on its way out.
    pub fn is_alive(&self) -> bool {
        !self.stop_wanted
    }

    /// `RUNNING` or `STOPPED`.
    pub fn desired_status(&self) -> &'static str {
        if self.stop_wanted { "STOPPED" } else { "RUNNING" }
    }

    /// Whether a scale-in or rollout must leave it alone at `now`.
    pub fn is_protected(&self, now: Millis) -> bool {
        self.protected_until.is_some_and(|until| until > now)
    }

    /// Health by the container health check.
    pub fn health_status(&self) -> super::HealthStatus {
        self.health.status
    }

    pub(crate) fn interface_exists(&self) -> bool {
        self.interface.is_some() && self.stage < Stage::Stopped
    }
}
