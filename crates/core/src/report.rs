//! One line of JSON for each turn that decided something, and the answer to direct calls and timers.

use serde::Serialize;

use crate::decide::{Drift, Effect};
use crate::engine::Turn;
use crate::front::DoorChange;
use crate::ids::{Generation, GroupName, ServiceId};
use crate::intent::{Action, Cause, Intent};
use crate::reason::Reason;
use crate::record::Phase;
use crate::scalable::Suspended;
use crate::settings::Problem;

/// What a turn decided, for the log.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Always `decision`: what to search the log for.
    pub event: &'static str,
    /// The group.
    pub group: GroupName,
    /// Its generation.
    pub generation: Generation,
    /// What was decided.
    pub decision: Verdict,
    /// Stable code of why.
    pub reason: &'static str,
    /// The same in a sentence.
    pub detail: String,
    /// Through which door the intent came.
    pub cause: String,
    /// The phase before.
    pub from: Phase,
    /// The phase now.
    pub to: Phase,
    /// The counts that were set, or in observe mode those that would be.
    pub counts: Vec<String>,
    /// The counts that somebody else has changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<Drift>,
    /// What somebody else did to doors that were led away.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub door_changes: Vec<DoorChange>,
    /// The doors that were led elsewhere.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub doors: Vec<String>,
    /// The scalable targets that were suspended or given back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bounds: Vec<String>,
    /// What went wrong.
    pub errors: Vec<Problem>,
    /// The invocation's request id.
    pub request_id: String,
}

/// What a turn did, for the result of an invocation that is about several groups.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The group.
    pub group: GroupName,
    /// The phase now.
    pub phase: Phase,
    /// Its generation.
    pub generation: Generation,
    /// What was decided.
    pub decision: Verdict,
    /// Stable code of why.
    pub reason: &'static str,
    /// Through which door the cause came.
    pub cause: String,
    /// What went wrong.
    pub errors: Vec<Problem>,
}

/// The summary of a turn.
#[must_use]
pub fn summary(turn: &Turn, intent: &Intent) -> Summary {
    Summary {
        group: turn.settings.name.clone(),
        phase: turn.record.phase,
        generation: turn.record.generation,
        decision: verdict(turn),
        reason: turn.reason.code(),
        cause: cause(turn, intent).to_string(),
        errors: turn.problems.clone(),
    }
}

/// Who is behind what a turn did: a wake has the cause that the record keeps, which the status shows too.
fn cause(turn: &Turn, intent: &Intent) -> Cause {
    if turn.woke {
        turn.record.cause
    } else {
        intent.cause
    }
}

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// A wake begins.
    Wake,
    /// It became ready.
    Ready,
    /// It goes to sleep.
    Sleep,
    /// It is asleep.
    Slept,
    /// Nothing changes phase.
    Hold,
    /// It would be woken, if the group were not in observe mode.
    WouldWake,
    /// It would go to sleep, if the group were not in observe mode.
    WouldSleep,
    /// The timer was of an older generation.
    Superseded,
}

/// The verdict of a turn.
#[must_use]
pub fn verdict(turn: &Turn) -> Verdict {
    if let Some(would) = &turn.would {
        return match would.phase {
            Phase::Waking | Phase::Awake => Verdict::WouldWake,
            Phase::FallingAsleep | Phase::Asleep => Verdict::WouldSleep,
        };
    }
    match (turn.before, turn.record.phase) {
        _ if turn.superseded => Verdict::Superseded,
        _ if turn.woke => Verdict::Wake,
        (before, now) if before == now => Verdict::Hold,
        (_, Phase::Waking) => Verdict::Wake,
        (_, Phase::Awake) => Verdict::Ready,
        (Phase::FallingAsleep, Phase::Asleep) => Verdict::Slept,
        (_, Phase::FallingAsleep | Phase::Asleep) => Verdict::Sleep,
    }
}

/// The log line of a turn. Visitors and log lines that only ask again while nothing changes leave none, nor does a tick
/// that finds a group asleep.
#[must_use]
pub fn line(turn: &Turn, intent: &Intent, request_id: &str) -> Option<Report> {
    let decision = verdict(turn);
    let worth_a_line = match intent.action {
        Action::Tick | Action::Timer { .. } => turn.record.phase != Phase::Asleep,
        Action::Sleep | Action::KeepAwake { .. } | Action::KeepAsleep { .. } => true,
        Action::Wake(_) => intent.cause != Cause::Http,
        Action::Activity(_) => matches!(
            turn.reason,
            Reason::ActivityBeforeSleep { .. } | Reason::KeptAsleep { .. }
        ),
        Action::Look => false,
    };
    if let Some(would) = &turn.would {
        // It would be done at every tick: the first time is told.
        if would.since != turn.now {
            return None;
        }
    } else if decision == Verdict::Hold && !worth_a_line && is_uneventful(turn) {
        return None;
    }
    let set = turn.effects.iter().filter_map(|effect| match effect {
        Effect::SetDesired { service, count } => Some((service, count)),
        _ => None,
    });
    let bounds = turn.effects.iter().filter_map(|effect| match effect {
        Effect::Suspend { service, suspended } => Some(bounds_line(turn, service, *suspended)),
        _ => None,
    });
    let doors = turn.effects.iter().filter_map(|effect| match effect {
        Effect::Lead(lead) => {
            let whose = match lead.posted.left_at {
                Some(_) => "the app",
                None => "the wake function",
            };
            Some(format!("{} to {whose}", lead.door))
        }
        _ => None,
    });
    let would_set = turn.would.iter().flat_map(|would| &would.counts);
    let counts = set
        .chain(would_set)
        .map(|(service, count)| format!("{service}={count}"));
    Some(Report {
        event: "decision",
        group: turn.settings.name.clone(),
        generation: turn.record.generation,
        decision,
        reason: turn.reason.code(),
        detail: turn.reason.to_string(),
        cause: cause(turn, intent).to_string(),
        from: turn.before,
        to: turn.record.phase,
        counts: counts.collect(),
        drift: turn.drift.clone(),
        door_changes: turn.door_changes.clone(),
        doors: doors.collect(),
        bounds: bounds.collect(),
        errors: turn.problems.clone(),
        request_id: request_id.to_owned(),
    })
}

/// Whether nothing was done, and nobody else did anything.
fn is_uneventful(turn: &Turn) -> bool {
    turn.effects.is_empty() && turn.drift.is_empty() && turn.door_changes.is_empty()
}

/// What was done to a scalable target, and whether somebody changed its limits while the group slept.
fn bounds_line(turn: &Turn, service: &ServiceId, suspended: Suspended) -> String {
    let done = match suspended {
        Suspended::ALL => "suspended",
        _ => "given back",
    };
    let saved = turn.record.services.get(service).and_then(|record| record.bounds);
    let found = turn.seen.bounds.as_ref().and_then(|all| all.get(service));
    match (saved.map(|saved| saved.bounds), found) {
        (Some(saved), Some(Ok(Some(found)))) if !found.has_limits_of(&saved) => {
            format!("{service} {done}: {found}, changed by others from {saved}")
        }
        (_, Some(Ok(Some(found)))) => format!("{service} {done}: {found}"),
        _ => format!("{service} {done}"),
    }
}

/// What the sleep timer is told.
#[must_use]
pub fn timer_outcome(turn: &Turn) -> &'static str {
    match turn.record.phase {
        _ if turn.superseded => "superseded",
        Phase::Asleep => "slept",
        Phase::FallingAsleep => "falling-asleep",
        Phase::Waking => "waking",
        Phase::Awake => "active",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;

    use super::*;
    use crate::record::Would;
    use crate::scalable::{Bounds, SavedBounds};

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn turn(before: Phase, now: Phase) -> Turn {
        Turn {
            before,
            ..Turn::made(now, NOW)
        }
    }

    fn web() -> ServiceId {
        ServiceId::parse("dev/web").expect("a service")
    }

    #[test]
    fn a_verdict_tells_what_became_of_the_group() {
        for (before, now, said) in [
            (Phase::Asleep, Phase::Asleep, Verdict::Hold),
            (Phase::Asleep, Phase::Waking, Verdict::Wake),
            (Phase::Waking, Phase::Awake, Verdict::Ready),
            (Phase::Awake, Phase::FallingAsleep, Verdict::Sleep),
            (Phase::FallingAsleep, Phase::Asleep, Verdict::Slept),
            (Phase::Awake, Phase::Asleep, Verdict::Sleep),
        ] {
            assert_eq!(verdict(&turn(before, now)), said, "{before:?} {now:?}");
        }
        let again = Turn {
            woke: true,
            ..turn(Phase::Waking, Phase::Waking)
        };
        assert_eq!(verdict(&again), Verdict::Wake);
        let old = Turn {
            superseded: true,
            ..turn(Phase::Asleep, Phase::Waking)
        };
        assert_eq!(verdict(&old), Verdict::Superseded);
    }

    #[test]
    fn a_timer_is_told_whether_its_work_is_done() {
        for (phase, told) in [
            (Phase::Asleep, "slept"),
            (Phase::FallingAsleep, "falling-asleep"),
            (Phase::Waking, "waking"),
            (Phase::Awake, "active"),
        ] {
            assert_eq!(timer_outcome(&turn(phase, phase)), told);
        }
        let old = Turn {
            superseded: true,
            ..turn(Phase::Awake, Phase::Awake)
        };
        assert_eq!(timer_outcome(&old), "superseded");
    }

    #[test]
    fn what_only_asks_again_and_ticks_over_sleepers_leave_no_line() {
        let has_line =
            |turn: &Turn, action: Action, cause| line(turn, &Intent::of(action, cause), "id").is_some();
        let (asleep, awake) = (
            turn(Phase::Asleep, Phase::Asleep),
            turn(Phase::Awake, Phase::Awake),
        );
        assert!(!has_line(&asleep, Action::Tick, Cause::Tick) && has_line(&awake, Action::Tick, Cause::Tick));
        assert!(
            !has_line(&awake, Action::wake(), Cause::Http) && has_line(&awake, Action::wake(), Cause::Direct)
        );
        assert!(!has_line(&awake, Action::Look, Cause::Http) && has_line(&awake, Action::Sleep, Cause::Http));
        let lines = || Action::Activity(BTreeMap::new());
        assert!(!has_line(&awake, lines(), Cause::Logs));
        let woken = turn(Phase::Asleep, Phase::Waking);
        assert!(has_line(&woken, Action::Look, Cause::Http), "something happened");
        let drift = Turn {
            effects: vec![Effect::SetDesired {
                service: web(),
                count: 1,
            }],
            ..awake
        };
        assert!(has_line(&drift, Action::Look, Cause::Http), "something was done");
    }

    #[test]
    fn what_would_be_done_is_told_the_first_time() {
        let would = |since| Turn {
            would: Some(Would {
                since,
                phase: Phase::Asleep,
                reason: Reason::SleepAsked,
                counts: BTreeMap::from([(web(), 0)]),
            }),
            ..turn(Phase::Awake, Phase::Awake)
        };
        let intent = Intent::of(Action::Tick, Cause::Tick);
        let told = line(&would(NOW), &intent, "id").expect("a line");
        assert_eq!(
            (told.decision, told.counts),
            (Verdict::WouldSleep, vec!["dev/web=0".to_owned()])
        );
        let before = crate::duration::before(NOW, std::time::Duration::from_secs(60));
        assert!(line(&would(before), &intent, "id").is_none());
    }

    #[test]
    fn a_line_tells_counts_and_what_became_of_scalable_targets() {
        let bounds = |max| Bounds {
            min: 1,
            max,
            suspended: Suspended::default(),
        };
        let told = |suspended, saved: Option<u32>, found: Option<u32>| {
            let mut turn = turn(Phase::Awake, Phase::FallingAsleep);
            turn.record.service(&web()).bounds = saved.map(|max| SavedBounds::of(bounds(max), NOW));
            turn.seen.bounds = found.map(|max| BTreeMap::from([(web(), Ok(Some(bounds(max))))]));
            turn.effects = vec![
                Effect::Suspend {
                    service: web(),
                    suspended,
                },
                Effect::SetDesired {
                    service: web(),
                    count: 0,
                },
            ];
            let told = line(&turn, &Intent::of(Action::Tick, Cause::Tick), "id").expect("a line");
            assert_eq!(told.counts, ["dev/web=0"]);
            told.bounds
        };
        assert_eq!(told(Suspended::ALL, None, None), ["dev/web suspended"]);
        assert_eq!(told(Suspended::default(), None, None), ["dev/web given back"]);
        assert_eq!(
            told(Suspended::ALL, Some(4), Some(4)),
            ["dev/web suspended: min 1, max 4"]
        );
        assert_eq!(
            told(Suspended::default(), Some(4), Some(5)),
            ["dev/web given back: min 1, max 5, changed by others from min 1, max 4"]
        );
    }
}
