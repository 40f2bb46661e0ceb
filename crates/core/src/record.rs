//! The record: what Dormouse remembers of a group between two looks.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::duration;
use crate::error::Error;
use crate::eta::{FirstReady, Wakes};
use crate::front::FrontRecord;
use crate::ids::{Generation, ServiceId};
use crate::intent::Cause;
use crate::reading::Signal;
use crate::reason::Reason;
use crate::scalable::SavedBounds;
use crate::scaling::record::ScalingRecord;

/// How many wakes are remembered. Our choice.
const WAKES_KEPT: usize = 9;
/// How long a wake takes of which nothing is known yet. Our choice: tasks on Fargate usually need one or two minutes.
const FIRST_WAKE: Duration = Duration::from_secs(120);

/// Where a group is in its day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// No task runs.
    Asleep,
    /// Tasks were asked for; not all services are ready yet.
    Waking,
    /// All services were ready.
    Awake,
    /// Counts are being set to 0.
    FallingAsleep,
}

impl Phase {
    /// The phase as the status JSON writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asleep => "asleep",
            Self::Waking => "waking",
            Self::Awake => "awake",
            Self::FallingAsleep => "falling-asleep",
        }
    }
}

/// What is remembered of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Counts writes. A writer saves only over the version it loaded; 0 was never saved.
    pub version: u64,
    /// Where the group is.
    pub phase: Phase,
    /// Since when.
    pub since: Timestamp,
    /// How often it left sleep.
    pub generation: Generation,
    /// Why it is in this phase.
    pub reason: Reason,
    /// Through which door the cause came.
    pub cause: Cause,
    /// When this generation began.
    pub woken_at: Option<Timestamp>,
    /// Who began this generation, if it is known: a source address, an alarm, a job, a log group, or the name that a caller
    /// gave.
    #[serde(default)]
    pub woken_by: Option<String>,
    /// When somebody last asked for it; the idle time counts from here at the earliest.
    pub last_wake_at: Option<Timestamp>,
    /// Since when no service of it answers; none while one does.
    pub unanswered_since: Option<Timestamp>,
    /// Not to sleep before this moment.
    pub override_until: Option<Timestamp>,
    /// Not to wake before this moment. Stays until the next wake, so that it is known to have ended.
    #[serde(default)]
    pub asleep_until: Option<Timestamp>,
    /// When it last began to fall asleep.
    pub fell_asleep_at: Option<Timestamp>,
    /// Idle time of this generation, if the wake brought one.
    pub idle_after: Option<Duration>,
    /// How many seconds the last wakes took until all services were ready, the oldest first.
    #[serde(default)]
    pub wakes_took: Vec<u32>,
    /// What would have been done last, if the group were not in observe mode.
    #[serde(default)]
    pub would: Option<Would>,
    /// Task-seconds that sleep has saved, up to the last wake.
    #[serde(default)]
    pub slept_task_seconds: u64,
    /// The wakes over HTTP of the last day that had one.
    #[serde(default)]
    pub http_wakes: Option<WakesOfDay>,
    /// Kinds of refusals that the why-log was told of since the phase changed.
    #[serde(default)]
    pub told: BTreeSet<String>,
    /// What is remembered of the doors that lead to it.
    #[serde(default, skip_serializing_if = "FrontRecord::is_empty")]
    pub front: FrontRecord,
    /// What is remembered of each service, in boxes: a map makes room for eleven, and most groups have one or two.
    pub services: BTreeMap<ServiceId, Box<ServiceRecord>>,
}

/// The wakes of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WakesOfDay {
    /// The day, of UTC.
    pub day: Date,
    /// How many.
    pub count: u32,
}

/// What would be done in a group that is in observe mode, for as long as it would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Would {
    /// Since when.
    pub since: Timestamp,
    /// The phase that the group would enter.
    pub phase: Phase,
    /// Why.
    pub reason: Reason,
    /// The counts that would be set.
    pub counts: BTreeMap<ServiceId, u32>,
}

/// What is remembered of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceRecord {
    /// The last desired count above 0, given back at the next wake.
    pub saved: Option<u32>,
    /// Tasks that this generation's wake asked for.
    pub wanted: Option<u32>,
    /// The last UpdateService that was decided, until it is seen to have worked.
    pub command: Option<Command>,
    /// Why the last one failed, until one works.
    pub failure: Option<Failure>,
    /// Last use that its log lines showed.
    pub active_at: Option<Timestamp>,
    /// For signals that tell only of the moment: since when each look found them quiet.
    #[serde(default)]
    pub quiet: BTreeMap<Signal, Quiet>,
    /// The ARNs of its target groups as last seen, so that an alarm finds it.
    #[serde(default)]
    pub target_groups: Vec<String>,
    /// Its scalable target as sleep found it, until it is as before again.
    #[serde(default)]
    pub bounds: Option<SavedBounds>,
    /// When it was first seen ready, while its group wakes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_ready: Option<FirstReady>,
    /// What its last wakes took, step by step.
    #[serde(default, skip_serializing_if = "Wakes::is_empty")]
    pub wakes: Wakes,
    /// What is remembered of its scaling.
    #[serde(default)]
    pub scaling: ScalingRecord,
}

/// Looks, none of which found use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quiet {
    /// The first.
    pub since: Timestamp,
    /// The last.
    pub until: Timestamp,
}

/// An UpdateService that was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// The desired count.
    pub count: u32,
    /// When.
    pub at: Timestamp,
}

/// An UpdateService that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What AWS said.
    pub error: Error,
    /// When.
    pub at: Timestamp,
}

impl Command {
    /// An UpdateService has landed or failed after this long: the SDK gives a call with all its attempts 9 s, and ECS's
    /// reads lag behind its writes (Amazon ECS API reference, UpdateService: eventual consistency).
    pub const LANDS_WITHIN: Duration = Duration::from_secs(15);

    /// A count is taken away within this time of its decision, or not at all: what comes before the call may be slow, and
    /// later a wake counts on it that no call comes any more. Our choice.
    pub const TAKEN_WITHIN: Duration = Duration::from_secs(14);

    /// Whether it may still be on its way, given the desired count that is seen.
    #[must_use]
    pub fn is_on_its_way(&self, desired: u32, now: Timestamp) -> bool {
        self.count != desired && !self.is_over(now)
    }

    /// Whether it has landed or failed by now, and every read shows it.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        duration::between(self.at, now) >= Self::LANDS_WITHIN
    }
}

impl Record {
    /// The record of a group that was never seen.
    #[must_use]
    pub fn unseen(now: Timestamp) -> Self {
        Self {
            version: 0,
            phase: Phase::Asleep,
            since: now,
            generation: Generation(0),
            reason: Reason::NeverSeen,
            cause: Cause::Outside,
            woken_at: None,
            woken_by: None,
            last_wake_at: None,
            unanswered_since: None,
            override_until: None,
            asleep_until: None,
            fell_asleep_at: None,
            idle_after: None,
            wakes_took: Vec::new(),
            would: None,
            slept_task_seconds: 0,
            http_wakes: None,
            told: BTreeSet::new(),
            front: FrontRecord::default(),
            services: BTreeMap::new(),
        }
    }

    /// What is remembered of a service, to change it.
    pub fn service(&mut self, id: &ServiceId) -> &mut ServiceRecord {
        self.services.entry(id.clone()).or_default()
    }

    /// Remembers how long a wake took.
    pub fn note_wake(&mut self, took: Duration) {
        self.wakes_took
            .push(u32::try_from(took.as_secs()).unwrap_or(u32::MAX));
        let surplus = self.wakes_took.len().saturating_sub(WAKES_KEPT);
        self.wakes_took.drain(..surplus);
    }

    /// How long a wake usually takes: the median of the last ones, so that one that hung does not count.
    #[must_use]
    pub fn usual_wake(&self) -> Duration {
        let mut took = self.wakes_took.clone();
        took.sort_unstable();
        let median = took.get(took.len() / 2);
        median.map_or(FIRST_WAKE, |seconds| Duration::from_secs(u64::from(*seconds)))
    }

    /// Until when somebody wants it to be as it is: kept awake, or kept asleep; none if nobody does.
    #[must_use]
    pub fn kept_until(&self, now: Timestamp) -> Option<Timestamp> {
        let until = match self.phase {
            Phase::Waking | Phase::Awake => self.override_until,
            Phase::Asleep | Phase::FallingAsleep => self.asleep_until,
        };
        until.filter(|until| *until > now)
    }

    /// Task-seconds that the sleep under way has saved: of each of these services the count that it took away, for as
    /// long as the group is asleep. None of services that were never seen awake.
    #[must_use]
    pub fn saved_by_this_sleep<'a>(
        &self,
        services: impl IntoIterator<Item = &'a ServiceId>,
        now: Timestamp,
    ) -> u64 {
        if self.phase != Phase::Asleep {
            return 0;
        }
        let saved = |id| self.services.get(id).and_then(|service| service.saved);
        let tasks: u64 = services.into_iter().filter_map(saved).map(u64::from).sum();
        tasks.saturating_mul(duration::between(self.since, now).as_secs())
    }

    /// Moves to a phase.
    pub fn enter(&mut self, phase: Phase, reason: Reason, cause: Cause, now: Timestamp) {
        self.phase = phase;
        self.since = now;
        self.reason = reason;
        self.cause = cause;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_of_the_first_version_is_still_read() {
        let stored = json!({
            "version": 3, "phase": "awake", "since": "2027-01-15T08:00:00Z", "generation": 2,
            "reason": {"code": "wake-asked"}, "cause": "http", "woken_at": "2027-01-15T08:00:00Z",
            "last_wake_at": null, "unanswered_since": null, "override_until": null,
            "services": {"dev/web": {"saved": 2, "wanted": 2, "command": null, "failure": null}},
        });
        let record: Record = serde_json::from_value(stored).expect("a record");
        let web = &record.services[&ServiceId::new("dev", "web")];
        assert_eq!((web.saved, web.active_at, web.quiet.len()), (Some(2), None, 0));
        assert_eq!((record.slept_task_seconds, record.told.len()), (0, 0));
        assert_eq!(web.bounds, None);
        assert_eq!((web.first_ready, web.wakes.all().len()), (None, 0));
    }

    #[test]
    fn an_override_ends_at_its_moment() {
        let now = Timestamp::UNIX_EPOCH;
        let later = duration::after(now, Duration::from_secs(1));
        let mut record = Record::unseen(now);
        record.asleep_until = Some(later);
        assert_eq!(record.kept_until(now), Some(later));
        assert_eq!(record.kept_until(later), None);
        record.phase = Phase::Awake;
        assert_eq!(record.kept_until(now), None);
        record.override_until = Some(later);
        assert_eq!(record.kept_until(now), Some(later));
    }

    #[test]
    fn a_phase_is_told_as_it_is_written() {
        for phase in [Phase::Asleep, Phase::Waking, Phase::Awake, Phase::FallingAsleep] {
            assert_eq!(json!(phase), phase.as_str());
        }
    }
}
