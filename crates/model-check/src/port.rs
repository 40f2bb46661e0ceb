//! The ports of `dormouse-core` for one run of a function: each call that matters waits until somebody answers it.
//!
//! What no step of the model depends on is answered at once: tokens are always there, and nobody is told anything.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::task::{Poll, Waker};
use std::time::Duration;

use dormouse_core::decide::Question;
use dormouse_core::duration;
use dormouse_core::error::{Code, Error};
use dormouse_core::front::{Door, DoorId, Forward, Place, Posted};
use dormouse_core::ids::{Generation, GroupName, ServiceId};
use dormouse_core::minutes::Point;
use dormouse_core::observation::{Seen, TaskState};
use dormouse_core::ports::{
    Booking, Clock, Connections, Discovery, Doors, Grant, Lease, Leases, Listed, Notifications, Plans,
    Protection, Quota, Saved, ScalableTargets, ScaleIns, Services, SessionRows, Signals, Store, Stored,
    StoredRow, Target, TargetName, Targets, Timers, Utilizations, Whys, Windows,
};
use dormouse_core::quota::Priority;
use dormouse_core::reading;
use dormouse_core::record::Record;
use dormouse_core::scalable::{Bounds, Suspended};
use dormouse_core::scale_in::plan::Plan;
use dormouse_core::scaling::connections::window::Window;
use dormouse_core::scaling::load::Metric;
use dormouse_core::scaling::notice::Notice;
use dormouse_core::scaling::reason::Utilization;
use dormouse_core::sessions::{Count, Order, Row, TaskKey};
use dormouse_core::settings::{GroupSettings, ServiceSettings};
use dormouse_core::tags::TaggedService;
use dormouse_core::why::{Cursor, Entry, Page};
use jiff::Timestamp;

use crate::calls::{Answer, Call, Reading};
use crate::kept::Kept;
use crate::names;

/// How long a target drains.
pub const DRAINS: Duration = Duration::from_secs(30);

/// What one run of a function sees of the outside.
#[derive(Debug)]
pub struct Port<'a> {
    settings: &'a GroupSettings,
    now: Cell<u32>,
    asked: RefCell<Vec<Asked>>,
}

/// A call that was made.
#[derive(Debug)]
struct Asked {
    call: Call,
    answer: Option<Answer>,
    waker: Waker,
}

impl<'a> Port<'a> {
    /// The outside of a group with these settings.
    #[must_use]
    pub fn new(settings: &'a GroupSettings, now: u32) -> Self {
        Self {
            settings,
            now: Cell::new(now),
            asked: RefCell::default(),
        }
    }

    /// Answers a call, by its number in the order in which calls were made, at this second.
    pub fn answer(&self, number: u8, answer: Answer, now: u32) {
        self.now.set(now);
        if let Some(asked) = self.asked.borrow_mut().get_mut(usize::from(number)) {
            asked.answer = Some(answer);
            asked.waker.wake_by_ref();
        }
    }

    /// The calls that wait for an answer, by their numbers.
    #[must_use]
    pub fn open(&self) -> Vec<(u8, Call)> {
        let asked = self.asked.borrow();
        let open = asked
            .iter()
            .enumerate()
            .filter(|(_, asked)| asked.answer.is_none());
        open.map(|(number, asked)| (u8::try_from(number).unwrap_or(u8::MAX), asked.call.clone()))
            .collect()
    }

    async fn ask(&self, call: Call) -> Answer {
        let mut number = None;
        let mut call = Some(call);
        poll_fn(move |context| {
            let mut asked = self.asked.borrow_mut();
            if let Some(call) = call.take() {
                number = Some(asked.len());
                asked.push(Asked {
                    call,
                    answer: None,
                    waker: context.waker().clone(),
                });
            }
            match number.and_then(|number| asked.get_mut(number)) {
                Some(asked) => match &asked.answer {
                    Some(answer) => Poll::Ready(answer.clone()),
                    None => {
                        asked.waker.clone_from(context.waker());
                        Poll::Pending
                    }
                },
                None => Poll::Pending,
            }
        })
        .await
    }

    async fn done(&self, call: Call) -> Result<(), Error> {
        match self.ask(call).await {
            Answer::Done(Err(code)) => Err(failed(code)),
            _ => Ok(()),
        }
    }

    async fn saved(&self, call: Call) -> Saved {
        match self.ask(call).await {
            Answer::Saved(true) => Saved::Yes,
            _ => Saved::Conflict,
        }
    }

    fn number(&self, service: &ServiceId) -> u8 {
        let all = &self.settings.services;
        let found = all.iter().position(|settings| settings.id == *service);
        found.and_then(|n| u8::try_from(n).ok()).unwrap_or(u8::MAX)
    }
}

fn failed(code: Code) -> Error {
    Error::new(code, "as the model will")
}

/// The row of a task that reports a session.
fn in_use_row() -> Row {
    let order = Order {
        sequence: Some(1),
        at: names::at(0),
    };
    Row {
        count: Some(Count { order, n: 1 }),
        ..Row::default()
    }
}

fn numbers(tasks: &[String]) -> Vec<u8> {
    tasks.iter().map(|id| names::task_number(id)).collect()
}

fn of_targets(targets: &[TargetName]) -> Vec<u8> {
    targets.iter().map(|target| names::task_at(&target.id)).collect()
}

impl Store for Port<'_> {
    async fn load(&self, _: &GroupName) -> Result<Stored, Error> {
        let record = match self.ask(Call::Load).await {
            Answer::Record(record) => Some(Record::clone(&record)),
            _ => None,
        };
        Ok(Stored {
            settings: Some(self.settings.clone()),
            record,
        })
    }

    async fn load_all(&self) -> Result<BTreeMap<GroupName, Stored>, Error> {
        let name = &self.settings.name;
        Ok(BTreeMap::from([(name.clone(), self.load(name).await?)]))
    }

    async fn save_record(&self, _: &GroupName, record: &Record, _: Option<&Entry>) -> Result<Saved, Error> {
        Ok(self.saved(Call::Save(Kept::new(record.clone()))).await)
    }

    async fn save_settings(&self, _: &GroupSettings) -> Result<(), Error> {
        Ok(())
    }

    async fn remove_settings(&self, _: &GroupName) -> Result<(), Error> {
        Ok(())
    }

    async fn discovered_at(&self) -> Result<Option<Timestamp>, Error> {
        Ok(Some(self.now()))
    }

    async fn save_discovered_at(&self, _: Timestamp) -> Result<(), Error> {
        Ok(())
    }
}

impl Whys for Port<'_> {
    async fn why(&self, _: &GroupName, _: Option<&Cursor>, limit: usize) -> Result<Page, Error> {
        Ok(Page::of(Vec::new(), limit))
    }

    async fn add_why(&self, _: &Entry) -> Result<(), Error> {
        Ok(())
    }
}

impl Discovery for Port<'_> {
    async fn tagged(&self) -> Result<Vec<TaggedService>, Error> {
        Ok(Vec::new())
    }
}

impl Services for Port<'_> {
    async fn observe(&self, services: &[&ServiceSettings]) -> BTreeMap<ServiceId, Seen> {
        let numbers = services
            .iter()
            .map(|settings| self.number(&settings.id))
            .collect();
        let Answer::Seen(seen) = self.ask(Call::Observe(numbers)).await else {
            return BTreeMap::new();
        };
        let seen = services.iter().zip(seen).map(|(settings, seen)| {
            let seen = match seen {
                Some(service) => Seen::Known(service.state()),
                None => Seen::Unknown(failed(Code::Unavailable)),
            };
            (settings.id.clone(), seen)
        });
        seen.collect()
    }

    async fn set_desired(&self, service: &ServiceId, count: u32) -> Result<(), Error> {
        let service = self.number(service);
        self.done(Call::SetDesired { service, count }).await
    }
}

impl ScalableTargets for Port<'_> {
    async fn bounds(
        &self,
        services: &[&ServiceSettings],
    ) -> BTreeMap<ServiceId, Result<Option<Bounds>, Error>> {
        // Who has no scalable target needs no step to find out.
        let Answer::Bounds(all) = self.ask(Call::Bounds).await else {
            return BTreeMap::new();
        };
        let ids = services.iter().map(|settings| settings.id.clone());
        ids.zip(all.into_iter().map(|bounds| Ok(bounds.map(|bounds| *bounds))))
            .collect()
    }

    async fn suspend(&self, service: &ServiceId, suspended: Suspended) -> Result<(), Error> {
        let (service, suspended) = (self.number(service), Kept::new(suspended));
        self.done(Call::Suspend { service, suspended }).await
    }
}

impl Doors for Port<'_> {
    async fn doors(&self, _: &[String], _: &[DoorId]) -> Result<BTreeMap<DoorId, Door>, Error> {
        Ok(BTreeMap::new())
    }

    async fn lead(&self, _: &DoorId, _: &Forward, _: &Forward) -> Result<Saved, Error> {
        Ok(Saved::Conflict)
    }

    async fn prove(&self, _: &GroupName, _: &DoorId, _: &Place) -> Result<(), Error> {
        Ok(())
    }

    async fn post(&self, _: &Posted) -> Result<(), Error> {
        Ok(())
    }

    async fn posted(&self) -> Result<Vec<Posted>, Error> {
        Ok(Vec::new())
    }
}

impl Signals for Port<'_> {
    async fn read(&self, _: Question<'_>, idle_after: Duration, now: Timestamp) -> reading::Reading {
        match self.ask(Call::Read).await {
            Answer::Reading(Reading::Quiet) => reading::Reading::Quiet {
                since: duration::before(now, idle_after + idle_after),
                until: now,
            },
            Answer::Reading(Reading::Active) => reading::Reading::Active(now),
            _ => reading::Reading::Unknown("as the model will".to_owned()),
        }
    }
}

impl Timers for Port<'_> {
    async fn start(
        &self,
        _: &GroupName,
        generation: Generation,
        _: Timestamp,
        _: Timestamp,
    ) -> Result<(), Error> {
        self.done(Call::StartTimer(generation.0)).await
    }
}

impl Clock for Port<'_> {
    fn now(&self) -> Timestamp {
        names::at(i64::from(self.now.get()))
    }

    async fn pause(&self, _: Duration) {}

    async fn within<T>(&self, _: Duration, work: impl Future<Output = T>) -> Option<T> {
        Some(work.await)
    }
}

impl Quota for Port<'_> {
    async fn take(&self, _: Priority) -> Grant {
        Grant::Now
    }

    async fn book(&self, _: Priority, _: u32, _: Timestamp) -> Booking {
        Booking::Now
    }

    async fn give_back(&self, _: u32) {}
}

impl SessionRows for Port<'_> {
    async fn rows(&self, tasks: &[TaskKey]) -> Result<BTreeMap<TaskKey, StoredRow>, Error> {
        let number = |task: &TaskKey| names::task_number(task.id());
        let Answer::InUse(in_use) = self.ask(Call::Rows(tasks.iter().map(number).collect())).await else {
            return Err(failed(Code::Unavailable));
        };
        let row = |task: &TaskKey| match in_use.contains(&number(task)) {
            true => in_use_row(),
            false => Row::default(),
        };
        let stored = tasks.iter().map(|task| {
            let stored = StoredRow {
                version: 1,
                row: row(task),
            };
            (task.clone(), stored)
        });
        Ok(stored.collect())
    }

    async fn save_row(&self, _: &TaskKey, _: &StoredRow) -> Result<Saved, Error> {
        Ok(Saved::Conflict)
    }
}

impl Protection for Port<'_> {
    async fn protected_until(
        &self,
        _: &str,
        tasks: &[String],
    ) -> Result<BTreeMap<String, Option<Timestamp>>, Error> {
        let Answer::Protections(all) = self.ask(Call::ProtectedUntil(numbers(tasks))).await else {
            return Err(failed(Code::Unavailable));
        };
        let until = |until: Option<u32>| until.map(|second| names::at(i64::from(second)));
        Ok(all
            .into_iter()
            .map(|(task, second)| (names::task(task), until(second)))
            .collect())
    }

    async fn protect(&self, _: &str, tasks: &[String], minutes: Option<u32>) -> Result<(), Error> {
        match tasks {
            [] => Ok(()),
            tasks => self.done(Call::Protect(numbers(tasks), minutes)).await,
        }
    }
}

impl Targets for Port<'_> {
    async fn targets(&self, _: &str) -> Result<Vec<Target>, Error> {
        let Answer::Targets(all) = self.ask(Call::Targets).await else {
            return Err(failed(Code::Unavailable));
        };
        let target = |(task, draining)| Target {
            name: TargetName {
                id: names::address(task).to_string(),
                port: names::PORT,
            },
            draining,
        };
        Ok(all.into_iter().map(target).collect())
    }

    async fn deregister(&self, _: &str, targets: &[TargetName]) -> Result<(), Error> {
        self.done(Call::Deregister(of_targets(targets))).await
    }

    async fn register(&self, _: &str, targets: &[TargetName]) -> Result<(), Error> {
        self.done(Call::Register(of_targets(targets))).await
    }

    async fn deregistration_delay(&self, _: &str) -> Result<Duration, Error> {
        Ok(DRAINS)
    }
}

impl Plans for Port<'_> {
    async fn plan(&self, _: &ServiceId) -> Result<Option<Plan>, Error> {
        match self.ask(Call::Plan).await {
            Answer::Plan(plan) => Ok(plan.map(|plan| Plan::clone(&plan))),
            _ => Err(failed(Code::Unavailable)),
        }
    }

    async fn save_plan(&self, _: &ServiceId, plan: &Plan) -> Result<Saved, Error> {
        Ok(self.saved(Call::SavePlan(Kept::new(plan.clone()))).await)
    }

    async fn remove_plan(&self, _: &ServiceId, plan: &Plan) -> Result<Saved, Error> {
        Ok(self.saved(Call::RemovePlan(Kept::new(plan.clone()))).await)
    }
}

impl ScaleIns for Port<'_> {
    async fn start_scale_in(&self, _: &str, _: &GroupName, _: &ServiceId) -> Result<(), Error> {
        Err(failed(Code::Unavailable))
    }

    async fn scale_in_runs(&self, _: &str) -> Result<bool, Error> {
        Ok(self.ask(Call::Runs).await == Answer::Runs(true))
    }
}

impl Utilizations for Port<'_> {
    async fn utilizations(
        &self,
        wanted: &[(ServiceId, Utilization)],
        _: Timestamp,
        now: Timestamp,
    ) -> Vec<Metric> {
        let metric = match self.ask(Call::Utilization).await {
            Answer::High(Some(high)) => {
                let value = if high { 95.0 } else { 50.0 };
                let minute = |n: u64| Point {
                    at: duration::before(now, Duration::from_secs(60 * n)),
                    value,
                };
                Metric::Known((1..=8).rev().map(minute).collect())
            }
            _ => Metric::Unknown("as the model will".to_owned()),
        };
        wanted.iter().map(|_| metric.clone()).collect()
    }
}

impl Connections for Port<'_> {
    async fn list_tasks(&self, _: &[&ServiceSettings]) -> Listed {
        Listed::default()
    }

    async fn connections(&self, _: &ServiceSettings, _: &TaskState) -> Result<u64, String> {
        Err("nobody counts them".to_owned())
    }
}

impl Leases for Port<'_> {
    async fn take_lease(&self, _: &str, _: &str, _: Timestamp) -> Result<Lease, Error> {
        Ok(Lease::Taken)
    }

    async fn return_lease(&self, _: &str, _: &str, _: Timestamp) -> Result<Option<Timestamp>, Error> {
        Ok(None)
    }
}

impl Windows for Port<'_> {
    async fn windows(&self, _: &str) -> Result<BTreeMap<ServiceId, Window>, Error> {
        Ok(BTreeMap::new())
    }

    async fn save_windows(&self, _: &str, _: &BTreeMap<ServiceId, Window>) -> Result<(), Error> {
        Ok(())
    }
}

impl Notifications for Port<'_> {
    async fn tell(&self, _: &Notice) -> Result<(), Error> {
        Ok(())
    }
}
