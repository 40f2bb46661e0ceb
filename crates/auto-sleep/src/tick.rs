//! The tick of all groups.

use std::collections::{BTreeMap, BTreeSet};

use dormouse_core::config::Config;
use dormouse_core::engine::{self, Part, Round, Turn};
use dormouse_core::error::Error;
use dormouse_core::ids::GroupName;
use dormouse_core::intent::{Action, Cause, Intent};
use dormouse_core::ports::{FanOut, Stored, World};
use dormouse_core::report;
use dormouse_function::log;
use futures_util::future::{join, try_join_all};
use serde_json::{Value, json};

/// Discovers all groups and takes a turn for each, or deals them to other invocations. What a person asks for looks at
/// everything, and here.
pub(crate) async fn all<W: World + FanOut>(
    world: &W,
    config: &Config,
    cause: Cause,
    request_id: &str,
) -> Result<Value, Error> {
    let discovered = engine::discover(world, &config.listed, &config.defaults).await?;
    if let Some(error) = &discovered.stale {
        log::error(error, None, request_id);
    }
    for (name, stored) in &discovered.groups {
        let problems = stored
            .settings
            .as_ref()
            .map_or(&[][..], |settings| &settings.problems);
        log::bad_tags(name.as_str(), problems, world.now());
    }
    let taking = found(world, config, discovered.groups, cause, request_id);
    let (told, taken) = join(discovered.read.tell_now_and_then(world), taking).await;
    told.and(taken)
}

/// Takes a turn for each of these, or deals them out.
async fn found<W: World + FanOut>(
    world: &W,
    config: &Config,
    groups: BTreeMap<GroupName, Stored>,
    cause: Cause,
    request_id: &str,
) -> Result<Value, Error> {
    if cause != Cause::Tick {
        let round = Round { due: None, parts: 1 };
        return Ok(take(world, groups, cause, round, request_id).await);
    }
    let due = engine::due(&groups, world.now());
    let round = Round {
        due: Some(&due),
        parts: 1,
    };
    if config.shards == 1 {
        return Ok(take(world, groups, cause, round, request_id).await);
    }
    hand_over(world, &groups, &due, config.shards).await
}

/// Deals groups to other invocations. Those that have nothing to do are not among them.
async fn hand_over<W: World + FanOut>(
    world: &W,
    groups: &BTreeMap<GroupName, Stored>,
    due: &BTreeSet<GroupName>,
    shards: u32,
) -> Result<Value, Error> {
    let round = Round {
        due: Some(due),
        parts: 1,
    };
    let names = engine::worth_a_turn(groups, round, world.now());
    let parts = engine::deal(names, groups, due, shards);
    let messages: Vec<String> = parts.iter().map(|part| json!(part).to_string()).collect();
    try_join_all(messages.iter().map(|message| world.hand_over(message))).await?;
    let dealt: Vec<usize> = parts.iter().map(|part| part.groups.len()).collect();
    Ok(json!({"dealt": dealt}))
}

/// Takes a turn for each group of a part.
pub(crate) async fn part<W: World>(world: &W, part: &Part, request_id: &str) -> Result<Value, Error> {
    let loads = part
        .groups
        .iter()
        .map(async |name| Ok::<_, Error>((name.clone(), world.load(name).await?)));
    let groups = try_join_all(loads).await?.into_iter().collect();
    Ok(take(world, groups, Cause::Tick, part.round(), request_id).await)
}

async fn take<W: World>(
    world: &W,
    groups: BTreeMap<GroupName, Stored>,
    cause: Cause,
    round: Round<'_>,
    request_id: &str,
) -> Value {
    let intent = Intent::of(Action::Tick, cause);
    let mut results = BTreeMap::new();
    let mut tell = |name: &GroupName, turn: Result<Turn, Error>| {
        results.insert(name.clone(), summary(name, &turn, &intent, request_id));
    };
    engine::turn_all(world, groups, &intent, round, &mut tell).await;
    json!({"groups": results.into_values().collect::<Vec<_>>()})
}

fn summary(group: &GroupName, result: &Result<Turn, Error>, intent: &Intent, request_id: &str) -> Value {
    match result {
        Ok(turn) => {
            log::turn(turn, intent, request_id);
            json!(report::summary(turn, intent))
        }
        Err(error) => {
            log::error(error, Some(group.as_str()), request_id);
            json!({"group": group, "errors": [error]})
        }
    }
}
