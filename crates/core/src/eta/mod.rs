//! How long a wake takes: learned from earlier wakes of the same services, step by step.
//!
//! The moments are ECS's own, so the lengths are right whoever looks, and whenever; nothing is written on the way but the
//! moment at which a service is first seen ready.

mod left;
mod place;
mod progress;
mod wakes;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use left::Left;
pub use place::Place;
pub use progress::{Shares, of_service as progress};
pub use wakes::{FirstReady, KEPT, PastWake, Wakes};

use crate::status::StepName;

/// The steps of a wake, in their order: Needs, Provisioning, Pulling, Starting, Checking.
pub const STEPS: [StepName; 5] = [
    StepName::Needs,
    StepName::Provisioning,
    StepName::Pulling,
    StepName::Starting,
    StepName::Checking,
];

/// The number of the last step.
const CHECKING: usize = STEPS.len() - 1;

/// The value that so many hundredths of all are not above, by nearest rank: of eleven the 50th is the 6th and the 90th the
/// 10th. None of nothing.
fn percentile<T: Copy + Ord>(values: impl IntoIterator<Item = T>, percent: usize) -> Option<T> {
    let mut sorted: Vec<T> = values.into_iter().collect();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

fn median<T: Copy + Ord>(values: impl IntoIterator<Item = T>) -> Option<T> {
    percentile(values, 50)
}

fn p90<T: Copy + Ord>(values: impl IntoIterator<Item = T>) -> Option<T> {
    percentile(values, 90)
}
