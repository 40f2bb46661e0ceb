//! A turn for every group.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt};

use super::{Turn, turn_until};
use crate::duration;
use crate::error::Error;
use crate::ids::GroupName;
use crate::intent::Intent;
use crate::ports::{Stored, World};
use crate::quota::PATIENCE;
use crate::record::{Phase, Record};

/// How many groups a tick works on at once: enough to hide the waiting, well within ECS's read buckets.
const GROUPS_AT_ONCE: usize = 16;

/// Takes a turn for every group, many at once. A group that fails does not harm its neighbours. Groups that are not awake
/// go first, and all sleeps together have the patience of one, so that no wake stands behind sleeps that wait.
pub async fn turn_all<W: World>(
    world: &W,
    groups: BTreeMap<GroupName, Stored>,
    intent: &Intent,
) -> Vec<(GroupName, Result<Turn, Error>)> {
    let patience_ends = duration::after(world.now(), PATIENCE);
    let (mut groups, late): (Vec<_>, Vec<_>) = groups
        .into_iter()
        .partition(|(_, stored)| !may_fall_asleep(stored.record.as_ref()));
    groups.extend(late);
    let turns = groups.into_iter().filter_map(|(name, stored)| {
        let settings = stored.settings?;
        Some(async move {
            let turn = turn_until(world, &settings, stored.record, intent, patience_ends, 0).await;
            (name, turn)
        })
    });
    let mut turns: Vec<_> = stream::iter(turns).buffered(GROUPS_AT_ONCE).collect().await;
    turns.sort_by(|(one, _), (other, _)| one.cmp(other));
    turns
}

/// Whether a group has a count that a tick may take away. One that wakes may too, but is more likely to be moved on.
fn may_fall_asleep(record: Option<&Record>) -> bool {
    record.is_some_and(|record| matches!(record.phase, Phase::Awake | Phase::FallingAsleep))
}
