//! The table: each item with its version. What is written goes through JSON, as in the real one.

use std::collections::BTreeMap;

use dormouse_core::front::{DoorId, Posted};
use dormouse_core::ids::{GroupName, ServiceId};
use dormouse_core::look::{Look, Shared, wakes_claimed};
use dormouse_core::ports::{Lease, Saved, Stored, StoredRow};
use dormouse_core::record::Record;
use dormouse_core::scale_in::plan::Plan;
use dormouse_core::sessions::TaskKey;
use dormouse_core::why::Entry;
use jiff::Timestamp;
use serde_json::Value;

/// The table.
#[derive(Default)]
pub(crate) struct Table {
    pub(crate) groups: BTreeMap<GroupName, Stored>,
    pub(crate) discovered_at: Option<Timestamp>,
    pub(crate) rows: BTreeMap<TaskKey, StoredRow>,
    pub(crate) whys: BTreeMap<(GroupName, String), Entry>,
    plans: BTreeMap<ServiceId, (u64, Value)>,
    leases: BTreeMap<String, (String, Timestamp)>,
    pub(crate) windows: BTreeMap<String, Value>,
    looks: BTreeMap<GroupName, Look>,
    claims: BTreeMap<GroupName, Timestamp>,
    wake_claims: BTreeMap<GroupName, Timestamp>,
    pub(crate) posted: BTreeMap<(DoorId, GroupName), Posted>,
    /// Until when the shared bucket of writes is not full.
    pub(crate) bucket: Option<Timestamp>,
}

impl Table {
    pub(crate) fn record(&self, group: &GroupName) -> Option<&Record> {
        self.groups.get(group)?.record.as_ref()
    }

    pub(crate) fn save_record(&mut self, group: &GroupName, record: &Record, why: Option<&Entry>) -> Saved {
        let stored = self.groups.entry(group.clone()).or_default();
        if stored.record.as_ref().map_or(0, |record| record.version) != record.version {
            return Saved::Conflict;
        }
        let next = Record {
            version: record.version + 1,
            ..record.clone()
        };
        stored.record = Some(through_json(&next));
        if let Some(entry) = why {
            self.whys
                .insert((group.clone(), entry.key(record.version + 1)), entry.clone());
        }
        Saved::Yes
    }

    pub(crate) fn save_row(&mut self, task: &TaskKey, stored: &StoredRow) -> Saved {
        let row = self.rows.entry(task.clone()).or_default();
        if row.version != stored.version {
            return Saved::Conflict;
        }
        row.row = through_json(&stored.row);
        row.version += 1;
        Saved::Yes
    }

    pub(crate) fn plan(&self, service: &ServiceId) -> Option<Plan> {
        let (_, plan) = self.plans.get(service)?;
        serde_json::from_value(plan.clone()).ok()
    }

    pub(crate) fn save_plan(&mut self, service: &ServiceId, plan: &Plan) -> Saved {
        if self.plans.get(service).map_or(0, |(version, _)| *version) != plan.version {
            return Saved::Conflict;
        }
        let next = Plan {
            version: plan.version + 1,
            ..plan.clone()
        };
        self.plans
            .insert(service.clone(), (next.version, serde_json::json!(next)));
        Saved::Yes
    }

    pub(crate) fn remove_plan(&mut self, service: &ServiceId, plan: &Plan) -> Saved {
        if self.plan(service).as_ref() != Some(plan) {
            return Saved::Conflict;
        }
        self.plans.remove(service);
        Saved::Yes
    }

    pub(crate) fn take_lease(&mut self, lease: &str, owner: &str, until: Timestamp, now: Timestamp) -> Lease {
        match self.leases.get_mut(lease) {
            Some((_, theirs)) if *theirs > now => {
                *theirs = until.max(*theirs);
                Lease::Prolonged
            }
            _ => {
                self.leases.insert(lease.to_owned(), (owner.to_owned(), until));
                Lease::Taken
            }
        }
    }

    /// Takes a lease that nobody has.
    pub(crate) fn take_free_lease(
        &mut self,
        lease: &str,
        owner: &str,
        until: Timestamp,
        now: Timestamp,
    ) -> Saved {
        if self.leases.get(lease).is_some_and(|(_, theirs)| *theirs > now) {
            return Saved::Conflict;
        }
        self.leases.insert(lease.to_owned(), (owner.to_owned(), until));
        Saved::Yes
    }

    pub(crate) fn return_lease(&mut self, lease: &str, owner: &str, until: Timestamp) -> Option<Timestamp> {
        let (_, theirs) = self.leases.get(lease).filter(|(who, _)| who == owner)?;
        let theirs = *theirs;
        if theirs == until {
            self.leases.remove(lease);
            return None;
        }
        Some(theirs)
    }

    pub(crate) fn shared(&self, group: &GroupName) -> Shared {
        Shared {
            look: self.looks.get(group).cloned(),
            claimed_at: self.claims.get(group).copied(),
        }
    }

    pub(crate) fn claim_look(&mut self, group: &GroupName, found: Option<Timestamp>, at: Timestamp) -> Saved {
        if self.claims.get(group).copied() != found {
            return Saved::Conflict;
        }
        self.claims.insert(group.clone(), at);
        Saved::Yes
    }

    pub(crate) fn claim_wake(&mut self, group: &GroupName, at: Timestamp) -> Saved {
        let (first, last) = wakes_claimed(at);
        let claimed = self.wake_claims.get(group);
        if claimed.is_some_and(|claimed| (first..=last).contains(claimed)) {
            return Saved::Conflict;
        }
        self.wake_claims.insert(group.clone(), at);
        Saved::Yes
    }

    pub(crate) fn share_look(&mut self, group: &GroupName, look: &Look) {
        if self.looks.get(group).is_none_or(|theirs| theirs.at <= look.at) {
            self.looks.insert(group.clone(), through_json(look));
        }
    }
}

fn through_json<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
    let json = serde_json::to_value(value).unwrap_or_else(|error| panic!("as JSON: {error}"));
    serde_json::from_value(json).unwrap_or_else(|error| panic!("from JSON: {error}"))
}
