//! The entry of a turn.

use jiff::Timestamp;

use super::{Count, Entry, Said, What};
use crate::decide::{Decision, Drift, Effect};
use crate::front::DoorChange;
use crate::ids::{GroupName, ServiceId};
use crate::intent::{Action, Cause, Intent};
use crate::observation::{Observation, Seen};
use crate::reading::{Reading, Signal};
use crate::reason::Reason;
use crate::record::{Phase, Record, Would};

/// An entry is written together with the record and must never be why that fails: with these bounds it stays far below
/// the 400 KB of an item (Amazon DynamoDB Developer Guide, "Quotas"), whatever AWS or a caller says. Our choice.
const MOST_READINGS: usize = 50;
const LONGEST_TEXT: usize = 1000;

/// Notes in the decision's record what is to be told, and gives the entry that is to be written with it, if the decision
/// changes something or is the first refusal of its kind since the phase changed. `before` is the record that it was
/// made from.
#[must_use]
pub fn note(
    group: &GroupName,
    before: &Record,
    decision: &mut Decision,
    seen: &Observation,
    intent: &Intent,
    now: Timestamp,
) -> Option<Entry> {
    if let Some(would) = &decision.would
        && would.since == now
    {
        return Some(of_observed(group, before, would, seen, intent));
    }
    let record = &mut decision.record;
    let moved = (record.phase, record.generation) != (before.phase, before.generation);
    if moved {
        record.told.clear();
    }
    let counts: Vec<Count> = news(&decision.effects, before, seen, moved).collect();
    let overridden =
        (record.override_until, record.asleep_until) != (before.override_until, before.asleep_until);
    let changes = moved || overridden || !counts.is_empty();
    if !changes && !decision.drift.is_empty() {
        return Some(of_drift(group, &decision.record, &decision.drift, now));
    }
    if !changes && let Some(change) = decision.door_changes.first() {
        return Some(of_door(group, &decision.record, change, now));
    }
    if !changes && decision.would.is_some() {
        // It would be done at every tick: the first time was told.
        return None;
    }
    if !changes {
        let refused = decision.reason.is_refusal();
        if !refused || !record.told.insert(decision.reason.kind()) {
            return None;
        }
    }
    let record = &decision.record;
    let goes_on = before.phase == Phase::Waking && !matches!(intent.action, Action::Wake(_));
    let (reason, cause, by) = if moved {
        behind(before, record, intent)
    } else if goes_on && !counts.is_empty() {
        // Whoever looks moves a wake on, and is not why.
        (&record.reason, record.cause, None)
    } else {
        (&decision.reason, intent.cause, intent.by.as_deref())
    };
    let what = if changes {
        What::Phase {
            from: before.phase,
            to: record.phase,
        }
    } else {
        What::Refused { phase: record.phase }
    };
    Some(Entry {
        at: now,
        group: group.clone(),
        generation: record.generation,
        cause,
        by: by.map(short),
        what,
        reason: reason.code().to_owned(),
        detail: short(&reason.to_string()),
        override_until: record.kept_until(now).filter(|_| overridden),
        counts,
        readings: said(seen, record),
    })
}

/// The entry of counts that somebody else has changed.
fn of_drift(group: &GroupName, record: &Record, drift: &[Drift], now: Timestamp) -> Entry {
    let reason = Reason::CountsChangedOutside;
    let counts = drift.iter().map(|drift| Count {
        service: drift.service.clone(),
        from: Some(drift.from),
        to: drift.to,
    });
    Entry {
        at: now,
        group: group.clone(),
        generation: record.generation,
        cause: Cause::Outside,
        by: None,
        what: What::Phase {
            from: record.phase,
            to: record.phase,
        },
        reason: reason.code().to_owned(),
        detail: reason.to_string(),
        override_until: None,
        counts: counts.collect(),
        readings: Vec::new(),
    }
}

/// The entry of what somebody else did to a door.
fn of_door(group: &GroupName, record: &Record, change: &DoorChange, now: Timestamp) -> Entry {
    Entry {
        at: now,
        group: group.clone(),
        generation: record.generation,
        cause: Cause::Outside,
        by: None,
        what: What::Rule {
            rule: change.door.clone(),
            change: change.what,
        },
        reason: "rule-changed-outside".to_owned(),
        detail: short(&change.to_string()),
        override_until: None,
        counts: Vec::new(),
        readings: Vec::new(),
    }
}

/// The entry of what would be done in a group that is in observe mode.
fn of_observed(
    group: &GroupName,
    before: &Record,
    would: &Would,
    seen: &Observation,
    intent: &Intent,
) -> Entry {
    let counts = would.counts.iter().map(|(service, count)| Count {
        service: service.clone(),
        from: desired(seen, service),
        to: *count,
    });
    Entry {
        at: would.since,
        group: group.clone(),
        generation: before.generation,
        cause: intent.cause,
        by: intent.by.as_deref().map(short),
        what: What::Would {
            from: before.phase,
            to: would.phase,
        },
        reason: would.reason.code().to_owned(),
        detail: short(&would.reason.to_string()),
        override_until: None,
        counts: counts.collect(),
        readings: said(seen, before),
    }
}

/// The count as it was seen, if it was.
fn desired(seen: &Observation, service: &ServiceId) -> Option<u32> {
    match seen.services.get(service) {
        Some(Seen::Known(state)) => Some(state.desired),
        Some(Seen::Unknown(_)) | None => None,
    }
}

/// Why a phase was entered, through which door, and by whom. What only finishes, as a wake that becomes ready, has the
/// door of what began it, whoever was there to see it.
fn behind<'a>(before: &Record, now: &'a Record, intent: &'a Intent) -> (&'a Reason, Cause, Option<&'a str>) {
    let same_generation = now.generation == before.generation;
    match (before.phase, now.phase) {
        (_, Phase::Awake) if same_generation => (&Reason::BecameReady, now.cause, None),
        (Phase::FallingAsleep, Phase::Asleep) => (&now.reason, now.cause, None),
        _ => {
            let by = intent.by.as_deref();
            (&now.reason, now.cause, by.filter(|_| now.cause == intent.cause))
        }
    }
}

/// The counts that are set and were not commanded before: an UpdateService that is repeated changes nothing.
fn news(effects: &[Effect], before: &Record, seen: &Observation, moved: bool) -> impl Iterator<Item = Count> {
    let commanded = |service: &ServiceId| before.services.get(service).and_then(|record| record.command);
    effects.iter().filter_map(move |effect| {
        let Effect::SetDesired { service, count } = effect else {
            return None;
        };
        let repeated = commanded(service).is_some_and(|command| command.count == *count);
        (moved || !repeated).then(|| Count {
            service: service.clone(),
            from: desired(seen, service),
            to: *count,
        })
    })
}

/// The readings in words. A signal that tells only of the moment is quiet since the first of the looks that found it so.
fn said(seen: &Observation, record: &Record) -> Vec<Said> {
    let words = |service: &ServiceId, signal: Signal, reading: &Reading| {
        let known = record
            .services
            .get(service)
            .and_then(|record| record.quiet.get(&signal));
        match (reading, known) {
            (Reading::Quiet { .. }, Some(quiet)) => Reading::Quiet {
                since: quiet.since,
                until: quiet.until,
            }
            .to_string(),
            (reading, _) => reading.to_string(),
        }
    };
    let readings = seen.readings.iter().take(MOST_READINGS);
    readings
        .map(|(service, signal, reading)| Said {
            signal: *signal,
            service: service.clone(),
            reading: short(&words(service, *signal, reading)),
        })
        .collect()
}

fn short(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}
