//! The one-minute scaling decision for every service that may scale, and the steps of the scale-in state machine.

use std::collections::BTreeMap;

use dormouse_core::config::Config;
use dormouse_core::direct::Call;
use dormouse_core::error::{Code, Error};
use dormouse_core::intent::Action;
use dormouse_core::ports::ScalingWorld;
use dormouse_core::scale_in::{self, request::Request};
use dormouse_core::scaling::turn;
use dormouse_function::{direct, log};
use serde_json::{Value, json};

/// Handles a scheduled event, a step of a scale-in, or the direct call `{"action":"tick"}`, with a group or without.
///
/// # Errors
/// [`Code::InvalidRequest`] for anything else; a step fails with the errors of [`scale_in::take`], a tick with those of
/// the table. One service's error does not fail the tick of the others.
pub async fn handle<W: ScalingWorld>(
    world: &W,
    _config: &Config,
    event: Value,
    request_id: &str,
) -> Result<Value, Error> {
    if Request::is_meant(&event) {
        return step(world, &event, request_id).await;
    }
    let groups = match direct::of(&event, world.now()).transpose()? {
        Some(Call { group, intent }) if intent.action == Action::Tick => match group {
            Some(group) => BTreeMap::from([(group.clone(), world.load(&group).await?)]),
            None => world.load_all().await?,
        },
        None if event["detail-type"] == "Scheduled Event" => world.load_all().await?,
        _ => {
            let message = "the event is neither a scheduled one nor a direct call: its `action` must be `tick` or `scale-in`";
            return Err(Error::new(Code::InvalidRequest, message));
        }
    };
    let reports = turn::tick(world, groups).await;
    for report in reports.iter().filter(|report| report.is_news()) {
        log::scaling(report, request_id);
    }
    Ok(json!({"services": reports}))
}

async fn step<W: ScalingWorld>(world: &W, event: &Value, request_id: &str) -> Result<Value, Error> {
    let request = Request::parse(event)?;
    let answer = scale_in::take(world, &request).await;
    log::scale_in(&request, &answer, request_id);
    answer.map(|answer| json!(answer))
}
