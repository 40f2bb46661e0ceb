//! The app's own addresses: wake, wait, redirect.

use std::time::Duration;

use dormouse_core::config::Config;
use dormouse_core::duration::between;
use dormouse_core::error::{Code, Error};
use dormouse_core::ids::GroupName;
use dormouse_core::intent::Action;
use dormouse_core::ports::{Looks, World};
use dormouse_core::record::Phase;
use dormouse_core::status::{self, Status};
use serde_json::Value;

use super::looks::{self, LONGEST};
use super::request::Request;
use super::{AT_ONCE, ITS_TURN, permit};
use crate::client::Client;
use crate::page;
use crate::response::{self, code};
use crate::route;

/// Longest `?wait=`: what is left of the 30 s that an HTTP API waits for its integration (Amazon API Gateway
/// quotas, "Maximum integration timeout") is for the looks before and after.
const LONGEST_WAIT: u64 = 25;
/// Time between two looks while a request is held.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Wakes, waits for as long as the request may be held, and answers with the app, the page or the status.
pub(super) async fn answer<W: World + Looks>(
    world: &W,
    config: &Config,
    request: &Request,
    group: &GroupName,
    path: &str,
    request_id: &str,
) -> Result<Value, Error> {
    let wait = wait(request.parameter("wait"))?;
    let began = world.now();
    // Who may not wake only looks, and is led into an app that is awake all the same.
    let barred = permit::to_wake(&config.guard, request, group, began).err();
    let action = if barred.is_some() {
        Action::Look
    } else {
        Action::wake()
    };
    let intent = request.intent(action, AT_ONCE);
    let mut told = looks::ask(world, config, group, &intent, LONGEST, request_id).await?;
    while barred.is_none()
        && told.refusal.is_none()
        && !told.status.ready
        && between(began, world.now()) < wait
    {
        world.pause(LOOK_EVERY).await;
        let left = wait.saturating_sub(between(began, world.now()));
        let intent = request.intent(Action::Look, left.clamp(AT_ONCE, ITS_TURN));
        let longest = left.clamp(AT_ONCE, LONGEST);
        told = looks::ask(world, config, group, &intent, longest, request_id).await?;
    }
    let status = told.status;
    let refusal = told.refusal.filter(|_| request.client == Client::Browser);
    if let Some(location) =
        status::redirect(&status, &route::encoded(path), &request.app_query()).filter(|_| refusal.is_none())
    {
        return Ok(response::redirect(&location));
    }
    let sleeps = matches!(status.phase, Phase::Asleep | Phase::FallingAsleep);
    if let Some(error) = barred.filter(|_| sleeps && request.client != Client::Passive) {
        return Err(error);
    }
    let viewer = request.viewer(config);
    if let Some(refusal) = refusal {
        let page = match refusal.code {
            Code::WakeBudgetSpent => page::error(&viewer, &refusal, ""),
            _ => page::waiting(&viewer, &status, path),
        };
        return Ok(response::asking_again_after(status.retry_after_seconds, page));
    }
    Ok(match request.client {
        Client::Browser => page::waiting(&viewer, &status, path),
        Client::Passive if request.method == "GET" && request.wants_page() && !request.is_ahead_of_time() => {
            page::resting(&viewer, &status, path, not_ready(&status))
        }
        Client::Program | Client::Passive => response::status(not_ready(&status), &status),
    })
}

/// A failure that waiting will not mend is told from one that it may. Bad tags leave the last good settings in
/// force, so they only stop a group that never had any.
fn not_ready(status: &Status) -> u16 {
    if status
        .errors
        .iter()
        .any(|error| error.code == Code::WakeBudgetSpent)
    {
        return code::TOO_MANY_REQUESTS;
    }
    let stuck = |http: u16| http == code::BAD_GATEWAY;
    let blocking = status
        .errors
        .iter()
        .filter(|error| error.code != Code::InvalidTag);
    let hopeless = blocking.map(|error| response::http_status(error.code)).any(stuck);
    if hopeless || status.services.is_empty() {
        code::BAD_GATEWAY
    } else {
        code::UNAVAILABLE
    }
}

fn wait(text: Option<&str>) -> Result<Duration, Error> {
    let Some(text) = text else {
        return Ok(Duration::ZERO);
    };
    match text.parse::<u64>() {
        Ok(seconds) => Ok(Duration::from_secs(seconds.min(LONGEST_WAIT))),
        Err(_) => {
            let message = format!("parameter `wait`, value `{text}`: must be a whole number of seconds");
            Err(Error::new(Code::InvalidRequest, message))
        }
    }
}
