//! Acting: carrying out what was decided, and remembering how it went.

use std::collections::{BTreeMap, HashMap};

use futures_util::future::join_all;

use super::{Turn, Way, change, neighbours};
use crate::decide::{Effect, Subject};
use crate::error::{Code, Error};
use crate::ids::{GroupName, ServiceId};
use crate::ports::World;
use crate::quota::Tokens;
use crate::record::{Failure, Record};
use crate::settings::{GroupSettings, Problem};

/// What became of effects.
pub(super) struct Acted {
    /// The turns of the groups that were woken.
    pub(super) needed: Vec<Turn>,
    /// What went wrong.
    pub(super) problems: Vec<Problem>,
}

/// Carries effects out: those on one thing one after the other, all others at once. Those that failed on services are
/// remembered in the record, so that every page and tick knows, and forgotten when one works again; what was to follow
/// them is left out.
pub(super) async fn act<W: World>(
    world: &W,
    settings: &GroupSettings,
    record: &mut Record,
    effects: &[Effect],
    tokens: &mut Tokens,
    way: &Way,
) -> Result<Acted, Error> {
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
                result = carry_out(world, &settings.name, effect, way).await;
            }
        }
        (subject, result)
    });
    let mut acted = Acted {
        needed: Vec::new(),
        problems: Vec::new(),
    };
    let mut outcomes = HashMap::new();
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
        if let Subject::Service(service) = subject {
            outcomes.insert(service.clone(), error);
        }
    }
    remember(world, &settings.name, record, &outcomes).await?;
    Ok(acted)
}

fn problem(subject: Subject<'_>, error: Error) -> Problem {
    let (code, message) = match subject {
        Subject::Service(service) => return Problem::of(service, error),
        Subject::Timer => (Code::TimerNotStarted, error.to_string()),
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
    effect: &Effect,
    way: &Way,
) -> Result<Option<Turn>, Error> {
    match effect {
        Effect::SetDesired { service, count } => world.set_desired(service, *count).await?,
        Effect::Suspend { service, suspended } => world.suspend(service, *suspended).await?,
        Effect::StartTimer {
            generation,
            woken_at,
            at,
        } => world.start(group, *generation, *woken_at, *at).await?,
        Effect::WakeGroup { group: needed } => {
            return neighbours::wake(world, group, needed, way).await.map(Some);
        }
    }
    Ok(None)
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
