//! What is remembered of a service's wakes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{CHECKING, STEPS, median, p90};
use crate::ids::Generation;

/// How many wakes of a service are kept. Our choice: of eleven the median is the 6th and the 90th percentile the 10th, so
/// that one wake that hung changes neither.
pub const KEPT: usize = 11;

/// When a service was first seen ready in this generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstReady {
    /// When.
    pub at: Timestamp,
    /// Whether somebody was watching, who looks every few seconds: then it had been ready for no longer than that. Else the
    /// tick found out, up to a minute late.
    pub watched: bool,
}

/// What one wake of a service took. Stored as an array of whole numbers, the generation first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<u64>", into = "Vec<u64>")]
pub struct PastWake {
    /// The generation that it began.
    pub generation: Generation,
    /// Seconds of each step but the last.
    pub took: [u32; CHECKING],
    /// Seconds of the last one; none: nobody was watching when it ended.
    pub checking: Option<u32>,
}

impl From<PastWake> for Vec<u64> {
    fn from(wake: PastWake) -> Self {
        let took = wake.took.into_iter().chain(wake.checking).map(u64::from);
        std::iter::once(wake.generation.0).chain(took).collect()
    }
}

impl TryFrom<Vec<u64>> for PastWake {
    type Error = String;

    fn try_from(numbers: Vec<u64>) -> Result<Self, Self::Error> {
        let seconds = |number: &u64| u32::try_from(*number).unwrap_or(u32::MAX);
        let parsed = match numbers.as_slice() {
            [generation, rest @ ..] if rest.len() <= STEPS.len() => {
                let took: Vec<u32> = rest.iter().take(CHECKING).map(seconds).collect();
                <[u32; CHECKING]>::try_from(took).ok().map(|took| Self {
                    generation: Generation(*generation),
                    took,
                    checking: rest.get(CHECKING).map(seconds),
                })
            }
            _ => None,
        };
        parsed.ok_or_else(|| {
            format!("past wake {numbers:?}: must be the generation and the seconds of 4 or 5 steps")
        })
    }
}

/// The last wakes of a service, the oldest first, at most [`KEPT`]. As JSON one takes about 20 bytes and all together 250 at
/// most in ordinary life (seconds of up to three digits, generations of up to four), because every tick reads them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Wakes(Vec<PastWake>);

impl Wakes {
    /// None yet.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Whether none is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All that are kept.
    #[must_use]
    pub fn all(&self) -> &[PastWake] {
        &self.0
    }

    /// Keeps one more, and drops the oldest that are too many.
    pub fn push(&mut self, wake: PastWake) {
        self.0.push(wake);
        let surplus = self.0.len().saturating_sub(KEPT);
        self.0.drain(..surplus);
    }

    /// Seconds that a step took in each wake of which that is known.
    fn seconds_of(&self, step: usize) -> impl Iterator<Item = u32> {
        self.0.iter().filter_map(move |wake| {
            wake.took
                .get(step)
                .copied()
                .or(wake.checking.filter(|_| step >= CHECKING))
        })
    }

    /// Seconds that a step usually takes: their median.
    #[must_use]
    pub fn usual(&self, step: usize) -> Option<u32> {
        median(self.seconds_of(step))
    }

    /// Seconds that a step usually takes at most: their 90th percentile.
    #[must_use]
    pub fn at_most(&self, step: usize) -> Option<u32> {
        p90(self.seconds_of(step))
    }

    /// The wakes with the seconds of all their steps. Where nobody watched the end, the last step took what it usually takes;
    /// none if nobody ever watched one.
    pub(super) fn whole(&self) -> Vec<(Generation, [u32; STEPS.len()])> {
        let usual = self.usual(CHECKING);
        let whole = |wake: &PastWake| {
            let [needs, provisioning, pulling, starting] = wake.took;
            let checking = wake.checking.or(usual)?;
            Some((
                wake.generation,
                [needs, provisioning, pulling, starting, checking],
            ))
        };
        self.0.iter().filter_map(whole).collect()
    }

    /// How many can be told time from.
    #[must_use]
    pub fn known(&self) -> usize {
        self.whole().len()
    }
}
