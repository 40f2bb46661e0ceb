//! Looks at groups that many share: one item each.

use dormouse_core::duration;
use dormouse_core::error::Error;
use dormouse_core::ids::GroupName;
use dormouse_core::look::{EVERY, Look};
use dormouse_core::ports::{Looks, Saved};
use jiff::Timestamp;

use crate::Aws;
use crate::table::{body, json, millis};

const LOOK: &str = "look";

impl Looks for Aws {
    async fn look(&self, group: &GroupName) -> Result<Option<Look>, Error> {
        let item = self.table.get(LOOK, group.as_str()).await?;
        let shared = item.filter(|item| item.contains_key("body"));
        Ok(shared.and_then(|item| body(&item, &format!("group `{group}`")).ok()))
    }

    async fn claim_look(&self, group: &GroupName, at: Timestamp) -> Result<Saved, Error> {
        let claim = self
            .table
            .update(LOOK, group.as_str())
            .update_expression("SET #claimed = :now")
            .condition_expression("attribute_not_exists(pk) OR #claimed <= :long_ago")
            .expression_attribute_names("#claimed", "claimed_at")
            .expression_attribute_values(":now", millis(at))
            .expression_attribute_values(":long_ago", millis(duration::before(at, EVERY)));
        self.table.saved("UpdateItem", claim.send().await)
    }

    async fn share_look(&self, group: &GroupName, claimed_at: Timestamp, look: &Look) -> Result<(), Error> {
        let share = self
            .table
            .update(LOOK, group.as_str())
            .update_expression("SET #body = :body")
            .condition_expression("#claimed = :mine")
            .expression_attribute_names("#body", "body")
            .expression_attribute_names("#claimed", "claimed_at")
            .expression_attribute_values(":body", json(look)?)
            .expression_attribute_values(":mine", millis(claimed_at));
        // Whoever claimed the next one shares that.
        self.table.saved("UpdateItem", share.send().await).map(|_| ())
    }
}
