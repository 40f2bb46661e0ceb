//! The tasks' connections, over the model, and what a watch keeps in the table.

use std::collections::BTreeMap;

use dormouse_core::error::Error;
use dormouse_core::ids::ServiceId;
use dormouse_core::observation::{Seen, TaskStage, TaskState};
use dormouse_core::ports::{Clock, Connections, Lease, Leases, Listed, Services, Windows};
use dormouse_core::scaling::connections::window::Window;
use dormouse_core::settings::ServiceSettings;
use jiff::Timestamp;

use super::{Account, Part};

impl Connections for Account {
    async fn list_tasks(&self, services: &[&ServiceSettings]) -> Listed {
        let tasks = |(id, seen)| match seen {
            Seen::Known(state) => (id, Ok(state.tasks)),
            Seen::Unknown(error) => (id, Err(error)),
        };
        let seen = self.observe_tasks(services).await;
        Listed {
            tasks: seen.into_iter().map(tasks).collect(),
            calls: 2,
        }
    }

    async fn connections(&self, _service: &ServiceSettings, task: &TaskState) -> Result<u64, String> {
        let unknown = || format!("task {} does not answer", task.id);
        let ask = || Ok(self.app_says(&task.id));
        let answer = self.call(Part::Apps, "connections", ask).await;
        let is_up = task.stage == TaskStage::Running;
        answer
            .map_err(|error| error.to_string())?
            .filter(|_| is_up)
            .ok_or_else(unknown)
    }
}

impl Leases for Account {
    async fn take_lease(&self, lease: &str, owner: &str, until: Timestamp) -> Result<Lease, Error> {
        let take = || {
            let mut table = self.table.borrow_mut();
            match table.leases.get_mut(lease) {
                Some((_, theirs)) if *theirs > self.now() => {
                    *theirs = until.max(*theirs);
                    Ok(Lease::Prolonged)
                }
                _ => {
                    table.leases.insert(lease.to_owned(), (owner.to_owned(), until));
                    Ok(Lease::Taken)
                }
            }
        };
        self.call(Part::Table, "take_lease", take).await
    }

    async fn return_lease(
        &self,
        lease: &str,
        owner: &str,
        until: Timestamp,
    ) -> Result<Option<Timestamp>, Error> {
        let give_back = || {
            let mut table = self.table.borrow_mut();
            let theirs = table
                .leases
                .get(lease)
                .filter(|(who, _)| who == owner)
                .map(|(_, until)| *until);
            if theirs == Some(until) {
                table.leases.remove(lease);
            }
            Ok(theirs.filter(|theirs| *theirs != until))
        };
        self.call(Part::Table, "return_lease", give_back).await
    }
}

impl Windows for Account {
    async fn windows(&self, name: &str) -> Result<BTreeMap<ServiceId, Window>, Error> {
        let read = || {
            let table = self.table.borrow();
            let kept = table.windows.get(name).cloned();
            Ok(kept.map_or(BTreeMap::new(), |kept| {
                serde_json::from_value(kept).expect("windows")
            }))
        };
        self.call(Part::Table, "windows", read).await
    }

    async fn save_windows(&self, name: &str, windows: &BTreeMap<ServiceId, Window>) -> Result<(), Error> {
        let save = || {
            let kept = serde_json::to_value(windows).expect("JSON");
            self.table.borrow_mut().windows.insert(name.to_owned(), kept);
            Ok(())
        };
        self.call(Part::Table, "save_windows", save).await
    }
}
