//! The one-minute tick, which moves every group on and heals what others left undone, and the sleep timer's
//! call, which does the same for one generation of one group.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use dormouse_core::config::Config;
use dormouse_core::engine::{self, Turn};
use dormouse_core::error::{Code, Error};
use dormouse_core::ids::GroupName;
use dormouse_core::intent::{Action, Cause, Intent};
use dormouse_core::ports::World;
use dormouse_core::{direct, report};
use dormouse_function::log;
use serde_json::{Value, json};

/// Handles a scheduled event, the sleep timer's call or a direct call.
///
/// # Errors
/// [`Code::InvalidRequest`] for anything else; a call about one group also fails with the engine's errors, a tick
/// with those of discovery and the store. One group's error does not fail the tick of the others.
pub async fn handle<W: World>(
    world: &W,
    config: &Config,
    event: Value,
    request_id: &str,
) -> Result<Value, Error> {
    if event.get("detail-type").is_some() {
        let event: EventBridgeEvent<Value> = serde_json::from_value(event)
            .map_err(|error| invalid(format!("the EventBridge event cannot be understood: {error}")))?;
        return match event.detail_type.as_str() {
            "Scheduled Event" => tick(world, config, Cause::Tick, request_id).await,
            other => Err(invalid(format!(
                "detail-type `{other}`: must be `Scheduled Event`"
            ))),
        };
    }
    let call = direct::parse(&event, world.now())?;
    let Some(group) = call.group else {
        return tick(world, config, call.intent.cause, request_id).await;
    };
    dormouse_function::direct::answer(world, config, &group, &call.intent, request_id).await
}

async fn tick<W: World>(world: &W, config: &Config, cause: Cause, request_id: &str) -> Result<Value, Error> {
    let groups = engine::discover(world, &config.listed, &config.defaults).await?;
    for (name, stored) in &groups {
        let problems = stored
            .settings
            .as_ref()
            .map_or(&[][..], |settings| &settings.problems);
        log::bad_tags(name.as_str(), problems, world.now());
    }
    let intent = Intent {
        action: Action::Tick,
        cause,
    };
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
            json!({
                "group": group,
                "phase": turn.record.phase,
                "generation": turn.record.generation,
                "decision": report::verdict(turn),
                "reason": turn.reason.code(),
                "errors": turn.problems,
            })
        }
        Err(error) => {
            log::error(error, Some(group.as_str()), request_id);
            json!({"group": group, "errors": [error]})
        }
    }
}

fn invalid(message: String) -> Error {
    Error::new(Code::InvalidRequest, message)
}
