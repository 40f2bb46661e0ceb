//! How far a wake is, as a share of the whole.

use jiff::Timestamp;

use super::{Place, STEPS, Wakes};

/// Seconds that the steps take of which nothing is known yet. AWS publishes none: these are our estimates for small images on
/// Fargate, as the simulator has them; a new target is healthy after its first check (Elastic Load Balancing, "Health checks
/// for Application Load Balancer target groups"), which is due every 30 s unless set.
const FIRST: [u32; STEPS.len()] = [2, 12, 15, 2, 20];

/// The share of each step in a wake.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shares([f64; STEPS.len()]);

impl Shares {
    /// As long as each step usually takes. One that waits for others, of whose wakes nothing is known, waits as long as a wake
    /// takes.
    #[must_use]
    pub fn of(wakes: &Wakes, waits_for_others: bool) -> Self {
        let mut usual = [0.0; STEPS.len()];
        for (step, usual) in usual.iter_mut().enumerate() {
            let first = match step {
                0 if waits_for_others => FIRST.iter().sum(),
                _ => FIRST[step],
            };
            *usual = f64::from(wakes.usual(step).unwrap_or(first));
        }
        let all: f64 = usual.iter().sum();
        // Whatever took no time at all.
        Self(if all > 0.0 { usual } else { FIRST.map(f64::from) })
    }
}

/// How far a service is, from 0 to 1; 1 only if it is ready. Within a wake it never falls unless a task does.
#[must_use]
pub fn of_service(shares: &Shares, place: &Place, now: Timestamp) -> f64 {
    let Some((first, last, elapsed)) = place.span(now) else {
        return 1.0;
    };
    let sum = |steps: &[f64]| -> f64 { steps.iter().sum() };
    let Shares(shares) = shares;
    let span = sum(&shares[first..=last]);
    let so_far = sum(&shares[..first]) + span * filled(elapsed.as_secs_f64(), span);
    (so_far.max(sum(&shares[..last])) / sum(shares)).clamp(0.0, 0.99)
}

/// How much of a step is behind after this time, for one that usually takes `usual`: all of it never, so that the bar slows
/// down instead of standing still or running over. It rises ever more slowly, so that a step whose length turns out to be
/// longer never takes back what was shown.
fn filled(elapsed: f64, usual: f64) -> f64 {
    const STEADY: f64 = 0.9;
    if usual <= 0.0 {
        return 0.0;
    }
    let share = elapsed / usual;
    if share <= STEADY {
        share
    } else {
        1.0 - (1.0 - STEADY) * STEADY / share
    }
}
