//! Acting: carrying out what was decided, and remembering how it went.

use std::collections::{BTreeMap, HashMap};

use futures_util::future::{join, join_all};

use super::change;
use crate::decide::Effect;
use crate::error::{Code, Error};
use crate::ids::{GroupName, ServiceId};
use crate::ports::World;
use crate::quota::{Priority, Tokens};
use crate::record::{Failure, Record};
use crate::settings::{GroupSettings, Problem};

/// Carries effects out: those of one service one after the other, all others at once. Failed ones are remembered in the
/// record, so that every page and tick knows, and forgotten when one works again; what was to follow them is left out.
pub(super) async fn act<W: World>(
    world: &W,
    settings: &GroupSettings,
    record: &mut Record,
    effects: &[Effect],
    tokens: &mut Tokens,
) -> Result<Vec<Problem>, Error> {
    let mut chains: BTreeMap<Option<&ServiceId>, Vec<(&Effect, bool)>> = BTreeMap::new();
    for effect in effects {
        let paid = matches!(effect, Effect::SetDesired { .. }) && tokens.spend();
        chains.entry(effect.service()).or_default().push((effect, paid));
    }
    let results = chains.into_iter().map(async |(service, chain)| {
        let mut result = Ok(());
        for (effect, paid) in chain {
            if result.is_ok() {
                result = carry_out(world, &settings.name, effect, paid).await;
            }
        }
        (service, result)
    });
    let mut problems = Vec::new();
    let mut outcomes = HashMap::new();
    for (service, result) in join_all(results).await {
        match (service, result) {
            (Some(service), result) => {
                let error = result.err();
                problems.extend(error.clone().map(|error| Problem::of(service, error)));
                outcomes.insert(service.clone(), error);
            }
            (None, Ok(())) => {}
            (None, Err(error)) => problems.push(Problem {
                code: Code::TimerNotStarted,
                service: None,
                message: error.to_string(),
            }),
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
        Effect::Suspend { service, suspended } => world.suspend(service, *suspended).await,
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
