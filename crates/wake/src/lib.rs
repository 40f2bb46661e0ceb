//! Every door that wakes: requests to the wake address, and direct calls.

mod client;
mod http;
mod page;
mod response;
mod route;

use dormouse_core::config::Config;
use dormouse_core::direct;
use dormouse_core::error::{Code, Error};
use dormouse_core::ports::World;
use serde_json::Value;

/// Handles one event of any kind that this function understands.
///
/// # Errors
/// HTTP requests are always answered. A direct call fails with [`Code::InvalidRequest`] if it cannot be
/// understood, and with the engine's errors.
pub async fn handle<W: World>(
    world: &W,
    config: &Config,
    event: Value,
    request_id: &str,
) -> Result<Value, Error> {
    if event.pointer("/requestContext/http").is_some() {
        return http::handle(world, config, event, request_id).await;
    }
    if direct::is_call(&event) {
        let call = direct::parse(&event, world.now())?;
        let group = call.group.ok_or_else(|| {
            Error::new(
                Code::InvalidRequest,
                "a tick of all groups is the work of the auto-sleep function",
            )
        })?;
        return dormouse_function::direct::answer(world, config, &group, &call.intent, request_id).await;
    }
    Err(Error::new(
        Code::InvalidRequest,
        "the event is neither an HTTP API request (payload 2.0) nor a direct call with the field `action`",
    ))
}
