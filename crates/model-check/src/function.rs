//! A function in flight.

use std::hash::{DefaultHasher, Hash, Hasher};

use dormouse_testkit::state_machine::Failure;
use serde_json::Value;

use crate::calls::{Answer, Call};
use crate::ghost::Known;
use crate::invariant::Invariant;
use crate::jobs::{Event, Job, Progress, replay};
use crate::kept::Kept;
use crate::scene::Scene;
use crate::world::{How, World};

/// A function between two of its calls: what it was called for, and all answers so far.
#[derive(Clone, Debug)]
pub struct Function {
    /// What it was called for.
    pub job: Job,
    /// When.
    pub started: u32,
    /// The answers.
    events: Vec<Event>,
    /// The calls it waits for, which follow from the answers.
    pub open: Vec<(u8, Call)>,
    /// What it knows.
    known: Known,
    /// A record that it has yet to write, if it wrongly writes records last.
    unwritten: Option<Kept<dormouse_core::record::Record>>,
}

/// How a function ended.
pub type Outcome = Result<Value, Failure>;

impl Function {
    /// A function before its first call.
    #[must_use]
    pub fn start(scene: &Scene, job: Job, now: u32) -> Self {
        let mut function = Self {
            job,
            started: now,
            events: Vec::new(),
            open: Vec::new(),
            known: Known::default(),
            unwritten: None,
        };
        // Every function begins with a call.
        let _ = function.follow(scene);
        function
    }

    /// Makes one of its open calls. Says how it ended, if it did, and what is broken, if something is.
    pub fn step(
        &mut self,
        scene: &Scene,
        world: &mut World,
        number: u8,
        how: How,
    ) -> (Option<Outcome>, Option<Invariant>) {
        let Some((_, call)) = self.open.iter().find(|(n, _)| *n == number).cloned() else {
            return (None, None);
        };
        let (answer, broken) = self.exchange(scene, world, &call, how);
        if self.open.len() == 1 && number == LAST {
            return (Some(Ok(Value::Null)), broken);
        }
        self.events.push(Event {
            number,
            answer,
            now: world.now,
        });
        (self.follow(scene), broken)
    }

    /// One call and its answer, through the protocol.
    fn exchange(
        &mut self,
        scene: &Scene,
        world: &mut World,
        call: &Call,
        how: How,
    ) -> (Answer, Option<Invariant>) {
        let protocol = &*scene.protocol;
        if let Call::Save(record) = call
            && protocol.saves_last()
            && self.unwritten.is_none()
            && !self.open.iter().any(|(n, _)| *n == LAST)
        {
            self.unwritten = Some(record.clone());
            return (Answer::Saved(true), None);
        }
        let Some(said) = protocol.says(&self.job, world, call) else {
            return (Answer::Done(Ok(())), None);
        };
        let before = world.record.clone();
        let answer = world.make(&said, how, protocol.compares(), scene.lateness);
        let idle_after = u32::try_from(scene.settings.idle_after().as_secs()).unwrap_or(u32::MAX);
        let broken = self
            .known
            .judge(&self.job, &said, &answer, &before, world, idle_after);
        let answer = protocol.hears(&self.job, world, call, answer);
        (answer, broken)
    }

    /// Goes on to the next calls.
    fn follow(&mut self, scene: &Scene) -> Option<Outcome> {
        loop {
            match replay(
                &scene.settings,
                &*scene.protocol,
                &self.job,
                self.started,
                &self.events,
            ) {
                Progress::Over(outcome) => {
                    let Some(record) = self.unwritten.take() else {
                        return Some(outcome);
                    };
                    self.open = vec![(LAST, Call::Save(record))];
                    return None;
                }
                Progress::Waits(open) => {
                    let fixed = open.iter().find_map(|(n, call)| Some((*n, scene.fixed(call)?)));
                    let Some((number, answer)) = fixed else {
                        self.open = open;
                        return None;
                    };
                    let now = self.events.last().map_or(self.started, |event| event.now);
                    self.events.push(Event { number, answer, now });
                }
            }
        }
    }

    /// Runs it to its end at once, with nothing in between. Says what is broken, if something is.
    pub fn run(scene: &Scene, world: &mut World, job: &Job) -> (Option<Outcome>, Option<Invariant>) {
        let mut function = Self {
            job: job.clone(),
            started: world.now,
            events: Vec::new(),
            open: Vec::new(),
            known: Known::default(),
            unwritten: None,
        };
        let mut broken = None;
        let now = world.now;
        let over = crate::jobs::run(&scene.settings, &*scene.protocol, job, now, |call| {
            // Nobody is to fall asleep by itself while all else comes to rest.
            let how = if *call == Call::Read {
                How::InUse
            } else {
                How::Well
            };
            let (answer, worse) = function.exchange(scene, world, call, how);
            broken = broken.or(worse);
            answer
        });
        if let Some(record) = function.unwritten.take() {
            function.open = vec![(LAST, Call::Save(record.clone()))];
            function.exchange(scene, world, &Call::Save(record), How::Well);
        }
        match over {
            Progress::Over(outcome) => (Some(outcome), broken),
            Progress::Waits(_) => (None, broken),
        }
    }

    /// A number by which functions are put in order, so that it does not matter which of two came first.
    #[must_use]
    pub fn rank(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }
}

/// The number of the call that writes a record last.
const LAST: u8 = u8::MAX;

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        (
            &self.job,
            self.started,
            &self.events,
            &self.known,
            &self.unwritten,
        ) == (
            &other.job,
            other.started,
            &other.events,
            &other.known,
            &other.unwritten,
        )
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.job.hash(state);
        self.started.hash(state);
        self.events.hash(state);
        self.known.hash(state);
        self.unwritten.hash(state);
        self.open.len().hash(state);
    }
}
