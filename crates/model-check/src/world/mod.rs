//! A small world: the table, ECS, a target group, and what people and faults may still do.

mod calls;
mod execution;
mod happens;
mod service;

pub use calls::How;
pub use execution::Execution;
pub use service::{Place, Service, Session, Task};

use std::fmt;

use dormouse_core::record::Record;
use dormouse_core::scale_in::plan::Plan;

use crate::calls::Call;
use crate::ghost::Ghost;
use crate::kept::Kept;

/// All that is outside of functions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    /// Seconds since the beginning.
    pub now: u32,
    /// The record of the group.
    pub record: Kept<Record>,
    /// The plan of the scale-in.
    pub plan: Option<Kept<Plan>>,
    /// The services, in the order of the settings.
    pub services: Vec<Service>,
    /// Calls that were given up by who made them, and may still land.
    pub late: Vec<Late>,
    /// The scale-in under way.
    pub execution: Option<Execution>,
    /// Whether more tasks are needed.
    pub high: bool,
    /// What may still happen.
    pub budget: Budget,
    /// What a god sees.
    pub ghost: Ghost,
}

/// A call whose outcome nobody knows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Late {
    /// The call.
    pub call: Call,
    /// The last second at which it may land.
    pub until: u32,
}

/// How often things may still happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Budget {
    /// Somebody asks for the group.
    pub wakes: u8,
    /// Somebody asks for the group with this many tasks.
    pub wakes_to: (u8, u32),
    /// Somebody asks for sleep.
    pub sleeps: u8,
    /// A status page looks.
    pub looks: u8,
    /// A sleep timer looks: of this generation or of an older one.
    pub timers: u8,
    /// A function dies.
    pub crashes: u8,
    /// A call is given up whose outcome nobody knows.
    pub unsure: u8,
    /// A look fails.
    pub unknown: u8,
    /// The execution of the state machine is lost.
    pub lost: u8,
    /// A session begins.
    pub begins: u8,
    /// A session ends.
    pub ends: u8,
    /// More tasks are needed.
    pub bursts: u8,
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>4} s  {}", self.now, self.record.phase.as_str())?;
        for (n, service) in self.services.iter().enumerate() {
            write!(f, ", service {n}: {} of {} run", service.count(), service.desired)?;
            if service.bounds.as_ref().is_some_and(|bounds| bounds.is_held()) {
                f.write_str(" (scaling suspended)")?;
            }
            for task in &service.tasks {
                let marks = [
                    (task.session != Session::None, "in use"),
                    (task.is_protected(self.now), "protected"),
                    (matches!(task.target, Place::Draining(_)), "draining"),
                    (task.target == Place::Out, "deregistered"),
                ];
                let marks: Vec<&str> = marks
                    .into_iter()
                    .filter(|(is, _)| *is)
                    .map(|(_, mark)| mark)
                    .collect();
                if !marks.is_empty() {
                    write!(f, ", t{} {}", task.number, marks.join(" and "))?;
                }
            }
        }
        if let Some(execution) = &self.execution {
            write!(f, ", scale-in at {}", execution.state())?;
        }
        let mut services = self.record.services.values();
        if services.any(|service| service.scaling.claim.is_some()) {
            f.write_str(", claimed")?;
        }
        if self.plan.is_some() {
            f.write_str(", planned")?;
        }
        Ok(())
    }
}
