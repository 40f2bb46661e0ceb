//! What scale-ins and functions that died have left behind.

use jiff::Timestamp;

use crate::duration;
use crate::error::Error;
use crate::ids::{GroupName, ServiceId};
use crate::ports::ScalingWorld;
use crate::record::Record;
use crate::scale_in;
use crate::scaling::changes;
use crate::scaling::record::STEP_TIME;

/// Ends what was left behind: a scale-in whose claim is taken away or whose execution is gone, and a change of which
/// nobody was told.
pub(super) async fn finish<W: ScalingWorld>(
    world: &W,
    group: &GroupName,
    service: &ServiceId,
    record: &Record,
) -> Result<(), Error> {
    let Some(scaling) = record.services.get(service).map(|service| &service.scaling) else {
        return Ok(());
    };
    let now = world.now();
    let is_old = |at: Timestamp| duration::between(at, now) >= STEP_TIME;
    if scaling.untold.first().is_some_and(|change| is_old(change.at)) {
        changes::tell(world, group, service, duration::before(now, STEP_TIME)).await?;
    }
    let Some(claim) = &scaling.claim else {
        return Ok(());
    };
    if claim.is_abandoned(now) {
        scale_in::release(world, group, service, &claim.execution).await?;
    } else if claim.revoked.is_none() && is_old(claim.since) && !world.scale_in_runs(&claim.execution).await?
    {
        changes::orphan(world, group, service, &claim.execution).await?;
    }
    Ok(())
}
