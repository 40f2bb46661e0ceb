//! Answers that many share: whoever comes within a second of a look at the group is told what that one saw.

use std::cell::RefCell;
use std::time::Duration;

use dormouse_core::config::Config;
use dormouse_core::duration::between;
use dormouse_core::engine::{self, Beside, Turn};
use dormouse_core::error::Error;
use dormouse_core::ids::GroupName;
use dormouse_core::intent::{Action, Intent};
use dormouse_core::look::{HELD, Look, Shared, is_to_be_written};
use dormouse_core::ports::{Looks, Saved, World};
use dormouse_core::record::Record;
use dormouse_core::settings::GroupSettings;
use dormouse_core::status::Status;
use dormouse_function::{log, turn};
use futures_util::future::{LocalBoxFuture, join, try_join3};
use jiff::Timestamp;

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
    // Whether there is a wake to be written hangs on the record, which is read at the same time as it is claimed.
    let mut wakes = matches!(intent.action, Action::Wake(_));
    let mut glance_after = GLANCE_AFTER;
    loop {
        let found = engine::find(world, group, &config.listed, &config.defaults);
        let wake = async {
            match wakes {
                true => world.claim_wake(group, world.now()).await,
                false => Ok(Saved::Conflict),
            }
        };
        let ((settings, record), shared, wake) = try_join3(found, world.shared(group), wake).await?;
        let now = world.now();
        let waited = between(began, now);
        let known = record.as_ref();
        let last = shared.look.as_ref();
        if let Some(look) = last.filter(|look| look.answers(known, intent, began, now)) {
            return told(look.clone());
        }
        let (is_free, writes) = (shared.is_free(now), is_to_be_written(intent, known, now));
        let claim_look = || world.claim_look(group, shared.claimed_at, now);
        let claimed = match writes {
            true => wake == Saved::Yes,
            false => is_free && claim_look().await? == Saved::Yes,
        };
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
            let look = look(world, &settings, record, &shared, intent, request_id);
            if !writes {
                return look.await;
            }
            // Those who find the wake written wait for this look; if somebody else has claimed one, they wait for that.
            let (told, claimed) = join(look, claim_look()).await;
            if let Err(error) = claimed {
                log::error(&error, Some(group.as_str()), request_id);
            }
            return told;
        }
        wakes = writes && (is_free || waited >= HELD);
        world.pause(glance_after).await;
        glance_after = (glance_after * 3 / 2).min(GLANCE_EVERY);
    }
}

/// Looks, and shares what is seen while it acts on it. What cannot be shared is told all the same.
async fn look<W: World + Looks>(
    world: &W,
    settings: &GroupSettings,
    record: Option<Record>,
    shared: &Shared,
    intent: &Intent,
    request_id: &str,
) -> Result<Told, Error> {
    let own = Own {
        world,
        intent,
        earlier: shared.look.as_ref(),
        claimed_at: world.now(),
        request_id,
        shared: RefCell::default(),
    };
    let taken = turn::take_beside(world, settings, record.clone(), intent, &own, request_id).await;
    let look = match &taken {
        Ok(turn) => own.of(turn),
        Err(error) => Look::failed(
            error,
            record.as_ref(),
            intent,
            own.earlier,
            own.claimed_at,
            world.now(),
        ),
    };
    let early = own.shared.take();
    if !early.is_some_and(|early| early.tells_the_same(&look)) {
        own.share(&settings.name, &look).await;
    }
    told(look)
}

/// A look of one's own.
struct Own<'a, W> {
    world: &'a W,
    intent: &'a Intent,
    earlier: Option<&'a Look>,
    claimed_at: Timestamp,
    request_id: &'a str,
    /// What others were told before the turn's effects were carried out.
    shared: RefCell<Option<Look>>,
}

impl<W: World + Looks> Own<'_, W> {
    fn of(&self, turn: &Turn) -> Look {
        Look::of(turn, self.intent, self.earlier, self.claimed_at, self.world.now())
    }

    async fn share(&self, group: &GroupName, look: &Look) {
        if let Err(error) = self.world.share_look(group, look).await {
            log::error(&error, Some(group.as_str()), self.request_id);
        }
    }
}

impl<W: World + Looks> Beside for Own<'_, W> {
    fn tell<'a>(&'a self, turn: &'a Turn) -> LocalBoxFuture<'a, ()> {
        Box::pin(async move {
            let look = self.of(turn);
            self.share(&turn.settings.name, &look).await;
            self.shared.replace(Some(look));
        })
    }
}

fn told(look: Look) -> Result<Told, Error> {
    Ok(Told {
        status: look.status?,
        refusal: look.refusal,
    })
}
