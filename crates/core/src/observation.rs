//! What is: a group's services and their tasks as AWS reports them, reduced to what decisions need.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;

use crate::error::Error;
use crate::front::{Door, DoorId};
use crate::ids::{GroupName, ServiceId};
use crate::reading::{Reading, Signal};
use crate::record::Phase;
use crate::scalable::Bounds;
use crate::settings::AppUrl;

/// One look at a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// What is known of each service of the group, and of those that it needs of other groups.
    pub services: BTreeMap<ServiceId, Seen>,
    /// What is known of each group that it needs, and of each that needs it.
    pub groups: BTreeMap<GroupName, Neighbour>,
    /// What the signals say; empty unless the readings were asked for.
    pub readings: Vec<(ServiceId, Signal, Reading)>,
    /// The scalable target of each service, or why it is not known; a service that Application Auto Scaling does not
    /// scale has none. None: it was not asked for.
    pub bounds: Option<BTreeMap<ServiceId, Result<Option<Bounds>, Error>>>,
    /// The doors that lead to its services, and those that were led away, or why they are not known. None: nobody asked.
    pub doors: Option<Result<BTreeMap<DoorId, Door>, Error>>,
    /// Whether the wake function answers at doors; those that were asked.
    pub proofs: BTreeMap<DoorId, Result<(), Error>>,
}

/// What a look at one service gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Its state.
    Known(ServiceState),
    /// Nothing, and why. `ServiceNotFound` and `ClusterNotFound` are here too.
    Unknown(Error),
}

/// What a look at a group that is needed, or that needs this one, gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Neighbour {
    /// Its state. A group that is gone is asleep and has no services.
    Known(GroupState),
    /// Nothing, and why.
    Unknown(Error),
}

/// What other groups must know of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupState {
    /// Where it is.
    pub phase: Phase,
    /// Since when; none: as long as anybody remembers.
    pub since: Option<Timestamp>,
    /// Whether somebody put it to sleep, by hand or behind our back.
    pub put_to_sleep: bool,
    /// Its services.
    pub services: Vec<ServiceId>,
    /// Why the last UpdateService of some of them failed.
    pub failures: BTreeMap<ServiceId, Error>,
}

impl GroupState {
    /// Whether what it has is up, or on its way.
    #[must_use]
    pub fn is_up(&self) -> bool {
        matches!(self.phase, Phase::Waking | Phase::Awake)
    }
}

/// The state of one service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceState {
    /// Tasks that should run.
    pub desired: u32,
    /// Tasks that run.
    pub running: u32,
    /// Tasks on their way to running.
    pub pending: u32,
    /// The tasks that are not stopped; empty when none should run.
    pub tasks: Vec<TaskState>,
    /// Why the tasks could not be looked at, if they could not.
    pub tasks_unknown: Option<String>,
    /// When the rollout under way began, if there is one.
    pub rollout_since: Option<Timestamp>,
    /// ECS's own words about what keeps tasks from running: those that say why before those that only say that, and
    /// newer ones first.
    pub troubles: Vec<Trouble>,
    /// The load balancer's address, or why it has none that a visitor can use; none without a load balancer.
    pub load_balancer: Option<Result<AppUrl, Error>>,
    /// The ARNs of its target groups. If there are any, they decide about readiness.
    pub target_groups: Vec<String>,
}

/// The state of one task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskState {
    /// The last part of its ARN.
    pub id: String,
    /// How far it is.
    pub stage: TaskStage,
    /// Container health check: `None` if the task definition has none.
    pub health: Option<Health>,
    /// Its target in each target group of the service; empty without a load balancer.
    pub targets: Vec<Health>,
    /// The answer of its probe path, if it was asked.
    pub probe: Option<Probe>,
    /// Where it can be reached.
    pub address: TaskAddress,
    /// Its own address inside the VPC, which names its target in a target group; none until it has one, and for tasks
    /// that share their instance's.
    pub private: Option<IpAddr>,
    /// When it came how far.
    pub times: TaskTimes,
}

/// When a task came how far, as ECS tells it (Amazon ECS API reference, "Task"); none: not yet, or ECS does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TaskTimes {
    /// It was made, which is when its capacity and network interface begin to be found.
    pub created: Option<Timestamp>,
    /// Its network interface was attached and its agent reachable, so that all is there that the pull needs.
    pub connected: Option<Timestamp>,
    /// The pull of its image began.
    pub pull_started: Option<Timestamp>,
    /// The pull ended.
    pub pull_stopped: Option<Timestamp>,
    /// Its containers ran.
    pub started: Option<Timestamp>,
}

/// How far a task is, in the words of ECS's task lifecycle (Amazon ECS Developer Guide, "Task lifecycle").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TaskStage {
    /// A network interface and capacity are being found.
    Provisioning,
    /// The image is being pulled.
    Pending,
    /// Containers start.
    Activating,
    /// Containers run, which is not yet to say that they answer.
    Running,
    /// The task is on its way out.
    Stopping,
}

/// What a health check says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It passed.
    Healthy,
    /// Not yet, or no longer; in the words of who checks.
    Unhealthy(String),
    /// Not known, and why.
    Unknown(String),
}

/// What the probe path answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// An HTTP status.
    Status(u16),
    /// No answer, and why.
    Failed(String),
}

/// Where a task can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskAddress {
    /// A public address and the app's port.
    Public(IpAddr, u16),
    /// Only an address inside the VPC, and the app's port.
    PrivateOnly(IpAddr, u16),
    /// Not known yet.
    Unknown,
}

/// ECS's words about a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// When.
    pub at: Timestamp,
    /// What ECS said.
    pub message: String,
}
