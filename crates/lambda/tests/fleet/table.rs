//! The table in memory, and what it costs: the items as `dormouse-aws` writes them, in DynamoDB's units (Amazon DynamoDB
//! Developer Guide, "DynamoDB on-demand capacity mode": a unit reads 4 KB consistently or writes 1 KB, a write that its
//! condition refuses costs the same; "DynamoDB item sizes": names and values).

use std::collections::BTreeMap;
use std::time::Duration;

use dormouse_core::error::{Code, Error};
use dormouse_core::ids::{GroupName, ServiceId};
use dormouse_core::look::{Look, Shared};
use dormouse_core::ports::{
    Booking, Clock, Grant, Lease, Leases, Looks, Plans, Quota, Saved, SessionRows, Store, Stored, StoredRow,
    Whys, Windows,
};
use dormouse_core::quota::{Priority, SERVICE_WRITES, Take};
use dormouse_core::record::Record;
use dormouse_core::scale_in::plan::Plan;
use dormouse_core::scaling::connections::window::Window;
use dormouse_core::sessions::TaskKey;
use dormouse_core::settings::GroupSettings;
use dormouse_core::why::{Cursor, Entry, Page};
use jiff::Timestamp;
use serde::Serialize;

use crate::fleet::Fleet;

#[derive(Default)]
pub(crate) struct Table {
    groups: BTreeMap<GroupName, Stored>,
    /// Sizes of the items of settings and of records, in bytes.
    sizes: BTreeMap<GroupName, (u64, u64)>,
    leases: BTreeMap<String, (String, Timestamp)>,
    windows: BTreeMap<ServiceId, Window>,
    /// When the shared bucket of UpdateService is full again.
    full_at: Option<Timestamp>,
}

/// The size of an item with a body and so many bytes of other attributes.
fn size(kind: &str, name: &str, body: &impl Serialize, more: usize) -> u64 {
    let body = serde_json::to_string(body).expect("JSON").len();
    ("pk".len() + kind.len() + "sk".len() + name.len() + "body".len() + body + more) as u64
}

/// The size of an entry of the why-log, by the version of the record that it came with.
fn size_of(entry: &Entry, version: u64) -> u64 {
    let partition = format!("why#{}", entry.group);
    size(&partition, &entry.key(version), entry, OF_ENTRIES)
}

fn units(size: u64, unit: u64) -> u64 {
    size.div_ceil(unit).max(1)
}

/// A consistent read.
fn reads(size: u64) -> u64 {
    units(size, 4096)
}

fn writes(size: u64) -> u64 {
    units(size, 1024)
}

/// Bytes of `version` and `phase`.
const OF_RECORDS: usize = 7 + 2 + 5 + 5;
/// How often a write of the shared bucket is tried.
const TRIES: u32 = 4;
/// Bytes of `delete_at`.
const OF_ENTRIES: usize = 9 + 6;

impl Table {
    pub(crate) fn put_settings(&mut self, settings: GroupSettings) {
        let name = settings.name.clone();
        self.sizes.entry(name.clone()).or_default().0 = size("settings", name.as_str(), &settings, 0);
        self.groups.entry(name).or_default().settings = Some(settings);
    }

    pub(crate) fn put_record(&mut self, name: &GroupName, record: Record) {
        self.sizes.entry(name.clone()).or_default().1 = size("record", name.as_str(), &record, OF_RECORDS);
        self.groups.entry(name.clone()).or_default().record = Some(record);
    }

    pub(crate) fn group(&self, name: &GroupName) -> Stored {
        self.groups.get(name).cloned().unwrap_or_default()
    }

    pub(crate) fn has_leases(&self) -> bool {
        !self.leases.is_empty()
    }
}

impl Store for Fleet {
    async fn load(&self, group: &GroupName) -> Result<Stored, Error> {
        let (settings, record) = self.table.borrow().sizes.get(group).copied().unwrap_or_default();
        let get = |size| self.cloud.call("GetItem", reads(size), 0);
        futures_util::future::join(get(settings), get(record)).await;
        Ok(self.table.borrow().groups.get(group).cloned().unwrap_or_default())
    }

    async fn load_all(&self) -> Result<BTreeMap<GroupName, Stored>, Error> {
        let (settings, records) = {
            let table = self.table.borrow();
            let sizes = table.sizes.values();
            sizes.fold((0, 0), |(settings, records), (s, r)| (settings + s, records + r))
        };
        let query = |size| self.cloud.call("Query", reads(size), 0);
        futures_util::future::join(query(settings), query(records)).await;
        Ok(self.table.borrow().groups.clone())
    }

    async fn save_record(
        &self,
        group: &GroupName,
        record: &Record,
        why: Option<&Entry>,
    ) -> Result<Saved, Error> {
        let size = size("record", group.as_str(), record, OF_RECORDS);
        match why {
            None => self.cloud.call("PutItem", 0, writes(size)).await,
            Some(entry) => {
                // A transaction costs twice as much.
                let units = 2 * (writes(size) + writes(size_of(entry, record.version + 1)));
                self.cloud.call("TransactWriteItems", 0, units).await;
            }
        }
        let mut table = self.table.borrow_mut();
        let stored = table.groups.get(group).and_then(|stored| stored.record.as_ref());
        if stored.map_or(0, |record| record.version) != record.version {
            return Ok(Saved::Conflict);
        }
        let next = Record {
            version: record.version + 1,
            ..record.clone()
        };
        table.put_record(group, next);
        Ok(Saved::Yes)
    }

    async fn save_settings(&self, settings: &GroupSettings) -> Result<(), Error> {
        let size = size("settings", settings.name.as_str(), settings, 0);
        self.cloud.call("PutItem", 0, writes(size)).await;
        self.table.borrow_mut().put_settings(settings.clone());
        Ok(())
    }

    async fn remove_settings(&self, group: &GroupName) -> Result<(), Error> {
        Err(nobody_does(group.as_str()))
    }

    async fn discovered_at(&self) -> Result<Option<Timestamp>, Error> {
        unreachable!("all groups are known")
    }

    async fn save_discovered_at(&self, _at: Timestamp) -> Result<(), Error> {
        self.cloud.call("PutItem", 0, 1).await;
        Ok(())
    }
}

impl Whys for Fleet {
    async fn why(&self, group: &GroupName, _before: Option<&Cursor>, _limit: usize) -> Result<Page, Error> {
        panic!("nobody asks why, and {group} is no exception");
    }

    async fn add_why(&self, entry: &Entry) -> Result<(), Error> {
        self.cloud.call("PutItem", 0, writes(size_of(entry, 0))).await;
        Ok(())
    }
}

impl Looks for Fleet {
    async fn shared(&self, group: &GroupName) -> Result<Shared, Error> {
        panic!("nobody opens a page, of {group} neither");
    }

    async fn claim_look(
        &self,
        group: &GroupName,
        _found: Option<Timestamp>,
        _at: Timestamp,
    ) -> Result<Saved, Error> {
        panic!("nobody opens a page, of {group} neither");
    }

    async fn claim_wake(&self, group: &GroupName, _at: Timestamp) -> Result<Saved, Error> {
        panic!("nobody opens a page, of {group} neither");
    }

    async fn share_look(&self, group: &GroupName, _look: &Look) -> Result<(), Error> {
        panic!("nobody opens a page, of {group} neither");
    }
}

impl Leases for Fleet {
    async fn take_lease(&self, lease: &str, owner: &str, until: Timestamp) -> Result<Lease, Error> {
        self.cloud.call("UpdateItem", 0, 1).await;
        let now = self.now();
        let is_taken = {
            let mut table = self.table.borrow_mut();
            let theirs = table.leases.get(lease).map(|(_, theirs)| *theirs);
            let is_taken = theirs.is_some_and(|theirs| theirs > now);
            if !is_taken {
                table.leases.insert(lease.to_owned(), (owner.to_owned(), until));
            }
            is_taken
        };
        if !is_taken {
            return Ok(Lease::Taken);
        }
        self.cloud.call("UpdateItem", 0, 1).await;
        if let Some((_, theirs)) = self.table.borrow_mut().leases.get_mut(lease) {
            *theirs = until.max(*theirs);
        }
        Ok(Lease::Prolonged)
    }

    async fn return_lease(
        &self,
        lease: &str,
        owner: &str,
        until: Timestamp,
    ) -> Result<Option<Timestamp>, Error> {
        self.cloud.call("DeleteItem", 0, 1).await;
        let theirs = {
            let mut table = self.table.borrow_mut();
            let theirs = table.leases.get(lease).filter(|(who, _)| who == owner);
            let theirs = theirs.map(|(_, theirs)| *theirs);
            if theirs == Some(until) {
                table.leases.remove(lease);
                return Ok(None);
            }
            theirs
        };
        self.cloud.call("GetItem", 1, 0).await;
        Ok(theirs)
    }
}

impl Windows for Fleet {
    async fn windows(&self, name: &str) -> Result<BTreeMap<ServiceId, Window>, Error> {
        let windows = self.table.borrow().windows.clone();
        let size = size("windows", name, &windows, 0);
        self.cloud.call("GetItem", reads(size), 0).await;
        Ok(windows)
    }

    async fn save_windows(&self, name: &str, windows: &BTreeMap<ServiceId, Window>) -> Result<(), Error> {
        let size = size("windows", name, windows, 0);
        self.cloud.call("PutItem", 0, writes(size)).await;
        self.table.borrow_mut().windows = windows.clone();
        Ok(())
    }
}

impl Quota for Fleet {
    async fn take(&self, priority: Priority) -> Grant {
        let take = |until, now| SERVICE_WRITES.take(until, now, priority);
        self.take_tokens(take)
            .await
            .map_or_else(Grant::Wait, |_| Grant::Now)
    }

    async fn book(&self, priority: Priority, count: u32, latest: Timestamp) -> Booking {
        let book = |until, now| SERVICE_WRITES.book(until, now, priority, count, latest);
        match self.take_tokens(book).await {
            Ok(until) => match SERVICE_WRITES.slot(until, priority) {
                slot if slot > self.now() => Booking::At(slot),
                _ => Booking::Now,
            },
            Err(_) => Booking::Later,
        }
    }

    async fn give_back(&self, count: u32) {
        self.cloud.call("UpdateItem", 0, 1).await;
        let (by, from) = SERVICE_WRITES.give_back(count, self.now());
        let full_at = &mut self.table.borrow_mut().full_at;
        *full_at = full_at.map(|at| {
            if at >= from {
                dormouse_core::duration::before(at, by)
            } else {
                at
            }
        });
    }
}

/// As `dormouse-aws` does it: a write over what was seen last, tried again with what it finds instead.
impl Fleet {
    async fn take_tokens(
        &self,
        take: impl Fn(Option<Timestamp>, Timestamp) -> Take,
    ) -> Result<Timestamp, Duration> {
        let mut seen = None;
        for _ in 0..TRIES {
            let take = take(seen, self.now());
            self.cloud.call("UpdateItem", 0, 1).await;
            if let Take::Wait(wait) = take {
                return Err(wait);
            }
            let full_at = &mut self.table.borrow_mut().full_at;
            let until = match take {
                Take::First { until, now, latest } => {
                    let is_first = full_at.is_none_or(|at| at < now || at > latest);
                    is_first.then_some(until)
                }
                Take::Next { by, from, to } => full_at
                    .filter(|at| (from..=to).contains(at))
                    .map(|at| dormouse_core::duration::after(at, by)),
                Take::Wait(_) => None,
            };
            if let Some(until) = until {
                *full_at = Some(until);
                return Ok(until);
            }
            seen = *full_at;
        }
        Err(SERVICE_WRITES.interval)
    }
}

impl SessionRows for Fleet {
    async fn rows(&self, tasks: &[TaskKey]) -> Result<BTreeMap<TaskKey, StoredRow>, Error> {
        self.cloud.call("BatchGetItem", tasks.len() as u64, 0).await;
        Ok(BTreeMap::new())
    }

    async fn save_row(&self, _task: &TaskKey, _stored: &StoredRow) -> Result<Saved, Error> {
        Err(nobody_does("a row"))
    }
}

impl Plans for Fleet {
    async fn plan(&self, _service: &ServiceId) -> Result<Option<Plan>, Error> {
        self.cloud.call("GetItem", 1, 0).await;
        Ok(None)
    }

    async fn save_plan(&self, service: &ServiceId, _plan: &Plan) -> Result<Saved, Error> {
        Err(nobody_does(&service.name))
    }

    async fn remove_plan(&self, service: &ServiceId, _plan: &Plan) -> Result<Saved, Error> {
        Err(nobody_does(&service.name))
    }
}

/// What belongs to other functions, or to the steps of a scale-in.
fn nobody_does(what: &str) -> Error {
    Error::new(Code::Rejected, format!("nobody here writes {what}"))
}
