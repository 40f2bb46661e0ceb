//! Sleep and keep-awake: what direct calls do, for those who may.

use dormouse_core::config::Config;
use dormouse_core::direct::{self as call, Ask};
use dormouse_core::engine::Turn;
use dormouse_core::error::{Code, Error};
use dormouse_core::ids::GroupName;
use dormouse_core::intent::Intent;
use dormouse_core::ports::World;
use dormouse_core::record::Phase;
use dormouse_core::settings::Problem;
use dormouse_core::status;
use dormouse_function::direct;
use jiff::Timestamp;
use serde_json::json;

use super::request::Request;
use super::{AT_ONCE, permit};
use crate::answer::Answer;
use crate::response::{self, code};
use crate::route::Admin;

/// Does it, and answers with the status.
pub(super) async fn answer<W: World>(
    world: &W,
    config: &Config,
    request: &Request,
    group: &GroupName,
    admin: Admin,
    request_id: &str,
) -> Result<Answer, Error> {
    permit::to_administer(&config.guard, request)?;
    let intent = intent(request, group, admin, world.now())?;
    let turn = direct::turn(world, config, group, &intent, request_id).await?;
    let mut status = status::of(&turn);
    let Some(refusal) = refusal(&turn, admin) else {
        return Ok(response::status(code::ACCEPTED, &status));
    };
    if turn.refusal().is_none() {
        status.errors.push(Problem {
            code: refusal.code,
            service: None,
            message: refusal.message,
        });
    }
    Ok(response::status(response::http_status(refusal.code), &status))
}

/// What a direct call with the same fields would mean.
fn intent(request: &Request, group: &GroupName, admin: Admin, now: Timestamp) -> Result<Intent, Error> {
    let mut event = json!({"group": group, "action": admin.as_str()});
    for name in ["for", "until"] {
        if let Some(value) = request.parameter(name) {
            event[name] = json!(value);
        }
    }
    let Ask::Turn(call) = call::parse(&event, now)? else {
        return Err(Error::new(Code::Internal, "an admin action is no query"));
    };
    Ok(request.intent(call.intent.action, AT_ONCE))
}

/// Why it was not done, if it was not.
fn refusal(turn: &Turn, admin: Admin) -> Option<Error> {
    let up = matches!(turn.record.phase, Phase::Waking | Phase::Awake);
    let done = match admin {
        Admin::Sleep => !up,
        Admin::KeepAwake => up,
    };
    turn.refusal().or_else(|| {
        let message = format!("`{}` was not done: {}", admin.as_str(), turn.reason);
        (!done).then(|| Error::new(Code::Unavailable, message))
    })
}
