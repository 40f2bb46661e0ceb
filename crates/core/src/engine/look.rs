//! Observing: what a decision needs to know.

use futures_util::future::join_all;
use jiff::Timestamp;

use crate::decide::{Decision, decide, idle_after, wanted_readings};
use crate::error::{Code, Error};
use crate::intent::Intent;
use crate::observation::{Observation, Seen};
use crate::ports::{Services, World};
use crate::record::Record;
use crate::settings::{GroupSettings, Problem, ServiceSettings};

/// Looks at counts, rollout and tasks of one service.
pub async fn observe_one<W: Services>(world: &W, settings: &ServiceSettings) -> Seen {
    let missing = || {
        Error::new(
            Code::Unavailable,
            format!("service `{}` was not looked at", settings.id),
        )
    };
    let mut seen = world.observe_tasks(&[settings]).await;
    seen.remove(&settings.id)
        .unwrap_or_else(|| Seen::Unknown(missing()))
}

/// Reads the signals that the decision needs, until it needs no more: each answer may spare or call for another.
pub(super) async fn read<W: World>(
    world: &W,
    settings: &GroupSettings,
    record: &Record,
    seen: &mut Observation,
    intent: &Intent,
    now: Timestamp,
) {
    loop {
        let questions = wanted_readings(settings, record, seen, intent, now);
        let answers = questions.iter().map(async |question| {
            let reading = world.read(*question, idle_after(settings, record), now).await;
            (question.service.id.clone(), question.signal, reading)
        });
        let answers = join_all(answers).await;
        if answers.is_empty() {
            return;
        }
        seen.readings.extend(answers);
    }
}

/// Decides, and asks for scalable targets first if the decision hangs on them: most do not, and are spared the call.
pub(super) async fn decide_with_bounds<W: World>(
    world: &W,
    settings: &GroupSettings,
    record: &Record,
    seen: &mut Observation,
    intent: &Intent,
    now: Timestamp,
) -> Decision {
    let decision = decide(settings, record, seen, intent, now);
    if !decision.wants_bounds {
        return decision;
    }
    let services: Vec<&ServiceSettings> = settings.services.iter().collect();
    seen.bounds = Some(world.bounds(&services).await);
    decide(settings, record, seen, intent, now)
}

/// Scalable targets that could not be asked for.
pub(super) fn problems_of_bounds(seen: &Observation) -> impl Iterator<Item = Problem> + '_ {
    let unknown = seen.bounds.iter().flatten();
    unknown.filter_map(|(service, answer)| {
        let error = answer.as_ref().err()?;
        Some(Problem::of(service, error.clone()))
    })
}
