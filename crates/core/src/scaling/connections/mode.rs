//! What connections ask for: the one of the two tags that the owner gave.

use serde::{Deserialize, Serialize};

use super::steps::Steps;
use super::target::Target;
use crate::scaling::reason::Reason;

/// What connections ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The count of a table at the mean of connections per task.
    Steps(Steps),
    /// So many tasks that none has more than a target, on average.
    Target(Target),
}

impl Mode {
    /// The fewest tasks over which `total` connections ask for no more than there are; never less for more
    /// connections.
    #[must_use]
    pub fn needed(&self, total: u64) -> u32 {
        match self {
            Self::Steps(steps) => steps.needed(total),
            Self::Target(target) => target.needed(total),
        }
    }

    /// The tasks that `total` connections ask for if `tasks` share them. More than `tasks` exactly if those are fewer
    /// than needed, and then enough: see [`Mode::needed`].
    #[must_use]
    pub fn wanted(&self, total: u64, tasks: u32) -> u32 {
        match self {
            Self::Steps(steps) => steps.at(total, tasks).map_or(0, |step| step.tasks),
            Self::Target(target) => target.needed(total),
        }
    }

    /// Why it asks for so many.
    pub(super) fn why(&self, total: u64, tasks: u32) -> Option<Reason> {
        match self {
            Self::Steps(steps) => steps.at(total, tasks).map(|step| Reason::StepAbove {
                mean: total.div_ceil(u64::from(tasks.max(1))),
                threshold: step.above,
                wanted: step.tasks,
            }),
            Self::Target(target) => Some(Reason::TargetAbove {
                total,
                target: target.connections(),
                wanted: target.needed(total),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn modes() -> [Mode; 2] {
        let steps = Steps::parse("50:2 100:10 300:15 500:20").expect("steps");
        [
            Mode::Steps(steps),
            Mode::Target(Target::parse("100").expect("a target")),
        ]
    }

    proptest! {
        #[test]
        fn fewer_than_needed_ask_for_more_and_what_they_ask_for_is_enough(total in 0u64..20_000, tasks in 1u32..40) {
            for mode in modes() {
                let (needed, wanted) = (mode.needed(total), mode.wanted(total, tasks));
                prop_assert_eq!(wanted > tasks, tasks < needed);
                prop_assert!(tasks >= needed || wanted >= needed);
                prop_assert!(mode.needed(total + 1) >= needed);
                prop_assert!(mode.wanted(total, tasks + 1) <= wanted);
            }
        }
    }
}
