//! Lines of a log group: each that matches counts as use of its service at its own moment, and wakes a sleeping group.

mod payload;

use std::collections::BTreeMap;

use dormouse_core::config::Config;
use dormouse_core::error::{Code, Error};
use dormouse_core::ids::ServiceId;
use dormouse_core::intent::{Action, Cause, Intent};
use dormouse_core::ports::{Stored, World};
use dormouse_core::report;
use dormouse_core::settings::GroupSettings;
use dormouse_function::{log, turn};
use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::{Value, json};

use payload::Batch;

/// Handles one batch of a subscription.
///
/// # Errors
/// Those of the store and the engine, once all groups were handled: Lambda then repeats the event, and lines that are
/// counted twice count once. A batch that cannot be understood is reported and dropped.
pub async fn handle<W: World>(
    world: &W,
    _config: &Config,
    event: Value,
    request_id: &str,
) -> Result<Value, Error> {
    let batch = match payload::decode(&event) {
        Ok(Some(batch)) => batch,
        Ok(None) => return Ok(json!({"ignored": "a control message"})),
        Err(error) => return Ok(refuse(&error, request_id)),
    };
    let groups = listening(world.load_all().await?, &batch.log_group);
    if groups.is_empty() {
        let message = format!(
            "log group `{}`: no service has the tag dormouse:log-group with it",
            batch.log_group
        );
        return Ok(refuse(&Error::new(Code::UnknownLogGroup, message), request_id));
    }
    let used = groups.into_iter().filter_map(|(settings, stored)| {
        let used = last_uses(&settings, &batch);
        let intent =
            Intent::of(Action::Activity(used.clone()), Cause::Logs).by(Some(batch.log_group.clone()));
        (!used.is_empty()).then_some((settings, stored, intent))
    });
    // All at once, because they share the function's time.
    let turns = used.map(async |(settings, stored, intent)| {
        let turn = turn::take(world, &settings, stored.record, &intent, request_id).await;
        (settings, intent, turn)
    });
    let mut results = Vec::new();
    let mut failure = None;
    for (settings, intent, turn) in join_all(turns).await {
        results.push(match turn {
            Ok(turn) => json!(report::summary(&turn, &intent)),
            Err(error) => {
                log::error(&error, Some(settings.name.as_str()), request_id);
                failure.get_or_insert(error.clone());
                json!({"group": settings.name, "errors": [error]})
            }
        });
    }
    match failure {
        Some(error) => Err(error),
        None => Ok(json!({
            "log_group": batch.log_group,
            "lines": batch.lines.len(),
            "skipped": batch.skipped,
            "groups": results,
        })),
    }
}

fn refuse(error: &Error, request_id: &str) -> Value {
    log::refused("logs", error, request_id);
    json!({"refused": error})
}

/// The groups with a service that names this log group.
fn listening(
    groups: BTreeMap<dormouse_core::ids::GroupName, Stored>,
    log_group: &str,
) -> Vec<(GroupSettings, Stored)> {
    let listens = |settings: &GroupSettings| {
        let mut sources = settings
            .services
            .iter()
            .filter_map(|service| service.logs.as_ref());
        sources.any(|source| source.group.as_str() == log_group)
    };
    groups
        .into_values()
        .filter_map(|stored| Some((stored.settings.clone().filter(listens)?, stored)))
        .collect()
}

/// When the lines last show use of each service.
fn last_uses(settings: &GroupSettings, batch: &Batch) -> BTreeMap<ServiceId, Timestamp> {
    let sources = settings
        .services
        .iter()
        .filter_map(|service| Some((&service.id, service.logs.as_ref()?)))
        .filter(|(_, source)| source.group.as_str() == batch.log_group);
    sources
        .filter_map(|(id, source)| {
            let matching = batch.lines.iter().filter(|line| source.matches(&line.message));
            Some((id.clone(), matching.map(|line| line.at).max()?))
        })
        .collect()
}
