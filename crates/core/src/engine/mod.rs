//! The three steps of every function around the one decision: observe, decide, act.
//!
//! The record is saved first, over the version that was loaded; effects follow and are idempotent. A writer
//! that lost the race loads again and decides again.

mod act;
mod ahead;
mod change;
mod discover;
mod look;
#[cfg(test)]
mod made;
mod neighbours;
mod tick;

pub use change::change;
pub(crate) use change::contention;
pub use discover::{Discovered, TOLD_IN_ONE_OF, discover, find};
pub use look::observe_one;
pub use neighbours::intent as intent_of_needing;
pub use tick::{Part, Round, deal, due, turn_all, worth_a_turn};

use std::collections::BTreeMap;

use futures_util::future::{LocalBoxFuture, join, join3};
use jiff::Timestamp;

use crate::decide::{Drift, Effect, NEXT_TICK, needs_look};
use crate::duration;
use crate::error::{Code, Error};
use crate::front::DoorChange;
use crate::ids::{Generation, ServiceId};
use crate::intent::{Action, Intent};
use crate::observation::{Observation, Seen};
use crate::ports::{Booking, Saved, World};
use crate::quota::{Held, PATIENCE, Priority, Tokens, no_token};
use crate::reason::Reason;
use crate::record::{Phase, Record, Would};
use crate::settings::{GroupSettings, Problem, ServiceSettings};
use crate::why;
use act::Acted;
use ahead::Ahead;

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
    /// Counts that somebody else has changed since the last look.
    pub drift: Vec<Drift>,
    /// What somebody else did to doors that were led away.
    pub door_changes: Vec<DoorChange>,
    /// What would have been done if the group were not in observe mode, since when it would be.
    pub would: Option<Would>,
    /// The turns of the groups that it woke because it needs them.
    pub needed: Vec<Turn>,
    /// What went wrong on the way.
    pub problems: Vec<Problem>,
    /// When the next look is due.
    pub look_again: Option<Timestamp>,
    /// The moment of the decision.
    pub now: Timestamp,
}

impl Turn {
    /// Why what was asked for was refused, if it was.
    #[must_use]
    pub fn refusal(&self) -> Option<Error> {
        match &self.reason {
            _ if self.would.is_some() => {
                let message = format!(
                    "group `{}` is in observe mode: it would have been changed, and was not",
                    self.settings.name
                );
                Some(Error::new(Code::Observing, message))
            }
            Reason::KeptAsleep { .. } => {
                let message = format!("group `{}` is {}", self.settings.name, self.reason);
                Some(Error::new(Code::KeptAsleep, message))
            }
            Reason::WakeBudgetSpent { .. } => {
                let message = format!("group `{}` is not woken: {}", self.settings.name, self.reason);
                Some(Error::new(Code::WakeBudgetSpent, message))
            }
            _ => None,
        }
    }

    /// Adds what became of its effects.
    fn add(&mut self, acted: Acted) {
        self.record = acted.record;
        self.needed.extend(acted.needed);
        // Those of what was done before those of what was seen.
        self.problems.splice(0..0, acted.problems);
    }

    /// Makes it one with the turn that it goes on with, which said what is done and why.
    fn follow(&mut self, earlier: Self) {
        (self.before, self.woke, self.reason) = (earlier.before, earlier.woke, earlier.reason);
        self.effects.splice(0..0, earlier.effects);
        self.needed.splice(0..0, earlier.needed);
        self.problems.splice(0..0, earlier.problems);
    }
}

/// Somebody who wants to know of a turn as soon as it is written down. Not a type parameter, so that there is one turn in
/// the program.
pub trait Beside {
    /// Is told while the turn's effects are carried out: what becomes of them is not in it yet.
    fn tell<'a>(&'a self, turn: &'a Turn) -> LocalBoxFuture<'a, ()>;
}

/// Nobody.
impl Beside for () {
    fn tell<'a>(&'a self, _: &'a Turn) -> LocalBoxFuture<'a, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// How a turn goes about it.
#[derive(Clone, Debug)]
struct Way {
    /// Up to when it waits for tokens.
    patience_ends: Timestamp,
    /// Looks, whether the decision needs it or not.
    must_look: bool,
    /// What was seen of its services a moment ago, together with those of other groups.
    seen: Option<BTreeMap<ServiceId, Seen>>,
    /// The groups that led here, each by needing the next one.
    depth: u32,
}

impl Way {
    fn until(patience_ends: Timestamp) -> Self {
        Self {
            patience_ends,
            must_look: false,
            seen: None,
            depth: 0,
        }
    }
}

/// Takes one turn for one group: observes, decides, saves, acts.
///
/// All functions share one bucket of calls that change services. A sleep takes its tokens before it is written down; a
/// wake is written down first, so that it is never lost, and then stands in line. Who had to wait looks and decides anew.
/// A wake whose turn does not come within the function's time is left to the next look.
///
/// # Errors
/// Those of the store, [`Code::Contention`] if other writers won every time, and [`Code::Throttled`] if the tokens of a
/// sleep, or of more tasks for an awake group, are not there in time; then nothing was written or changed. What ECS
/// refuses is not an error here but part of the turn: it is remembered and tried again.
pub async fn turn<W: World>(
    world: &W,
    settings: &GroupSettings,
    loaded: Option<Record>,
    intent: &Intent,
) -> Result<Turn, Error> {
    turn_beside(world, settings, loaded, intent, &()).await
}

/// The same, and somebody beside it is told.
///
/// # Errors
/// Those of [`turn`].
pub async fn turn_beside<W: World>(
    world: &W,
    settings: &GroupSettings,
    loaded: Option<Record>,
    intent: &Intent,
    beside: &dyn Beside,
) -> Result<Turn, Error> {
    let patience_ends = duration::after(world.now(), intent.patience.unwrap_or(PATIENCE));
    turn_by(world, settings, loaded, intent, Way::until(patience_ends), beside).await
}

async fn turn_by<W: World>(
    world: &W,
    settings: &GroupSettings,
    loaded: Option<Record>,
    intent: &Intent,
    mut way: Way,
    beside: &dyn Beside,
) -> Result<Turn, Error> {
    let first = last_wake(loaded.as_ref());
    let look = Intent {
        action: Action::Look,
        ..intent.clone()
    };
    let mut tokens = Tokens::none(way.patience_ends);
    // A wake that is written down, and whose calls wait for their tokens.
    let mut waiting: Option<Turn> = None;
    let mut readings = Vec::new();
    let mut loaded = loaded;
    for _ in 0..TRIES {
        let now = world.now();
        // Whoever asked for sleep did not know of a wake that came since.
        let sleeps = matches!(intent.action, Action::Sleep | Action::KeepAsleep { .. });
        let outdated = sleeps && last_wake(loaded.as_ref()) != first;
        let intent = if outdated || waiting.is_some() {
            &look
        } else {
            intent
        };
        let before = loaded.unwrap_or_else(|| Record::unseen(now));
        let mut seen = Observation::default();
        let at_a_glance = way.seen.is_some();
        let ahead = Ahead::of(settings, &before, intent, now).filter(|_| !at_a_glance);
        let mut booked = None;
        if let Some(Ahead { record, why, raised }) = &ahead {
            let services: Vec<&ServiceSettings> = settings.services.iter().collect();
            let (services, saved, booking) = join3(
                world.observe(&services),
                world.save_record(&settings.name, record, why.as_ref()),
                tokens.book_for_wake(world, *raised),
            )
            .await;
            if booking == Booking::Now {
                tokens.keep(*raised);
            }
            if saved? == Saved::Conflict {
                tokens.give_back(world, &booking, *raised).await;
                loaded = world.load(&settings.name).await?.record;
                continue;
            }
            booked = Some(booking);
            seen.services = services;
            look::read(world, settings, &before, &mut seen, intent, now).await;
        } else if let Some(services) = way.seen.take() {
            seen.services = services;
            look::read(world, settings, &before, &mut seen, intent, now).await;
        } else if way.must_look || needs_look(settings, &before, intent, now) {
            let neighbours = neighbours::look(world, settings).await;
            seen.groups = neighbours.groups;
            let services: Vec<&ServiceSettings> =
                settings.services.iter().chain(&neighbours.services).collect();
            seen.services = world.observe(&services).await;
            seen.readings = std::mem::take(&mut readings);
            look::read(world, settings, &before, &mut seen, intent, now).await;
        }
        let mut decision = look::decide_with_all(world, settings, &before, &mut seen, intent, now).await;
        if at_a_glance && (decision.acts() || decision.record.phase != before.phase) {
            // Worth a closer look. What the signals say is no older than that.
            way.must_look = true;
            readings = seen.readings;
            loaded = Some(before);
            continue;
        }
        let (raised, lowered) = decision.counts();
        if lowered > 0
            && raised == 0
            && tokens
                .hold(world, Priority::Sleep, lowered, &settings.name)
                .await?
                == Held::Later
        {
            loaded = world.load(&settings.name).await?.record;
            continue;
        }
        let booking = match booked {
            Some(booking) if ahead.as_ref().is_some_and(|ahead| ahead.raised == raised) => booking,
            _ if raised == 0 => Booking::Now,
            _ => tokens.book_for_wake(world, raised + lowered).await,
        };
        if booking == Booking::Now {
            tokens.keep(raised + lowered);
        } else if decision.record.phase == Phase::Waking {
            decision = decision.deferred(&before, duration::after(now, NEXT_TICK));
        } else if booking == Booking::Later {
            return Err(no_token(Priority::Wake, &settings.name));
        }
        let is_deferred = booking != Booking::Now;
        if !is_deferred || decision.record.phase == Phase::Waking {
            let why = why::note(&settings.name, &before, &mut decision, &seen, intent, now);
            let mut record = decision.record;
            // A tick need not look again at a group that was seen once and is at rest. One that could not be seen, or whose
            // tags could not be read, looks like one that sleeps.
            let mut looked_at = seen.services.values();
            let is_seen = !seen.services.is_empty() && looked_at.all(|seen| matches!(seen, Seen::Known(_)));
            let is_first_tick = before.version == 0 && intent.action == Action::Tick && is_seen;
            let is_written = ahead
                .as_ref()
                .is_some_and(|ahead| ahead.is(&record, why.as_ref()));
            record.version += u64::from(ahead.is_some());
            if (record != before || is_first_tick) && !is_written {
                if world.save_record(&settings.name, &record, why.as_ref()).await? == Saved::Conflict {
                    // Somebody else most likely did what these tokens are for.
                    tokens.give_back(world, &booking, raised + lowered).await;
                    loaded = world.load(&settings.name).await?.record;
                    continue;
                }
                record.version += 1;
            }
            let mut problems: Vec<Problem> = look::problems_of_bounds(&seen).collect();
            problems.extend(decision.front_error.as_ref().map(look::problem_of_front));
            let mut turn = Turn {
                settings: settings.clone(),
                before: before.phase,
                woke: record.generation != before.generation,
                record,
                seen,
                reason: decision.reason,
                superseded: decision.superseded,
                effects: decision.effects,
                drift: decision.drift,
                door_changes: decision.door_changes,
                would: decision.would,
                needed: Vec::new(),
                problems,
                look_again: decision.look_again,
                now,
            };
            let acting = act::act(world, &turn, &mut tokens, &way);
            let (acted, ()) = join(acting, beside.tell(&turn)).await;
            turn.add(acted?);
            if let Some(earlier) = waiting.take() {
                turn.follow(earlier);
            }
            if !matches!(booking, Booking::At(_)) {
                tokens.give_back(world, &booking, 0).await;
                return Ok(turn);
            }
            waiting = Some(turn);
        }
        if let Booking::At(slot) = booking {
            world.pause(duration::between(world.now(), slot)).await;
            tokens.keep(raised + lowered);
        }
        loaded = world.load(&settings.name).await?.record;
    }
    Err(contention(&settings.name))
}

/// The last wake that is known of, and the last wish to keep the group awake.
fn last_wake(record: Option<&Record>) -> (Generation, Option<Timestamp>, Option<Timestamp>) {
    record.map_or((Generation(0), None, None), |record| {
        (record.generation, record.last_wake_at, record.override_until)
    })
}
