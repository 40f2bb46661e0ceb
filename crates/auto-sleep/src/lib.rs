//! The one-minute tick, which moves every group on and heals what others left undone; the sleep timer's call, which does
//! the same for one generation of one group; and changes of tasks, which do it for the group that they belong to.

mod part;
mod task_state;
mod tick;

use aws_lambda_events::eventbridge::EventBridgeEvent;
use dormouse_core::config::Config;
use dormouse_core::error::{Code, Error};
use dormouse_core::intent::Cause;
use dormouse_core::ports::{FanOut, SessionRows, World};
use dormouse_function::direct;
use serde_json::Value;

/// Handles a scheduled event, a part of one, a change of a task's state, the sleep timer's call or a direct call.
///
/// # Errors
/// [`Code::InvalidRequest`] for anything else; a call about one group also fails with the engine's errors, a tick
/// with those of discovery and the store. One group's error does not fail the tick of the others.
pub async fn handle<W: World + SessionRows + FanOut>(
    world: &W,
    config: &Config,
    event: Value,
    request_id: &str,
) -> Result<Value, Error> {
    if let Some(call) = direct::of(&event, world.now()) {
        let call = call?.turn()?;
        return match call.group {
            Some(group) => direct::answer(world, config, &group, &call.intent, request_id).await,
            None => tick::all(world, config, call.intent.cause, request_id).await,
        };
    }
    if let Some(records) = event.get("Records") {
        return part::handle(world, records, request_id).await;
    }
    let event: EventBridgeEvent<Value> = serde_json::from_value(event).map_err(|error| {
        let message = "the event is neither a direct call with the field `action`, nor an EventBridge event, nor one of SQS";
        Error::new(Code::InvalidRequest, format!("{message}: {error}"))
    })?;
    match event.detail_type.as_str() {
        "Scheduled Event" => tick::all(world, config, Cause::Tick, request_id).await,
        "ECS Task State Change" => task_state::handle(world, &event.detail, request_id).await,
        other => Err(Error::new(
            Code::InvalidRequest,
            format!("detail-type `{other}`: must be `Scheduled Event` or `ECS Task State Change`"),
        )),
    }
}
