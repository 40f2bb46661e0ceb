//! Direct calls about one group, which every function answers alike.

use dormouse_core::config::Config;
use dormouse_core::direct;
use dormouse_core::engine;
use dormouse_core::error::Error;
use dormouse_core::ids::GroupName;
use dormouse_core::intent::Intent;
use dormouse_core::ports::World;
use serde_json::{Value, json};

use crate::log;

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
    let (settings, record) = engine::find(world, group, &config.listed, &config.defaults).await?;
    let turn = engine::turn(world, &settings, record, intent).await?;
    log::turn(&turn, intent, request_id);
    Ok(json!(direct::answer(&turn)))
}
