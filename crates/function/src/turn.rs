//! A turn of a group whose settings and record are at hand.

use dormouse_core::engine::{self, Beside, Turn};
use dormouse_core::error::Error;
use dormouse_core::intent::Intent;
use dormouse_core::ports::World;
use dormouse_core::record::Record;
use dormouse_core::settings::GroupSettings;

use crate::log;

/// Takes the turn and writes its line.
///
/// # Errors
/// Those of the engine.
pub async fn take<W: World>(
    world: &W,
    settings: &GroupSettings,
    record: Option<Record>,
    intent: &Intent,
    request_id: &str,
) -> Result<Turn, Error> {
    let turn = engine::turn(world, settings, record, intent).await?;
    log::turn(&turn, intent, request_id);
    Ok(turn)
}

/// The same, and somebody beside it is told.
///
/// # Errors
/// Those of the engine.
pub async fn take_beside<W: World>(
    world: &W,
    settings: &GroupSettings,
    record: Option<Record>,
    intent: &Intent,
    beside: &dyn Beside,
    request_id: &str,
) -> Result<Turn, Error> {
    let turn = engine::turn_beside(world, settings, record, intent, beside).await?;
    log::turn(&turn, intent, request_id);
    Ok(turn)
}
