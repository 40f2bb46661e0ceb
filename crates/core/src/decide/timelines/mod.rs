//! Decisions as timelines: what is seen and asked at `t` seconds, and what follows.

mod activity;
mod at_rest;
mod bounds;
mod budget;
mod claims;
mod doing;
mod evidence;
mod failing;
mod front;
mod hours;
mod learning;
mod looking_again;
mod needs;
mod observe;
mod outside;
mod overrides;
mod shared;
mod sleeping;
mod waking;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::error::{Code, Error};
use crate::ids::Generation;
use crate::intent::{Cause, Wake};
use crate::needs::Need;
use crate::observation::{Health, Trouble};
use crate::observation::{TaskAddress, TaskStage, TaskState};
use crate::reading::Reading;
use crate::record::Failure;
use crate::settings::{Defaults, Signals};

/// A group of services that remembers its record between decisions.
struct Timeline {
    group: GroupSettings,
    record: Record,
    seen: Observation,
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).expect("a moment")
}

fn id(name: &str) -> ServiceId {
    ServiceId::new("dev", name)
}

/// A service with this many tasks wanted and running; they answer if `ready`.
fn service(desired: u32, running: u32, ready: bool) -> Seen {
    let task = |number: u32| TaskState {
        id: number.to_string(),
        stage: TaskStage::Running,
        health: Some(if ready {
            Health::Healthy
        } else {
            Health::Unhealthy("UNHEALTHY".into())
        }),
        targets: Vec::new(),
        probe: None,
        address: TaskAddress::Unknown,
        private: None,
        times: Default::default(),
    };
    Seen::Known(ServiceState {
        desired,
        running,
        tasks: (0..running).map(task).collect(),
        ..ServiceState::default()
    })
}

impl Timeline {
    /// Idle after 10 minutes, grace 5 minutes, wakes may take 5 minutes, fixed timer.
    fn new(names: &[&str]) -> Self {
        let defaults = Defaults {
            idle_after: Duration::from_secs(600),
            signals: Signals::FixedTimer,
            ..Defaults::default()
        };
        let services = names
            .iter()
            .map(|name| ServiceSettings::of(id(name), &defaults))
            .collect();
        let seen = names
            .iter()
            .map(|name| (id(name), service(0, 0, false)))
            .collect::<BTreeMap<_, _>>();
        Self {
            group: GroupSettings {
                wake_timeout: defaults.wake_timeout,
                ..GroupSettings::of(&crate::ids::GroupName::parse("dev").expect("a name"), services)
            },
            record: Record::unseen(at(0)),
            seen: Observation {
                services: seen,
                bounds: Some(names.iter().map(|name| (id(name), Ok(None))).collect()),
                ..Observation::default()
            },
        }
    }

    fn sees(&mut self, name: &str, seen: Seen) -> &mut Self {
        self.seen.services.insert(id(name), seen);
        self
    }

    /// Gives a service the tag `dormouse:needs`.
    fn needs(&mut self, name: &str, needs: &str) -> &mut Self {
        let mut services = self.group.services.iter_mut();
        let service = services.find(|service| service.id.name == name);
        service.expect("a service").needs = Need::parse_list(needs).expect("needs");
        self
    }

    fn changes(&mut self, name: &str, change: impl FnOnce(&mut ServiceState)) -> &mut Self {
        if let Some(Seen::Known(state)) = self.seen.services.get_mut(&id(name)) {
            change(state);
        }
        self
    }

    fn decide(&mut self, seconds: i64, action: Action) -> Decision {
        let cause = match action {
            Action::Tick => Cause::Tick,
            Action::Timer { .. } => Cause::SleepTimer,
            _ => Cause::Http,
        };
        let decision = decide(
            &self.group,
            &self.record,
            &self.seen,
            &Intent::of(action, cause),
            at(seconds),
        );
        self.record = Record {
            version: self.record.version + 1,
            ..decision.record.clone()
        };
        decision
    }

    fn wake(&mut self, seconds: i64) -> Decision {
        self.decide(seconds, Action::wake())
    }

    fn wake_with(&mut self, seconds: i64, desired_count: Option<u32>, exact: bool) -> Decision {
        let wake = Wake {
            desired_count,
            exact,
            idle_after: None,
        };
        self.decide(seconds, Action::Wake(wake))
    }

    /// What a tick would ask of which service.
    fn asks(&self, seconds: i64) -> Vec<(String, Signal)> {
        let intent = Intent::of(Action::Tick, Cause::Tick);
        wanted_readings(&self.group, &self.record, &self.seen, &intent, at(seconds))
            .iter()
            .map(|question| (question.service.id.name.clone(), question.signal))
            .collect()
    }

    fn reads(&mut self, name: &str, signal: Signal, reading: Reading) -> &mut Self {
        self.seen
            .readings
            .retain(|(service, read, _)| (service.name.as_str(), *read) != (name, signal));
        self.seen.readings.push((id(name), signal, reading));
        self
    }

    fn tick(&mut self, seconds: i64) -> Decision {
        self.decide(seconds, Action::Tick)
    }

    /// A group that was woken at 0 and is awake since 30 s.
    fn awake(names: &[&str], count: u32) -> Self {
        let mut timeline = Self::new(names);
        timeline.wake(0);
        for name in names {
            timeline.sees(name, service(count, count, true));
        }
        assert_eq!(timeline.decide(30, Action::Look).reason, Reason::BecameReady);
        timeline
    }
}

/// The counts that a decision sets.
fn counts(decision: &Decision) -> Vec<(String, u32)> {
    decision
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::SetDesired { service, count } => Some((service.name.clone(), *count)),
            _ => None,
        })
        .collect()
}

fn web(count: u32) -> Vec<(String, u32)> {
    vec![("web".to_owned(), count)]
}
