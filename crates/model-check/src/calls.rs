//! The calls that functions make, and the answers they get: the steps between which everything else may happen.

use std::fmt;

use dormouse_core::error::Code;
use dormouse_core::record::Record;
use dormouse_core::scalable::{Bounds, Suspended};
use dormouse_core::scale_in::plan::Plan;

use crate::kept::Kept;
use crate::world::Service;

/// A call to the outside.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// Settings and record of the group.
    Load,
    /// Write the record over its version.
    Save(Kept<Record>),
    /// Look at these services.
    Observe(Vec<u8>),
    /// Read the signal.
    Read,
    /// UpdateService.
    SetDesired {
        /// Which service.
        service: u8,
        /// The count.
        count: u32,
    },
    /// Ask for the scalable targets.
    Bounds,
    /// Set what is suspended of a scalable target.
    Suspend {
        /// Which service.
        service: u8,
        /// What.
        suspended: Kept<Suspended>,
    },
    /// Start the sleep timer of this generation.
    StartTimer(u64),
    /// The sessions of these tasks.
    Rows(Vec<u8>),
    /// The protections of these tasks.
    ProtectedUntil(Vec<u8>),
    /// Protect these tasks for so many minutes, or no longer.
    Protect(Vec<u8>, Option<u32>),
    /// The targets of the target group.
    Targets,
    /// Take the targets of these tasks out.
    Deregister(Vec<u8>),
    /// Put them back.
    Register(Vec<u8>),
    /// The plan of the scale-in.
    Plan,
    /// Write the plan over its version.
    SavePlan(Kept<Plan>),
    /// Remove exactly this plan.
    RemovePlan(Kept<Plan>),
    /// Whether the execution runs.
    Runs,
    /// The CPU utilization of the last minutes.
    Utilization,
}

/// What a call is answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// The record.
    Record(Kept<Record>),
    /// Whether a conditional write was written.
    Saved(bool),
    /// The services that were looked at; none: unknown.
    Seen(Vec<Option<Service>>),
    /// What the signal says.
    Reading(Reading),
    /// It is done, or why not.
    Done(Result<(), Code>),
    /// The scalable targets.
    Bounds(Vec<Option<Kept<Bounds>>>),
    /// The tasks with reported sessions.
    InUse(Vec<u8>),
    /// Protections of tasks that are there, each with its end.
    Protections(Vec<(u8, Option<u32>)>),
    /// Targets, each with whether it drains.
    Targets(Vec<(u8, bool)>),
    /// The plan.
    Plan(Option<Kept<Plan>>),
    /// Whether it runs.
    Runs(bool),
    /// Whether more tasks are needed; none: unknown.
    High(Option<bool>),
}

/// What the signal says now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reading {
    /// Nobody has used the group for long.
    Quiet,
    /// Somebody uses it.
    Active,
    /// Nothing is known.
    Unknown,
}

impl Answer {
    /// Whether it says that something is not known.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        match self {
            Self::Seen(seen) => seen.contains(&None),
            Self::Reading(reading) => *reading == Reading::Unknown,
            Self::High(high) => high.is_none(),
            _ => false,
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load => write!(f, "loads the record"),
            Self::Save(record) => {
                write!(
                    f,
                    "saves {} over version {}",
                    record.phase.as_str(),
                    record.version
                )
            }
            Self::Observe(_) => write!(f, "looks at the services"),
            Self::Read => write!(f, "reads the signal"),
            Self::SetDesired { service, count } => {
                write!(f, "sets the count of service {service} to {count}")
            }
            Self::Bounds => write!(f, "asks for the scalable target"),
            Self::Suspend { service, suspended } => {
                let what = if **suspended == Suspended::ALL {
                    "suspends"
                } else {
                    "resumes"
                };
                write!(f, "{what} the scaling of service {service}")
            }
            Self::StartTimer(generation) => write!(f, "starts the sleep timer of generation {generation}"),
            Self::Rows(tasks) => write!(f, "asks for the sessions of {}", Tasks(tasks)),
            Self::ProtectedUntil(tasks) => write!(f, "asks for the protection of {}", Tasks(tasks)),
            Self::Protect(tasks, Some(_)) => write!(f, "protects {}", Tasks(tasks)),
            Self::Protect(tasks, None) => write!(f, "ends the protection of {}", Tasks(tasks)),
            Self::Targets => write!(f, "asks for the targets"),
            Self::Deregister(tasks) => write!(f, "deregisters {}", Tasks(tasks)),
            Self::Register(tasks) => write!(f, "registers {}", Tasks(tasks)),
            Self::Plan => write!(f, "loads the plan"),
            Self::SavePlan(plan) => write!(f, "saves the plan over version {}", plan.version),
            Self::RemovePlan(_) => write!(f, "removes the plan"),
            Self::Runs => write!(f, "asks whether the execution runs"),
            Self::Utilization => write!(f, "asks for the utilization"),
        }
    }
}

struct Tasks<'a>(&'a [u8]);

impl fmt::Display for Tasks<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("no task");
        }
        for (n, task) in self.0.iter().enumerate() {
            write!(f, "{}t{task}", if n == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}
