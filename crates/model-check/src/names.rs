//! The names that things of the model have in the words of `dormouse-core`: moments, services, tasks and addresses.

use std::net::{IpAddr, Ipv4Addr};

use dormouse_core::ids::ServiceId;
use jiff::Timestamp;

/// When every world begins: a whole hour, so that ticks come at whole minutes.
const BEGINNING: i64 = 1_800_000_000;
/// The cluster of all services.
pub const CLUSTER: &str = "dev";
/// The target group of the service that has one.
pub const TARGET_GROUP: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/1";
/// The port of all targets.
pub const PORT: u16 = 80;

/// The moment of a second of the model; before the beginning for negative ones.
#[must_use]
pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(BEGINNING + second).unwrap_or_default()
}

/// The second of a moment; those before the beginning are its first.
#[must_use]
pub fn second(at: Timestamp) -> u32 {
    u32::try_from(at.as_second() - BEGINNING).unwrap_or(0)
}

/// The id of a task.
#[must_use]
pub fn task(number: u8) -> String {
    format!("t{number}")
}

/// The number of a task, by its id.
#[must_use]
pub fn task_number(id: &str) -> u8 {
    id.trim_start_matches('t').parse().unwrap_or(u8::MAX)
}

/// The address of a task.
#[must_use]
pub fn address(task: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 0, 0, task))
}

/// The number of the task with this address.
#[must_use]
pub fn task_at(address: &str) -> u8 {
    let last = address.rsplit('.').next();
    last.and_then(|number| number.parse().ok()).unwrap_or(u8::MAX)
}

/// A service by its name.
#[must_use]
pub fn service(name: &str) -> ServiceId {
    ServiceId::new(CLUSTER, name)
}
