//! What holds for every load, every failure and every rhythm of passes.

mod decisions;
mod windows;

use proptest::prelude::*;

use super::mode::Mode;
use super::reading::Reading;
use super::steps::Steps;
use super::target::Target;
use super::window::{MOST_READINGS, MOST_SLOTS, SLOT_SECONDS, Window};
use super::*;
use crate::duration;
use crate::scaling::SCALE_IN_COOLDOWN;

/// One pass: milliseconds since the one before, tasks desired, tasks that start, and the answers.
#[derive(Clone, Debug)]
struct Pass {
    after: i64,
    desired: u32,
    starting: u32,
    answers: Vec<Result<u64, String>>,
}

/// A service after some passes.
#[derive(Clone, Debug)]
struct Scene {
    policy: Policy,
    passes: Vec<Pass>,
    desired: u32,
    running: u32,
    rollout: bool,
    history: History,
    /// Milliseconds since the last pass.
    later: i64,
}

const BEGIN: i64 = 1_800_000_000_000;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(BEGIN + ms).expect("a moment")
}

impl Scene {
    fn moments(&self) -> Vec<Timestamp> {
        let mut ms = 0;
        let moment = |pass: &Pass| {
            ms += pass.after;
            at(ms)
        };
        self.passes.iter().map(moment).collect()
    }

    fn now(&self) -> Timestamp {
        let last = self.moments().last().copied();
        let later = Duration::from_millis(self.later as u64);
        last.map_or(at(0), |last| duration::after(last, later))
    }

    fn readings(&self) -> Vec<(Timestamp, Result<Reading, String>)> {
        let reading = |pass: &Pass| {
            Reading::of(pass.answers.len() as u32, &pass.answers).map(|it| it.and_starting(pass.starting))
        };
        self.moments()
            .into_iter()
            .zip(self.passes.iter().map(reading))
            .collect()
    }

    fn window(&self) -> Window {
        let mut window = Window::default();
        for ((at, reading), pass) in self.readings().iter().zip(&self.passes) {
            window.record(reading, pass.desired, *at);
        }
        window
    }

    fn counts(&self) -> Counts {
        let (desired, running, rollout) = (self.desired, self.running, self.rollout);
        Counts {
            desired,
            running,
            rollout,
        }
    }

    fn decide(&self) -> Decision {
        decide(
            &self.policy,
            self.counts(),
            &self.window(),
            &self.history,
            self.now(),
        )
    }
}

/// The fewest tasks over which a total asks for no more, found by trying.
fn least(mode: &Mode, total: u64) -> u32 {
    (1..).find(|n| mode.wanted(total, *n) <= *n).expect("a count")
}

fn mode() -> impl Strategy<Value = Mode> {
    let target = (1u32..60).prop_map(|n| Mode::Target(Target::try_from(n).expect("a target")));
    let steps = ["10:2 20:5 40:9", "0:2 30:12", "5:1 6:2 7:3 8:15", "25:8"];
    let steps = proptest::sample::select(steps.to_vec());
    prop_oneof![
        target,
        steps.prop_map(|text| Mode::Steps(Steps::parse(text).expect("steps")))
    ]
}

fn moment() -> impl Strategy<Value = Option<Timestamp>> {
    proptest::option::weighted(0.1, (-600_000i64..400_000).prop_map(at))
}

/// Passes that look like a service's: mostly regular, mostly known, sometimes with a peak. One number makes the
/// answers of a pass, because a strategy for each would take longer than all tests.
fn passes(tasks: u32) -> impl Strategy<Value = Vec<Pass>> {
    let after =
        || prop_oneof![300 => Just(3000i64), 30 => 1000i64..9000, 1 => 10_000i64..20_000, 1 => -2000i64..0];
    let rarely = || proptest::option::weighted(0.005, 1u32..400);
    let trouble = prop_oneof![4 => Just(0u64), 1 => Just(2), 1 => Just(30)];
    let length = prop_oneof![1 => 0usize..20, 6 => 101usize..140];
    (0u64..40, trouble, length).prop_flat_map(move |(calm, percent, length)| {
        let pass =
            (after(), any::<u64>(), rarely(), rarely()).prop_map(move |(after, noise, peak, desired)| {
                let part = |task: u32| noise.rotate_left(7 * task);
                let answer = |task: u32| match peak {
                    _ if part(task) % 100 < percent => Err("timed out".to_owned()),
                    Some(peak) if task == 0 => Ok(u64::from(peak)),
                    _ => Ok(part(task) % (calm + 1)),
                };
                Pass {
                    after,
                    desired: desired.map_or(tasks, |desired| desired % 20),
                    starting: u32::from(part(40) % 100 < percent),
                    answers: (0..tasks).map(answer).collect(),
                }
            });
        proptest::collection::vec(pass, length)
    })
}

prop_compose! {
    fn scene()(tasks in 1u32..12)(
        mode in mode(), min in 0u32..4, above in 0u32..16, scale_in in proptest::bool::weighted(0.95),
        passes in passes(tasks), rollout in proptest::bool::weighted(0.03),
        desired in prop_oneof![20 => Just(tasks), 1 => 0u32..20],
        running in prop_oneof![20 => Just(tasks), 1 => 0u32..20],
        scaled_out_at in moment(), scaled_in_at in moment(), gave_up_at in moment(),
        later in prop_oneof![9 => Just(0i64), 1 => 0i64..30_000],
    ) -> Scene {
        let policy = Policy { min, max: min + above, scale_in, mode };
        let history = History { scaled_out_at, scaled_in_at, gave_up_at };
        Scene { policy, passes, desired, running, rollout, history, later }
    }
}
