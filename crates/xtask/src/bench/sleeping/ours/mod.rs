//! Dormouse itself: the real decision, driven as its functions drive it.
//!
//! One service behind a load balancer with the signal `requests`, a tick each minute, and metrics that come late.
//! Left out: the sleep timer, which looks a few seconds before the next tick does, and ticks of a sleeping group, which
//! change nothing.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use dormouse_core::decide::{Effect, decide, wanted_readings};
use dormouse_core::ids::{GroupName, ServiceId};
use dormouse_core::intent::{Action, Cause, Intent};
use dormouse_core::minutes::{self, Point};
use dormouse_core::observation::{
    Health, Observation, Seen, ServiceState, TaskAddress, TaskStage, TaskState,
};
use dormouse_core::reading::Reading;
use dormouse_core::record::{Phase, Record};
use dormouse_core::settings::{Defaults, GroupSettings, ServiceSettings};
use jiff::Timestamp;

use super::policy::{Interval, WAKE};

/// Seconds from the end of a minute until CloudWatch shows its metrics. It "usually shows them within 2 minutes"
/// (`dormouse_core::minutes`); the longest of that, against us.
const METRIC_LAG: u32 = 120;
/// Seconds until the tasks of a group that falls asleep are gone, by which its next look finds it asleep:
/// fargate-sim's estimate of deprovisioning is 8 s.
const STOP: u32 = 10;
const MINUTE: u32 = 60;

/// When it would have been awake with this idle time, given the moments of visits, in order.
pub(super) fn intervals(idle_after: Duration, visits: &[u32], end: u32) -> Vec<Interval> {
    let mut world = World::new(idle_after);
    let mut visits = visits.iter().copied().peekable();
    loop {
        let visit = visits.peek().copied().unwrap_or(end);
        let look = world.look.unwrap_or(end);
        let tick = world.tick.unwrap_or(end);
        let second = visit.min(look).min(tick);
        if second >= end {
            break;
        }
        if look == second {
            world.look = None;
            world.turn(second, Action::Look, Cause::TaskState);
        } else if visit == second {
            visits.next();
            world.visit(second);
        } else {
            world.turn(second, Action::Tick, Cause::Tick);
            world.tick = (world.record.phase != Phase::Asleep).then_some(second + MINUTE);
        }
    }
    if let Some(from) = world.awake_from {
        world.close(from, end);
    }
    world.intervals
}

struct World {
    group: GroupSettings,
    service: ServiceId,
    record: Record,
    /// Tasks that are wanted.
    desired: u32,
    /// Since when tasks answer, or from when they will.
    ready: u32,
    /// Since when tasks are paid for, if they are.
    awake_from: Option<u32>,
    /// Next tick, if it is awake.
    tick: Option<u32>,
    /// Next look because something changed.
    look: Option<u32>,
    /// The beginnings of minutes with requests.
    used: Vec<u32>,
    intervals: Vec<Interval>,
}

impl World {
    fn new(idle_after: Duration) -> Self {
        let defaults = Defaults {
            idle_after,
            ..Defaults::default()
        };
        let service = ServiceId::new("dev", "web");
        let settings = ServiceSettings::of(service.clone(), &defaults);
        Self {
            group: GroupSettings {
                wake_timeout: defaults.wake_timeout,
                ..GroupSettings::of(&GroupName::default_group(), vec![settings])
            },
            service,
            record: Record::unseen(moment(0)),
            desired: 0,
            ready: 0,
            awake_from: None,
            tick: None,
            look: None,
            used: Vec::new(),
            intervals: Vec::new(),
        }
    }

    /// Somebody comes: to the app while it is awake, else to the wait page, which leads to the app once it is ready.
    fn visit(&mut self, second: u32) {
        if self.record.phase == Phase::Awake {
            self.request(second);
        } else {
            self.turn(second, Action::wake(), Cause::Http);
            self.request(self.ready);
            let next = (second / MINUTE + 1) * MINUTE;
            self.tick = self.tick.or(Some(next));
        }
    }

    fn request(&mut self, second: u32) {
        let minute = second - second % MINUTE;
        if self.used.last() != Some(&minute) {
            self.used.push(minute);
        }
    }

    /// One turn, as `dormouse_core::engine::turn` takes it.
    fn turn(&mut self, second: u32, action: Action, cause: Cause) {
        let (now, intent) = (moment(second), Intent::of(action, cause));
        let mut seen = Observation {
            services: BTreeMap::from([(self.service.clone(), self.state(second))]),
            bounds: Some(BTreeMap::from([(self.service.clone(), Ok(None))])),
            ..Observation::default()
        };
        loop {
            let questions = wanted_readings(&self.group, &self.record, &seen, &intent, now);
            let answers: Vec<_> = questions
                .iter()
                .map(|question| {
                    (
                        question.service.id.clone(),
                        question.signal,
                        self.requests(second),
                    )
                })
                .collect();
            if answers.is_empty() {
                break;
            }
            seen.readings.extend(answers);
        }
        let decision = decide(&self.group, &self.record, &seen, &intent, now);
        self.record = Record {
            version: self.record.version + 1,
            ..decision.record
        };
        for effect in decision.effects {
            if let Effect::SetDesired { count, .. } = effect {
                self.set_desired(count, second);
            }
        }
    }

    fn set_desired(&mut self, count: u32, second: u32) {
        match (self.desired, count) {
            (0, 1..) => {
                self.awake_from = Some(second);
                self.ready = second + WAKE;
                self.look = Some(self.ready);
            }
            (1.., 0) => {
                if let Some(from) = self.awake_from.take() {
                    self.close(from, second);
                }
                self.look = Some(second + STOP);
            }
            _ => {}
        }
        self.desired = count;
    }

    fn close(&mut self, from: u32, until: u32) {
        let ready = self.ready;
        self.intervals.push(Interval { from, ready, until });
    }

    fn state(&self, second: u32) -> Seen {
        let ready = second >= self.ready;
        let task = TaskState {
            id: "task".to_owned(),
            stage: if ready {
                TaskStage::Running
            } else {
                TaskStage::Pending
            },
            health: None,
            targets: if ready { vec![Health::Healthy] } else { Vec::new() },
            probe: None,
            address: TaskAddress::Unknown,
            private: None,
            times: Default::default(),
        };
        Seen::Known(ServiceState {
            desired: self.desired,
            running: if ready { self.desired } else { 0 },
            pending: if ready { 0 } else { self.desired },
            tasks: vec![task; self.desired as usize],
            target_groups: vec!["target-group".to_owned()],
            ..ServiceState::default()
        })
    }

    /// What CloudWatch shows of requests by now, as `dormouse_core::minutes` judges it.
    fn requests(&self, second: u32) -> Reading {
        let now = moment(second);
        let start = minutes::window_start(self.group.idle_after(), now);
        // Only minutes that are over and shown by now.
        let shown = |minute: &u32| minute + MINUTE + METRIC_LAG <= second;
        let point = |minute: u32| Point {
            at: moment(minute),
            value: 1.0,
        };
        let first = self.ready - self.ready % MINUTE;
        let healthy = (first..second)
            .step_by(MINUTE as usize)
            .rev()
            .filter(shown)
            .map(point);
        let witness: Vec<Point> = healthy.take_while(|point| point.at >= start).collect();
        let used = self.used.iter().rev().copied().filter(shown).map(point);
        let used: Vec<Point> = used.take_while(|point| point.at >= start).collect();
        minutes::judge(&used, &witness, "HealthyHostCount", now)
    }
}

/// A second of the trace as a moment; any midnight will do.
fn moment(second: u32) -> Timestamp {
    Timestamp::from_second(1_800_057_600 + i64::from(second)).unwrap_or(Timestamp::UNIX_EPOCH)
}
