//! The other ports: the clock, CloudWatch, Step Functions and the topic.

use std::pin::pin;
use std::time::Duration;

use dormouse_core::decide::Question;
use dormouse_core::duration;
use dormouse_core::error::Error;
use dormouse_core::ids::{Generation, GroupName, ServiceId};
use dormouse_core::minutes::{PERIOD, Point};
use dormouse_core::ports::{
    Booking, Clock, Discovery, Grant, Notifications, Quota, ScaleIns, Signals, Timers, Utilizations,
};
use dormouse_core::quota::Priority;
use dormouse_core::reading::Reading;
use dormouse_core::scaling::load::Metric;
use dormouse_core::scaling::notice::Notice;
use dormouse_core::scaling::reason::Utilization;
use dormouse_core::tags::TaggedService;
use fargate_sim::model::Millis;
use futures_util::future::{Either, select};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Account, Part, moment};

impl Clock for Account {
    fn now(&self) -> Timestamp {
        moment(self.at())
    }

    async fn pause(&self, duration: Duration) {
        self.wait(duration).await;
    }

    async fn within<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        match select(pin!(work), self.wait(limit)).await {
            Either::Left((done, _)) => Some(done),
            Either::Right(_) => None,
        }
    }
}

impl Quota for Account {
    /// What fails is no reason to wait.
    async fn take(&self, _: Priority) -> Grant {
        let take = || Ok(self.waits.borrow_mut().pop());
        let wait = self.call(Part::Table, "take", take).await;
        wait.ok().flatten().map_or(Grant::Now, Grant::Wait)
    }

    /// A wake finds its tokens, and a scale-out has its turn a while later.
    async fn book(&self, priority: Priority, _: u32, _: Timestamp) -> Booking {
        let book = || {
            Ok(match priority {
                Priority::Wake => Booking::Now,
                Priority::ScaleOut | Priority::Sleep => {
                    let wait = self.waits.borrow_mut().pop().unwrap_or_default();
                    Booking::At(duration::after(self.now(), wait))
                }
            })
        };
        let booking = self.call(Part::Table, "take", book).await;
        booking.unwrap_or(Booking::Now)
    }

    async fn give_back(&self, _: u32) {}
}

impl Discovery for Account {
    async fn tagged(&self) -> Result<Vec<TaggedService>, Error> {
        unreachable!("nothing here discovers services")
    }
}

impl Signals for Account {
    /// Somebody always uses the group: it sleeps only when it is told to.
    async fn read(&self, _question: Question<'_>, _idle_after: Duration, now: Timestamp) -> Reading {
        Reading::Active(now)
    }
}

impl Timers for Account {
    async fn start(
        &self,
        _group: &GroupName,
        _generation: Generation,
        _woken_at: Timestamp,
        _at: Timestamp,
    ) -> Result<(), Error> {
        Ok(())
    }
}

impl Utilizations for Account {
    async fn utilizations(
        &self,
        wanted: &[(ServiceId, Utilization)],
        since: Timestamp,
        now: Timestamp,
    ) -> Vec<Metric> {
        let minute = |at: Timestamp| at.as_second().div_euclid(60) * 60;
        let points = (minute(since)..minute(now)).step_by(60).map(|second| Point {
            at: Timestamp::from_second(second).expect("a moment"),
            value: self.cpu_at(Millis(second as u64 * 1000) + PERIOD),
        });
        let known = Metric::Known(points.collect());
        let answer = self.call(Part::Other, "utilizations", || Ok(known)).await;
        let answer = answer.unwrap_or_else(|error| Metric::Unknown(error.to_string()));
        wanted.iter().map(|_| answer.clone()).collect()
    }
}

impl Account {
    fn cpu_at(&self, at: Millis) -> f64 {
        let cpu = self.cpu.borrow();
        cpu.iter()
            .rfind(|(from, _)| *from < at)
            .map_or(cpu[0].1, |(_, percent)| *percent)
    }
}

impl Account {
    /// Somebody starts an execution.
    pub(crate) fn begin(&self, execution: &str, input: Value) {
        self.executions.borrow_mut().insert(execution.to_owned(), true);
        self.started.borrow_mut().push((execution.to_owned(), input));
    }
}

impl ScaleIns for Account {
    async fn start_scale_in(
        &self,
        execution: &str,
        group: &GroupName,
        service: &ServiceId,
    ) -> Result<(), Error> {
        let start = || {
            let known = self.executions.borrow().contains_key(execution);
            if !known {
                self.begin(execution, json!({"group": group, "service": service}));
            }
            Ok(())
        };
        self.call(Part::Other, "start_scale_in", start).await
    }

    async fn scale_in_runs(&self, execution: &str) -> Result<bool, Error> {
        let runs = || Ok(self.executions.borrow().get(execution).copied().unwrap_or(false));
        self.call(Part::Other, "scale_in_runs", runs).await
    }
}

impl Notifications for Account {
    async fn tell(&self, notice: &Notice) -> Result<(), Error> {
        let publish = || {
            let key = format!("{:.3}#{}", notice.at, notice.service);
            assert!(
                self.table.borrow().whys.contains_key(&key),
                "the why-log was to know of {key} first"
            );
            self.notices.borrow_mut().push(notice.clone());
            Ok(())
        };
        self.call(Part::Other, "tell", publish).await
    }
}
