//! What the connections of one service say now, for whoever asks.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::look::Looks;
use super::service::Watched;
use super::{SHARD, read};
use crate::error::{Code, Error};
use crate::ids::{GroupName, ServiceId};
use crate::ports::ScalingWorld;
use crate::record::ServiceRecord;
use crate::scaling::reason::Reason;
use crate::scaling::turn::look::metrics;
use crate::scaling::{Action, Decision};

/// The direct call `{"action":"sample","service":"cluster/service"}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    #[serde(rename = "action")]
    _action: Word,
    service: ServiceId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum Word {
    #[serde(rename = "sample")]
    Sample,
}

impl Request {
    /// Whether an event is meant as one.
    #[must_use]
    pub fn is_meant(event: &Value) -> bool {
        event["action"] == "sample"
    }

    /// Understands it.
    ///
    /// # Errors
    /// [`Code::InvalidRequest`], naming what is wrong.
    pub fn parse(event: &Value) -> Result<Self, Error> {
        Self::deserialize(event)
            .map_err(|error| Error::new(Code::InvalidRequest, format!("action `sample`: {error}")))
    }
}

/// A reading of a service's connections, and what would be decided on it. Nothing is changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// The group.
    pub group: GroupName,
    /// The service.
    pub service: ServiceId,
    /// Connections of all tasks; null if nobody answered, which is not zero.
    pub total: Option<u64>,
    /// Tasks that answered.
    pub sampled_tasks: u32,
    /// Tasks that run.
    pub total_tasks: u32,
    /// Mean connections of those that answered.
    pub avg: Option<f64>,
    /// How far the mean may be off; null if that is not known.
    pub standard_error: Option<f64>,
    /// `scale-out`, `scale-in` or `hold`.
    pub decision: &'static str,
    /// The desired count.
    pub from: u32,
    /// The count that would be reached, if it changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<u32>,
    /// Why.
    pub reason: Reason,
    /// Why, as a sentence.
    pub message: String,
}

/// Reads the connections of a service once.
///
/// # Errors
/// [`Code::InvalidRequest`] if nobody manages the service or it does not say where its connections are counted; those of
/// the table and of ECS.
pub async fn sample<W: ScalingWorld>(world: &W, request: &Request) -> Result<Answer, Error> {
    let groups = world.load_all().await?;
    let id = &request.service;
    let found = groups.iter().find_map(|(name, stored)| {
        let mut services = stored.settings.as_ref()?.services.iter();
        let settings = services.find(|settings| settings.id == *id)?;
        Some((name.clone(), settings.clone()))
    });
    let refused = |why: &str| Error::new(Code::InvalidRequest, format!("service `{id}` {why}"));
    let unmanaged =
        || refused("is not managed: it has no tag `dormouse:group`, or its tags are not known yet");
    let (group, settings) = found.ok_or_else(unmanaged)?;
    if settings.connections.is_none() {
        return Err(refused("has no tag `dormouse:connections`"));
    }
    let record = groups[&group].record.as_ref();
    let record = record.and_then(|record| record.services.get(id).cloned());
    look(world, Watched::new(group, settings), *record.unwrap_or_default()).await
}

async fn look<W: ScalingWorld>(
    world: &W,
    mut watched: Watched,
    record: ServiceRecord,
) -> Result<Answer, Error> {
    let windows = world.windows(SHARD).await.unwrap_or_default();
    watched.window = windows.get(&watched.settings.id).cloned().unwrap_or_default();
    let metrics = metrics(world, [&watched.settings].into_iter()).await;
    let mut looks = Looks::default();
    let mut services = [watched];
    for _ in 0..2 {
        let now = world.now();
        let seen = looks.take(world, &services, now).await;
        seen.hand_out(&mut services, now);
    }
    let now = world.now();
    let answers = read::ask(world, &services, now).await.pop().unwrap_or_default();
    let [mut watched] = services;
    watched.read(answers, world.now());
    let decision = watched.decide(&metrics, &record, world.now())?;
    Ok(answer(watched, decision))
}

fn answer(watched: Watched, decision: Decision) -> Answer {
    let (verdict, to) = match decision.action {
        Action::Hold => ("hold", None),
        Action::ScaleOut { to, .. } => ("scale-out", Some(to)),
        Action::ScaleIn { to, .. } => ("scale-in", Some(to)),
    };
    let reading = watched.reading;
    let (from, running) = watched
        .state
        .map_or((0, 0), |state| (state.desired, state.running));
    Answer {
        group: watched.group,
        service: watched.settings.id,
        total: reading.map(|reading| reading.total),
        sampled_tasks: reading.map_or(0, |reading| reading.sampled_tasks),
        total_tasks: reading.map_or(running, |reading| reading.total_tasks),
        avg: reading.map(|reading| reading.avg),
        standard_error: reading.and_then(|reading| reading.standard_error),
        decision: verdict,
        from,
        to,
        message: decision.reason.to_string(),
        reason: decision.reason,
    }
}
