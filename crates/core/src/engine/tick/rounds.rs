//! Rounds: groups at rest are looked at once in a while, so that what others did to them is noticed even if no event told
//! of it. Those of one minute fill whole calls.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::glance::PER_CALL;
use crate::ids::GroupName;
use crate::ports::Stored;

/// A round lasts this many minutes. Our choice: the events of tasks tell nearly everything at once.
const MINUTES: u64 = 15;

/// The groups that are due in this minute's part of the round.
#[must_use]
pub fn due(groups: &BTreeMap<GroupName, Stored>, now: Timestamp) -> BTreeSet<GroupName> {
    let minute = u64::try_from(now.as_second().div_euclid(60)).unwrap_or(0);
    let mut before: BTreeMap<&str, usize> = BTreeMap::new();
    let mut due = BTreeSet::new();
    for (name, stored) in groups {
        let Some(first) = stored
            .settings
            .as_ref()
            .and_then(|settings| settings.services.first())
        else {
            continue;
        };
        let cluster = first.id.cluster.as_str();
        let count = stored
            .settings
            .as_ref()
            .map_or(0, |settings| settings.services.len());
        let services = before.entry(cluster).or_default();
        let call = u64::try_from(*services / PER_CALL).unwrap_or(0);
        *services += count;
        if (begins(cluster) + call) % MINUTES == minute % MINUTES {
            due.insert(name.clone());
        }
    }
    due
}

/// Not all clusters begin in the same minute: a plain sum spreads them well enough.
fn begins(cluster: &str) -> u64 {
    cluster.bytes().map(u64::from).sum()
}
