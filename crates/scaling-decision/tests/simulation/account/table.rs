//! The table: settings, records, rows of sessions and plans, each with its version. What is written goes through JSON,
//! as in the real one.

use std::collections::BTreeMap;

use dormouse_core::error::Error;
use dormouse_core::ids::{GroupName, ServiceId};
use dormouse_core::ports::{Plans, Saved, SessionRows, Store, Stored, StoredRow, Whys};
use dormouse_core::record::Record;
use dormouse_core::scale_in::plan::Plan;
use dormouse_core::sessions::TaskKey;
use dormouse_core::settings::GroupSettings;
use dormouse_core::why::{Cursor, Entry, Page, What};
use jiff::Timestamp;
use serde_json::Value;

use super::{Account, Part};

#[derive(Default)]
pub(crate) struct Table {
    pub(crate) groups: BTreeMap<GroupName, Stored>,
    pub(crate) rows: BTreeMap<TaskKey, StoredRow>,
    /// The why-log of the group, by its keys.
    pub(crate) whys: BTreeMap<String, Entry>,
    plans: BTreeMap<ServiceId, (u64, Value)>,
    /// Who has a lease until when.
    pub(crate) leases: BTreeMap<String, (String, Timestamp)>,
    /// What is remembered of readings between invocations, by name.
    pub(crate) windows: BTreeMap<String, Value>,
}

impl Table {
    /// The plan of the service's scale-in.
    pub(crate) fn plan(&self, service: &ServiceId) -> Option<Plan> {
        let (_, plan) = self.plans.get(service)?;
        Some(serde_json::from_value(plan.clone()).expect("a plan"))
    }
}

impl Table {
    /// A plan arrives, whatever was there.
    pub(crate) fn put_plan(&mut self, service: &ServiceId, plan: &Plan) {
        let json = serde_json::to_value(plan).expect("JSON");
        self.plans.insert(service.clone(), (plan.version, json));
    }
}

impl Account {
    /// The changes of counts that the why-log tells of, the oldest first.
    pub(crate) fn changes_kept(&self) -> Vec<(u32, u32)> {
        let table = self.table.borrow();
        let counts = table.whys.values().filter_map(|entry| match entry.what {
            What::Count { from, to, .. } => Some((from, to)),
            What::Phase { .. } | What::Would { .. } | What::Rule { .. } | What::Refused { .. } => None,
        });
        counts.collect()
    }
}

impl Store for Account {
    async fn load(&self, group: &GroupName) -> Result<Stored, Error> {
        let load = || Ok(self.table.borrow().groups.get(group).cloned().unwrap_or_default());
        self.call(Part::Table, "load", load).await
    }

    async fn load_all(&self) -> Result<BTreeMap<GroupName, Stored>, Error> {
        let load = || Ok(self.table.borrow().groups.clone());
        self.call(Part::Table, "load_all", load).await
    }

    async fn save_record(
        &self,
        group: &GroupName,
        record: &Record,
        why: Option<&Entry>,
    ) -> Result<Saved, Error> {
        let save = || {
            let mut table = self.table.borrow_mut();
            let stored = table.groups.entry(group.clone()).or_default();
            if stored.record.as_ref().map_or(0, |record| record.version) != record.version {
                return Ok(Saved::Conflict);
            }
            let next = Record {
                version: record.version + 1,
                ..record.clone()
            };
            let json = serde_json::to_value(next).expect("JSON");
            stored.record = Some(serde_json::from_value(json).expect("a record"));
            if let Some(entry) = why {
                table.whys.insert(entry.key(record.version + 1), entry.clone());
            }
            Ok(Saved::Yes)
        };
        self.call(Part::Table, "save_record", save).await
    }

    async fn save_settings(&self, settings: &GroupSettings) -> Result<(), Error> {
        let save = || {
            let mut table = self.table.borrow_mut();
            table.groups.entry(settings.name.clone()).or_default().settings = Some(settings.clone());
            Ok(())
        };
        self.call(Part::Table, "save_settings", save).await
    }

    async fn remove_settings(&self, group: &GroupName) -> Result<(), Error> {
        let remove = || {
            self.table
                .borrow_mut()
                .groups
                .entry(group.clone())
                .or_default()
                .settings = None;
            Ok(())
        };
        self.call(Part::Table, "remove_settings", remove).await
    }

    async fn discovered_at(&self) -> Result<Option<Timestamp>, Error> {
        unreachable!("nothing here discovers services")
    }

    async fn save_discovered_at(&self, _at: Timestamp) -> Result<(), Error> {
        unreachable!("nothing here discovers services")
    }
}

impl Whys for Account {
    async fn why(&self, group: &GroupName, _before: Option<&Cursor>, _limit: usize) -> Result<Page, Error> {
        panic!("scaling asks nobody why, and {group} is no exception");
    }

    async fn add_why(&self, entry: &Entry) -> Result<(), Error> {
        let add = || {
            let mut table = self.table.borrow_mut();
            let before = table.whys.insert(entry.key(0), entry.clone());
            assert!(before.is_none_or(|before| before == *entry), "{entry:?}");
            Ok(())
        };
        self.call(Part::Table, "add_why", add).await
    }
}

impl SessionRows for Account {
    async fn rows(&self, tasks: &[TaskKey]) -> Result<BTreeMap<TaskKey, StoredRow>, Error> {
        let read = || {
            let table = self.table.borrow();
            let row = |task: &TaskKey| Some((task.clone(), table.rows.get(task)?.clone()));
            Ok(tasks.iter().filter_map(row).collect())
        };
        self.call(Part::Table, "rows", read).await
    }

    async fn save_row(&self, task: &TaskKey, stored: &StoredRow) -> Result<Saved, Error> {
        let save = || {
            let mut table = self.table.borrow_mut();
            let row = table.rows.entry(task.clone()).or_default();
            if row.version != stored.version {
                return Ok(Saved::Conflict);
            }
            *row = StoredRow {
                version: stored.version + 1,
                ..stored.clone()
            };
            Ok(Saved::Yes)
        };
        self.call(Part::Table, "save_row", save).await
    }
}

impl Plans for Account {
    async fn plan(&self, service: &ServiceId) -> Result<Option<Plan>, Error> {
        self.call(Part::Table, "plan", || Ok(self.table.borrow().plan(service)))
            .await
    }

    async fn save_plan(&self, service: &ServiceId, plan: &Plan) -> Result<Saved, Error> {
        let save = || {
            let mut table = self.table.borrow_mut();
            if table.plans.get(service).map_or(0, |(version, _)| *version) != plan.version {
                return Ok(Saved::Conflict);
            }
            let next = Plan {
                version: plan.version + 1,
                ..plan.clone()
            };
            let json = serde_json::to_value(&next).expect("JSON");
            table.plans.insert(service.clone(), (next.version, json));
            Ok(Saved::Yes)
        };
        self.call(Part::Table, "save_plan", save).await
    }

    async fn remove_plan(&self, service: &ServiceId, plan: &Plan) -> Result<Saved, Error> {
        let remove = || {
            let mut table = self.table.borrow_mut();
            if table.plan(service).as_ref() != Some(plan) {
                return Ok(Saved::Conflict);
            }
            table.plans.remove(service);
            Ok(Saved::Yes)
        };
        self.call(Part::Table, "remove_plan", remove).await
    }
}
