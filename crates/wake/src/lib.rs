//! Every door that wakes: requests to the wake address and to apps that sleep, CodePipeline jobs, CloudWatch alarms,
//! EventBridge, direct calls. Queries are answered here too.

mod alarm;
mod answer;
mod client;
mod http;
mod page;
mod pipeline;
mod response;
mod route;

use dormouse_core::config::Config;
use dormouse_core::direct::Ask;
use dormouse_core::error::{Code, Error};
use dormouse_core::pipeline::is_job;
use dormouse_core::ports::{Jobs, LoadBalancers, Looks, World};
use dormouse_function::{direct, query};
use serde_json::Value;

/// Handles one event of any kind that this function understands.
///
/// # Errors
/// HTTP requests are always answered. Alarms fail with the engine's errors, so that Lambda tries again, and jobs only
/// if CodePipeline cannot be told their result. A direct call fails with [`Code::InvalidRequest`] if it cannot be
/// understood, and with the engine's errors.
pub async fn handle<W: World + Looks + Jobs + LoadBalancers>(
    world: &W,
    config: &Config,
    event: Value,
    request_id: &str,
) -> Result<Value, Error> {
    if event.pointer("/requestContext/http").is_some() {
        return http::handle(world, config, event, request_id).await;
    }
    if http::target_group(&event).is_some() {
        return Ok(http::handle_in_place(world, config, &event, request_id).await);
    }
    if is_job(&event) {
        return pipeline::handle(world, config, &event, request_id).await;
    }
    if let Some(records) = event.get("Records") {
        return alarm::handle(world, config, records, request_id).await;
    }
    let Some(call) = direct::of(&event, world.now()) else {
        return Err(Error::new(
            Code::InvalidRequest,
            "the event is no HTTP API request (payload 2.0), load balancer request, CodePipeline job, SNS notification or direct call with the \
             field `action`",
        ));
    };
    let call = match call? {
        Ask::Turn(call) => call,
        Ask::Query(query) => return query::answer(world, config, &query).await,
    };
    let group = call.group.ok_or_else(|| {
        Error::new(
            Code::InvalidRequest,
            "a tick of all groups is the work of the auto-sleep function",
        )
    })?;
    direct::answer(world, config, &group, &call.intent, request_id).await
}
