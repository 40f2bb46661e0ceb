//! Doors of load balancers, as a test has put them there.

use std::collections::BTreeMap;

use dormouse_core::error::{Code, Error};
use dormouse_core::front::{Door, DoorId, Forward, Place, Posted};
use dormouse_core::ids::GroupName;
use dormouse_core::ports::{Doors, Saved};

use crate::World;

/// The wake function's target group in every test.
pub const WAKE_TARGET_GROUP: &str =
    "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/dormouse-wake/0123456789abcdef";

impl World {
    /// Puts a door there, or leads it elsewhere, as its owner does.
    pub fn puts_door(&self, door: &str, forward: Forward, place: Place) {
        let door = (
            DoorId(door.to_owned()),
            Door {
                forward,
                place,
                wake: Ok(WAKE_TARGET_GROUP.to_owned()),
            },
        );
        self.doors.borrow_mut().extend([door]);
    }

    /// Where a door leads.
    ///
    /// # Panics
    /// If there is no such door.
    #[must_use]
    pub fn leads(&self, door: &str) -> Forward {
        self.doors.borrow()[&DoorId(door.to_owned())].forward.clone()
    }
}

impl Doors for World {
    async fn doors(
        &self,
        target_groups: &[String],
        known: &[DoorId],
    ) -> Result<BTreeMap<DoorId, Door>, Error> {
        self.gate(&["DescribeRules"]).await?;
        let doors = self.doors.borrow();
        let names = |door: &Door| {
            target_groups
                .iter()
                .any(|name| door.forward.weight(name).is_some())
        };
        let found = doors
            .iter()
            .filter(|(id, door)| names(door) || known.contains(id));
        Ok(found.map(|(id, door)| (id.clone(), door.clone())).collect())
    }

    async fn lead(&self, door: &DoorId, from: &Forward, to: &Forward) -> Result<Saved, Error> {
        self.calls.borrow_mut().push(format!("ModifyRule {door}"));
        self.gate(&["ModifyRule"]).await?;
        match self.doors.borrow_mut().get_mut(door) {
            Some(door) if door.forward.is_as(from) => {
                door.forward = to.clone();
                Ok(Saved::Yes)
            }
            _ => Ok(Saved::Conflict),
        }
    }

    async fn prove(&self, _group: &GroupName, door: &DoorId, _place: &Place) -> Result<(), Error> {
        self.gate(&["proof"]).await?;
        let leads = self.leads(&door.0).leads_to(WAKE_TARGET_GROUP);
        let message = format!("{door}: the app answered");
        leads
            .then_some(())
            .ok_or_else(|| Error::new(Code::FrontUnproven, message))
    }

    async fn post(&self, posted: &Posted) -> Result<(), Error> {
        self.gate(&["table"]).await?;
        let key = (posted.door.clone(), posted.group.clone());
        self.posted.borrow_mut().insert(key, posted.clone());
        Ok(())
    }

    async fn posted(&self) -> Result<Vec<Posted>, Error> {
        self.gate(&["table"]).await?;
        Ok(self.posted.borrow().values().cloned().collect())
    }
}
