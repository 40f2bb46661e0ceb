//! The account in which a run happens: the model of ECS and load balancers, the table, what is really so, and what
//! happened so far. All that functions do to it goes through here, and is checked here.

mod counts;
mod ecs;
mod elb;
mod promises;
mod scene;
mod story;
mod table;
mod timers;
mod told;
mod truth;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use dormouse_core::ids::{GroupName, ServiceId};
use dormouse_core::observation::Seen;
use fargate_sim::model::{Answer, Effect, Millis, VirtualClock, World};
use jiff::Timestamp;
use serde_json::Value;

use crate::faults::{Kind, Part};
use crate::sabotage::Sabotage;
use crate::script::Script;
use story::Story;
pub(crate) use table::Table;
pub(crate) use timers::Timers;
pub(crate) use truth::{Truth, Use};

/// A minute in 2027, when every run begins.
pub(crate) const START: Millis = Millis(1_800_000_000_000);
/// The cluster of all services.
pub(crate) const CLUSTER: &str = "dev";

/// The model of ECS and load balancers, with apps that behave.
type Model = VirtualClock<fn(&World, &Effect) -> Option<Answer>>;

/// Something that a function has put on its way.
pub(crate) enum Outgoing {
    /// An execution of a state machine: which, its name and its input.
    Execution(&'static str, String, Value),
    /// A pipeline's job goes on, with this token.
    JobContinues(String, String),
}

/// A write that lands later.
type Late = Box<dyn FnOnce(&Cloud)>;

/// The account.
pub(crate) struct Cloud {
    pub(crate) script: Script,
    pub(crate) model: RefCell<Model>,
    pub(crate) table: RefCell<Table>,
    pub(crate) truth: RefCell<Truth>,
    pub(crate) timers: Timers,
    /// What functions have put on its way and nobody has picked up.
    pub(crate) outgoing: RefCell<Vec<Outgoing>>,
    /// Executions by name, and whether each runs.
    pub(crate) executions: RefCell<BTreeMap<String, bool>>,
    late: RefCell<BTreeMap<(Millis, u64), Late>>,
    watched_at: Cell<Millis>,
    number: Cell<u64>,
    /// What ECS may still answer of a service, and until when: its reads lag behind its writes.
    stale: RefCell<BTreeMap<ServiceId, (Millis, Seen)>>,
    /// What the model has told so far of tasks' changes of state.
    pub(crate) task_events: RefCell<Vec<Value>>,
    /// The target group of the wake function at each load balancer.
    pub(crate) wake_groups: RefCell<BTreeMap<String, String>>,
    pub(crate) story: Story,
    /// The first thing that must never be.
    violation: RefCell<Option<Violation>>,
    /// Whether faults happen now.
    pub(crate) is_calm: Cell<bool>,
    pub(crate) counted: RefCell<Counted>,
}

/// What must never be, and was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which invariant of docs/RELIABILITY.md.
    pub invariant: u8,
    /// What was seen.
    pub what: String,
}

/// How much a run has done.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    /// Calls of ports.
    pub calls: u64,
    /// Invocations of functions.
    pub invocations: u64,
    /// Faults by kind, those of outages among the refusals.
    pub faults: BTreeMap<Kind, u64>,
    /// Changes of groups' phases.
    pub phases: u64,
    /// Executions of the scale-in state machine.
    pub scale_ins: u64,
    /// Checks that could have failed, by the invariant that they are of.
    pub checks: BTreeMap<u8, u64>,
}

pub(crate) fn moment(at: Millis) -> Timestamp {
    Timestamp::from_millisecond(at.0 as i64).unwrap_or_default()
}

/// The model's time of a moment.
pub(crate) fn millis(at: Timestamp) -> Millis {
    Millis(u64::try_from(at.as_millisecond()).unwrap_or_default())
}

pub(crate) fn service_id(name: &str) -> ServiceId {
    ServiceId::new(CLUSTER, name)
}

impl Cloud {
    pub(crate) fn new(script: Script) -> Self {
        let (model, wake_groups) = scene::build(&script);
        let truth = Truth::of(&script, &model.world);
        let cloud = Self {
            script,
            model: RefCell::new(model),
            table: RefCell::default(),
            truth: RefCell::new(truth),
            timers: Timers::default(),
            outgoing: RefCell::default(),
            executions: RefCell::default(),
            late: RefCell::default(),
            watched_at: Cell::default(),
            number: Cell::default(),
            stale: RefCell::default(),
            task_events: RefCell::default(),
            wake_groups: RefCell::new(wake_groups),
            story: Story::default(),
            violation: RefCell::default(),
            is_calm: Cell::new(false),
            counted: RefCell::default(),
        };
        cloud.remember_doors();
        cloud
    }

    pub(crate) fn now(&self) -> Millis {
        self.model.borrow().now
    }

    /// How many seconds of the run are over.
    pub(crate) fn second(&self) -> u64 {
        self.now().since(START).as_secs()
    }

    pub(crate) fn note(&self, what: impl Into<String>) {
        self.story.add(self.now(), what.into());
    }

    /// Something is so that must never be. Only the first counts: what follows follows from it.
    pub(crate) fn violate(&self, invariant: u8, what: impl Into<String>) {
        let what = what.into();
        self.note(format!("!! invariant {invariant}: {what}"));
        let mut violation = self.violation.borrow_mut();
        violation.get_or_insert(Violation { invariant, what });
    }

    pub(crate) fn violation(&self) -> Option<Violation> {
        self.violation.borrow().clone()
    }

    /// Checks something that must be so.
    pub(crate) fn check(&self, invariant: u8, is_so: bool, what: impl FnOnce() -> String) {
        *self.counted.borrow_mut().checks.entry(invariant).or_default() += 1;
        if !is_so {
            self.violate(invariant, what());
        }
    }

    pub(crate) fn has(&self, sabotage: Sabotage) -> bool {
        self.script.sabotage == Some(sabotage)
    }

    pub(crate) fn count(&self, kind: Kind) {
        *self.counted.borrow_mut().faults.entry(kind).or_default() += 1;
    }

    /// Lets a write land later.
    pub(crate) fn land_later(&self, after: Duration, write: impl FnOnce(&Cloud) + 'static) {
        let at = self.now() + after;
        self.number.set(self.number.get() + 1);
        self.late
            .borrow_mut()
            .insert((at, self.number.get()), Box::new(write));
    }

    /// The next moment at which something of its own accord happens.
    pub(crate) fn next_due(&self) -> Option<Millis> {
        let late = self.late.borrow().keys().next().map(|(at, _)| *at);
        late.into_iter().chain(self.timers.next()).min()
    }

    /// Lets time pass up to a moment, with all that is due on the way.
    pub(crate) fn pass_to(&self, at: Millis) {
        let mut moved = false;
        while let Some(((due, _), write)) = self.take_late(at) {
            moved = true;
            self.run_model(due);
            self.note("   (a late write lands)");
            write(self);
        }
        moved |= self.run_model(at);
        // Each write is watched by itself; in between, a second is soon enough.
        if moved || self.age(self.watched_at.get()) >= Duration::from_secs(1) {
            self.watch();
            self.watched_at.set(at);
        }
        self.timers.ring(at);
    }

    fn take_late(&self, until: Millis) -> Option<((Millis, u64), Late)> {
        let mut late = self.late.borrow_mut();
        let first = *late.keys().next()?;
        (first.0 <= until).then(|| late.remove(&first).map(|write| (first, write)))?
    }

    /// Tells whether a task changed its state.
    fn run_model(&self, at: Millis) -> bool {
        let mut model = self.model.borrow_mut();
        if at > model.now {
            let length = at.since(model.now);
            model.run(length);
        }
        let mut moved = false;
        for (_, effect) in std::mem::take(&mut model.log) {
            if let Effect::TaskStateChanged { task, .. } = effect {
                self.task_events.borrow_mut().push(ecs::state_change(&task));
                moved = true;
            }
        }
        moved
    }

    /// Whether a part of AWS answers nobody now.
    pub(crate) fn is_out(&self, part: Part) -> bool {
        let second = self.second();
        let mut outages = self.script.faults.outages.iter();
        !self.is_calm.get()
            && outages.any(|outage| {
                outage.part == part && (outage.from..outage.from + outage.seconds).contains(&second)
            })
    }

    pub(crate) fn scene_of(&self, service: &ServiceId) -> Option<&crate::script::ServiceScene> {
        self.script
            .services
            .iter()
            .find(|scene| scene.name == service.name)
    }

    /// Services that are ours.
    pub(crate) fn ours(&self) -> impl Iterator<Item = (&crate::script::ServiceScene, ServiceId)> {
        let ours = self.script.services.iter().filter(|scene| scene.group.is_some());
        ours.map(|scene| (scene, service_id(&scene.name)))
    }

    pub(crate) fn services_of(&self, group: &GroupName) -> BTreeSet<ServiceId> {
        let theirs = self
            .ours()
            .filter(|(scene, _)| scene.group.as_deref() == Some(group.as_str()));
        theirs.map(|(_, id)| id).collect()
    }
}

impl Counted {
    /// Adds what another run did.
    pub fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.invocations += other.invocations;
        self.phases += other.phases;
        self.scale_ins += other.scale_ins;
        for (kind, count) in &other.faults {
            *self.faults.entry(*kind).or_default() += count;
        }
        for (invariant, count) in &other.checks {
            *self.checks.entry(*invariant).or_default() += count;
        }
    }
}

impl std::fmt::Display for Counted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "{} invocations, {} calls, {} changes of phase, {} scale-ins",
            self.invocations, self.calls, self.phases, self.scale_ins
        )?;
        let faults: Vec<String> = self
            .faults
            .iter()
            .map(|(kind, n)| format!("{kind:?} {n}"))
            .collect();
        writeln!(f, "faults: {}", faults.join(", "))?;
        let checks: Vec<String> = self
            .checks
            .iter()
            .map(|(n, count)| format!("{n}: {count}"))
            .collect();
        write!(f, "checks by invariant: {}", checks.join(", "))
    }
}
