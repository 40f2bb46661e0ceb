//! A turn for every group, in the fewest calls: what is at rest is not looked at, what has something to do is looked at
//! closely, and all others at a glance and together.

mod glance;
mod reads;
mod rounds;
mod shards;

pub use rounds::due;
pub use shards::{Part, deal};

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join;
use futures_util::stream::{self, StreamExt};
use jiff::Timestamp;

use super::{Turn, Way, turn_by};
use crate::decide::{is_at_rest, needs_look, watches_front};
use crate::duration;
use crate::error::Error;
use crate::ids::GroupName;
use crate::intent::Intent;
use crate::ports::{Stored, World};
use crate::record::{Phase, Record, ServiceRecord};
use crate::settings::GroupSettings;
use reads::Reads;

/// How many groups a tick works on at once: enough to hide the waiting, well within ECS's read buckets.
const GROUPS_AT_ONCE: usize = 16;
/// So long a tick waits for tokens. While none waits, until the next one, the bucket fills up to the brim, which takes 10 s.
/// The second more is that in which the next one reads the tags and looks.
const PATIENCE: Duration = Duration::from_secs(51);

/// Which groups a tick is about, besides those that need it.
#[derive(Clone, Copy, Debug)]
pub struct Round<'a> {
    /// Those that are looked at though they are at rest; none: all of them.
    pub due: Option<&'a BTreeSet<GroupName>>,
    /// How many ticks, each for groups of its own, share ECS's read buckets.
    pub parts: u32,
}

impl Round<'_> {
    fn is_due(&self, group: &GroupName) -> bool {
        self.due.is_none_or(|due| due.contains(group))
    }
}

/// How closely a group is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Care {
    /// Only if its turn needs it.
    Rest,
    /// Counts, together with those of others.
    Glance,
    /// By itself, and closely.
    Close,
}

/// Takes a turn for every group, many at once, and tells each as it ends. A group that fails does not harm its neighbours.
/// Groups that are not awake go first, and all together have the patience of one, so that no wake stands behind sleeps
/// that wait. Groups that are to be looked at, and do not fit into the pace of reads, are left to the next tick.
pub async fn turn_all<W: World>(
    world: &W,
    groups: BTreeMap<GroupName, Stored>,
    intent: &Intent,
    round: Round<'_>,
    tell: &mut dyn FnMut(&GroupName, Result<Turn, Error>),
) {
    let began = world.now();
    let patience_ends = duration::after(began, PATIENCE);
    let groups = groups.into_iter().filter_map(Group::of);
    let reads = Reads::part_of(round.parts, patience_ends);
    let (at_a_glance, others): (Vec<Group>, Vec<Group>) =
        groups.partition(|group| group.care(intent, &round, began) == Care::Glance);
    let others = in_turn(others, &reads, began);
    let tell = RefCell::new(tell);
    let take = async |group: Group, way: Way| {
        let turn = turn_by(world, &group.settings, group.record, intent, way, &()).await;
        (tell.borrow_mut())(&group.settings.name, turn);
    };
    let closely = stream::iter(others).for_each_concurrent(GROUPS_AT_ONCE, async |group| {
        let mut way = Way::until(patience_ends);
        way.must_look = group.care(intent, &round, began) == Care::Close;
        if !way.must_look || reads.wait_for(world, group.calls()).await {
            take(group, way).await;
        }
    });
    let glancing = async {
        let seen = glance::take(world, at_a_glance, &reads).await;
        stream::iter(seen)
            .for_each_concurrent(GROUPS_AT_ONCE, async |(group, seen)| {
                let mut way = Way::until(patience_ends);
                way.must_look = group.is_worth_a_closer_look(&seen, began);
                way.seen = (!way.must_look).then_some(seen);
                if !way.must_look || reads.wait_for(world, group.calls()).await {
                    take(group, way).await;
                }
            })
            .await;
    };
    join(closely, glancing).await;
}

/// Groups that are not awake first. If there is no time to look closely at all that are, others are left out each time.
fn in_turn(groups: Vec<Group>, reads: &Reads, now: Timestamp) -> Vec<Group> {
    let (mut awake, mut all): (Vec<Group>, Vec<Group>) = groups.into_iter().partition(Group::may_fall_asleep);
    let calls = |group: &Group| group.calls().tasks as usize;
    let wanted = awake.iter().map(calls).sum();
    let left = reads.most_tasks(now).saturating_sub(all.iter().map(calls).sum());
    let begin = reads::begin(awake.len(), wanted, left, now);
    awake.rotate_left(begin);
    all.append(&mut awake);
    all
}

/// The groups that have a turn to take or are due, and so are worth handing to somebody else.
#[must_use]
pub fn worth_a_turn(
    groups: &BTreeMap<GroupName, Stored>,
    round: Round<'_>,
    now: Timestamp,
) -> Vec<GroupName> {
    let wants = |stored: &Stored| match (&stored.settings, &stored.record) {
        (Some(settings), Some(record)) => {
            !is_at_rest(settings, record, now) || watches_front(settings, record)
        }
        (settings, _) => settings.is_some(),
    };
    let wanted = groups
        .iter()
        .filter(|(name, stored)| wants(stored) || round.is_due(name));
    wanted.map(|(name, _)| name.clone()).collect()
}

/// A group with its settings.
struct Group {
    settings: GroupSettings,
    record: Option<Record>,
}

impl Group {
    fn of((_, stored): (GroupName, Stored)) -> Option<Self> {
        Some(Self {
            settings: stored.settings?,
            record: stored.record,
        })
    }

    fn phase(&self) -> Option<Phase> {
        self.record.as_ref().map(|record| record.phase)
    }

    /// Whether it has a count that a tick may take away. One that wakes may too, but is more likely to be moved on.
    fn may_fall_asleep(&self) -> bool {
        matches!(self.phase(), Some(Phase::Awake | Phase::FallingAsleep))
    }

    fn has_neighbours(&self) -> bool {
        !(self.settings.needed_by.is_empty() && self.settings.needed_groups().is_empty())
    }

    /// Whether a tick may do something about it.
    fn moves(&self, intent: &Intent, now: Timestamp) -> bool {
        let record = self.record.as_ref();
        record.is_none_or(|record| needs_look(&self.settings, record, intent, now))
    }

    fn care(&self, intent: &Intent, round: &Round<'_>, now: Timestamp) -> Care {
        let Some(record) = &self.record else {
            return Care::Close;
        };
        let is_due = round.is_due(&self.settings.name);
        let unseen = |record: &Record| record.version == 0 || record.would.is_some();
        match record.phase {
            _ if unseen(record) => Care::Close,
            // Whoever needs others, or is needed, is looked at beside them.
            Phase::Waking | Phase::Awake if self.has_neighbours() && self.moves(intent, now) => Care::Close,
            Phase::Asleep if !self.moves(intent, now) => match is_due {
                true => Care::Glance,
                false => Care::Rest,
            },
            Phase::Asleep | Phase::FallingAsleep => Care::Close,
            Phase::Waking if was_commanded(record) => Care::Glance,
            Phase::Waking => Care::Close,
            // From time to time, and as long as it does not, it is made sure that it answers.
            Phase::Awake if is_due || record.unanswered_since.is_some() || self.reads_tasks() => Care::Close,
            Phase::Awake if !self.moves(intent, now) => Care::Rest,
            Phase::Awake => Care::Glance,
        }
    }
}

/// Whether all that a wake wants was asked for.
fn was_commanded(record: &Record) -> bool {
    let mut wanted = record
        .services
        .values()
        .filter(|service| service.wanted.is_some());
    let was_asked_for = |service: &ServiceRecord| service.command.is_some_and(|command| command.count > 0);
    wanted.all(|service| was_asked_for(service) && service.failure.is_none())
}
