//! All groups at a glance, from the table alone: what is remembered and set, nothing that must be looked at.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use crate::decide::{idle_after, signals_of, was_put_to_sleep_in_hours};
use crate::duration;
use crate::ids::{Generation, GroupName, ServiceId};
use crate::intent::Cause;
use crate::ports::Stored;
use crate::reading::Signal;
use crate::record::{Phase, Record};
use crate::settings::{GroupSettings, Mode, Problem};

/// Windows of different services that go on from one another are followed this far. Our choice.
const MOST_WINDOWS: usize = 50;

/// All groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Overview {
    /// When the tags were read from which the settings are: usually within the last quarter of an hour, though each tick
    /// reads them. None if they never were.
    pub discovered_at: Option<Timestamp>,
    /// By name.
    pub groups: Vec<Group>,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Its name.
    pub group: GroupName,
    /// Where it is; none if it was never looked at. So are the others that may be none.
    pub phase: Option<Phase>,
    /// Since when.
    pub since: Option<Timestamp>,
    /// How often it left sleep.
    pub generation: Generation,
    /// Stable code of why it is there.
    pub reason: &'static str,
    /// The same in a sentence.
    pub detail: String,
    /// Through which door the cause came.
    pub cause: Option<Cause>,
    /// Who began this generation, if it is known.
    pub woken_by: Option<String>,
    /// End of the override that keeps it awake, or asleep.
    pub override_until: Option<Timestamp>,
    /// Whether what is decided is done.
    pub mode: Mode,
    /// While it is awake, the moment before which it does not fall asleep, whatever its signals say; while it is asleep,
    /// the moment at which its hours wake it, or from which on anybody may. None if there is no such moment.
    pub next_deadline: Option<Timestamp>,
    /// The signals that decide whether it sleeps.
    pub signals: BTreeSet<Signal>,
    /// Its services.
    pub services: Vec<Service>,
    /// Task-seconds that sleep has saved so far: what was not paid for.
    pub slept_task_seconds: u64,
    /// How many listener rules and default actions of load balancers lead to the wake function in place of it.
    pub led_away: usize,
    /// What somebody should mend.
    pub problems: Vec<Problem>,
}

/// The name of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Service {
    /// Its cluster.
    pub cluster: String,
    /// Its name.
    pub name: String,
}

/// The groups that have settings.
#[must_use]
pub fn of(stored: BTreeMap<GroupName, Stored>, discovered_at: Option<Timestamp>, now: Timestamp) -> Overview {
    let with_settings = stored.into_values().filter_map(|stored| {
        let settings = stored.settings?;
        Some(group(&settings, stored.record.as_ref(), now))
    });
    Overview {
        discovered_at,
        groups: with_settings.collect(),
    }
}

fn group(settings: &GroupSettings, record: Option<&Record>, now: Timestamp) -> Group {
    let unseen = Record::unseen(now);
    let known = record.unwrap_or(&unseen);
    let ids = || settings.services.iter().map(|service| &service.id);
    let saved = known.saved_by_this_sleep(ids(), now);
    Group {
        group: settings.name.clone(),
        phase: record.map(|record| record.phase),
        since: record.map(|record| record.since),
        generation: known.generation,
        reason: known.reason.code(),
        detail: known.reason.to_string(),
        cause: record.map(|record| record.cause),
        woken_by: known.woken_by.clone(),
        override_until: known.kept_until(now),
        mode: settings.mode(),
        next_deadline: record.and_then(|record| next_deadline(settings, record, now)),
        signals: signals(settings, known),
        services: ids().map(name).collect(),
        slept_task_seconds: known.slept_task_seconds.saturating_add(saved),
        led_away: known.front.doors.len(),
        problems: problems(settings, known),
    }
}

fn name(id: &ServiceId) -> Service {
    Service {
        cluster: id.cluster.clone(),
        name: id.name.clone(),
    }
}

/// Those that the settings name, and those that the record says there are the means for.
fn signals(settings: &GroupSettings, record: &Record) -> BTreeSet<Signal> {
    let of = |service| {
        let known = record.services.get(service);
        known.map_or(&[][..], |record| &record.target_groups)
    };
    let services = settings.services.iter();
    services
        .flat_map(|service| signals_of(service, of(&service.id)))
        .collect()
}

fn problems(settings: &GroupSettings, record: &Record) -> Vec<Problem> {
    let failures = settings.services.iter().filter_map(|service| {
        let failure = record.services.get(&service.id)?.failure.as_ref()?;
        Some(Problem::of(&service.id, failure.error.clone()))
    });
    let doors = record.front.doors.iter().filter_map(|(door, led)| {
        let error = &led.failure.as_ref()?.error;
        Some(Problem {
            code: error.code,
            service: None,
            message: format!("{door}: {}", error.message),
        })
    });
    let problems = settings.problems.iter().cloned();
    problems.chain(failures).chain(doors).collect()
}

fn next_deadline(settings: &GroupSettings, record: &Record, now: Timestamp) -> Option<Timestamp> {
    match record.phase {
        Phase::Awake => may_sleep_at(settings, record, now),
        Phase::Asleep => record
            .kept_until(now)
            .or_else(|| hours_wake_at(settings, record, now)),
        Phase::Waking | Phase::FallingAsleep => None,
    }
}

/// When neither override, grace, idle time nor hours keep it awake any more; never before `now`.
fn may_sleep_at(settings: &GroupSettings, record: &Record, now: Timestamp) -> Option<Timestamp> {
    let asked = record.last_wake_at.unwrap_or(record.since);
    let mut at = now
        .max(duration::after(record.since, settings.grace()))
        .max(duration::after(asked, idle_after(settings, record)))
        .max(record.override_until.unwrap_or(now));
    for _ in 0..MOST_WINDOWS {
        match settings.outlook(at, record.usual_wake()) {
            Some(outlook) if outlook.awake => at = outlook.change?.at,
            _ => return Some(at),
        }
    }
    None
}

/// When its hours wake it. Who put it to sleep in a window finds it asleep until the next one.
fn hours_wake_at(settings: &GroupSettings, record: &Record, now: Timestamp) -> Option<Timestamp> {
    let mut at = now;
    for _ in 0..MOST_WINDOWS {
        let outlook = settings.outlook(at, record.usual_wake())?;
        if !outlook.awake {
            return outlook.change.map(|change| change.at);
        }
        if !was_put_to_sleep_in_hours(settings, record, at) {
            return Some(at);
        }
        at = outlook.change?.at;
    }
    None
}

#[cfg(test)]
mod tests;
