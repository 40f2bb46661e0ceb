//! The fleet that every policy has: tasks that take a while to start, and what a run over a load cost.

use std::collections::VecDeque;

/// What all policies are given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setup {
    /// Connections that a task can serve.
    pub(super) capacity: u32,
    /// Connections per task that a policy aims at.
    pub(super) target: u32,
}

impl Setup {
    /// Seconds from the call until a new task serves, whoever calls. fargate-sim's estimates add up to 27.5 s until the
    /// container runs (scheduler 1, provisioning 10, pulling 15, activating 1.5); the rest is for health checks.
    pub(super) const START: u32 = 35;
    /// Fewest tasks. Scale to zero is the matter of the other half.
    pub(super) const MIN: u32 = 1;
    /// Most tasks; the loads need 20 at most, so that it does not bound an overshoot.
    pub(super) const MAX: u32 = 40;

    /// The fewest tasks with this target that are enough for a load, within bounds.
    pub(super) fn wanted(self, load: f64) -> u32 {
        ((load / f64::from(self.target)).ceil() as u32).clamp(Self::MIN, Self::MAX)
    }
}

/// What a policy sees, once a second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    /// The policy's clock: its periods begin at multiples of their length.
    pub(super) second: u32,
    /// Open connections of all tasks. Those beyond the capacity are open too: they are served badly.
    pub(super) load: u32,
    /// Tasks that should run, with those that start.
    pub(super) desired: u32,
    /// Tasks that serve.
    pub(super) running: u32,
}

/// A policy with its memory.
pub(super) trait Policy {
    /// The count to set now, if it asks for one.
    fn step(&mut self, look: Look) -> Option<u32>;
}

/// What a run cost.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Run {
    /// Seconds in which the load was above the capacity of the tasks that served.
    pub(super) short_seconds: u32,
    /// Seconds of all tasks, from the call that starts one to the call that stops it.
    pub(super) task_seconds: u64,
    /// How often the count was changed.
    pub(super) changes: u32,
    /// When the count was raised.
    pub(super) raised_at: Vec<usize>,
    /// Tasks that served, for each second.
    pub(super) running: Vec<u32>,
}

/// Runs a policy over a load, whose first second finds as many tasks as it needs. The policy's clock is `phase` seconds
/// ahead, because a load does not wait for the beginning of a minute.
pub(super) fn run(policy: &mut dyn Policy, load: &[u32], setup: Setup, phase: u32) -> Run {
    let mut fleet = Fleet {
        running: setup.wanted(f64::from(load.first().copied().unwrap_or(0))),
        starting: VecDeque::new(),
    };
    let mut result = Run::default();
    for (second, load) in load.iter().copied().enumerate() {
        let clock = second as u32 + phase;
        fleet.start(clock);
        let look = Look {
            second: clock,
            load,
            desired: fleet.desired(),
            running: fleet.running,
        };
        if let Some(count) = policy.step(look) {
            let count = count.clamp(Setup::MIN, Setup::MAX);
            if count > look.desired {
                result.raised_at.push(second);
            }
            result.changes += u32::from(count != look.desired);
            fleet.set(count, clock);
        }
        result.short_seconds += u32::from(load > fleet.running * setup.capacity);
        result.task_seconds += u64::from(fleet.desired());
        result.running.push(fleet.running);
    }
    result
}

struct Fleet {
    running: u32,
    /// When each starting task will serve; the last ones last.
    starting: VecDeque<u32>,
}

impl Fleet {
    fn desired(&self) -> u32 {
        self.running + self.starting.len() as u32
    }

    fn start(&mut self, now: u32) {
        while self.starting.pop_front_if(|ready| *ready <= now).is_some() {
            self.running += 1;
        }
    }

    /// More tasks serve after a while; fewer are gone at once, those first that do not serve yet.
    fn set(&mut self, count: u32, now: u32) {
        while self.desired() < count {
            self.starting.push_back(now + Setup::START);
        }
        while self.desired() > count {
            if self.starting.pop_back().is_none() {
                self.running -= 1;
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::bench::scaling) const SETUP: Setup = Setup {
        capacity: 100,
        target: 100,
    };

    /// The counts that a policy sets over a load, and when.
    pub(in crate::bench::scaling) fn counts(policy: &mut dyn Policy, load: &[u32]) -> Vec<(u32, u32)> {
        struct Spy<'a>(&'a mut dyn Policy, Vec<(u32, u32)>);
        impl Policy for Spy<'_> {
            fn step(&mut self, look: Look) -> Option<u32> {
                let count = self.0.step(look)?;
                if count != look.desired {
                    self.1.push((look.second, count));
                }
                Some(count)
            }
        }
        let mut spy = Spy(policy, Vec::new());
        run(&mut spy, load, SETUP, 0);
        spy.1
    }

    /// A load that changes: from which second on it has which value.
    pub(in crate::bench::scaling) fn load(steps: &[(usize, u32)], seconds: usize) -> Vec<u32> {
        let at = |second: usize| {
            steps
                .iter()
                .rfind(|(from, _)| *from <= second)
                .map_or(0, |step| step.1)
        };
        (0..seconds).map(at).collect()
    }

    /// Sets these counts at these seconds.
    struct Script(Vec<(u32, u32)>);

    impl Policy for Script {
        fn step(&mut self, look: Look) -> Option<u32> {
            self.0
                .iter()
                .find(|(at, _)| *at == look.second)
                .map(|(_, count)| *count)
        }
    }

    #[test]
    fn a_new_task_serves_after_its_start_and_is_paid_for_from_the_call() {
        let load = load(&[(0, 100), (10, 201)], 100);
        let run = run(&mut Script(vec![(12, 3)]), &load, SETUP, 0);
        // Short from 10 s until both new tasks serve at 47 s.
        assert_eq!(
            (run.short_seconds, run.changes, run.raised_at.as_slice()),
            (37, 1, &[12][..])
        );
        assert_eq!(run.task_seconds, 12 + 88 * 3);
        assert_eq!((run.running[46], run.running[47]), (1, 3));
    }

    #[test]
    fn fewer_tasks_are_gone_at_once_and_those_that_start_go_first() {
        let load = load(&[(0, 200)], 100);
        let run = run(&mut Script(vec![(10, 4), (20, 3), (80, 1)]), &load, SETUP, 0);
        assert_eq!(
            (run.running[44], run.running[45], run.running[79], run.running[80]),
            (2, 3, 3, 1)
        );
        assert_eq!((run.short_seconds, run.changes), (20, 3));
        assert_eq!(run.task_seconds, 10 * 2 + 10 * 4 + 60 * 3 + 20);
    }

    #[test]
    fn a_load_at_the_capacity_is_served() {
        let run = run(
            &mut Script(vec![(3, 50), (4, 0)]),
            &load(&[(0, 100)], 5),
            SETUP,
            0,
        );
        assert_eq!(run.short_seconds, 0);
        assert_eq!(run.task_seconds, 3 + 40 + 1, "within the bounds");
    }
}
