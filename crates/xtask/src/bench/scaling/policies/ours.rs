//! Dormouse itself: the real decision, with a reading of every task each three seconds.

use dormouse_core::scaling::connections::mode::Mode;
use dormouse_core::scaling::connections::reading::Reading;
use dormouse_core::scaling::connections::target::Target;
use dormouse_core::scaling::connections::window::Window;
use dormouse_core::scaling::connections::{self, Counts, Wish};
use dormouse_core::scaling::load::History;
use jiff::Timestamp;

use crate::bench::scaling::fleet::{Look, Policy, Setup};

/// Seconds from one pass to the next: the stack's default `TickSeconds`.
const PASS: u32 = 3;

pub(super) struct Ours {
    policy: connections::Policy,
    window: Window,
    history: History,
}

impl Ours {
    /// With `dormouse:target`.
    pub(super) fn new(setup: Setup) -> Self {
        let target = Target::try_from(setup.target).unwrap_or_else(|rule| unreachable!("{rule}"));
        Self {
            policy: connections::Policy {
                min: Setup::MIN,
                max: Setup::MAX,
                scale_in: true,
                mode: Mode::Target(target),
            },
            window: Window::default(),
            history: History::default(),
        }
    }
}

impl Policy for Ours {
    fn step(&mut self, look: Look) -> Option<u32> {
        if !look.second.is_multiple_of(PASS) {
            return None;
        }
        let now = Timestamp::from_second(1_800_000_000 + i64::from(look.second)).ok()?;
        // Every task answers, and they share the connections evenly.
        let share = |task: u32| look.load / look.running + u32::from(task < look.load % look.running);
        let answers: Vec<Result<u64, String>> =
            (0..look.running).map(|task| Ok(u64::from(share(task)))).collect();
        let reading = Reading::of(look.running, &answers);
        self.window.record(&reading, look.desired, now);
        let counts = Counts {
            desired: look.desired,
            running: look.running,
            rollout: false,
        };
        match connections::decide(&self.policy, counts, &self.window, &self.history, now).wish {
            Wish::ScaleOut { to } => {
                self.history.scaled_out_at = Some(now);
                Some(to)
            }
            Wish::ScaleIn { to } => {
                self.history.scaled_in_at = Some(now);
                Some(to)
            }
            Wish::Hold => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::scaling::fleet::tests::{SETUP, counts, load};

    #[test]
    fn the_real_decision_answers_a_spike_at_the_next_pass_and_lets_go_after_the_stable_window() {
        let load = load(&[(0, 150), (601, 1000), (901, 150)], 1500);
        // At most twice as many at once. The last reading of the spike is at 900 s; it is forgotten 300 s later, or up to
        // 10 s after that, because peaks are kept in groups of 10 s.
        let counts = counts(&mut Ours::new(SETUP), &load);
        assert_eq!(counts[..2], [(603, 6), (606, 10)]);
        assert!(
            counts.len() == 3 && (1200..=1210).contains(&counts[2].0) && counts[2].1 == 2,
            "{counts:?}"
        );
    }
}
