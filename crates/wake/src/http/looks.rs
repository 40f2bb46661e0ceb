//! Answers that many share: whoever comes within a second of a look at the group is told what that one saw.

use std::time::Duration;

use dormouse_core::config::Config;
use dormouse_core::duration::between;
use dormouse_core::engine;
use dormouse_core::error::Error;
use dormouse_core::ids::GroupName;
use dormouse_core::intent::Intent;
use dormouse_core::look::{Kind, Look, Shared};
use dormouse_core::ports::{Looks, Saved, World};
use dormouse_core::record::Record;
use dormouse_core::settings::GroupSettings;
use dormouse_core::status::Status;
use dormouse_function::{log, turn};
use futures_util::future::try_join;

/// Time until the first glance at the table while somebody else looks; later ones come more slowly, because many who wait
/// for a long look would make it take longer still.
const GLANCE_AFTER: Duration = Duration::from_millis(200);
/// The most between two glances.
const GLANCE_EVERY: Duration = Duration::from_millis(800);
/// So long one waits for what somebody else sees if an older answer will do.
pub(super) const LONGEST: Duration = Duration::from_secs(3);
/// So long one waits if none will: two who looked before have died by then. What is left of the 30 s that an HTTP API waits
/// is for the look of one's own, so that nobody who comes to wake goes away without having been heard. Nobody looks without
/// a claim before, because when looks take long, many more of them make them take longer still.
const ALONE_AFTER: Duration = Duration::from_secs(12);

/// What a request is told of its group.
pub(super) struct Told {
    /// The status.
    pub(super) status: Status,
    /// Why what was asked for was refused, if it was.
    pub(super) refusal: Option<Error>,
}

/// The status of a group after what was asked for: by a look of one's own, or by that of somebody else, for which one waits
/// up to `longest`.
///
/// # Errors
/// Those of the engine, also those that the other one met.
pub(super) async fn ask<W: World + Looks>(
    world: &W,
    config: &Config,
    group: &GroupName,
    intent: &Intent,
    longest: Duration,
    request_id: &str,
) -> Result<Told, Error> {
    let began = world.now();
    // What is to be claimed hangs on the record, which is read at the same time; most who come find the group up.
    let mut kind = Kind::Look;
    let mut glance_after = GLANCE_AFTER;
    loop {
        let found = engine::find(world, group, &config.listed, &config.defaults);
        let ((settings, record), shared) = try_join(found, world.shared(group, kind)).await?;
        let now = world.now();
        let waited = between(began, now);
        let known = record.as_ref();
        let last = shared.look.as_ref();
        if let Some(look) = last.filter(|look| look.answers(known, intent, began, now)) {
            return told(look.clone());
        }
        let needed = Kind::of(intent, known, now);
        if needed != kind {
            kind = needed;
            continue;
        }
        let claimed =
            shared.is_free(now) && world.claim_look(group, kind, shared.claimed_at, now).await? == Saved::Yes;
        let will_do = |look: &&Look| waited >= longest && look.will_do(known, intent, now);
        if let Some(look) = last.filter(will_do).filter(|_| !claimed) {
            return told(look.clone());
        }
        if claimed || waited >= ALONE_AFTER {
            // What was waited here is not waited once more.
            let left = intent.patience.map(|patience| patience.saturating_sub(waited));
            let intent = &Intent {
                patience: left,
                ..intent.clone()
            };
            return look(world, &settings, record, &shared, intent, request_id).await;
        }
        world.pause(glance_after).await;
        glance_after = (glance_after * 3 / 2).min(GLANCE_EVERY);
    }
}

/// Looks, and shares what is seen. What cannot be shared is told all the same.
async fn look<W: World + Looks>(
    world: &W,
    settings: &GroupSettings,
    record: Option<Record>,
    shared: &Shared,
    intent: &Intent,
    request_id: &str,
) -> Result<Told, Error> {
    let (claimed_at, earlier) = (world.now(), shared.look.as_ref());
    let taken = turn::take(world, settings, record.clone(), intent, request_id).await;
    let look = match &taken {
        Ok(turn) => Look::of(turn, intent, earlier, claimed_at, world.now()),
        Err(error) => Look::failed(error, record.as_ref(), intent, earlier, claimed_at, world.now()),
    };
    if let Err(error) = world.share_look(&settings.name, &look).await {
        log::error(&error, Some(settings.name.as_str()), request_id);
    }
    told(look)
}

fn told(look: Look) -> Result<Told, Error> {
    Ok(Told {
        status: look.status?,
        refusal: look.refusal,
    })
}
