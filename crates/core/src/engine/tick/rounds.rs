//! Rounds: groups at rest are looked at once in a while, so that what others did to them is noticed even if no event told
//! of it. Those of one minute fill whole calls.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::glance::PER_CALL;
use crate::ids::GroupName;
use crate::ports::Stored;

/// A round lasts this many minutes. Our choice: the events of tasks tell nearly everything at once.
const MINUTES: u64 = 15;

/// Where no group ends together with a call, a part of the round is cut off after this many services all the same, which
/// costs one call in ten.
const LONGEST: usize = 10 * PER_CALL;

/// The groups that are due in this minute's part of the round.
#[must_use]
pub fn due(groups: &BTreeMap<GroupName, Stored>, now: Timestamp) -> BTreeSet<GroupName> {
    let minute = u64::try_from(now.as_second().div_euclid(60)).unwrap_or(0);
    let mut parts: BTreeMap<&str, Part> = BTreeMap::new();
    let mut due = BTreeSet::new();
    for (name, stored) in groups {
        let services = stored.settings.as_ref().map(|settings| &settings.services);
        let Some(first) = services.and_then(|services| services.first()) else {
            continue;
        };
        let cluster = first.id.cluster.as_str();
        let part = parts.entry(cluster).or_default();
        if part.is_full() {
            *part = part.next();
        }
        part.services += services.map_or(0, Vec::len);
        if (begins(cluster) + part.number) % MINUTES == minute % MINUTES {
            due.insert(name.clone());
        }
    }
    due
}

/// Groups of a cluster that are looked at in the same minute.
#[derive(Clone, Copy, Default)]
struct Part {
    number: u64,
    services: usize,
}

impl Part {
    /// Whether its services fill whole calls, or are enough.
    fn is_full(self) -> bool {
        self.services > 0 && self.services.is_multiple_of(PER_CALL) || self.services >= LONGEST
    }

    fn next(self) -> Self {
        Self {
            number: self.number + 1,
            services: 0,
        }
    }
}

/// Not all clusters begin in the same minute: a plain sum spreads them well enough.
fn begins(cluster: &str) -> u64 {
    cluster.bytes().map(u64::from).sum()
}
