//! The scaling decision for every service that may scale, the steps of the scale-in state machine, and a reading for
//! whoever asks.

use std::collections::BTreeMap;

use dormouse_core::config::Config;
use dormouse_core::direct::{Ask, Call};
use dormouse_core::error::{Code, Error};
use dormouse_core::ids::GroupName;
use dormouse_core::intent::Action;
use dormouse_core::ports::{ScalingWorld, Stored};
use dormouse_core::scale_in::{self, request::Request};
use dormouse_core::scaling::record::STEP_TIME;
use dormouse_core::scaling::turn::{self, Report};
use dormouse_core::scaling::watch::{self, Memory, SampleRequest, Summary};
use dormouse_function::{direct, log};
use futures_util::future::join;
use serde_json::{Value, json};

/// Handles a scheduled event, a step of a scale-in, or the direct calls `{"action":"tick"}`, with a group or without,
/// and `{"action":"sample","service":"cluster/service"}`.
///
/// A scheduled event's invocation stays until just before the next one if a service asks to be watched.
///
/// # Errors
/// [`Code::InvalidRequest`] for anything else; a step fails with the errors of [`scale_in::take`], a tick with those of
/// the table. One service's error does not fail the tick of the others.
pub async fn handle<W: ScalingWorld>(
    world: &W,
    config: &Config,
    memory: &Memory,
    event: Value,
    request_id: &str,
) -> Result<Value, Error> {
    if Request::is_meant(&event) {
        return step(world, &event, request_id).await;
    }
    if SampleRequest::is_meant(&event) {
        let answer = watch::sample(world, &SampleRequest::parse(&event)?).await?;
        return Ok(json!(answer));
    }
    let ask = direct::of(&event, world.now()).transpose()?;
    let call = ask.map(Ask::turn).transpose()?;
    let (groups, stays) = match call {
        Some(Call { group, intent }) if intent.action == Action::Tick => match group {
            Some(group) => (
                BTreeMap::from([(group.clone(), world.load(&group).await?)]),
                false,
            ),
            None => (world.load_all().await?, false),
        },
        None if event["detail-type"] == "Scheduled Event" => (world.load_all().await?, true),
        _ => return Err(unknown()),
    };
    let mut reports = Vec::new();
    let mut tell = |report: &Report| {
        if report.is_news() {
            log::scaling(report, request_id);
        }
        reports.push(report.clone());
    };
    let watching = async {
        let groups = watched(&groups);
        if stays {
            stay(world, config, memory, groups, request_id, &mut tell).await
        } else {
            Ok(once(world, groups, &mut tell).await)
        }
    };
    let (ticked, watched) = join(turn::tick(world, groups.clone()), watching).await;
    ticked.iter().for_each(&mut tell);
    let watched = watched?;
    if let Some(summary) = &watched {
        log::watch(summary, request_id);
    }
    Ok(json!({"services": reports, "watch": watched}))
}

/// The groups, if a service among them asks to be watched.
fn watched(groups: &BTreeMap<GroupName, Stored>) -> Option<BTreeMap<GroupName, Stored>> {
    watch::is_wanted(groups).then(|| groups.clone())
}

async fn stay<W: ScalingWorld>(
    world: &W,
    config: &Config,
    memory: &Memory,
    groups: Option<BTreeMap<GroupName, Stored>>,
    request_id: &str,
    tell: &mut dyn FnMut(&Report),
) -> Result<Option<Summary>, Error> {
    match groups {
        Some(groups) => {
            let watch = watch::stay(world, memory, config.tick, request_id, groups, tell);
            watch.await.map(Some)
        }
        None => Ok(None),
    }
}

async fn once<W: ScalingWorld>(
    world: &W,
    groups: Option<BTreeMap<GroupName, Stored>>,
    tell: &mut dyn FnMut(&Report),
) -> Option<Summary> {
    Some(watch::once(world, groups?, tell).await)
}

fn unknown() -> Error {
    let message = "the event is neither a scheduled one nor a direct call: its `action` must be `tick`, `sample` or \
         `scale-in`";
    Error::new(Code::InvalidRequest, message)
}

/// A step has [`STEP_TIME`], which is less than an invocation that watches.
async fn step<W: ScalingWorld>(world: &W, event: &Value, request_id: &str) -> Result<Value, Error> {
    let request = Request::parse(event)?;
    let late = || {
        let message = format!("{}: no end within {} s", request.execution, STEP_TIME.as_secs());
        Err(Error::new(Code::Unavailable, message))
    };
    let answer = world.within(STEP_TIME, scale_in::take(world, &request)).await;
    let answer = answer.unwrap_or_else(late);
    log::scale_in(&request, &answer, request_id);
    answer.map(|answer| json!(answer))
}
