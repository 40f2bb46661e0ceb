//! Decisions by connections as timelines: a pass every three seconds, a load, and what follows.

mod scale_in;
mod scale_out;
mod stories;
mod unknown;

use jiff::Timestamp;

use super::mode::Mode;
use super::reading::Reading;
use super::steps::Steps;
use super::target::Target;
use super::window::Window;
use super::*;

/// Seconds from one pass to the next.
const PASS: i64 = 3;

/// A service whose tasks share its connections evenly, and what is remembered of it.
struct Timeline {
    policy: Policy,
    counts: Counts,
    window: Window,
    history: History,
    /// The second of the next pass.
    second: i64,
    /// Seconds from asking for a task to its first connection.
    start: i64,
    /// When tasks will run that were asked for.
    starting: Vec<i64>,
    /// Whether somebody carries decisions out.
    acts: bool,
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("a moment")
}

fn steps(text: &str) -> Mode {
    Mode::Steps(Steps::parse(text).expect("steps"))
}

fn target(connections: &str) -> Mode {
    Mode::Target(Target::parse(connections).expect("a target"))
}

/// The example of the tag's documentation.
fn table() -> Mode {
    steps("50:2 100:10 300:15 500:20")
}

impl Timeline {
    /// A service with as many tasks, 1 to 20 allowed, whose new tasks take 40 seconds to start.
    fn new(mode: Mode, count: u32) -> Self {
        Self {
            policy: Policy {
                min: 1,
                max: 20,
                scale_in: true,
                mode,
            },
            counts: Counts {
                desired: count,
                running: count,
                rollout: false,
            },
            window: Window::default(),
            history: History::default(),
            second: 0,
            start: 40,
            starting: Vec::new(),
            acts: true,
        }
    }

    /// One that has had the same load for the stable window, nobody acting on it.
    fn settled(mode: Mode, count: u32, load: u64) -> Self {
        let mut t = Self::new(mode, count);
        t.acts = false;
        t.passes(100, load);
        t.acts = true;
        t
    }

    /// One pass that finds as many connections.
    fn pass(&mut self, load: u64) -> Decision {
        self.start_tasks();
        let running = u64::from(self.counts.running);
        let answers: Vec<Result<u64, String>> = (0..running)
            .map(|task| Ok(load / running + u64::from(task < load % running)))
            .collect();
        self.look(&Reading::of(self.counts.running, &answers))
    }

    /// One pass with these answers of all tasks.
    fn answers(&mut self, answers: &[Option<u64>]) -> Decision {
        self.start_tasks();
        let answers: Vec<Result<u64, String>> = answers
            .iter()
            .map(|answer| answer.ok_or("timed out".to_owned()))
            .collect();
        self.look(&Reading::of(self.counts.running, &answers))
    }

    /// One pass in which nobody answers.
    fn silence(&mut self) -> Decision {
        self.answers(&vec![None; self.counts.running as usize])
    }

    /// As many passes with the same load; the last one's decision.
    fn passes(&mut self, count: usize, load: u64) -> Decision {
        (0..count).map(|_| self.pass(load)).last().expect("a pass")
    }

    /// No pass for so long.
    fn nobody_looks(&mut self, seconds: i64) -> &mut Self {
        self.second += seconds;
        self
    }

    fn start_tasks(&mut self) {
        let now = self.second;
        let ready = self.starting.extract_if(.., |moment| *moment <= now).count();
        self.counts.running += ready as u32;
    }

    fn look(&mut self, pass: &Result<Reading, String>) -> Decision {
        let now = at(self.second);
        self.window.record(pass, self.counts.desired, now);
        let decision = decide(&self.policy, self.counts, &self.window, &self.history, now);
        if self.acts {
            self.act(decision.wish);
        }
        self.second += PASS;
        decision
    }

    fn act(&mut self, wish: Wish) {
        let now = at(self.second);
        match wish {
            Wish::ScaleOut { to } => {
                let more = to - self.counts.desired;
                self.starting
                    .extend(vec![self.second + self.start; more as usize]);
                self.counts.desired = to;
                self.history.scaled_out_at = Some(now);
            }
            Wish::ScaleIn { to } => {
                (self.counts.desired, self.counts.running) = (to, to);
                self.history.scaled_in_at = Some(now);
            }
            Wish::Hold => {}
        }
    }

    /// The count as it changes under a load that follows from the second: second and count of each change.
    fn changes(&mut self, seconds: i64, load: impl Fn(i64) -> u64) -> Vec<(i64, u32)> {
        let mut changes = Vec::new();
        let end = self.second + seconds;
        while self.second < end {
            let (second, before) = (self.second, self.counts.desired);
            self.pass(load(second));
            if self.counts.desired != before {
                changes.push((second, self.counts.desired));
            }
        }
        changes
    }
}

fn hold(reason: Reason) -> Decision {
    Decision {
        wish: Wish::Hold,
        reason,
    }
}

fn out(to: u32, reason: Reason) -> Decision {
    Decision {
        wish: Wish::ScaleOut { to },
        reason,
    }
}

fn inn(to: u32, total: u64, needed: u32) -> Decision {
    Decision {
        wish: Wish::ScaleIn { to },
        reason: Reason::LowForStableWindow { total, needed },
    }
}

fn not_stable(since: i64) -> Decision {
    hold(Reason::NotStableYet { since: at(since) })
}

fn step_above(mean: u64, threshold: u32, wanted: u32) -> Reason {
    Reason::StepAbove {
        mean,
        threshold,
        wanted,
    }
}

fn target_above(total: u64, wanted: u32) -> Reason {
    Reason::TargetAbove {
        total,
        target: 100,
        wanted,
    }
}
