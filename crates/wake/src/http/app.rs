//! Addresses of the app below the wake address: wake, wait, redirect.

use std::time::Duration;

use dormouse_core::config::Config;
use dormouse_core::error::{Code, Error};
use dormouse_core::ids::GroupName;
use dormouse_core::ports::{Looks, World};
use dormouse_core::status;

use super::AT_ONCE;
use super::request::Request;
use super::visit::{self, Wish};
use crate::answer::Answer;
use crate::client::Client;
use crate::{response, route};

/// Wakes, waits for as long as the request may be held, and answers with the app, the page or the status.
pub(super) async fn answer<W: World + Looks>(
    world: &W,
    config: &Config,
    request: &Request,
    group: &GroupName,
    path: &str,
    request_id: &str,
) -> Result<Answer, Error> {
    let wish = Wish {
        wait: wait(request.parameter("wait"))?,
        at_once: true,
        patience: AT_ONCE,
    };
    let visit = visit::pay(world, config, request, group, wish, request_id).await?;
    let is_refused = visit.refusal.is_some() && request.client == Client::Browser;
    let location = status::redirect(&visit.status, &route::encoded(path), &request.app_query());
    match location.filter(|_| !is_refused) {
        Some(location) => Ok(response::redirect(&location)),
        None => visit.shown(config, request, path),
    }
}

fn wait(text: Option<&str>) -> Result<Duration, Error> {
    let Some(text) = text else {
        return Ok(Duration::ZERO);
    };
    match text.parse() {
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(_) => {
            let message = format!("parameter `wait`, value `{text}`: must be a whole number of seconds");
            Err(Error::new(Code::InvalidRequest, message))
        }
    }
}
