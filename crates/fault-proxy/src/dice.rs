//! Which calls fail, and how, by a seed.

use std::collections::HashMap;
use std::time::Duration;

use fastrand::Rng;

use crate::fault::Fault;

/// How late a slow answer is, in milliseconds. The functions give an attempt 4 s, so that some are given up.
const LATE: std::ops::Range<u64> = 500..5_000;

/// Decides about each call.
///
/// The n-th call of an operation has the same fate with the same seed, whatever other operations are called in between:
/// so a run can be repeated as far as the order of calls in real time can.
#[derive(Clone, Debug)]
pub struct Dice {
    rate: f64,
    seed: u64,
    kinds: Vec<Fault>,
    calls: HashMap<String, u64>,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fate {
    pub(crate) fault: Fault,
    /// How late the answer is if it is slow.
    pub(crate) late: Duration,
}

impl Dice {
    /// Lets this share of the calls fail, 0 to 1, each in one of all ways.
    #[must_use]
    pub fn new(rate: f64, seed: u64) -> Self {
        Self::of(rate, seed, &Fault::ALL)
    }

    /// Lets this share of the calls fail, 0 to 1, each in one of these ways.
    #[must_use]
    pub fn of(rate: f64, seed: u64, kinds: &[Fault]) -> Self {
        Self {
            rate,
            seed,
            kinds: kinds.to_vec(),
            calls: HashMap::new(),
        }
    }

    /// The fate of the next call of this operation; `None` if nothing happens to it.
    pub(crate) fn throw(&mut self, operation: &str) -> Option<Fate> {
        let before = self.calls.entry(operation.to_owned()).or_default();
        let mut rng = Rng::with_seed(self.seed ^ hash(operation).wrapping_add(*before));
        *before += 1;
        // Seeds that differ in few bits begin alike.
        rng.u64(..);
        (rng.f64() < self.rate)
            .then(|| rng.choice(&self.kinds).copied())
            .flatten()
            .map(|fault| Fate {
                fault,
                late: Duration::from_millis(rng.u64(LATE)),
            })
    }
}

/// FNV-1a: the standard library's hashes differ from version to version.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_is_the_same_fate_whatever_is_called_in_between() {
        let fates = |others: usize, seed| {
            let mut dice = Dice::new(0.3, seed);
            let next = |_| {
                for _ in 0..others {
                    dice.throw("GetItem");
                }
                dice.throw("UpdateService")
            };
            (0..200).map(next).collect::<Vec<_>>()
        };
        assert_eq!(fates(0, 7), fates(3, 7));
        assert_ne!(fates(0, 7), fates(0, 8));
    }

    #[test]
    fn as_many_fail_as_asked_and_all_kinds_come() {
        let mut dice = Dice::new(0.05, 1);
        let fates: Vec<_> = (0..20_000).filter_map(|_| dice.throw("PutItem")).collect();
        assert!((900..1_100).contains(&fates.len()), "{}", fates.len());
        for kind in Fault::ALL {
            let count = fates.iter().filter(|fate| fate.fault == kind).count();
            assert!((80..170).contains(&count), "{kind:?}: {count}");
        }
        let mut never = Dice::new(0.0, 1);
        assert!((0..1_000).all(|_| never.throw("PutItem").is_none()));
        let mut always = Dice::new(1.0, 1);
        assert!((0..1_000).all(|_| always.throw("PutItem").is_some()));
    }
}
