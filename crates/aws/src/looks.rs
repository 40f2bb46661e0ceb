//! Looks at groups that many share: an item with the last one, and small ones for claims, because a write that is refused
//! costs as much as the item is large.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use dormouse_core::duration;
use dormouse_core::error::Error;
use dormouse_core::ids::GroupName;
use dormouse_core::look::{Look, Shared, wakes_claimed};
use dormouse_core::ports::{Looks, Saved};
use futures_util::future::try_join;
use jiff::Timestamp;

use crate::Aws;
use crate::table::{body, json, millis};

const LOOK: &str = "look";
const CLAIMED_AT: &str = "claimed_at";

const LOOK_CLAIM: &str = "look-claim";
const WAKE_CLAIM: &str = "wake-claim";
/// Whoever guesses names of groups leaves claims behind; the table forgets them after this long. Our choice.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(24 * 3600);

impl Looks for Aws {
    async fn shared(&self, group: &GroupName) -> Result<Shared, Error> {
        let (look, claim) = try_join(
            self.table.get(LOOK, group.as_str()),
            self.table.get(LOOK_CLAIM, group.as_str()),
        )
        .await?;
        let claimed_at = claim.as_ref().and_then(|item| item.get(CLAIMED_AT));
        let millis = claimed_at.and_then(|value| value.as_n().ok()?.parse().ok());
        Ok(Shared {
            look: look.and_then(|item| body(&item, &format!("group `{group}`")).ok()),
            claimed_at: millis.and_then(|millis| Timestamp::from_millisecond(millis).ok()),
        })
    }

    async fn claim_look(
        &self,
        group: &GroupName,
        found: Option<Timestamp>,
        at: Timestamp,
    ) -> Result<Saved, Error> {
        let put = self.table.put(LOOK_CLAIM, group.as_str());
        let put = put.item(CLAIMED_AT, millis(at));
        let put = match found {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(found) => put
                .condition_expression("#claimed = :found")
                .expression_attribute_names("#claimed", CLAIMED_AT)
                .expression_attribute_values(":found", millis(found)),
        };
        self.table.saved("PutItem", put.send().await)
    }

    async fn claim_wake(&self, group: &GroupName, at: Timestamp) -> Result<Saved, Error> {
        let (first, last) = wakes_claimed(at);
        let forgotten = duration::after(at, FORGOTTEN_AFTER).as_second();
        let put = self
            .table
            .put(WAKE_CLAIM, group.as_str())
            .item(CLAIMED_AT, millis(at))
            .item("delete_at", AttributeValue::N(forgotten.to_string()))
            .condition_expression("attribute_not_exists(pk) OR NOT #claimed BETWEEN :first AND :last")
            .expression_attribute_names("#claimed", CLAIMED_AT)
            .expression_attribute_values(":first", millis(first))
            .expression_attribute_values(":last", millis(last));
        self.table.saved("PutItem", put.send().await)
    }

    async fn share_look(&self, group: &GroupName, look: &Look) -> Result<(), Error> {
        let at: AttributeValue = millis(look.at);
        let share = self
            .table
            .put(LOOK, group.as_str())
            .item("body", json(look)?)
            .item("at", at.clone())
            .condition_expression("attribute_not_exists(pk) OR #at <= :at")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":at", at);
        self.table.saved("PutItem", share.send().await).map(|_| ())
    }
}
