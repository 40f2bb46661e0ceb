//! Changes of what the record remembers of a service's scaling, over whatever others write meanwhile.

use super::notice::Notice;
use super::record::{Change, Revoker, ScalingRecord};
use crate::engine;
use crate::error::Error;
use crate::ids::{Generation, GroupName, ServiceId};
use crate::ports::{ScalingWorld, Store};
use crate::record::Record;
use crate::why::Entry;
use jiff::Timestamp;

/// Changes it, unless `change` says that nothing changed.
pub(crate) async fn change<W: Store>(
    world: &W,
    group: &GroupName,
    service: &ServiceId,
    mut change: impl FnMut(&mut ScalingRecord) -> bool,
) -> Result<(), Error> {
    let loaded = world.load(group).await?.record;
    engine::change(world, group, loaded, |record| {
        change(&mut record.service(service).scaling)
    })
    .await?;
    Ok(())
}

/// Sets a desired count. If somebody has asked for more meanwhile, whose call may have landed first, that is set again;
/// nobody knows of this one, so it must not be the last.
pub(crate) async fn set_desired<W: ScalingWorld>(
    world: &W,
    group: &GroupName,
    service: &ServiceId,
    count: u32,
) -> Result<(), Error> {
    world.set_desired(service, count).await?;
    // If the record cannot be read, the call has worked all the same.
    let (loaded, now) = (world.load(group).await, world.now());
    let record = loaded.ok().and_then(|stored| stored.record);
    let command = record.and_then(|record| record.services.get(service)?.command);
    let more = command.filter(|command| command.count > count && command.is_on_its_way(count, now));
    match more {
        Some(command) => world.set_desired(service, command.count).await,
        None => Ok(()),
    }
}

/// A scale-out that did not happen, decided at this moment, is neither told nor waited for.
pub(crate) async fn forget_scale_out<W: ScalingWorld>(
    world: &W,
    group: &GroupName,
    service: &ServiceId,
    decided: Timestamp,
) -> Result<(), Error> {
    change(world, group, service, |scaling| {
        scaling.history.scaled_out_at = None;
        scaling.untold.retain(|change| change.at != decided);
        true
    })
    .await
}

/// Takes the claim of an execution that is gone away.
pub(crate) async fn orphan<W: ScalingWorld>(
    world: &W,
    group: &GroupName,
    service: &ServiceId,
    execution: &str,
) -> Result<(), Error> {
    let now = world.now();
    change(world, group, service, |scaling| {
        let ours = scaling
            .claim
            .as_ref()
            .is_some_and(|claim| claim.execution == execution);
        if ours {
            scaling.revoke(Revoker::Orphaned, now);
        }
        ours
    })
    .await
}

/// Remembers that a scale-in has lowered the count, and tells people, unless that was done before. `count` is the
/// desired count as it is now. If people cannot be told now, the scale-in goes on, and the tick tells them.
pub(crate) async fn note_lowered<W: ScalingWorld>(
    world: &W,
    group: &GroupName,
    service: &ServiceId,
    execution: &str,
    count: u32,
) -> Result<(), Error> {
    let now = world.now();
    change(world, group, service, |scaling| {
        let claim = scaling
            .claim
            .as_ref()
            .filter(|claim| claim.execution == execution);
        let lowering = claim.and_then(|claim| claim.lowering);
        let (Some(claim), Some(lowering)) = (claim, lowering) else {
            return false;
        };
        if scaling.has_lowered(lowering) || count >= claim.from {
            return false;
        }
        let change = Change {
            at: lowering.at,
            from: claim.from,
            to: count,
            reason: claim.reason.clone(),
            reading: claim.reading,
        };
        scaling.note(change);
        scaling.history.scaled_in_at = Some(now.max(lowering.at));
        true
    })
    .await?;
    tell(world, group, service, now).await.or(Ok(()))
}

/// Tells the why-log and people of the changes of which nobody was told yet, one after the other. Of those that were
/// decided after `until` nobody knows yet whether they happen. The log comes first: an entry that is written again is
/// the same one, but nobody likes to read a message twice.
pub(crate) async fn tell<W: ScalingWorld>(
    world: &W,
    group: &GroupName,
    service: &ServiceId,
    until: Timestamp,
) -> Result<(), Error> {
    let mut record = world.load(group).await?.record;
    while let Some((generation, change)) = first_untold(record.as_ref(), service, until) {
        let entry = Entry::of_change(group, generation, service, &change);
        world.add_why(&entry).await?;
        world.tell(&Notice::of(group, service, &change)).await?;
        record = engine::change(world, group, record, |record| {
            let untold = &mut record.service(service).scaling.untold;
            let before = untold.len();
            untold.retain(|other| *other != change);
            untold.len() != before
        })
        .await?;
    }
    Ok(())
}

fn first_untold(
    record: Option<&Record>,
    service: &ServiceId,
    until: Timestamp,
) -> Option<(Generation, Change)> {
    let record = record?;
    let untold = &record.services.get(service)?.scaling.untold;
    let change = untold.first().filter(|change| change.at <= until)?;
    Some((record.generation, change.clone()))
}
