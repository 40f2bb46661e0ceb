//! Acting: carrying out what was decided, and remembering how it went.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;

use super::{Turn, Way, change, neighbours};
use crate::decide::{Effect, LEADS_WITHIN, Lead, Subject};
use crate::duration;
use crate::error::{Code, Error};
use crate::front::{DoorId, Led, Posted};
use crate::ids::{GroupName, ServiceId};
use crate::ports::{Saved, World};
use crate::quota::Tokens;
use crate::record::{Command, Failure, Record};
use crate::settings::Problem;

/// What became of effects.
pub(super) struct Acted {
    /// The record as it is then.
    pub(super) record: Record,
    /// The turns of the groups that were woken.
    pub(super) needed: Vec<Turn>,
    /// What went wrong.
    pub(super) problems: Vec<Problem>,
}

/// How it went, with the error of what failed.
#[derive(Default)]
struct Outcomes {
    services: HashMap<ServiceId, Option<Error>>,
    doors: HashMap<DoorId, DoorOutcome>,
}

/// What was done to a door.
struct DoorOutcome {
    /// When it was decided to lead it, if it was.
    led_at: Option<Timestamp>,
    /// What the wake function was told of it, if it was told something.
    posted: Option<Posted>,
    error: Option<Error>,
}

impl DoorOutcome {
    fn of<'a>(effects: impl Iterator<Item = &'a Effect>, error: Option<Error>) -> Self {
        let mut outcome = Self {
            led_at: None,
            posted: None,
            error,
        };
        for effect in effects {
            match effect {
                Effect::Lead(lead) => {
                    outcome.led_at = Some(lead.at);
                    outcome.posted = Some(lead.posted.clone());
                }
                Effect::Post(posted) => outcome.posted = Some((**posted).clone()),
                _ => {}
            }
        }
        outcome
    }

    /// Remembers it, unless somebody else has led the door elsewhere meanwhile.
    fn note(&self, led: &mut Led, at: Timestamp) {
        if self.led_at.is_some() && led.at == self.led_at {
            led.failure = self.error.clone().map(|error| Failure { error, at });
            led.arrived_at = self.error.is_none().then_some(at);
        }
        if let Some(posted) = self.posted.as_ref().filter(|_| self.error.is_none()) {
            led.posted = posted.left_at.is_none().then(|| posted.place.clone());
        }
    }
}

/// Carries out what a turn is to do: effects on one thing one after the other, all others at once. Those that failed on
/// services are remembered in the record, so that every page and tick knows, and forgotten when one works again; what was
/// to follow them is left out.
pub(super) async fn act<W: World>(
    world: &W,
    turn: &Turn,
    tokens: &mut Tokens,
    way: &Way,
) -> Result<Acted, Error> {
    let (group, effects) = (&turn.settings.name, &turn.effects);
    let mut chains: BTreeMap<Subject<'_>, Vec<&Effect>> = BTreeMap::new();
    for effect in effects {
        if matches!(effect, Effect::SetDesired { .. }) {
            tokens.spend();
        }
        chains.entry(effect.subject()).or_default().push(effect);
    }
    let results = chains.into_iter().map(async |(subject, chain)| {
        let mut result = Ok(None);
        for effect in chain {
            if result.is_ok() {
                result = carry_out(world, group, &turn.record, effect, way).await;
            }
        }
        (subject, result)
    });
    let mut acted = Acted {
        record: turn.record.clone(),
        needed: Vec::new(),
        problems: Vec::new(),
    };
    let mut outcomes = Outcomes::default();
    for (subject, result) in join_all(results).await {
        let error = match result {
            Ok(turn) => {
                let refusal = turn.as_ref().and_then(Turn::refusal);
                acted.needed.extend(turn);
                refusal
            }
            Err(error) => Some(error),
        };
        acted
            .problems
            .extend(error.clone().map(|error| problem(subject, error)));
        match subject {
            Subject::Service(service) => {
                outcomes.services.insert(service.clone(), error);
            }
            Subject::Door(door) => {
                let theirs = effects.iter().filter(|effect| effect.subject() == subject);
                outcomes
                    .doors
                    .insert(door.clone(), DoorOutcome::of(theirs, error));
            }
            Subject::Timer | Subject::Group(_) => {}
        }
    }
    remember(world, group, &mut acted.record, &outcomes).await?;
    Ok(acted)
}

fn problem(subject: Subject<'_>, error: Error) -> Problem {
    let (code, message) = match subject {
        Subject::Service(service) => return Problem::of(service, error),
        Subject::Timer => (Code::TimerNotStarted, error.to_string()),
        Subject::Door(door) => (error.code, format!("{door}: {}", error.message)),
        Subject::Group(group) => (
            error.code,
            format!(
                "group `{group}`, which it needs, was not woken: {}",
                error.message
            ),
        ),
    };
    Problem {
        code,
        service: None,
        message,
    }
}

async fn carry_out<W: World>(
    world: &W,
    group: &GroupName,
    record: &Record,
    effect: &Effect,
    way: &Way,
) -> Result<Option<Turn>, Error> {
    match effect {
        Effect::SetDesired { service, count: 0 } => take(world, record, service).await?,
        Effect::SetDesired { service, count } => world.set_desired(service, *count).await?,
        Effect::Suspend { service, suspended } => world.suspend(service, *suspended).await?,
        Effect::StartTimer {
            generation,
            woken_at,
            at,
        } => world.start(group, *generation, *woken_at, *at).await?,
        Effect::Lead(to) => return lead(world, to).await.map(|()| None),
        Effect::Post(posted) => world.post(posted).await?,
        Effect::WakeGroup { group: needed } => {
            return neighbours::wake(world, group, needed, way).await.map(Some);
        }
    }
    Ok(None)
}

/// Sets a count to 0.
async fn take<W: World>(world: &W, record: &Record, service: &ServiceId) -> Result<(), Error> {
    let command = record.services.get(service).and_then(|service| service.command);
    let decided_at = command.map_or(world.now(), |command| command.at);
    let work = world.set_desired(service, 0);
    in_time(
        world,
        decided_at,
        Command::TAKEN_WITHIN,
        "its count was not taken",
        work,
    )
    .await
}

/// Leads a door.
async fn lead<W: World>(world: &W, lead: &Lead) -> Result<(), Error> {
    let work = lead_now(world, lead);
    in_time(world, lead.at, LEADS_WITHIN, "it was not led", work).await
}

/// Does something that soon after its decision, or not at all: later nobody expects it any more.
async fn in_time<W: World>(
    world: &W,
    decided_at: Timestamp,
    limit: Duration,
    what_not: &str,
    work: impl Future<Output = Result<(), Error>>,
) -> Result<(), Error> {
    let left = limit.saturating_sub(duration::between(decided_at, world.now()));
    let done = match left.is_zero() {
        true => None,
        false => world.within(left, work).await,
    };
    done.unwrap_or_else(|| {
        let message = format!("{what_not} in time; the next look tries again");
        Err(Error::new(Code::Unavailable, message))
    })
}

/// Whoever comes through a door must be known before the first one does.
async fn lead_now<W: World>(world: &W, lead: &Lead) -> Result<(), Error> {
    let posted = &lead.posted;
    if posted.left_at.is_none() {
        world.post(posted).await?;
    }
    if world.lead(&lead.door, &lead.from, &lead.to).await? == Saved::Conflict {
        let message = "somebody else changed it at the same moment; the next look finds out";
        return Err(Error::new(Code::Contention, message));
    }
    if posted.left_at.is_some() {
        world.post(posted).await?;
    }
    Ok(())
}

/// Saves what failed, and what works again, over whatever others wrote meanwhile.
async fn remember<W: World>(
    world: &W,
    group: &GroupName,
    record: &mut Record,
    outcomes: &Outcomes,
) -> Result<(), Error> {
    let at = world.now();
    let generation = record.generation;
    let saved = change(world, group, Some(record.clone()), |record| {
        let before = record.clone();
        let failure = |error: &Option<Error>| error.clone().map(|error| Failure { error, at });
        // A wake that came meanwhile has nothing to do with what an older generation failed to do.
        if record.generation == generation {
            for (service, error) in &outcomes.services {
                record.service(service).failure = failure(error);
            }
        }
        for (door, outcome) in &outcomes.doors {
            if let Some(led) = record.front.doors.get_mut(door) {
                outcome.note(led, at);
            }
        }
        *record != before
    })
    .await;
    match saved {
        Ok(saved) => *record = saved.unwrap_or_else(|| record.clone()),
        // The next look finds out by itself.
        Err(error) if error.code == Code::Contention => {}
        Err(error) => return Err(error),
    }
    Ok(())
}
