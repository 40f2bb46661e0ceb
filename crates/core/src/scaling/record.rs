//! What the record remembers of a service's scaling: past changes, and the scale-in that has a claim on it.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::connections::reading::Sample;
use super::load::History;
use super::reason::Reason;
use crate::duration;
use crate::ids::ServiceId;
use crate::record::Command;

/// No step of a scale-in, and no decision about a service with what follows from it, takes longer: then it is given up.
/// Less than from tick to tick.
pub const STEP_TIME: Duration = Duration::from_secs(50);

/// What is remembered of a service's scaling.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScalingRecord {
    /// When its count was last changed by a decision about scaling.
    pub history: History,
    /// How many scale-ins have begun.
    pub claims: u64,
    /// The scale-in under way.
    pub claim: Option<Claim>,
    /// The change that would be made, from and to, if the group were not in observe mode.
    pub would: Option<(u32, u32)>,
    /// Changes that nobody was told of yet, the oldest first.
    #[serde(deserialize_with = "one_or_many")]
    pub untold: Vec<Change>,
}

/// Changes are kept for as long as nobody can be told of them, but not without end: a topic that is gone must not fill the
/// record. Our choice.
const MOST_UNTOLD: usize = 20;

/// Before there could be several, there was one or none.
fn one_or_many<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Change>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Stored {
        Many(Vec<Change>),
        One(Option<Change>),
    }
    Ok(match Stored::deserialize(deserializer)? {
        Stored::Many(changes) => changes,
        Stored::One(change) => change.into_iter().collect(),
    })
}

/// The right of one scale-in to lower a count. Whoever needs the tasks takes it away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Name of the execution that has it.
    pub execution: String,
    /// Since when.
    pub since: Timestamp,
    /// The desired count that it found.
    pub from: u32,
    /// The fewest tasks that it may leave.
    pub to: u32,
    /// Why fewer are needed.
    pub reason: Reason,
    /// The reading of connections that it was decided on, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<Sample>,
    /// Why it is taken away, if it is.
    pub revoked: Option<Revocation>,
    /// The UpdateService that lowers the count, once it was decided.
    pub lowering: Option<Lowering>,
}

/// A claim that was taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// When.
    pub at: Timestamp,
    /// By what.
    pub by: Revoker,
}

/// What takes a claim away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Revoker {
    /// Somebody asks for the group.
    Wake,
    /// The group falls asleep.
    Sleep,
    /// More tasks are needed.
    ScaleOut,
    /// Its execution is gone and left it behind.
    Orphaned,
}

impl std::fmt::Display for Revoker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Wake => "a wake",
            Self::Sleep => "the group falling asleep",
            Self::ScaleOut => "a scale-out",
            Self::Orphaned => "the tick, because its execution is gone",
        })
    }
}

/// A lower count that was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lowering {
    /// The count.
    pub to: u32,
    /// When.
    pub at: Timestamp,
    /// Whether it was decided before, and nobody knows how that call went: it may land after this one.
    #[serde(default)]
    pub repeated: bool,
}

impl Lowering {
    /// Whether its call may still land, or has landed and does not show yet.
    #[must_use]
    pub fn is_on_its_way(&self, desired: u32, now: Timestamp) -> bool {
        let command = Command {
            count: self.to,
            at: self.at,
        };
        // Of a call that was repeated, the first one may land after the second one shows.
        let first_may_land = self.repeated && !command.is_over(now);
        first_may_land || command.is_on_its_way(desired, now)
    }
}

/// A change of a count, of which people are told once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// When it was decided.
    pub at: Timestamp,
    /// The count before.
    pub from: u32,
    /// The count after.
    pub to: u32,
    /// Why.
    pub reason: Reason,
    /// The reading of connections that it was decided on, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<Sample>,
}

impl ScalingRecord {
    /// Takes the claim away, if there is one; the first to do so stays on record.
    pub fn revoke(&mut self, by: Revoker, now: Timestamp) {
        if let Some(claim) = &mut self.claim {
            claim.revoked.get_or_insert(Revocation { at: now, by });
        }
    }

    /// Somebody is to be told of a change.
    pub fn note(&mut self, change: Change) {
        self.untold.push(change);
        let surplus = self.untold.len().saturating_sub(MOST_UNTOLD);
        self.untold.drain(..surplus);
    }

    /// Gives the next scale-in its claim, and names its execution.
    pub fn begin_scale_in(
        &mut self,
        service: &ServiceId,
        from: u32,
        to: u32,
        reason: Reason,
        now: Timestamp,
    ) -> &mut Claim {
        self.claims += 1;
        let execution = execution_name(service, self.claims, now);
        self.claim.insert(Claim::new(execution, from, to, reason, now))
    }

    /// Takes the claim back from a scale-in that has ended, and says whether it had it.
    pub fn end_scale_in(&mut self, execution: &str, now: Timestamp) -> bool {
        let Some(claim) = self.claim.take_if(|claim| claim.execution == execution) else {
            return false;
        };
        if !claim.lowering.is_some_and(|lowering| self.has_lowered(lowering)) {
            self.history.gave_up_at = Some(now);
        }
        true
    }

    /// Whether this lowering is known to have worked.
    #[must_use]
    pub fn has_lowered(&self, lowering: Lowering) -> bool {
        self.history.scaled_in_at.is_some_and(|at| at >= lowering.at)
    }
}

impl Claim {
    /// The lowering whose call may still land, or has landed and does not show yet, given the desired count that is seen.
    #[must_use]
    pub fn lowering_on_its_way(&self, desired: u32, now: Timestamp) -> Option<Lowering> {
        self.lowering
            .filter(|lowering| lowering.is_on_its_way(desired, now))
    }

    /// A fresh claim.
    #[must_use]
    pub fn new(execution: String, from: u32, to: u32, reason: Reason, now: Timestamp) -> Self {
        Self {
            execution,
            since: now,
            from,
            to,
            reason,
            reading: None,
            revoked: None,
            lowering: None,
        }
    }

    /// Whether the tick may end the scale-in in place of its execution: it was taken away so long ago that no step
    /// which did not know of it still runs.
    #[must_use]
    pub fn is_abandoned(&self, now: Timestamp) -> bool {
        self.revoked
            .is_some_and(|revoked| duration::between(revoked.at, now) >= STEP_TIME)
    }
}

/// The name of a scale-in's execution: by service, number and beginning, so that two starts make one. Within the 80
/// characters that Step Functions allows (API reference, StartExecution, `name`), whatever the service is called.
fn execution_name(service: &ServiceId, number: u64, now: Timestamp) -> String {
    const LONGEST: usize = 50;
    let whole = format!("{}.{}", service.cluster, service.name);
    let service = if whole.len() <= LONGEST {
        whole
    } else {
        format!("{}-{:08x}", &whole[..LONGEST - 9], fnv1a(whole.as_bytes()))
    };
    format!("{service}-n{number}-{}", now.as_second())
}

/// FNV-1a, 32 bits (Fowler, Noll, Vo): tells names apart that are alike in the beginning.
fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a moment")
    }

    #[test]
    fn an_execution_is_named_by_service_and_number_however_long_the_names_are() {
        let mut scaling = ScalingRecord::default();
        let short = ServiceId::new("dev", "web");
        let claim = scaling.begin_scale_in(&short, 6, 3, Reason::Asked, at(1_800_000_000));
        assert_eq!(claim.execution, "dev.web-n1-1800000000");
        let claim = scaling.begin_scale_in(&short, 6, 3, Reason::Asked, at(1_800_000_000));
        assert_eq!(claim.execution, "dev.web-n2-1800000000");
        let long = |end: &str| ServiceId::new(&"c".repeat(255), &format!("{}{end}", "s".repeat(254)));
        let name =
            |service: &ServiceId| execution_name(service, u64::MAX / 1_000_000_000_000, at(1_800_000_000));
        assert!(name(&long("a")).len() <= 80, "{}", name(&long("a")));
        assert_ne!(name(&long("a")), name(&long("b")));
    }

    /// The vectors that its authors publish.
    #[test]
    fn long_names_are_told_apart_by_fnv_1a() {
        assert_eq!(fnv1a(b""), 0x811c_9dc5);
        assert_eq!(fnv1a(b"a"), 0xe40c_292c);
        assert_eq!(fnv1a(b"foobar"), 0xbf9c_f968);
    }

    #[test]
    fn only_the_scale_in_that_has_the_claim_ends_it_and_one_that_has_not_lowered_gave_up() {
        let service = ServiceId::new("dev", "web");
        let lowering = Lowering {
            to: 3,
            at: at(100),
            repeated: false,
        };
        for (lowering, scaled_in_at, gave_up) in [
            (None, None, true),
            (None, Some(at(200)), true),
            (Some(lowering), None, true),
            (Some(lowering), Some(at(99)), true),
            (Some(lowering), Some(at(100)), false),
        ] {
            let mut scaling = ScalingRecord::default();
            let claim = scaling.begin_scale_in(&service, 6, 3, Reason::Asked, at(1));
            claim.lowering = lowering;
            let execution = claim.execution.clone();
            scaling.history.scaled_in_at = scaled_in_at;
            assert!(!scaling.end_scale_in("another", at(300)));
            assert!(scaling.claim.is_some() && scaling.history.gave_up_at.is_none());
            assert!(scaling.end_scale_in(&execution, at(300)));
            assert_eq!(scaling.claim, None);
            assert_eq!(
                scaling.history.gave_up_at.is_some(),
                gave_up,
                "{lowering:?} {scaled_in_at:?}"
            );
        }
    }

    #[test]
    fn people_are_told_who_took_a_claim_away() {
        let all = [
            Revoker::Wake,
            Revoker::Sleep,
            Revoker::ScaleOut,
            Revoker::Orphaned,
        ];
        assert_eq!(
            all.map(|revoker| revoker.to_string()),
            [
                "a wake",
                "the group falling asleep",
                "a scale-out",
                "the tick, because its execution is gone"
            ]
        );
    }

    #[test]
    fn changes_that_were_stored_one_at_a_time_are_still_read() {
        let read = |untold: serde_json::Value| {
            let record = serde_json::json!({ "untold": untold });
            serde_json::from_value::<ScalingRecord>(record)
                .expect("a record")
                .untold
        };
        let change = serde_json::json!({
            "at": "2027-01-15T08:00:00Z", "from": 2, "to": 4, "reason": {"code": "asked"},
        });
        assert_eq!(read(serde_json::Value::Null), []);
        assert_eq!(read(change.clone()).len(), 1);
        assert_eq!(read(serde_json::json!([change, change])).len(), 2);
        assert_eq!(
            serde_json::from_str::<ScalingRecord>("{}")
                .expect("a record")
                .untold,
            []
        );
    }

    #[test]
    fn only_so_many_changes_wait_to_be_told() {
        let mut scaling = ScalingRecord::default();
        for to in 1..=30 {
            let (from, reason, reading) = (to - 1, Reason::Asked, None);
            scaling.note(Change {
                at: at(i64::from(to)),
                from,
                to,
                reason,
                reading,
            });
        }
        assert_eq!((scaling.untold.len(), scaling.untold[0].to), (MOST_UNTOLD, 11));
    }

    #[test]
    fn the_first_to_take_a_claim_away_stays_on_record_and_the_tick_waits_for_steps_to_end() {
        let mut scaling = ScalingRecord::default();
        scaling.revoke(Revoker::Wake, at(1));
        assert_eq!(scaling.claim, None);
        scaling.begin_scale_in(&ServiceId::new("dev", "web"), 6, 3, Reason::Asked, at(1));
        scaling.revoke(Revoker::Wake, at(100));
        scaling.revoke(Revoker::Sleep, at(200));
        let claim = scaling.claim.expect("a claim");
        let revocation = Revocation {
            at: at(100),
            by: Revoker::Wake,
        };
        assert_eq!(claim.revoked, Some(revocation));
        assert!(!claim.is_abandoned(at(149)) && claim.is_abandoned(at(150)));
    }

    /// Found by the model checker: a lowering without an answer is repeated, the repetition shows at once, and the first
    /// call lands 12 s after it was made, when nobody is protected any more.
    #[test]
    fn the_first_of_two_calls_may_land_after_the_second_one_shows() {
        let lowering = |repeated| Lowering {
            to: 2,
            at: at(0),
            repeated,
        };
        assert!(lowering(false).is_on_its_way(3, at(14)));
        assert!(!lowering(false).is_on_its_way(3, at(15)), "it lands no more");
        assert!(
            !lowering(false).is_on_its_way(2, at(1)),
            "it shows, and there was but one"
        );
        assert!(lowering(true).is_on_its_way(2, at(14)));
        assert!(!lowering(true).is_on_its_way(2, at(15)));
    }
}
