//! The tick of all groups.

use dormouse_core::config::Config;
use dormouse_core::engine::{self, Turn};
use dormouse_core::error::Error;
use dormouse_core::ids::GroupName;
use dormouse_core::intent::{Action, Cause, Intent};
use dormouse_core::ports::World;
use dormouse_core::report;
use dormouse_function::log;
use serde_json::{Value, json};

/// Discovers all groups and takes a turn for each.
pub(crate) async fn all<W: World>(
    world: &W,
    config: &Config,
    cause: Cause,
    request_id: &str,
) -> Result<Value, Error> {
    let groups = engine::discover(world, &config.listed, &config.defaults).await?;
    for (name, stored) in &groups {
        let problems = stored
            .settings
            .as_ref()
            .map_or(&[][..], |settings| &settings.problems);
        log::bad_tags(name.as_str(), problems, world.now());
    }
    let intent = Intent::of(Action::Tick, cause);
    let turns = engine::turn_all(world, groups, &intent).await;
    let results: Vec<Value> = turns
        .iter()
        .map(|(name, result)| summary(name, result, &intent, request_id))
        .collect();
    Ok(json!({"groups": results}))
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
