//! Leases in the table: the right to do something alone until a moment.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use dormouse_core::error::Error;
use dormouse_core::ports::{Clock, Lease, Leases, Saved};
use jiff::Timestamp;

use crate::Aws;
use crate::table::millis;

const LEASE: &str = "lease";
/// How often a lease is tried that others give back or take at the same moment.
const TRIES: u32 = 3;

impl Leases for Aws {
    async fn take_lease(&self, lease: &str, owner: &str, until: Timestamp) -> Result<Lease, Error> {
        for _ in 0..TRIES {
            if self.take_free_lease(lease, owner, until).await? == Saved::Yes {
                return Ok(Lease::Taken);
            }
            let prolong = self
                .lease(lease, until)
                .update_expression("SET #until = :until")
                .condition_expression("attribute_exists(pk) AND #until < :until");
            if self.table.saved("UpdateItem", prolong.send().await)? == Saved::Yes {
                return Ok(Lease::Prolonged);
            }
            match self.lease_of(lease).await? {
                // Somebody has prolonged it already: that is found out when it is given back.
                Some((who, _)) if who == owner => return Ok(Lease::Taken),
                Some((_, theirs)) if theirs >= until => return Ok(Lease::Prolonged),
                _ => {}
            }
        }
        Ok(Lease::Prolonged)
    }

    async fn return_lease(
        &self,
        lease: &str,
        owner: &str,
        until: Timestamp,
    ) -> Result<Option<Timestamp>, Error> {
        let request = self.table.client.delete_item().table_name(&self.table.name);
        let request = request
            .key("pk", AttributeValue::S(LEASE.to_owned()))
            .key("sk", AttributeValue::S(lease.to_owned()))
            .condition_expression("#owner = :owner AND #until = :until")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":owner", AttributeValue::S(owner.to_owned()))
            .expression_attribute_values(":until", millis(until));
        if self.table.saved("DeleteItem", request.send().await)? == Saved::Yes {
            return Ok(None);
        }
        let now = self.lease_of(lease).await?;
        Ok(now.filter(|(who, _)| who == owner).map(|(_, until)| until))
    }
}

impl Aws {
    /// Takes a lease until a moment if nobody else has it now; a conflict: somebody has, for no longer than before. Who has it
    /// takes it again: of a write whose answer is lost the SDK makes another, which must not find its own work in the way.
    pub(crate) async fn take_free_lease(
        &self,
        lease: &str,
        owner: &str,
        until: Timestamp,
    ) -> Result<Saved, Error> {
        let take = self
            .lease(lease, until)
            .update_expression("SET #owner = :owner, #until = :until")
            .condition_expression(
                "attribute_not_exists(pk) OR #until <= :now OR (#owner = :owner AND #until <= :until)",
            )
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", AttributeValue::S(owner.to_owned()))
            .expression_attribute_values(":now", millis(self.now()));
        self.table.saved("UpdateItem", take.send().await)
    }

    fn lease(&self, lease: &str, until: Timestamp) -> UpdateItemFluentBuilder {
        self.table
            .update(LEASE, lease)
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":until", millis(until))
    }

    /// Who has a lease, and until when.
    async fn lease_of(&self, lease: &str) -> Result<Option<(String, Timestamp)>, Error> {
        let item = self.table.get(LEASE, lease).await?;
        Ok(item.and_then(|item| {
            let owner = item.get("owner")?.as_s().ok()?.clone();
            let until = item.get("until")?.as_n().ok()?.parse().ok()?;
            Some((owner, Timestamp::from_millisecond(until).ok()?))
        }))
    }
}
