//! The three steps of every function around the one decision: observe, decide, act.
//!
//! The record is saved first, over the version that was loaded; effects follow and are idempotent. A writer
//! that lost the race loads again and decides again.

mod act;
mod change;
mod discover;
mod look;
mod tick;

pub use change::change;
pub(crate) use change::contention;
pub use discover::{discover, find};
pub use look::observe_one;
pub use tick::turn_all;

use jiff::Timestamp;

use crate::decide::{Effect, needs_look};
use crate::duration;
use crate::error::Error;
use crate::ids::Generation;
use crate::intent::{Action, Intent};
use crate::observation::Observation;
use crate::ports::{Saved, World};
use crate::quota::{Held, PATIENCE, Priority, Tokens};
use crate::reason::Reason;
use crate::record::{Phase, Record};
use crate::settings::{GroupSettings, Problem, ServiceSettings};

/// How often a writer that lost the race decides again before it gives up.
const TRIES: u32 = 6;

/// What a turn did, and what it saw: all that reports, pages and answers are made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// The group's settings.
    pub settings: GroupSettings,
    /// The record as it is now.
    pub record: Record,
    /// The phase before.
    pub before: Phase,
    /// Whether a new generation began.
    pub woke: bool,
    /// What was seen.
    pub seen: Observation,
    /// Why it did what it did.
    pub reason: Reason,
    /// Whether the intent came from a timer of an older generation.
    pub superseded: bool,
    /// What was done.
    pub effects: Vec<Effect>,
    /// What went wrong on the way.
    pub problems: Vec<Problem>,
    /// When the next look is due.
    pub look_again: Option<Timestamp>,
    /// The moment of the decision.
    pub now: Timestamp,
}

/// Takes one turn for one group: observes, decides, saves, acts.
///
/// A sleep stands back for what is more urgent: it takes its tokens before it is written down, and if it had to wait for
/// them, everything is looked at and decided on anew.
///
/// # Errors
/// Those of the store, [`Code::Contention`] if other writers won every time, and [`Code::Throttled`] if a sleep's tokens
/// are not there within [`PATIENCE`]; then nothing was written or changed. What ECS refuses is not an error here but part
/// of the turn: it is remembered and tried again.
pub async fn turn<W: World>(
    world: &W,
    settings: &GroupSettings,
    loaded: Option<Record>,
    intent: &Intent,
) -> Result<Turn, Error> {
    let patience_ends = duration::after(world.now(), PATIENCE);
    turn_until(world, settings, loaded, intent, patience_ends).await
}

async fn turn_until<W: World>(
    world: &W,
    settings: &GroupSettings,
    loaded: Option<Record>,
    intent: &Intent,
    patience_ends: Timestamp,
) -> Result<Turn, Error> {
    let first = last_wake(loaded.as_ref());
    let mut tokens = Tokens::none(patience_ends);
    let mut loaded = loaded;
    for _ in 0..TRIES {
        let now = world.now();
        // Whoever asked for sleep did not know of a wake that came since.
        let outdated = intent.action == Action::Sleep && last_wake(loaded.as_ref()) != first;
        let look = Intent {
            action: Action::Look,
            ..intent.clone()
        };
        let intent = if outdated { &look } else { intent };
        let before = loaded.unwrap_or_else(|| Record::unseen(now));
        let mut seen = Observation::default();
        if needs_look(&before, intent) {
            let services: Vec<&ServiceSettings> = settings.services.iter().collect();
            seen.services = world.observe(&services).await;
            look::read(world, settings, &before, &mut seen, intent, now).await;
        }
        let decision = look::decide_with_bounds(world, settings, &before, &mut seen, intent, now).await;
        if let Some(wanted) = tokens_of_sleep(&decision.effects)
            && tokens
                .hold(world, Priority::Sleep, wanted, &settings.name)
                .await?
                == Held::Later
        {
            loaded = world.load(&settings.name).await?.record;
            continue;
        }
        let mut record = decision.record;
        if record != before {
            if world.save_record(&settings.name, &record).await? == Saved::Conflict {
                loaded = world.load(&settings.name).await?.record;
                continue;
            }
            record.version = before.version + 1;
        }
        let woke = record.generation != before.generation;
        let mut problems = act::act(world, settings, &mut record, &decision.effects, &mut tokens).await?;
        problems.extend(look::problems_of_bounds(&seen));
        return Ok(Turn {
            settings: settings.clone(),
            record,
            before: before.phase,
            woke,
            seen,
            reason: decision.reason,
            superseded: decision.superseded,
            effects: decision.effects,
            problems,
            look_again: decision.look_again,
            now,
        });
    }
    Err(contention(&settings.name))
}

/// The last wake that is known of.
fn last_wake(record: Option<&Record>) -> (Generation, Option<Timestamp>) {
    record.map_or((Generation(0), None), |record| {
        (record.generation, record.last_wake_at)
    })
}

/// How many tokens must be there before a sleep is written down; none if it is a wake. What raises even one count is.
fn tokens_of_sleep(effects: &[Effect]) -> Option<u32> {
    let mut wanted = 0;
    for effect in effects {
        match effect {
            Effect::SetDesired { count: 0, .. } => wanted += 1,
            Effect::SetDesired { .. } => return None,
            Effect::Suspend { .. } | Effect::StartTimer { .. } => {}
        }
    }
    Some(wanted)
}
