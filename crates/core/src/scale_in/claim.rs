//! The first step: this scale-in, and no other, may lower the count.

use super::look::{self, Look};
use super::request::{Answer, Request};
use crate::engine;
use crate::error::{Code, Error};
use crate::ports::{Saved, ScalingWorld};
use crate::scaling::reason::Reason;
use crate::scaling::record::Claim;
use crate::settings::Mode;

/// The tick has written the claim before it started the execution. Who starts one by hand says how many tasks to leave
/// and is given the claim if it is free.
pub(super) async fn claim<W: ScalingWorld>(world: &W, request: &Request) -> Result<Answer, Error> {
    if let Some(to) = request.to {
        take(world, request, to).await?;
    }
    Look::take(world, request).await?;
    Ok(Answer::new("claimed"))
}

async fn take<W: ScalingWorld>(world: &W, request: &Request, to: u32) -> Result<(), Error> {
    let (settings, mut record) = look::load(world, request).await?;
    let scaling = &mut record.service(&request.service).scaling;
    match &scaling.claim {
        Some(claim) if claim.execution == request.execution => return Ok(()),
        Some(claim) => {
            let why = format!("`{}` has the claim", claim.execution);
            return Err(look::revoked(request, &why));
        }
        None => {}
    }
    if !settings.scaling.scale_in {
        let message = format!("service `{}`: its tag dormouse:scale-in is off", request.service);
        return Err(Error::new(Code::InvalidRequest, message));
    }
    if settings.mode == Mode::Observe {
        let message = format!("service `{}`: its group is in observe mode", request.service);
        return Err(Error::new(Code::Observing, message));
    }
    let to = to.max(settings.scaling.min).max(1);
    let from = look::observe(world, request, &settings).await?.desired;
    if from <= to {
        let message = format!(
            "service `{}` has {from} tasks and is to keep {to}",
            request.service
        );
        return Err(Error::new(Code::NoFreeTask, message));
    }
    let now = world.now();
    scaling.claims += 1;
    scaling.claim = Some(Claim::new(
        request.execution.clone(),
        from,
        to,
        Reason::Asked,
        now,
    ));
    match world.save_record(&request.group, &record, None).await? {
        Saved::Yes => Ok(()),
        Saved::Conflict => Err(engine::contention(&request.group)),
    }
}
