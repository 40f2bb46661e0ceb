//! Protocols with one bug each, no larger than a real one would be. The checker finds every one of them, so what it says of
//! the shipped protocol is worth something.

use std::sync::Arc;

use dormouse_core::intent::{Action, Intent};
use dormouse_core::record::{Record, ServiceRecord};

use crate::calls::{Answer, Call, Reading};
use crate::invariant::Invariant;
use crate::jobs::Job;
use crate::kept::Kept;
use crate::names;
use crate::protocol::{Protocol, Shipped};
use crate::report::{Until, explore, timeline};
use crate::scene::Scene;
use crate::scenes::{Size, scalable_target, scale_in, wake_against_scale_in, wake_and_sleep};
use crate::world::{Budget, World};

/// A scene as the tests explore it, by its protocol.
type Make = fn(Size, Arc<dyn Protocol>) -> Scene;

/// Expects the checker to find that a bug breaks an invariant, and prints by how many steps.
fn caught(protocol: impl Protocol + 'static, make: Make, invariant: Invariant) {
    caught_with(protocol, make, |_| {}, invariant);
}

/// The same in a scene where something more may happen.
fn caught_with(protocol: impl Protocol + 'static, make: Make, more: fn(&mut Budget), invariant: Invariant) {
    let bug = format!("{protocol:?}");
    let mut scene = make(Size::Test, Arc::new(protocol));
    for world in &mut scene.begins {
        more(&mut world.budget);
    }
    // What else it breaks is not to end the way to this.
    scene.invariants.retain(|(other, _)| *other == invariant);
    let found = explore(scene, 1, Until::Broken(invariant), None);
    let Some(steps) = found.counterexample(invariant) else {
        panic!("{bug} is not found:\n{}", found.text());
    };
    println!(
        "{bug} breaks `{invariant}` in {} steps, found among {} states:\n{}",
        steps.len(),
        found.unique,
        timeline(steps, &[])
    );
}

fn step_of(job: &Job) -> &str {
    match job {
        Job::Step(payload) => payload["step"].as_str().unwrap_or_default(),
        _ => "",
    }
}

/// What is written when a record is changed before.
fn written(call: &Call, change: impl Fn(&mut Record)) -> Option<Call> {
    let Call::Save(record) = call else {
        return Some(call.clone());
    };
    let mut record = Record::clone(record);
    change(&mut record);
    Some(Call::Save(Kept::new(record)))
}

fn each_service(record: &mut Record, change: impl Fn(&mut ServiceRecord)) {
    record.services.values_mut().for_each(|service| change(service));
}

/// Writes the record whatever others wrote.
#[derive(Debug)]
struct WritesOverOthers;

impl Protocol for WritesOverOthers {
    fn compares(&self) -> bool {
        false
    }
}

#[test]
fn a_record_written_over_a_newer_one_loses_a_wake() {
    caught(WritesOverOthers, wake_and_sleep, Invariant::Wake);
}

/// Changes services first and writes the record then.
#[derive(Debug)]
struct ActsBeforeItWrites;

impl Protocol for ActsBeforeItWrites {
    fn saves_last(&self) -> bool {
        true
    }
}

#[test]
fn acting_before_writing_does_not_restore_what_sleep_took() {
    caught(ActsBeforeItWrites, scalable_target, Invariant::Restored);
}

/// Takes a timer of any generation for one of the present one.
#[derive(Debug)]
struct TimersNeverEnd;

impl Protocol for TimersNeverEnd {
    fn intent(&self, intent: Intent, record: Option<&Record>) -> Intent {
        match (&intent.action, record) {
            (Action::Timer { .. }, Some(record)) => Intent {
                action: Action::Timer {
                    generation: record.generation,
                },
                ..intent
            },
            _ => intent,
        }
    }
}

#[test]
fn a_timer_that_is_not_superseded_is_stale() {
    caught_with(
        TimersNeverEnd,
        wake_and_sleep,
        |budget| budget.timers = 1,
        Invariant::Stale,
    );
}

/// Takes a scale-in whose claim was taken away for one that has it.
#[derive(Debug)]
struct ClaimsForEver;

impl Protocol for ClaimsForEver {
    fn hears(&self, _: &Job, _: &World, _: &Call, answer: Answer) -> Answer {
        let Answer::Record(record) = &answer else {
            return answer;
        };
        let mut record = Record::clone(record);
        each_service(&mut record, |service| {
            if let Some(claim) = &mut service.scaling.claim {
                claim.revoked = None;
            }
        });
        Answer::Record(Kept::new(record))
    }
}

#[test]
fn a_scale_in_that_goes_on_without_its_claim_is_stale() {
    caught(ClaimsForEver, wake_against_scale_in, Invariant::Stale);
}

/// Takes what is not known for quiet.
#[derive(Debug)]
struct UnknownIsQuiet;

impl Protocol for UnknownIsQuiet {
    fn hears(&self, _: &Job, _: &World, _: &Call, answer: Answer) -> Answer {
        match answer {
            Answer::Reading(Reading::Unknown) => Answer::Reading(Reading::Quiet),
            other => other,
        }
    }
}

#[test]
fn unknown_taken_for_quiet_removes_capacity() {
    caught(UnknownIsQuiet, wake_and_sleep, Invariant::Unknown);
}

/// Forgets the counts when it puts a group to sleep.
#[derive(Debug)]
struct ForgetsCounts;

impl Protocol for ForgetsCounts {
    fn says(&self, _: &Job, _: &World, call: &Call) -> Option<Call> {
        written(call, |record| {
            if !matches!(record.phase.as_str(), "awake" | "waking") {
                each_service(record, |service| service.saved = None);
            }
        })
    }
}

#[test]
fn counts_that_sleep_forgets_are_not_restored() {
    caught(ForgetsCounts, wake_and_sleep, Invariant::Restored);
}

/// Forgets what was suspended of a scalable target.
#[derive(Debug)]
struct ForgetsBounds;

impl Protocol for ForgetsBounds {
    fn says(&self, _: &Job, _: &World, call: &Call) -> Option<Call> {
        written(call, |record| {
            each_service(record, |service| service.bounds = None)
        })
    }
}

#[test]
fn a_scalable_target_that_sleep_forgets_is_not_restored() {
    caught(ForgetsBounds, scalable_target, Invariant::Restored);
}

/// Looks at sessions when it chooses tasks, and not again.
#[derive(Debug)]
struct LooksAtSessionsOnce;

impl Protocol for LooksAtSessionsOnce {
    fn hears(&self, job: &Job, _: &World, _: &Call, answer: Answer) -> Answer {
        match answer {
            Answer::InUse(_) if step_of(job) != "choose" => Answer::InUse(Vec::new()),
            other => other,
        }
    }
}

#[test]
fn a_session_that_began_after_the_choice_is_cut_off_if_nobody_looks_again() {
    caught(LooksAtSessionsOnce, scale_in, Invariant::Sessions);
}

/// Protects only the tasks that are to go, and takes the others for protected.
#[derive(Debug)]
struct LeavesOthersUnprotected;

impl LeavesOthersUnprotected {
    fn is_victim(world: &World, task: u8) -> bool {
        let plan = world.plan.as_ref();
        plan.is_some_and(|plan| plan.victims.contains_key(&names::task(task)))
    }
}

impl Protocol for LeavesOthersUnprotected {
    fn hears(&self, job: &Job, world: &World, _: &Call, answer: Answer) -> Answer {
        match answer {
            Answer::Protections(all) if !matches!(step_of(job), "choose" | "release") => {
                let far = Some(world.now + 3600);
                let believed = all.into_iter().map(|(task, until)| {
                    let until = if Self::is_victim(world, task) { until } else { far };
                    (task, until)
                });
                Answer::Protections(believed.collect())
            }
            other => other,
        }
    }
}

#[test]
fn a_session_on_a_task_that_stays_is_cut_off_if_the_task_is_not_protected() {
    caught(LeavesOthersUnprotected, scale_in, Invariant::Sessions);
}

/// Releases without putting targets back.
#[derive(Debug)]
struct LeavesTargetsOut;

impl Protocol for LeavesTargetsOut {
    fn says(&self, _: &Job, _: &World, call: &Call) -> Option<Call> {
        (!matches!(call, Call::Register(_))).then(|| call.clone())
    }
}

#[test]
fn a_target_that_nobody_puts_back_stays_deregistered() {
    caught(LeavesTargetsOut, wake_against_scale_in, Invariant::Rest);
    caught(LeavesTargetsOut, scale_in, Invariant::Sessions);
}

/// Releases without ending protections.
#[derive(Debug)]
struct ProtectsForEver;

impl Protocol for ProtectsForEver {
    fn says(&self, _: &Job, _: &World, call: &Call) -> Option<Call> {
        (!matches!(call, Call::Protect(_, None))).then(|| call.clone())
    }
}

#[test]
fn protection_that_nobody_ends_stays() {
    caught(ProtectsForEver, scale_in, Invariant::Rest);
}

/// Leaves scale-ins their claims when it wakes a group.
#[derive(Debug)]
struct WakesBesideScaleIns;

impl Protocol for WakesBesideScaleIns {
    fn says(&self, job: &Job, _: &World, call: &Call) -> Option<Call> {
        match job {
            Job::Wake(_) => written(call, |record| {
                each_service(record, |service| {
                    if let Some(claim) = &mut service.scaling.claim {
                        claim.revoked = None;
                    }
                });
            }),
            _ => Some(call.clone()),
        }
    }
}

#[test]
fn a_wake_that_leaves_a_scale_in_its_claim_is_lost() {
    caught(WakesBesideScaleIns, wake_against_scale_in, Invariant::Wake);
}

#[test]
fn the_shipped_protocol_breaks_nothing() {
    for scene in crate::scenes::all(Size::Test) {
        let found = explore(scene, 2, Until::End, None);
        println!("{}", found.text());
        assert!(found.holds() && found.complete, "{}", found.text());
        assert!(found.unique > 1_000, "{}", found.text());
    }
}

/// Found by the model: the UpdateService of a sleep timer got no answer, a wake came, and the timer wrote what it had failed
/// to do into the record of the new generation, where status pages and pipelines took it for a failure of the wake.
#[test]
fn what_an_older_generation_failed_to_do_is_not_written_down_for_a_newer_one() {
    let mut scene = scalable_target(Size::Test, Arc::new(Shipped));
    for world in &mut scene.begins {
        world.budget = Budget {
            wakes: 1,
            timers: 1,
            unsure: 1,
            ..Budget::default()
        };
    }
    scene.invariants.retain(|(other, _)| *other == Invariant::Stale);
    scene.horizon = 0;
    let found = explore(scene, 1, Until::End, None);
    assert!(found.holds(), "{}", found.text());
}
