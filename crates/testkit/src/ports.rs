//! The ports of `dormouse-core`, over what a test has put into its world.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use dormouse_core::decide::Question;
use dormouse_core::duration;
use dormouse_core::error::{Code, Error};
use dormouse_core::ids::{Generation, GroupName, ServiceId};
use dormouse_core::look::{Look, Shared, wakes_claimed};
use dormouse_core::observation::Seen;
use dormouse_core::pipeline::{JobResult, Reported};
use dormouse_core::ports::{
    Booking, Clock, Discovery, FanOut, Grant, Jobs, LoadBalancers, Looks, Quota, Rejects, Saved,
    ScalableTargets, Services, SessionRows, Signals, Store, Stored, StoredRow, Timers, Whys,
};
use dormouse_core::quota::Priority;
use dormouse_core::reading::Reading;
use dormouse_core::record::Record;
use dormouse_core::scalable::{Bounds, Suspended};
use dormouse_core::sessions::TaskKey;
use dormouse_core::settings::{GroupSettings, ServiceSettings};
use dormouse_core::tags::{GROUP, TaggedService};
use dormouse_core::why::{Cursor, Entry, Page, Row};
use futures_util::future::{Either, select};
use jiff::Timestamp;

use crate::{World, give_way};

impl Store for World {
    async fn load(&self, group: &GroupName) -> Result<Stored, Error> {
        self.gate(&["table"]).await?;
        Ok(self.store.borrow().get(group).cloned().unwrap_or_default())
    }

    async fn load_all(&self) -> Result<BTreeMap<GroupName, Stored>, Error> {
        self.gate(&["table"]).await?;
        Ok(self.store.borrow().clone())
    }

    async fn save_record(
        &self,
        group: &GroupName,
        record: &Record,
        why: Option<&Entry>,
    ) -> Result<Saved, Error> {
        self.gate(&["table"]).await?;
        let mut store = self.store.borrow_mut();
        let stored = store.entry(group.clone()).or_default();
        if stored.record.as_ref().map_or(0, |record| record.version) != record.version {
            return Ok(Saved::Conflict);
        }
        self.writes.set(self.writes.get() + 1);
        stored.record = Some(Record {
            version: record.version + 1,
            ..record.clone()
        });
        if let Some(entry) = why {
            let key = entry.key(record.version + 1);
            self.whys.borrow_mut().insert((group.clone(), key), entry.clone());
        }
        Ok(Saved::Yes)
    }

    async fn save_settings(&self, settings: &GroupSettings) -> Result<(), Error> {
        self.gate(&["table"]).await?;
        self.store
            .borrow_mut()
            .entry(settings.name.clone())
            .or_default()
            .settings = Some(settings.clone());
        Ok(())
    }

    async fn remove_settings(&self, group: &GroupName) -> Result<(), Error> {
        self.gate(&["table"]).await?;
        self.store.borrow_mut().entry(group.clone()).or_default().settings = None;
        Ok(())
    }

    async fn discovered_at(&self) -> Result<Option<Timestamp>, Error> {
        self.gate(&["table"]).await?;
        Ok(self.discovered_at.get())
    }

    async fn save_discovered_at(&self, at: Timestamp) -> Result<(), Error> {
        self.gate(&["table"]).await?;
        self.discovered_at.set(Some(at));
        Ok(())
    }
}

impl Looks for World {
    async fn shared(&self, group: &GroupName) -> Result<Shared, Error> {
        self.gate(&["table"]).await?;
        Ok(Shared {
            look: self.looked.borrow().get(group).cloned(),
            claimed_at: self.claims.borrow().get(group).copied(),
        })
    }

    async fn claim_look(
        &self,
        group: &GroupName,
        found: Option<Timestamp>,
        at: Timestamp,
    ) -> Result<Saved, Error> {
        self.gate(&["table"]).await?;
        let mut claims = self.claims.borrow_mut();
        if claims.get(group).copied() != found {
            return Ok(Saved::Conflict);
        }
        claims.insert(group.clone(), at);
        Ok(Saved::Yes)
    }

    async fn claim_wake(&self, group: &GroupName, at: Timestamp) -> Result<Saved, Error> {
        self.gate(&["table"]).await?;
        let (first, last) = wakes_claimed(at);
        let mut claims = self.wake_claims.borrow_mut();
        if claims
            .get(group)
            .is_some_and(|claimed| (first..=last).contains(claimed))
        {
            return Ok(Saved::Conflict);
        }
        claims.insert(group.clone(), at);
        Ok(Saved::Yes)
    }

    async fn share_look(&self, group: &GroupName, look: &Look) -> Result<(), Error> {
        self.gate(&["table", "sharing"]).await?;
        let mut looked = self.looked.borrow_mut();
        if looked.get(group).is_none_or(|theirs| theirs.at <= look.at) {
            looked.insert(group.clone(), look.clone());
        }
        Ok(())
    }
}

impl Whys for World {
    async fn why(&self, group: &GroupName, before: Option<&Cursor>, limit: usize) -> Result<Page, Error> {
        self.gate(&["table"]).await?;
        let Some((oldest, end)) = Cursor::range(before, self.now()) else {
            return Ok(Page::of(Vec::new(), limit));
        };
        let whys = self.whys.borrow();
        let kept = whys.range((group.clone(), oldest)..(group.clone(), end));
        let rows = kept.rev().take(limit + 1).map(|((_, key), entry)| Row {
            key: key.clone(),
            entry: entry.clone(),
        });
        Ok(Page::of(rows.collect(), limit))
    }

    async fn add_why(&self, entry: &Entry) -> Result<(), Error> {
        self.gate(&["table"]).await?;
        let key = (entry.group.clone(), entry.key(0));
        self.whys.borrow_mut().insert(key, entry.clone());
        Ok(())
    }
}

impl Discovery for World {
    async fn tagged(&self) -> Result<Vec<TaggedService>, Error> {
        self.discoveries.set(self.discoveries.get() + 1);
        self.gate(&["GetResources"]).await?;
        let opted_in = |service: &&TaggedService| service.tags.iter().any(|(tag, _)| tag == GROUP);
        Ok(self.tagged.borrow().iter().filter(opted_in).cloned().collect())
    }
}

impl FanOut for World {
    async fn hand_over(&self, message: &str) -> Result<(), Error> {
        self.gate(&["hand_over"]).await?;
        self.handed_over.borrow_mut().push(message.to_owned());
        Ok(())
    }
}

impl Services for World {
    async fn observe(&self, wanted: &[&ServiceSettings]) -> BTreeMap<ServiceId, Seen> {
        self.looks.set(self.looks.get() + 1);
        let ids = wanted.iter().map(|settings| settings.id.clone());
        self.looked_at.borrow_mut().extend(ids);
        let denied = self.gate(&["DescribeServices"]).await.err();
        let services = self.services.borrow();
        let look = |id: &ServiceId| match (&denied, services.get(id)) {
            (Some(error), _) => Seen::Unknown(error.clone()),
            (None, Some(state)) => Seen::Known(state.clone()),
            (None, None) => Seen::Unknown(Error::new(
                Code::ServiceNotFound,
                format!("service `{id}` is MISSING"),
            )),
        };
        wanted
            .iter()
            .map(|settings| (settings.id.clone(), look(&settings.id)))
            .collect()
    }

    async fn set_desired(&self, service: &ServiceId, count: u32) -> Result<(), Error> {
        self.calls
            .borrow_mut()
            .push(format!("UpdateService {service}={count}"));
        self.gate(&["UpdateService", &format!("UpdateService {service}")])
            .await?;
        if let Some(state) = self.services.borrow_mut().get_mut(service) {
            state.desired = count;
        }
        Ok(())
    }
}

impl ScalableTargets for World {
    async fn bounds(
        &self,
        services: &[&ServiceSettings],
    ) -> BTreeMap<ServiceId, Result<Option<Bounds>, Error>> {
        let refused = self.gate(&["DescribeScalableTargets"]).await.err();
        let scalable = self.scalable.borrow();
        let of = |id: &ServiceId| match &refused {
            Some(error) => Err(error.clone()),
            None => Ok(scalable.get(id).copied()),
        };
        services
            .iter()
            .map(|settings| (settings.id.clone(), of(&settings.id)))
            .collect()
    }

    async fn suspend(&self, service: &ServiceId, suspended: Suspended) -> Result<(), Error> {
        self.calls
            .borrow_mut()
            .push(format!("RegisterScalableTarget {service}"));
        self.gate(&["RegisterScalableTarget"]).await?;
        match self.scalable.borrow_mut().get_mut(service) {
            Some(bounds) => {
                bounds.suspended = suspended;
                Ok(())
            }
            None => Err(Error::new(
                Code::Rejected,
                format!("service `{service}` has no scalable target"),
            )),
        }
    }
}

impl Signals for World {
    async fn read(&self, _question: Question<'_>, _idle_after: Duration, _now: Timestamp) -> Reading {
        give_way().await;
        self.reading.borrow().clone()
    }
}

impl LoadBalancers for World {
    async fn target_groups(&self, load_balancer: &str) -> Result<Vec<String>, Error> {
        self.gate(&["DescribeTargetGroups"]).await?;
        Ok(self
            .balancers
            .borrow()
            .get(load_balancer)
            .cloned()
            .unwrap_or_default())
    }
}

impl SessionRows for World {
    async fn rows(&self, tasks: &[TaskKey]) -> Result<BTreeMap<TaskKey, StoredRow>, Error> {
        self.gate(&["table"]).await?;
        for task in tasks {
            self.gate(&[&format!("read {task}")]).await?;
        }
        let rows = self.sessions.borrow();
        let of = |task: &TaskKey| Some((task.clone(), rows.get(task)?.clone()));
        Ok(tasks.iter().filter_map(of).collect())
    }

    async fn save_row(&self, task: &TaskKey, stored: &StoredRow) -> Result<Saved, Error> {
        self.gate(&["table", &format!("row {task}")]).await?;
        let mut rows = self.sessions.borrow_mut();
        if rows.get(task).map_or(0, |row| row.version) != stored.version {
            return Ok(Saved::Conflict);
        }
        self.writes.set(self.writes.get() + 1);
        let next = StoredRow {
            version: stored.version + 1,
            ..stored.clone()
        };
        rows.insert(task.clone(), next);
        Ok(Saved::Yes)
    }
}

impl Rejects for World {
    async fn reject(&self, body: &str, error: &Error) -> Result<(), Error> {
        self.gate(&["SendMessage"]).await?;
        self.rejects.borrow_mut().push((body.to_owned(), error.clone()));
        Ok(())
    }
}

impl Jobs for World {
    async fn report(&self, _job: &str, result: &JobResult) -> Result<Reported, Error> {
        self.gate(&["PutJobResult"]).await?;
        self.results.borrow_mut().push(result.clone());
        Ok(if self.ended.get() {
            Reported::EndedBefore
        } else {
            Reported::Yes
        })
    }
}

impl Timers for World {
    async fn start(
        &self,
        group: &GroupName,
        generation: Generation,
        _woken_at: Timestamp,
        _at: Timestamp,
    ) -> Result<(), Error> {
        self.calls
            .borrow_mut()
            .push(format!("StartExecution {group} g{generation}"));
        self.gate(&["StartExecution"]).await
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        self.now.get()
    }

    async fn pause(&self, length: Duration) {
        let until = duration::after(self.now.get(), length);
        let _paused = Paused::new(&self.pauses, until);
        let mut calls = None;
        while self.now.get() < until {
            let first = self.pauses.borrow().iter().min() == Some(&until);
            // Since the last time nobody has done anything: all pause, and time goes on to the first who ends.
            if first && calls == Some(self.gates.get()) {
                self.pass(duration::between(self.now.get(), until));
            } else {
                calls = Some(self.gates.get());
                give_way().await;
            }
        }
    }

    async fn within<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        match select(pin!(work), pin!(self.pause(limit))).await {
            Either::Left((done, _)) => Some(done),
            Either::Right(_) => None,
        }
    }
}

/// Somebody who pauses, until they go on or are given up.
struct Paused<'a> {
    all: &'a RefCell<Vec<Timestamp>>,
    until: Timestamp,
}

impl<'a> Paused<'a> {
    fn new(all: &'a RefCell<Vec<Timestamp>>, until: Timestamp) -> Self {
        all.borrow_mut().push(until);
        Self { all, until }
    }
}

impl Drop for Paused<'_> {
    fn drop(&mut self) {
        let mut all = self.all.borrow_mut();
        if let Some(mine) = all.iter().position(|end| *end == self.until) {
            all.swap_remove(mine);
        }
    }
}

impl Quota for World {
    async fn take(&self, priority: Priority) -> Grant {
        // A bucket that does not answer says that the call may be made.
        let _ = self.gate(&["bucket"]).await;
        if let Some(wait) = self.waits.borrow_mut().pop_front() {
            return Grant::Wait(wait);
        }
        self.taken.borrow_mut().push(priority);
        Grant::Now
    }

    async fn book(&self, priority: Priority, count: u32, latest: Timestamp) -> Booking {
        let _ = self.gate(&["bucket"]).await;
        let slot = self.slots.borrow_mut().pop_front();
        let slot = slot.map(|wait| dormouse_core::duration::after(self.now.get(), wait));
        if slot.is_some_and(|slot| slot > latest) {
            return Booking::Later;
        }
        self.taken
            .borrow_mut()
            .extend(std::iter::repeat_n(priority, count as usize));
        slot.map_or(Booking::Now, Booking::At)
    }

    async fn give_back(&self, count: u32) {
        let mut taken = self.taken.borrow_mut();
        let left = taken.len().saturating_sub(count as usize);
        taken.truncate(left);
    }
}
