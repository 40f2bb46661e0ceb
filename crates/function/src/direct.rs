//! Direct calls about one group, which every function answers alike.

use dormouse_core::config::Config;
use dormouse_core::direct::{self, Ask};
use dormouse_core::engine;
use dormouse_core::error::Error;
use dormouse_core::ids::GroupName;
use dormouse_core::intent::{Cause, Intent};
use dormouse_core::ports::World;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::turn;

/// The direct call that an event is, or that it carries as the detail of an EventBridge event.
///
/// # Errors
/// Those of [`direct::parse`].
pub fn of(event: &Value, now: Timestamp) -> Option<Result<Ask, Error>> {
    if event.get("detail-type").is_none() {
        return direct::is_call(event).then(|| direct::parse(event, now));
    }
    // What AWS itself sends may have fields of the same names: an ECS task has a `group`.
    let source = event["source"].as_str();
    let from_aws = source.is_some_and(|source| source.starts_with("aws."));
    let detail = event
        .get("detail")
        .filter(|detail| !from_aws && direct::is_call(detail))?;
    Some(direct::parse(detail, now).map(|mut ask| {
        if let Ask::Turn(call) = &mut ask {
            call.intent.cause = Cause::Eventbridge;
            call.intent.by = call.intent.by.take().or(source.map(str::to_owned));
        }
        ask
    }))
}

/// Takes a turn for the group and answers with its status and what was done.
///
/// # Errors
/// Those of the engine.
pub async fn answer<W: World>(
    world: &W,
    config: &Config,
    group: &GroupName,
    intent: &Intent,
    request_id: &str,
) -> Result<Value, Error> {
    let turn = turn(world, config, group, intent, request_id).await?;
    Ok(json!(direct::answer(&turn)))
}

/// Takes a turn for the group and writes its line.
///
/// # Errors
/// Those of the engine.
pub async fn turn<W: World>(
    world: &W,
    config: &Config,
    group: &GroupName,
    intent: &Intent,
    request_id: &str,
) -> Result<engine::Turn, Error> {
    let (settings, record) = engine::find(world, group, &config.listed, &config.defaults).await?;
    turn::take(world, &settings, record, intent, request_id).await
}
