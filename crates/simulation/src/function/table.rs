//! The table's ports.

use std::collections::BTreeMap;
use std::rc::Rc;

use dormouse_core::error::Error;
use dormouse_core::front::Posted;
use dormouse_core::ids::{GroupName, ServiceId};
use dormouse_core::look::{Look, Shared};
use dormouse_core::ports::{
    Booking, Grant, Lease, Leases, Looks, Plans, Quota, Saved, SessionRows, Store, Stored, StoredRow, Whys,
    Windows,
};
use dormouse_core::quota::{Priority, SERVICE_WRITES, Take};
use dormouse_core::record::{Phase, Record};
use dormouse_core::scale_in::plan::Plan;
use dormouse_core::scaling::connections::window::Window;
use dormouse_core::sessions::TaskKey;
use dormouse_core::settings::GroupSettings;
use dormouse_core::why::{Cursor, Entry, Page};
use jiff::Timestamp;
use serde_json::json;

use super::Function;
use crate::faults::Part;
use crate::sabotage::Sabotage;

impl Store for Function {
    async fn load(&self, group: &GroupName) -> Result<Stored, Error> {
        self.read(Part::Table, "load", |cloud| {
            Ok(cloud
                .table
                .borrow()
                .groups
                .get(group)
                .cloned()
                .unwrap_or_default())
        })
        .await
    }

    async fn load_all(&self) -> Result<BTreeMap<GroupName, Stored>, Error> {
        self.read(Part::Table, "load_all", |cloud| {
            Ok(cloud.table.borrow().groups.clone())
        })
        .await
    }

    async fn save_record(
        &self,
        group: &GroupName,
        record: &Record,
        why: Option<&Entry>,
    ) -> Result<Saved, Error> {
        let (group, mut record, why) = (group.clone(), record.clone(), why.cloned());
        if self.cloud.has(Sabotage::ForgetsCounts) && record.phase == Phase::FallingAsleep {
            record
                .services
                .values_mut()
                .for_each(|service| service.saved = None);
        }
        let who = Rc::clone(&self.who);
        let save = move |cloud: &crate::cloud::Cloud| {
            let before = cloud.table.borrow().record(&group).cloned();
            let saved = cloud
                .table
                .borrow_mut()
                .save_record(&group, &record, why.as_ref());
            if saved == Saved::Yes {
                who.has_saved(cloud, &group, before.as_ref(), &record);
            }
            Ok(saved)
        };
        self.write(Part::Table, "save_record", save).await
    }

    async fn save_settings(&self, settings: &GroupSettings) -> Result<(), Error> {
        let settings = settings.clone();
        self.write(Part::Table, "save_settings", move |cloud| {
            let mut table = cloud.table.borrow_mut();
            let stored = table.groups.entry(settings.name.clone()).or_default();
            stored.settings = Some(settings);
            Ok(())
        })
        .await
    }

    async fn remove_settings(&self, group: &GroupName) -> Result<(), Error> {
        let group = group.clone();
        self.write(Part::Table, "remove_settings", move |cloud| {
            cloud.table.borrow_mut().groups.entry(group).or_default().settings = None;
            Ok(())
        })
        .await
    }

    async fn discovered_at(&self) -> Result<Option<Timestamp>, Error> {
        self.read(Part::Table, "discovered_at", |cloud| {
            Ok(cloud.table.borrow().discovered_at)
        })
        .await
    }

    async fn save_discovered_at(&self, at: Timestamp) -> Result<(), Error> {
        self.write(Part::Table, "save_discovered_at", move |cloud| {
            cloud.table.borrow_mut().discovered_at = Some(at);
            Ok(())
        })
        .await
    }
}

impl Whys for Function {
    async fn why(&self, _: &GroupName, _: Option<&Cursor>, limit: usize) -> Result<Page, Error> {
        // Nobody asks why here: it changes nothing.
        Ok(Page::of(Vec::new(), limit))
    }

    async fn add_why(&self, entry: &Entry) -> Result<(), Error> {
        let entry = entry.clone();
        self.write(Part::Table, "add_why", move |cloud| {
            let key = (entry.group.clone(), entry.key(0));
            let before = cloud.table.borrow_mut().whys.insert(key, entry.clone());
            let same = before.is_none_or(|before| (before.at, before.what) == (entry.at, entry.what.clone()));
            cloud.check(7, same, || {
                format!("an entry of the why-log was written over by another one: {entry:?}")
            });
            Ok(())
        })
        .await
    }
}

impl Looks for Function {
    async fn shared(&self, group: &GroupName) -> Result<Shared, Error> {
        self.read(Part::Table, "shared", |cloud| {
            Ok(cloud.table.borrow().shared(group))
        })
        .await
    }

    async fn claim_look(
        &self,
        group: &GroupName,
        found: Option<Timestamp>,
        at: Timestamp,
    ) -> Result<Saved, Error> {
        let group = group.clone();
        self.write(Part::Table, "claim_look", move |cloud| {
            Ok(cloud.table.borrow_mut().claim_look(&group, found, at))
        })
        .await
    }

    async fn claim_wake(&self, group: &GroupName, at: Timestamp) -> Result<Saved, Error> {
        let group = group.clone();
        self.write(Part::Table, "claim_wake", move |cloud| {
            Ok(cloud.table.borrow_mut().claim_wake(&group, at))
        })
        .await
    }

    async fn share_look(&self, group: &GroupName, look: &Look) -> Result<(), Error> {
        let (group, look) = (group.clone(), look.clone());
        self.write(Part::Table, "share_look", move |cloud| {
            cloud.table.borrow_mut().share_look(&group, &look);
            Ok(())
        })
        .await
    }
}

impl SessionRows for Function {
    async fn rows(&self, tasks: &[TaskKey]) -> Result<BTreeMap<TaskKey, StoredRow>, Error> {
        self.read(Part::Table, "rows", |cloud| {
            let table = cloud.table.borrow();
            if cloud.has(Sabotage::SeesNoSessions) {
                return Ok(BTreeMap::new());
            }
            let row = |task: &TaskKey| Some((task.clone(), table.rows.get(task)?.clone()));
            Ok(tasks.iter().filter_map(row).collect())
        })
        .await
    }

    async fn save_row(&self, task: &TaskKey, stored: &StoredRow) -> Result<Saved, Error> {
        let (task, stored) = (task.clone(), stored.clone());
        self.write(Part::Table, "save_row", move |cloud| {
            if cloud.has(Sabotage::DropsReports) && stored.version % 2 == 1 {
                return Ok(Saved::Yes);
            }
            Ok(cloud.table.borrow_mut().save_row(&task, &stored))
        })
        .await
    }
}

impl Plans for Function {
    async fn plan(&self, service: &ServiceId) -> Result<Option<Plan>, Error> {
        self.read(Part::Table, "plan", |cloud| {
            Ok(cloud.table.borrow().plan(service))
        })
        .await
    }

    async fn save_plan(&self, service: &ServiceId, plan: &Plan) -> Result<Saved, Error> {
        let (service, plan) = (service.clone(), plan.clone());
        self.write(Part::Table, "save_plan", move |cloud| {
            Ok(cloud.table.borrow_mut().save_plan(&service, &plan))
        })
        .await
    }

    async fn remove_plan(&self, service: &ServiceId, plan: &Plan) -> Result<Saved, Error> {
        let (service, plan) = (service.clone(), plan.clone());
        self.write(Part::Table, "remove_plan", move |cloud| {
            if cloud.has(Sabotage::KeepsPlans) {
                return Ok(Saved::Yes);
            }
            Ok(cloud.table.borrow_mut().remove_plan(&service, &plan))
        })
        .await
    }
}

impl Leases for Function {
    async fn take_lease(&self, lease: &str, owner: &str, until: Timestamp) -> Result<Lease, Error> {
        let (lease, owner, now) = (lease.to_owned(), owner.to_owned(), self.clock());
        self.write(Part::Table, "take_lease", move |cloud| {
            Ok(cloud.table.borrow_mut().take_lease(&lease, &owner, until, now))
        })
        .await
    }

    async fn return_lease(
        &self,
        lease: &str,
        owner: &str,
        until: Timestamp,
    ) -> Result<Option<Timestamp>, Error> {
        let (lease, owner) = (lease.to_owned(), owner.to_owned());
        self.write(Part::Table, "return_lease", move |cloud| {
            Ok(cloud.table.borrow_mut().return_lease(&lease, &owner, until))
        })
        .await
    }
}

impl Windows for Function {
    async fn windows(&self, name: &str) -> Result<BTreeMap<ServiceId, Window>, Error> {
        self.read(Part::Table, "windows", |cloud| {
            let kept = cloud.table.borrow().windows.get(name).cloned();
            Ok(kept
                .and_then(|kept| serde_json::from_value(kept).ok())
                .unwrap_or_default())
        })
        .await
    }

    async fn save_windows(&self, name: &str, windows: &BTreeMap<ServiceId, Window>) -> Result<(), Error> {
        let (name, kept) = (name.to_owned(), json!(windows));
        self.write(Part::Table, "save_windows", move |cloud| {
            cloud.table.borrow_mut().windows.insert(name, kept);
            Ok(())
        })
        .await
    }
}

impl Quota for Function {
    async fn take(&self, priority: Priority) -> Grant {
        let now = self.clock();
        let take = move |cloud: &crate::cloud::Cloud| {
            let mut table = cloud.table.borrow_mut();
            Ok(match SERVICE_WRITES.take(table.bucket, now, priority) {
                Take::Wait(wait) => Grant::Wait(wait),
                taken => {
                    table.bucket = after(taken, table.bucket);
                    Grant::Now
                }
            })
        };
        // What fails is no reason to wait.
        self.write(Part::Table, "take", take).await.unwrap_or(Grant::Now)
    }

    async fn book(&self, priority: Priority, count: u32, latest: Timestamp) -> Booking {
        let now = self.clock();
        let book = move |cloud: &crate::cloud::Cloud| {
            let mut table = cloud.table.borrow_mut();
            let taken = SERVICE_WRITES.book(table.bucket, now, priority, count, latest);
            if matches!(taken, Take::Wait(_)) {
                return Ok(Booking::Later);
            }
            table.bucket = after(taken, table.bucket);
            let slot = table.bucket.map(|until| SERVICE_WRITES.slot(until, priority));
            Ok(match slot {
                Some(slot) if slot > now => Booking::At(slot),
                _ => Booking::Now,
            })
        };
        self.write(Part::Table, "book", book)
            .await
            .unwrap_or(Booking::Now)
    }

    async fn give_back(&self, count: u32) {
        let now = self.clock();
        let give_back = move |cloud: &crate::cloud::Cloud| {
            let (by, earliest) = SERVICE_WRITES.give_back(count, now);
            let mut table = cloud.table.borrow_mut();
            let until = table.bucket.filter(|until| *until >= earliest);
            if let Some(until) = until {
                table.bucket = Some(dormouse_core::duration::before(until, by));
            }
            Ok(())
        };
        let _ = self.write(Part::Table, "give_back", give_back).await;
    }
}

fn after(taken: Take, bucket: Option<Timestamp>) -> Option<Timestamp> {
    match taken {
        Take::First { until, .. } => Some(until),
        Take::Next { by, .. } => bucket.map(|until| dormouse_core::duration::after(until, by)),
        Take::Wait(_) => bucket,
    }
}

impl Function {
    pub(super) async fn post_door(&self, posted: &Posted) -> Result<(), Error> {
        let posted = posted.clone();
        self.write(Part::Table, "post", move |cloud| {
            if cloud.has(Sabotage::ForgetsDoors) {
                return Ok(());
            }
            let key = (posted.door.clone(), posted.group.clone());
            cloud.table.borrow_mut().posted.insert(key, posted);
            Ok(())
        })
        .await
    }
}
