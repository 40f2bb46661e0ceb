//! What the wake function is told of doors, in the table.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use dormouse_core::duration;
use dormouse_core::error::Error;
use dormouse_core::front::Posted;
use dormouse_core::ports::Clock;
use jiff::Timestamp;

use crate::Aws;
use crate::table::{Item, body, json};

const DOOR: &str = "door";
/// A door that was led back still lets some in who came before, for so long at most: they were asked to come again within
/// seconds. Our choice.
const TOLD_FOR: Duration = Duration::from_secs(10 * 60);
/// And is deleted by the table after this long: a clock may be wrong. Our choice.
const KEPT_FOR: Duration = Duration::from_secs(24 * 3600);

impl Aws {
    pub(super) async fn post_door(&self, posted: &Posted) -> Result<(), Error> {
        let name = format!("{}#{}", posted.group, posted.door);
        let mut put = self.table.put(DOOR, &name).item("body", json(posted)?);
        if let Some(left_at) = posted.left_at {
            let delete_at = duration::after(left_at, KEPT_FOR).as_second().to_string();
            put = put.item("delete_at", AttributeValue::N(delete_at));
        }
        put.send()
            .await
            .map_err(|error| self.table.failed("PutItem", &error))?;
        Ok(())
    }

    /// One that cannot be read hides no other: it is logged and left out.
    pub(super) async fn posted_doors(&self) -> Result<Vec<Posted>, Error> {
        let now = self.now();
        let mut doors = Vec::new();
        let take = |item| doors.extend(read(&item).filter(|door| is_told(door.left_at, now)));
        self.table.each(DOOR, take).await?;
        Ok(doors)
    }
}

fn is_told(left_at: Option<Timestamp>, now: Timestamp) -> bool {
    left_at.is_none_or(|left_at| duration::between(left_at, now) < TOLD_FOR)
}

fn read(item: &Item) -> Option<Posted> {
    let name = item.get("sk").and_then(|name| name.as_s().ok());
    let name = name.map_or("", String::as_str);
    body(item, &format!("door `{name}`"))
        .inspect_err(|error| tracing::error!(door = name, code = %error.code, "{}", error.message))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_door_is_told_of_until_a_while_after_it_was_left() {
        let now: Timestamp = "2026-03-02T09:00:00Z".parse().expect("a moment");
        let ago = |minutes: u64| Some(duration::before(now, Duration::from_secs(minutes * 60)));
        assert!(is_told(None, now));
        assert!(is_told(ago(9), now));
        assert!(!is_told(ago(10), now));
    }
}
