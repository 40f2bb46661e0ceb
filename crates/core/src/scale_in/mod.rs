//! The scale-in protocol: tasks leave without cutting a live session.
//!
//! One execution of `statemachines/scale-in.asl.json` takes these steps, each a request to the function:
//! claim, choose, protect, deregister, wait until the targets have drained, check, lower, confirm, release
//! ([`request::Step`]). Every step looks at the claim, the service and the plan anew, saves what it is about to do
//! before it does it, and can be repeated from any point. A step that finds its data stale fails with a typed error,
//! and the state machine goes back to the step that mends it. Whatever happens, [`release()`] gives everything back; if
//! the execution itself is lost, the tick calls it.
//!
//! Why nobody is cut off: ECS may remove any task that is not protected when a count is lowered, so everything but the
//! tasks that are to go is protected then; those take no new connections, are known to be free of sessions, and are
//! exactly as many as the count is lowered by.

mod check;
mod choose;
mod claim;
mod confirm;
mod deregister;
mod look;
mod lower;
pub mod plan;
mod protect;
mod release;
pub mod request;

pub use release::release;

use std::time::Duration;

use crate::error::Error;
use crate::ports::ScalingWorld;
use request::{Answer, Request, Step};

/// Between one look at draining or leaving tasks and the next. State transitions cost money; our choice.
pub const BETWEEN_LOOKS: Duration = Duration::from_secs(60);
/// A session that began a moment ago is known after this long: the queue collects reports for a second, and the function
/// keeps them at once. The second look is at least this long after the first. Our choice.
pub const REPORTS: Duration = Duration::from_secs(10);
/// Tasks that ECS stops are usually gone from its lists after this long. Our choice.
pub const FIRST_CONFIRMATION: Duration = Duration::from_secs(10);
/// A scale-in that takes longer than draining and this is given up: what stands in its way will not pass. Our choice.
pub const PATIENCE: Duration = Duration::from_secs(20 * 60);
/// Most tasks that leave in one scale-in, so that the plan fits into an item of the table. Our choice.
pub const MOST: usize = 100;
/// A protection that expires sooner may be gone before ECS has acted on a lower count. Our choice.
const LONG_ENOUGH: Duration = Duration::from_secs(60);

/// Takes one step.
///
/// # Errors
/// [`crate::error::Code::ScaleInRevoked`] when the scale-in must end; `NoFreeTask`, `NotProtected`, `TargetRegistered`
/// and `TaskInUse` when another step must come first; `Contention` and those of AWS when the same step must be
/// repeated.
pub async fn take<W: ScalingWorld>(world: &W, request: &Request) -> Result<Answer, Error> {
    match request.step {
        Step::Claim => claim::claim(world, request).await,
        Step::Choose => choose::choose(world, request).await,
        Step::Protect => protect::protect(world, request).await,
        Step::Deregister => deregister::deregister(world, request).await,
        Step::Check => check::check(world, request).await,
        Step::Lower => lower::lower(world, request).await,
        Step::Confirm => confirm::confirm(world, request).await,
        Step::Release => {
            release(world, &request.group, &request.service, &request.execution).await?;
            Ok(Answer::new("released"))
        }
    }
}
