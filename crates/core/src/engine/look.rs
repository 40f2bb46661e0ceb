//! Observing: what a decision needs to know.

use futures_util::future::join_all;
use jiff::Timestamp;

use crate::decide::{Decision, decide, idle_after, wanted_readings};
use crate::error::{Code, Error};
use crate::front::DoorId;
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

/// Decides, and asks for more if the decision hangs on it, until it does not: most do not, and are spared the calls.
pub(super) async fn decide_with_all<W: World>(
    world: &W,
    settings: &GroupSettings,
    record: &Record,
    seen: &mut Observation,
    intent: &Intent,
    now: Timestamp,
) -> Decision {
    loop {
        let decision = decide(settings, record, seen, intent, now);
        let wants = &decision.wants;
        if wants.is_nothing() {
            return decision;
        }
        if wants.bounds {
            let services: Vec<&ServiceSettings> = settings.services.iter().collect();
            seen.bounds = Some(world.bounds(&services).await);
        }
        if wants.doors {
            let target_groups = fronted(settings, &decision.record);
            let known: Vec<DoorId> = record.front.doors.keys().cloned().collect();
            seen.doors = Some(world.doors(&target_groups, &known).await);
        }
        let proofs = wants.proofs.iter().filter_map(|door| {
            let led = decision.record.front.doors.get(door)?;
            Some(async move { (door.clone(), world.prove(&settings.name, door, &led.place).await) })
        });
        seen.proofs.extend(join_all(proofs).await);
    }
}

/// The target groups of services whose addresses wake them.
fn fronted(settings: &GroupSettings, record: &Record) -> Vec<String> {
    let fronted = settings.services.iter().filter(|service| service.front);
    let services = fronted.filter_map(|service| record.services.get(&service.id));
    services
        .flat_map(|service| service.target_groups.iter().cloned())
        .collect()
}

/// Doors that could not be looked at or led.
pub(super) fn problem_of_front(error: &Error) -> Problem {
    Problem {
        code: error.code,
        service: None,
        message: error.message.clone(),
    }
}

/// Scalable targets that could not be asked for.
pub(super) fn problems_of_bounds(seen: &Observation) -> impl Iterator<Item = Problem> + '_ {
    let unknown = seen.bounds.iter().flatten();
    unknown.filter_map(|(service, answer)| {
        let error = answer.as_ref().err()?;
        Some(Problem::of(service, error.clone()))
    })
}
