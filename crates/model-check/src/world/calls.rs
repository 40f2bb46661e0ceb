//! What calls do to the world.

use dormouse_core::error::Code;
use dormouse_core::record::Record;
use dormouse_core::scalable::Bounds;
use dormouse_core::scale_in::plan::Plan;

use super::{Late, Place, Session, World};
use crate::calls::{Answer, Call, Reading};
use crate::kept::Kept;
use crate::port::DRAINS;

/// How a call goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum How {
    /// Well.
    Well,
    /// Well: the signal shows use.
    InUse,
    /// What was asked for cannot be known now.
    Unknown,
    /// Whoever made it gives it up; it may land later, or never.
    Unsure,
}

impl World {
    /// The ways in which a call may go now.
    #[must_use]
    pub fn ways(&self, call: &Call) -> Vec<How> {
        match call {
            // What a signal says is no fault, and costs nothing.
            Call::Read => vec![How::Well, How::InUse, How::Unknown],
            Call::Observe(_) if self.budget.unknown > 0 => vec![How::Well, How::Unknown],
            Call::SetDesired { .. } | Call::Suspend { .. } if self.budget.unsure > 0 => {
                vec![How::Well, How::Unsure]
            }
            _ => vec![How::Well],
        }
    }

    /// Makes a call. `compares` tells whether conditional writes look at versions, as they must; calls may land for
    /// `lateness` seconds.
    pub fn make(&mut self, call: &Call, how: How, compares: bool, lateness: u32) -> Answer {
        match how {
            How::Unsure => {
                self.budget.unsure -= 1;
                let until = self.now + lateness;
                self.late.push(Late {
                    call: call.clone(),
                    until,
                });
                return Answer::Done(Err(Code::Unavailable));
            }
            How::Unknown => return self.unknown(call),
            How::Well | How::InUse => {}
        }
        match call {
            Call::Load => Answer::Record(self.record.clone()),
            Call::Save(record) => {
                let version = record.version;
                let is_newest = version == self.record.version || !compares;
                if is_newest {
                    self.record = kept(record, self.record.version.max(version) + 1);
                }
                Answer::Saved(is_newest)
            }
            Call::Observe(services) => {
                let seen = services
                    .iter()
                    .map(|n| self.services.get(usize::from(*n)).cloned());
                Answer::Seen(seen.collect())
            }
            Call::Read if how == How::InUse => Answer::Reading(Reading::Active),
            Call::Read => Answer::Reading(Reading::Quiet),
            Call::Bounds => Answer::Bounds(
                self.services
                    .iter()
                    .map(|service| service.bounds.clone())
                    .collect(),
            ),
            Call::Rows(tasks) => Answer::InUse(self.reported(tasks)),
            Call::ProtectedUntil(tasks) => Answer::Protections(self.protections(tasks)),
            Call::Targets => Answer::Targets(self.targets()),
            Call::Plan => Answer::Plan(self.plan.clone()),
            Call::SavePlan(plan) => {
                let stored = self.plan.as_ref().map_or(0, |plan| plan.version);
                let is_newest = stored == plan.version || !compares;
                if is_newest {
                    let version = plan.version + 1;
                    self.plan = Some(Kept::new(Plan {
                        version,
                        ..Plan::clone(plan)
                    }));
                }
                Answer::Saved(is_newest)
            }
            Call::RemovePlan(plan) => {
                let is_it = self.plan.as_ref().is_none_or(|stored| stored == plan);
                if is_it {
                    self.plan = None;
                }
                Answer::Saved(is_it)
            }
            Call::Runs => Answer::Runs(self.execution.is_some()),
            Call::Utilization => Answer::High(Some(self.high)),
            Call::SetDesired { .. }
            | Call::Suspend { .. }
            | Call::StartTimer(_)
            | Call::Protect(..)
            | Call::Deregister(_)
            | Call::Register(_) => {
                self.land(call);
                Answer::Done(Ok(()))
            }
        }
    }

    /// A call that changes services arrives.
    pub fn land(&mut self, call: &Call) {
        let now = self.now;
        match call {
            Call::SetDesired { service, count } => {
                if let Some(service) = self.services.get_mut(usize::from(*service)) {
                    service.desired = *count;
                }
            }
            Call::Suspend { service, suspended } => {
                let Some(service) = self.services.get_mut(usize::from(*service)) else {
                    return;
                };
                let Some(bounds) = &service.bounds else { return };
                // RegisterScalableTarget does this, whatever it sets.
                service.desired = service.desired.clamp(bounds.min, bounds.max);
                service.bounds = Some(Kept::new(Bounds {
                    suspended: **suspended,
                    ..**bounds
                }));
            }
            Call::Protect(tasks, minutes) => self.each(tasks, |task| {
                task.protected_until = minutes.map(|minutes| now + 60 * minutes);
            }),
            Call::Deregister(tasks) => self.each(tasks, |task| {
                if task.target == Place::Registered {
                    let drains = u32::try_from(DRAINS.as_secs()).unwrap_or(u32::MAX);
                    task.target = Place::Draining(now + drains);
                }
            }),
            Call::Register(tasks) => self.each(tasks, |task| task.target = Place::Registered),
            _ => {}
        }
    }

    /// What happens by itself as time goes by.
    pub fn pass(&mut self, until: u32) {
        self.now = until;
        for task in self.services.iter_mut().flat_map(|service| &mut service.tasks) {
            if matches!(task.target, Place::Draining(end) if end <= until) {
                task.target = Place::Out;
            }
            task.protected_until = task.protected_until.filter(|end| *end > until);
        }
        if let Some(execution) = self.execution.take() {
            self.execution = execution.go_on(until);
        }
    }

    fn unknown(&mut self, call: &Call) -> Answer {
        match call {
            Call::Observe(services) => {
                self.budget.unknown -= 1;
                Answer::Seen(services.iter().map(|_| None).collect())
            }
            Call::Utilization => Answer::High(None),
            _ => Answer::Reading(Reading::Unknown),
        }
    }

    fn each(&mut self, tasks: &[u8], mut change: impl FnMut(&mut super::Task)) {
        let all = self.services.iter_mut().filter(|service| service.balanced);
        for task in all.flat_map(|service| &mut service.tasks) {
            if tasks.contains(&task.number) {
                change(task);
            }
        }
    }

    /// The tasks of the service that scales in.
    fn tasks(&self) -> impl Iterator<Item = &super::Task> {
        let scaled = self.services.iter().filter(|service| service.balanced);
        scaled.flat_map(|service| &service.tasks)
    }

    fn reported(&self, tasks: &[u8]) -> Vec<u8> {
        let live = self.tasks().filter(|task| task.session == Session::Live);
        let numbers = live.map(|task| task.number);
        numbers.filter(|number| tasks.contains(number)).collect()
    }

    fn protections(&self, tasks: &[u8]) -> Vec<(u8, Option<u32>)> {
        let asked = self.tasks().filter(|task| tasks.contains(&task.number));
        asked.map(|task| (task.number, task.protected_until)).collect()
    }

    fn targets(&self) -> Vec<(u8, bool)> {
        let there = self.tasks().filter(|task| task.target != Place::Out);
        there
            .map(|task| (task.number, task.target != Place::Registered))
            .collect()
    }
}

/// A record as it is stored, without what no decision depends on: statistics of past wakes and what people were told.
fn kept(record: &Record, version: u64) -> Kept<Record> {
    let mut record = Record {
        version,
        ..record.clone()
    };
    record.wakes_took.clear();
    record.slept_task_seconds = 0;
    for service in record.services.values_mut() {
        service.wakes = Default::default();
        service.scaling.untold.clear();
    }
    Kept::new(record)
}
