//! A service and its tasks, as far as the protocols depend on them.

use dormouse_core::observation::{Health, ServiceState, TaskAddress, TaskStage, TaskState};
use dormouse_core::scalable::Bounds;

use crate::kept::Kept;
use crate::names;

/// A service of ECS.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Service {
    /// Its desired count.
    pub desired: u32,
    /// Its tasks that are not stopped, by number.
    pub tasks: Vec<Task>,
    /// The number of its newest task. Where tasks can be told apart, none is used twice.
    pub newest: u8,
    /// Its scalable target, if it has one.
    pub bounds: Option<Kept<Bounds>>,
    /// Whether its tasks have targets in the target group.
    pub balanced: bool,
}

/// A task that runs and answers: who starts slowly is not there yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Task {
    /// Its number: id and address are made of it.
    pub number: u8,
    /// Who uses it.
    pub session: Session,
    /// When its protection from scale-in ends.
    pub protected_until: Option<u32>,
    /// Its target.
    pub target: Place,
}

/// Who uses a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Session {
    /// Nobody.
    None,
    /// Somebody, whose session was not reported yet.
    Begun,
    /// Somebody.
    Live,
}

/// Where the target of a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// In its target group.
    Registered,
    /// Taken out; it finishes what it has up to this second.
    Draining(u32),
    /// Not in its target group.
    Out,
}

impl Task {
    /// A task that has just started.
    #[must_use]
    pub fn new(number: u8) -> Self {
        Self {
            number,
            session: Session::None,
            protected_until: None,
            target: Place::Registered,
        }
    }

    /// Whether ECS spares it in a scale-in.
    #[must_use]
    pub fn is_protected(&self, now: u32) -> bool {
        self.protected_until.is_some_and(|until| until > now)
    }
}

impl Service {
    /// A service whose tasks all run.
    #[must_use]
    pub fn running(desired: u32, balanced: bool) -> Self {
        let newest = u8::try_from(desired).unwrap_or(u8::MAX);
        Self {
            desired,
            tasks: (1..=newest).map(Task::new).collect(),
            newest: if balanced { newest } else { 0 },
            bounds: None,
            balanced,
        }
    }

    /// How many tasks it has.
    #[must_use]
    pub fn count(&self) -> u32 {
        u32::try_from(self.tasks.len()).unwrap_or(u32::MAX)
    }

    /// One of its tasks, by number.
    pub fn task(&mut self, number: u8) -> Option<&mut Task> {
        self.tasks.iter_mut().find(|task| task.number == number)
    }

    /// The tasks that ECS may stop now, because fewer are desired than run: any that is not protected.
    #[must_use]
    pub fn may_stop(&self, now: u32) -> Vec<u8> {
        let unprotected = self.tasks.iter().filter(|task| !task.is_protected(now));
        match self.count() > self.desired {
            true => unprotected.map(|task| task.number).collect(),
            false => Vec::new(),
        }
    }

    /// Starts the tasks that are missing.
    pub fn start_missing(&mut self) {
        while self.count() < self.desired {
            let is_free = |number: &u8| self.tasks.iter().all(|task| task.number != *number);
            let number = (self.newest + 1..=u8::MAX).find(is_free).unwrap_or(u8::MAX);
            if self.balanced {
                self.newest = number;
            }
            self.tasks.push(Task::new(number));
            self.tasks.sort_by_key(|task| task.number);
        }
    }

    /// What ECS and the load balancer tell of it.
    #[must_use]
    pub fn state(&self) -> ServiceState {
        let task = |task: &Task| TaskState {
            id: names::task(task.number),
            stage: TaskStage::Running,
            health: Some(Health::Healthy),
            targets: match (self.balanced, task.target) {
                (false, _) => Vec::new(),
                (true, Place::Registered) => vec![Health::Healthy],
                (true, Place::Draining(_)) => vec![Health::Unhealthy("it drains".to_owned())],
                (true, Place::Out) => vec![Health::Unhealthy("it is not registered".to_owned())],
            },
            probe: None,
            address: TaskAddress::Unknown,
            private: Some(names::address(task.number)),
            times: Default::default(),
        };
        ServiceState {
            desired: self.desired,
            running: self.count(),
            pending: self.desired.saturating_sub(self.count()),
            tasks: self.tasks.iter().map(task).collect(),
            target_groups: match self.balanced {
                true => vec![names::TARGET_GROUP.to_owned()],
                false => Vec::new(),
            },
            ..ServiceState::default()
        }
    }
}
