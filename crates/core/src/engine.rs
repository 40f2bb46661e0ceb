//! The three steps of every function around the one decision: observe, decide, act.
//!
//! The record is saved first, over the version that was loaded; effects follow and are idempotent. A writer
//! that lost the race loads again and decides again.

use std::collections::{BTreeMap, HashMap};

use futures_util::future::{join, join_all};
use futures_util::stream::{self, StreamExt};
use jiff::Timestamp;

use crate::decide::{Effect, decide, idle_after, needs_look, wanted_readings};
use crate::duration;
use crate::error::{Code, Error};
use crate::ids::{Generation, GroupName, ServiceId};
use crate::intent::{Action, Intent};
use crate::observation::{Observation, Seen};
use crate::ports::{Saved, Services, Store, Stored, World};
use crate::quota::{Held, PATIENCE, Priority, Tokens};
use crate::reason::Reason;
use crate::record::{Failure, Phase, Record};
use crate::settings::{Defaults, GroupSettings, Problem, ServiceSettings};
use crate::tags;

/// How often a writer that lost the race decides again before it gives up.
const TRIES: u32 = 6;
/// How many groups a tick works on at once: enough to hide the waiting, well within ECS's read buckets.
const GROUPS_AT_ONCE: usize = 16;

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
            cause: intent.cause,
        };
        let intent = if outdated { &look } else { intent };
        let before = loaded.unwrap_or_else(|| Record::unseen(now));
        let mut seen = Observation::default();
        if needs_look(&before, intent) {
            let services: Vec<&ServiceSettings> = settings.services.iter().collect();
            seen.services = world.observe(&services).await;
            read(world, settings, &before, &mut seen, intent, now).await;
        }
        let decision = decide(settings, &before, &seen, intent, now);
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
        let problems = act(world, settings, &mut record, &decision.effects, &mut tokens).await?;
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
            Effect::StartTimer { .. } => {}
        }
    }
    Some(wanted)
}

/// Reads the signals that the decision needs, until it needs no more: each answer may spare or call for another.
async fn read<W: World>(
    world: &W,
    settings: &GroupSettings,
    record: &Record,
    seen: &mut Observation,
    intent: &Intent,
    now: Timestamp,
) {
    loop {
        let questions = wanted_readings(settings, record, seen, intent, now);
        let answers = questions.iter().map(async |question| {
            let reading = world.read(*question, idle_after(settings, record), now).await;
            (question.service.id.clone(), question.signal, reading)
        });
        let answers = join_all(answers).await;
        if answers.is_empty() {
            return;
        }
        seen.readings.extend(answers);
    }
}

/// Carries effects out, all at once. Failed ones are remembered in the record, so that every page and tick knows, and
/// forgotten when one works again.
async fn act<W: World>(
    world: &W,
    settings: &GroupSettings,
    record: &mut Record,
    effects: &[Effect],
    tokens: &mut Tokens,
) -> Result<Vec<Problem>, Error> {
    let results = effects.iter().map(|effect| {
        let paid = matches!(effect, Effect::SetDesired { .. }) && tokens.spend();
        carry_out(world, &settings.name, effect, paid)
    });
    let results = join_all(results).await;
    let mut problems = Vec::new();
    let mut outcomes = HashMap::new();
    for (effect, result) in effects.iter().zip(results) {
        match (effect, result) {
            (Effect::SetDesired { service, .. }, Ok(())) => {
                outcomes.insert(service.clone(), None);
            }
            (Effect::SetDesired { service, .. }, Err(error)) => {
                outcomes.insert(service.clone(), Some(error.clone()));
                problems.push(Problem::of(service, error));
            }
            (Effect::StartTimer { .. }, Ok(())) => {}
            (Effect::StartTimer { .. }, Err(error)) => {
                problems.push(Problem {
                    code: Code::TimerNotStarted,
                    service: None,
                    message: error.to_string(),
                });
            }
        }
    }
    remember(world, &settings.name, record, &outcomes).await?;
    Ok(problems)
}

/// Carries one effect out. An UpdateService whose token is not held is that of a wake: its token is taken at the same
/// time, so that the wake does not wait for it.
async fn carry_out<W: World>(world: &W, group: &GroupName, effect: &Effect, paid: bool) -> Result<(), Error> {
    match effect {
        Effect::SetDesired { service, count } if paid => world.set_desired(service, *count).await,
        Effect::SetDesired { service, count } => {
            let (_, set) = join(world.take(Priority::Wake), world.set_desired(service, *count)).await;
            set
        }
        Effect::StartTimer {
            generation,
            woken_at,
            at,
        } => world.start(group, *generation, *woken_at, *at).await,
    }
}

/// Saves what failed, and what works again, over whatever others wrote meanwhile.
async fn remember<W: World>(
    world: &W,
    group: &GroupName,
    record: &mut Record,
    outcomes: &HashMap<ServiceId, Option<Error>>,
) -> Result<(), Error> {
    let at = world.now();
    let saved = change(world, group, Some(record.clone()), |record| {
        let before = record.clone();
        for (service, error) in outcomes {
            record.service(service).failure = error.clone().map(|error| Failure { error, at });
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

/// Changes a group's record and writes it, unless `change` says that nothing changed; over whatever others write
/// meanwhile. Gives the record as it is then; none if the group has none.
///
/// # Errors
/// Those of the store, and [`Code::Contention`] if other writers won every time.
pub async fn change<W: Store>(
    world: &W,
    group: &GroupName,
    loaded: Option<Record>,
    mut change: impl FnMut(&mut Record) -> bool,
) -> Result<Option<Record>, Error> {
    let mut loaded = loaded;
    for _ in 0..TRIES {
        let Some(mut record) = loaded else { return Ok(None) };
        if !change(&mut record) {
            return Ok(Some(record));
        }
        if world.save_record(group, &record).await? == Saved::Yes {
            record.version += 1;
            return Ok(Some(record));
        }
        loaded = world.load(group).await?.record;
    }
    Err(contention(group))
}

pub(crate) fn contention(group: &GroupName) -> Error {
    let message = format!("group `{group}`: {TRIES} times another function wrote its record first");
    Error::new(Code::Contention, message)
}

/// Looks at counts, rollout and tasks of one service.
pub async fn observe_one<W: Services>(world: &W, settings: &ServiceSettings) -> Seen {
    let missing = || {
        Error::new(
            Code::Unavailable,
            format!("service `{}` was not looked at", settings.id),
        )
    };
    let mut seen = world.observe_tasks(&[settings]).await;
    seen.remove(&settings.id)
        .unwrap_or_else(|| Seen::Unknown(missing()))
}

/// The settings of all groups as their owners have them now, and those stored before.
///
/// Settings that changed are written, those of vanished groups removed, so that a wake finds them in the table.
///
/// # Errors
/// Those of discovery and the store. If the services cannot be discovered, nothing stored is changed.
pub async fn discover<W: World>(
    world: &W,
    listed: &[ServiceSettings],
    defaults: &Defaults,
) -> Result<BTreeMap<GroupName, Stored>, Error> {
    let (tagged, stored) = futures_util::future::join(world.tagged(), world.load_all()).await;
    let (tagged, mut stored) = (tagged?, stored?);
    let previous = stored
        .iter()
        .filter_map(|(name, stored)| Some((name.clone(), stored.settings.clone()?)))
        .collect::<BTreeMap<_, _>>();
    let current = tags::groups(&tagged, listed, &previous, defaults);
    for vanished in previous.keys().filter(|name| !current.contains_key(*name)) {
        world.remove_settings(vanished).await?;
        stored.remove(vanished);
    }
    for (name, settings) in current {
        if previous.get(&name) != Some(&settings) {
            world.save_settings(&settings).await?;
        }
        stored.entry(name).or_default().settings = Some(settings);
    }
    stored.retain(|_, stored| stored.settings.is_some());
    Ok(stored)
}

/// Takes a turn for every group, many at once. A group that fails does not harm its neighbours. Groups that are not awake
/// go first, and all sleeps together have the patience of one, so that no wake stands behind sleeps that wait.
pub async fn turn_all<W: World>(
    world: &W,
    groups: BTreeMap<GroupName, Stored>,
    intent: &Intent,
) -> Vec<(GroupName, Result<Turn, Error>)> {
    let patience_ends = duration::after(world.now(), PATIENCE);
    let (mut groups, late): (Vec<_>, Vec<_>) = groups
        .into_iter()
        .partition(|(_, stored)| !may_fall_asleep(stored.record.as_ref()));
    groups.extend(late);
    let turns = groups.into_iter().filter_map(|(name, stored)| {
        let settings = stored.settings?;
        Some(async move {
            let turn = turn_until(world, &settings, stored.record, intent, patience_ends).await;
            (name, turn)
        })
    });
    let mut turns: Vec<_> = stream::iter(turns).buffered(GROUPS_AT_ONCE).collect().await;
    turns.sort_by(|(one, _), (other, _)| one.cmp(other));
    turns
}

/// Whether a group has a count that a tick may take away. One that wakes may too, but is more likely to be moved on.
fn may_fall_asleep(record: Option<&Record>) -> bool {
    record.is_some_and(|record| matches!(record.phase, Phase::Awake | Phase::FallingAsleep))
}

/// The group with its record; discovered afresh if the table does not know it yet.
///
/// # Errors
/// [`Code::UnknownGroup`], and those of discovery and the store.
pub async fn find<W: World>(
    world: &W,
    group: &GroupName,
    listed: &[ServiceSettings],
    defaults: &Defaults,
) -> Result<(GroupSettings, Option<Record>), Error> {
    let mut stored = world.load(group).await?;
    if stored.settings.is_none() {
        stored = discover(world, listed, defaults)
            .await?
            .remove(group)
            .unwrap_or_default();
    }
    match stored.settings {
        Some(settings) => Ok((settings, stored.record)),
        None => Err(Error::new(
            Code::UnknownGroup,
            format!(
                "group `{group}`: no service has the tag `{}` with this value",
                tags::GROUP
            ),
        )),
    }
}
