//! What the model asks of the outside, and what the outside answers.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use super::pipeline::JobId;
use super::target_group::TargetKey;
use super::task::{Task, TaskId};
use super::time::Millis;

/// Something for the outside to do or to know.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Start the task's app; answer with [`Answer::AppStarted`] when it listens, and with [`Answer::AppExited`]
    /// when it ends, whyever it ends.
    StartApp {
        /// The task.
        task: TaskId,
        /// Service that the task belongs to.
        service: String,
        /// Addresses to listen on: the private one, and the public one if there is one.
        addresses: Vec<Ipv4Addr>,
        /// Ports to listen on at each address.
        ports: Vec<u16>,
        /// The essential container's environment.
        environment: BTreeMap<String, String>,
        /// The essential container's command.
        command: Vec<String>,
    },
    /// Ask the app to stop as SIGTERM would, and kill it after `grace`.
    StopApp {
        /// The task.
        task: TaskId,
        /// The container's stop timeout at the world's speed.
        grace: Duration,
    },
    /// Probe a target; answer with [`Answer::TargetProbed`].
    ProbeTarget {
        /// ARN of the target group.
        target_group: String,
        /// The target as it is registered.
        target: TargetKey,
        /// Port to probe: the target's own or the health check's.
        port: u16,
        /// Path to GET.
        path: String,
        /// The health check's timeout at the world's speed.
        timeout: Duration,
    },
    /// Run a container health check; answer with [`Answer::ContainerProbed`].
    ProbeContainer {
        /// The task.
        task: TaskId,
        /// The task's private address.
        address: Ipv4Addr,
        /// Port named in the health check's command.
        port: u16,
        /// Path named in it.
        path: String,
        /// Timeout at the world's speed.
        timeout: Duration,
    },
    /// The task's last or desired status or its health changed: what EventBridge calls "ECS Task State Change".
    TaskStateChanged {
        /// When.
        at: Millis,
        /// The task as it was then: several changes may come in one batch of effects.
        task: Box<Task>,
    },
    /// Invoke a pipeline job's function, which is to answer with PutJobSuccessResult or PutJobFailureResult; answer
    /// with [`Answer::JobNotInvoked`] if that cannot be done.
    InvokeJob {
        /// The job.
        job: JobId,
    },
}

/// How an app ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppExit {
    /// It ran and exited.
    Code(i32),
    /// It never got as far as listening, for this reason.
    CannotStart(String),
}

/// How a health probe went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeOutcome {
    /// HTTP status of the response.
    Status(u16),
    /// No response in time.
    TimedOut,
    /// No connection, or no HTTP in it.
    Failed,
}

/// What the outside reports, for [`super::World::answer`]. Late and doubled answers do no harm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The task's app listens. A task is not RUNNING before, so that a busy machine does not make fast simulated
    /// health checks find a process that is still being loaded.
    AppStarted {
        /// The task.
        task: TaskId,
    },
    /// The task's app ended.
    AppExited {
        /// The task.
        task: TaskId,
        /// How.
        exit: AppExit,
    },
    /// A target was probed.
    TargetProbed {
        /// ARN of the target group.
        target_group: String,
        /// The target.
        target: TargetKey,
        /// How it went.
        outcome: ProbeOutcome,
    },
    /// A container health check ran.
    ContainerProbed {
        /// The task.
        task: TaskId,
        /// Whether it passed.
        healthy: bool,
    },
    /// A pipeline job's function could not be invoked.
    JobNotInvoked {
        /// The job.
        job: JobId,
        /// Why, for people.
        why: String,
    },
}
