//! How fast a tick reads from ECS: half of both read buckets, glances and closer looks together.

use std::cell::RefCell;
use std::time::Duration;

use jiff::Timestamp;

use crate::duration;
use crate::ports::Clock;
use crate::quota::pace::Pace;

/// Calls to ECS that read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Calls {
    /// DescribeServices.
    pub(super) services: u32,
    /// ListTasks and DescribeTasks.
    pub(super) tasks: u32,
}

/// What is left of both buckets, and until when somebody waits for more.
pub(super) struct Reads {
    services: RefCell<Pace>,
    tasks: RefCell<Pace>,
    until: Timestamp,
}

impl Reads {
    /// One of so many equal parts of them.
    pub(super) fn part_of(parts: u32, until: Timestamp) -> Self {
        Self {
            services: RefCell::new(Pace::part_of(parts)),
            tasks: RefCell::new(Pace::part_of(parts)),
            until,
        }
    }

    /// Waits until calls may be made, and says whether they may: not if there is no time left.
    pub(super) async fn wait_for<W: Clock>(&self, world: &W, calls: Calls) -> bool {
        loop {
            let now = world.now();
            if now >= self.until {
                return false;
            }
            let Some(wait) = self.spend(calls, now) else {
                return true;
            };
            world.pause(wait).await;
        }
    }

    /// Counts calls that may be made now; else says after which time to ask again.
    fn spend(&self, calls: Calls, now: Timestamp) -> Option<Duration> {
        let (mut services, mut tasks) = (self.services.borrow_mut(), self.tasks.borrow_mut());
        let free = |pace: &Pace, calls: u32| calls == 0 || pace.left(now) > 0;
        if !free(&services, calls.services) || !free(&tasks, calls.tasks) {
            return Some(services.wait());
        }
        services.spend(calls.services, now);
        tasks.spend(calls.tasks, now);
        None
    }

    /// Waits until some of so many calls on services may be made: how many. None if there is no time left.
    pub(super) async fn some<W: Clock>(&self, world: &W, most: usize) -> usize {
        let one = Calls {
            services: 1,
            tasks: 0,
        };
        if most == 0 || !self.wait_for(world, one).await {
            return 0;
        }
        let (now, mut pace) = (world.now(), self.services.borrow_mut());
        let more = pace.left(now).min(u32::try_from(most - 1).unwrap_or(u32::MAX));
        pace.spend(more, now);
        1 + more as usize
    }

    /// How many calls on services there is time for, if half of it is for the turns.
    pub(super) fn most_services(&self, now: Timestamp) -> usize {
        most(
            *self.services.borrow(),
            now,
            duration::between(now, self.until) / 2,
        )
    }

    /// How many calls on tasks there is time for.
    pub(super) fn most_tasks(&self, now: Timestamp) -> usize {
        most(*self.tasks.borrow(), now, duration::between(now, self.until))
    }
}

fn most(pace: Pace, now: Timestamp, time: Duration) -> usize {
    let flows_in = time.as_millis() / pace.wait().as_millis().max(1);
    pace.left(now) as usize + usize::try_from(flows_in).unwrap_or(usize::MAX)
}

/// With which of so many to begin if they need more calls than there is time for: each minute goes on about where the one
/// before ended.
pub(super) fn begin(of: usize, calls: usize, most: usize, now: Timestamp) -> usize {
    if calls <= most || of == 0 {
        return 0;
    }
    let a_tick = (of * most / calls).max(1);
    let minute = usize::try_from(now.as_second().div_euclid(60)).unwrap_or(0);
    minute.wrapping_mul(a_tick) % of
}
