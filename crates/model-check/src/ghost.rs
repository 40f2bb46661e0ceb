//! What a god sees who knows what was asked, and judges each call by it.

use dormouse_core::reason::Reason;
use dormouse_core::record::{Phase, Record};

use crate::calls::{Answer, Call, Reading};
use crate::invariant::Invariant;
use crate::jobs::Job;
use crate::names;
use crate::world::{Session, World};

/// What was asked of the group, as far as it was written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ghost {
    /// How many wakes were written down.
    pub wakes: u8,
    /// When the last one was.
    pub woken_at: Option<u32>,
    /// Whether the group is wanted awake: the last wake was written down after the last sleep.
    pub awake: bool,
    /// The fewest tasks that the last wake may end with, of the service that scales.
    pub floor: u32,
}

/// What a function knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Known {
    /// How many wakes were written down when it loaded the record last.
    pub wakes: u8,
    /// The generation that it loaded.
    pub generation: u64,
    /// Whether the claim of its scale-in was good then.
    pub claimed: bool,
    /// Whether the services could not be looked at when it last tried.
    pub unseen: bool,
    /// Whether something else that it asked for since then was unknown.
    pub unknown: bool,
    /// Whether it saw use since then.
    pub in_use: bool,
    /// Whether its wake is written down.
    pub accepted: bool,
}

/// Whether a group is up or on its way up.
fn is_up(record: &Record) -> bool {
    matches!(record.phase, Phase::Waking | Phase::Awake)
}

impl Known {
    /// Takes in an answer, which may break an invariant by what it does. `before` is the record before the call.
    pub fn judge(
        &mut self,
        job: &Job,
        call: &Call,
        answer: &Answer,
        before: &Record,
        world: &mut World,
        idle_after: u32,
    ) -> Option<Invariant> {
        match answer {
            Answer::Record(record) => {
                let execution = match job {
                    Job::Step(payload) => payload["execution"].as_str(),
                    _ => None,
                };
                let claims = record
                    .services
                    .values()
                    .filter_map(|service| service.scaling.claim.as_ref());
                *self = Self {
                    wakes: world.ghost.wakes,
                    generation: record.generation.0,
                    claimed: claims
                        .filter(|claim| claim.revoked.is_none())
                        .any(|claim| Some(&*claim.execution) == execution),
                    accepted: self.accepted,
                    ..Self::default()
                };
            }
            Answer::Reading(reading) => self.in_use |= *reading == Reading::Active,
            // A closer look takes the place of the one before.
            Answer::Seen(_) => self.unseen = answer.is_unknown(),
            _ => {}
        }
        self.unknown |= !matches!(answer, Answer::Seen(_)) && answer.is_unknown();
        if *answer == Answer::Saved(false) {
            return None;
        }
        if self.is_stale(job, call) {
            return Some(Invariant::Stale);
        }
        match call {
            Call::Save(_) => self.judge_save(job, before, world, idle_after),
            Call::SetDesired { service, count } => self.judge_count(job, *service, *count, world),
            _ => None,
        }
    }

    /// Whether a timer of another generation, or a scale-in without a claim, changes something. To write down what was done
    /// while the claim was good changes nothing.
    fn is_stale(&self, job: &Job, call: &Call) -> bool {
        let acts = matches!(
            call,
            Call::SetDesired { .. }
                | Call::Suspend { .. }
                | Call::StartTimer(_)
                | Call::Protect(_, Some(_))
                | Call::Deregister(_)
                | Call::SavePlan(_)
        );
        match job {
            Job::Timer(generation) => {
                self.generation != *generation && (acts || matches!(call, Call::Save(_)))
            }
            Job::Step(payload) => acts && payload["step"] != "release" && !self.claimed,
            _ => false,
        }
    }

    fn judge_save(
        &mut self,
        job: &Job,
        before: &Record,
        world: &mut World,
        idle_after: u32,
    ) -> Option<Invariant> {
        let now = world.now;
        let after = world.record.clone();
        let asked = (after.generation, after.last_wake_at) != (before.generation, before.last_wake_at);
        if let Job::Wake(count) = job
            && !self.accepted
            && asked
        {
            self.accepted = true;
            world.ghost.wakes += 1;
            self.wakes = world.ghost.wakes;
            world.ghost.woken_at = after.last_wake_at.map(names::second);
            world.ghost.awake = true;
            world.ghost.floor = match count {
                Some(count) => *count,
                None => floor(before, world),
            };
            return None;
        }
        if !is_up(before) || is_up(&after) {
            return None;
        }
        // Nobody outside puts the group to sleep here, and nobody who asked for a wake or only looked does.
        let by_itself = matches!(job, Job::Tick(_) | Job::Timer(_));
        let is_asked_for = *job == Job::Sleep;
        let early = world.ghost.woken_at.is_some_and(|at| now < at + idle_after);
        if after.reason == Reason::PutToSleepOutside
            || self.wakes != world.ghost.wakes
            || !(by_itself || is_asked_for)
            || (by_itself && early)
        {
            return Some(Invariant::Wake);
        }
        let answered = !matches!(after.reason, Reason::NothingAnswers { .. });
        if self.unseen || self.unknown || (by_itself && answered && self.in_use) {
            return Some(Invariant::Unknown);
        }
        world.ghost.awake = false;
        None
    }

    fn judge_count(&self, job: &Job, service: u8, count: u32, world: &World) -> Option<Invariant> {
        let target = world.services.get(usize::from(service))?;
        if count == 0 && target.bounds.as_ref().is_some_and(|bounds| !bounds.is_held()) {
            // What scales it would bring it back.
            return Some(Invariant::Restored);
        }
        let scales_in = matches!(job, Job::Step(payload) if payload["step"] == "lower");
        if scales_in && (self.unseen || self.unknown) {
            return Some(Invariant::Unknown);
        }
        let plan = world.plan.as_ref();
        let stays = |number: u8| {
            let id = names::task(number);
            plan.is_none_or(|plan| !plan.victims.contains_key(&id))
        };
        let mut others = target.tasks.iter().filter(|task| stays(task.number));
        let exposed = others.any(|task| task.session != Session::None && !task.is_protected(world.now));
        (scales_in && exposed).then_some(Invariant::Sessions)
    }
}

/// What a wake that says no count may end with: what is there, unless a scale-in has lowered the count already.
fn floor(before: &Record, world: &World) -> u32 {
    let mut claims = before
        .services
        .values()
        .filter_map(|service| service.scaling.claim.as_ref());
    let scaled = world.services.iter().find(|service| service.balanced);
    let desired = scaled.map_or(0, |service| service.desired);
    match claims.find(|claim| claim.lowering.is_some()) {
        Some(claim) if desired < claim.from => 0,
        _ => desired,
    }
}
