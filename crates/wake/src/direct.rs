//! Direct calls.

use dormouse_core::config::Config;
use dormouse_core::error::{Code, Error};
use dormouse_core::ports::World;
use dormouse_core::{direct, engine};
use serde_json::{Value, json};

/// Answers a direct call with the group's status and what was done; a tick of all groups with a list of them.
pub(crate) async fn handle<W: World>(
    world: &W,
    config: &Config,
    event: &Value,
    request_id: &str,
) -> Result<Value, Error> {
    let call = direct::parse(event, world.now())?;
    let Some(group) = call.group else {
        return Err(Error::new(
            Code::InvalidRequest,
            "a tick of all groups is the work of the auto-sleep function",
        ));
    };
    let (settings, record) = engine::find(world, &group, &config.listed, &config.defaults).await?;
    let turn = engine::turn(world, &settings, record, &call.intent).await?;
    dormouse_aws::log::turn(&turn, &call.intent, request_id);
    Ok(json!(direct::answer(&turn)))
}
