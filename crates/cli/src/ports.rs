//! What commands need of the outside.

use std::collections::BTreeMap;
use std::time::Duration;

use dormouse_aws::Trial;
use dormouse_core::error::Error;
use dormouse_core::front::{Door, DoorId};
use dormouse_core::ids::ServiceId;
use dormouse_core::observation::Seen;
use dormouse_core::settings::ServiceSettings;
use dormouse_core::tags::TaggedService;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::failure::Failure;

/// The wake function of a stack.
pub(crate) trait Function {
    /// Calls it and waits for its answer.
    async fn call(&self, event: &Value) -> Result<Value, Failure>;
}

/// Tells the time, and lets it pass.
pub(crate) trait Clock {
    /// Now.
    fn now(&self) -> Timestamp;
    /// Waits.
    async fn pause(&self, duration: Duration);
}

/// Whose credentials these are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Caller {
    /// The account's number.
    pub(crate) account: String,
    /// The ARN of the user or the session of a role.
    #[serde(rename = "caller")]
    pub(crate) arn: String,
}

/// An account, as `check` looks at it. Nothing here changes anything.
pub(crate) trait Account {
    /// Whose credentials these are; it needs no permission.
    async fn caller(&self) -> Result<Caller, Error>;
    /// All services that have a tag.
    async fn services(&self) -> Result<Vec<TaggedService>, Error>;
    /// Looks at counts.
    async fn look(&self, services: &[&ServiceSettings]) -> BTreeMap<ServiceId, Seen>;
    /// The doors of target groups, as the functions of the stack would see them.
    async fn doors(&self, target_groups: &[String]) -> Result<BTreeMap<DoorId, Door>, Error>;
    /// Tries the reads that the functions make, on this service where one must be named.
    async fn try_reads(&self, service: Option<&ServiceId>) -> Vec<Trial>;
}
