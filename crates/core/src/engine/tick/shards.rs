//! Shards: a tick that has too much to do hands it to others of its kind, in parts of about the same size.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Round;
use crate::ids::GroupName;
use crate::ports::Stored;

/// A part of a tick, as its message says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The groups whose turn it is.
    pub groups: BTreeSet<GroupName>,
    /// Those that are looked at though they are at rest.
    pub due: BTreeSet<GroupName>,
    /// How many parts there are.
    pub parts: u32,
}

impl Part {
    /// The round of its tick.
    #[must_use]
    pub fn round(&self) -> Round<'_> {
        Round {
            due: Some(&self.due),
            parts: self.parts,
        }
    }
}

/// Deals groups to so many parts, or fewer if there are not as many groups. Those of a cluster stay together as far as
/// they can, because they share calls.
#[must_use]
pub fn deal(
    names: Vec<GroupName>,
    groups: &BTreeMap<GroupName, Stored>,
    due: &BTreeSet<GroupName>,
    parts: u32,
) -> Vec<Part> {
    let services = |name: &GroupName| {
        groups
            .get(name)?
            .settings
            .as_ref()
            .map(|settings| &settings.services)
    };
    let cluster = |name: &GroupName| services(name)?.first().map(|service| &service.id.cluster);
    let size = |name: &GroupName| services(name).map_or(0, Vec::len).max(1);
    let mut names = names;
    names.sort_by(|one, other| (cluster(one), one).cmp(&(cluster(other), other)));
    let all: usize = names.iter().map(size).sum();
    let mut dealt: Vec<BTreeSet<GroupName>> = vec![BTreeSet::new(); parts as usize];
    let mut before = 0;
    for name in names {
        let part = before * dealt.len() / all.max(1);
        before += size(&name);
        dealt[part].insert(name);
    }
    dealt.retain(|groups| !groups.is_empty());
    let parts = u32::try_from(dealt.len()).unwrap_or(u32::MAX);
    let part = |groups: BTreeSet<GroupName>| Part {
        due: groups.intersection(due).cloned().collect(),
        groups,
        parts,
    };
    dealt.into_iter().map(part).collect()
}
