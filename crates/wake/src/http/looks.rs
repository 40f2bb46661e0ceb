//! Answers that many share: whoever comes within a second of a look at the group is told what that one saw.

use std::time::Duration;

use dormouse_core::config::Config;
use dormouse_core::duration::between;
use dormouse_core::engine;
use dormouse_core::error::{Code, Error};
use dormouse_core::ids::GroupName;
use dormouse_core::intent::{Action, Intent};
use dormouse_core::look::Look;
use dormouse_core::ports::{Looks, Saved, World};
use dormouse_core::record::{Phase, Record};
use dormouse_core::status::Status;
use dormouse_function::turn;
use futures_util::future::try_join;

/// Time between two glances at the table while somebody else looks.
const GLANCE_EVERY: Duration = Duration::from_millis(200);
/// So long one waits for what somebody else sees; then an older answer must do.
const LONGEST: Duration = Duration::from_secs(5);

/// What a request is told of its group.
pub(super) struct Told {
    /// The status.
    pub(super) status: Status,
    /// Why what was asked for was refused, if it was.
    pub(super) refusal: Option<Error>,
}

/// The status of a group after what was asked for: by a look of one's own, or by that of somebody else.
///
/// # Errors
/// Those of the engine, also those that the other one met.
pub(super) async fn ask<W: World + Looks>(
    world: &W,
    config: &Config,
    group: &GroupName,
    intent: &Intent,
    request_id: &str,
) -> Result<Told, Error> {
    let began = world.now();
    loop {
        let found = engine::find(world, group, &config.listed, &config.defaults);
        let ((settings, record), shared) = try_join(found, world.look(group)).await?;
        let now = world.now();
        if let Some(look) = shared
            .as_ref()
            .filter(|look| look.answers(record.as_ref(), intent, now))
        {
            return told(look.clone());
        }
        if world.claim_look(group, now).await? == Saved::Yes {
            let taken = turn::take(world, &settings, record.clone(), intent, request_id).await;
            let look = match &taken {
                Ok(turn) => Look::of(turn, intent, shared.as_ref()),
                Err(error) => Look::failed(error, record.as_ref(), intent, now),
            };
            world.share_look(group, now, &look).await?;
            return told(look);
        }
        if between(began, now) >= LONGEST {
            return match shared.filter(|look| will_do(look, record.as_ref(), intent)) {
                Some(look) => told(look),
                None => Err(Error::new(
                    Code::Unavailable,
                    format!("group `{group}`: another request looks at it, and does not come to an end"),
                )),
            };
        }
        world.pause(GLANCE_EVERY).await;
    }
}

/// Whether an older look is better than none: it is of the same generation, and whoever asks for the group finds it up.
fn will_do(look: &Look, record: Option<&Record>, intent: &Intent) -> bool {
    let Some(record) = record else { return false };
    let is_up = matches!(record.phase, Phase::Waking | Phase::Awake);
    let same = look
        .status
        .as_ref()
        .is_ok_and(|status| status.generation == record.generation);
    same && (is_up || intent.action == Action::Look)
}

fn told(look: Look) -> Result<Told, Error> {
    Ok(Told {
        status: look.status?,
        refusal: look.refusal,
    })
}
