//! An AWS account in memory: the model of ECS and ELB under a virtual clock, a table, and all ports of the function
//! over them. Every call of a port can fail, or be the moment at which something else happens.

mod apps;
mod calls;
mod checks;
mod connections;
mod doors;
mod ecs;
mod functions;
mod invocation;
mod others;
mod scalable;
mod table;
mod time;
mod truth;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use dormouse_core::error::Error;
use dormouse_core::ids::{GroupName, ServiceId};
use dormouse_core::observation::Seen;
use dormouse_core::scaling::notice::Notice;
use dormouse_core::scaling::watch::Memory;
use fargate_sim::model::{Answer, Effect, Millis, VirtualClock, World};
use jiff::Timestamp;
use serde_json::Value;

use apps::Apps;
use calls::Script;
pub(crate) use calls::{Act, Call, When};
use doors::Front;
pub(crate) use functions::step_of;
pub(crate) use invocation::{Invocation, Progress};
use table::Table;
use time::Timers;
use truth::Truth;
pub(crate) use truth::short;

/// The model of ECS and ELB, with apps that behave.
pub(crate) type Clock = VirtualClock<fn(&World, &Effect) -> Option<Answer>>;

/// What can be out of order together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Table,
    Ecs,
    Elb,
    /// What tasks answer themselves.
    Apps,
    Other,
}

pub(crate) struct Account {
    pub(crate) clock: RefCell<Clock>,
    pub(crate) table: RefCell<Table>,
    /// What the function remembers while it lives.
    memory: RefCell<Rc<Memory>>,
    /// How often it was called.
    requests: Cell<u64>,
    /// Executions by name, and whether each runs.
    pub(crate) executions: RefCell<BTreeMap<String, bool>>,
    /// Executions that were started and not yet picked up, with their inputs.
    pub(crate) started: RefCell<Vec<(String, Value)>>,
    pub(crate) notices: RefCell<Vec<Notice>>,
    /// UpdateService calls: when, the count before and the one that was set.
    pub(crate) updates: RefCell<Vec<(Millis, u32, u32)>>,
    /// CPU utilization in percent, from each of these moments on.
    pub(crate) cpu: RefCell<Vec<(Millis, f64)>>,
    /// What happened, for whoever reads a failure.
    pub(crate) trace: RefCell<Vec<String>>,
    /// How long each call of the function takes.
    pub(crate) latency: Cell<Duration>,
    /// What those who want a token are told to wait, the last of these first; none are left: they need not wait.
    pub(crate) waits: RefCell<Vec<Duration>>,
    /// How far ECS's reads lag behind its writes.
    pub(crate) lag: Cell<Duration>,
    /// What was so when.
    looks: RefCell<Vec<(Millis, Seen)>>,
    /// UpdateService calls that arrive later.
    late_updates: RefCell<Vec<(Millis, u32)>>,
    outages: RefCell<Vec<(Part, Millis)>>,
    pub(crate) apps: Apps,
    pub(crate) front: Front,
    timers: Timers,
    script: Script,
    truth: RefCell<Truth>,
}

/// The group of all tests.
pub(crate) fn group() -> GroupName {
    GroupName::parse("dev").expect("a group")
}

/// Its only service.
pub(crate) fn web() -> ServiceId {
    ServiceId::new("dev", "web")
}

pub(crate) fn moment(at: Millis) -> Timestamp {
    Timestamp::from_millisecond(i64::try_from(at.0).expect("milliseconds")).expect("a moment")
}

pub(crate) fn millis(at: Timestamp) -> Millis {
    Millis(u64::try_from(at.as_millisecond()).expect("milliseconds"))
}

impl Account {
    pub(crate) fn new(clock: Clock) -> Self {
        let start = clock.now;
        Self {
            clock: RefCell::new(clock),
            table: RefCell::default(),
            memory: RefCell::default(),
            requests: Cell::default(),
            executions: RefCell::default(),
            started: RefCell::default(),
            notices: RefCell::default(),
            updates: RefCell::default(),
            cpu: RefCell::new(vec![(start, 10.0)]),
            trace: RefCell::default(),
            latency: Cell::new(Duration::from_millis(50)),
            waits: RefCell::default(),
            lag: Cell::default(),
            looks: RefCell::default(),
            late_updates: RefCell::default(),
            outages: RefCell::default(),
            apps: Apps::default(),
            front: Front::default(),
            timers: Timers::default(),
            script: Script::default(),
            truth: RefCell::default(),
        }
    }

    pub(crate) fn at(&self) -> Millis {
        self.clock.borrow().now
    }

    /// Lets time pass, in the model only.
    pub(crate) fn pass(&self, length: Duration) {
        let end = self.at() + length;
        while let Some((at, count)) = self.take_late_update(end) {
            self.run_to(at);
            self.note("-- late:");
            self.set(count);
        }
        // Reads that lag see the moment before the end, too.
        self.run_to(Millis(end.0.saturating_sub(self.lag.get().as_millis() as u64)));
        self.run_to(end);
    }

    fn take_late_update(&self, end: Millis) -> Option<(Millis, u32)> {
        let mut late = self.late_updates.borrow_mut();
        let next = late.iter().position(|(at, _)| *at <= end)?;
        Some(late.remove(next))
    }

    fn run_to(&self, at: Millis) {
        self.serve_clients(at);
        let length = at.since(self.at());
        self.clock.borrow_mut().run(length);
        self.spread_load();
        self.watch();
        self.timers.ring(at);
        if !self.lag.get().is_zero() {
            self.remember_look();
        }
    }

    pub(crate) fn note(&self, what: &str) {
        let line = format!("{} {what}", &self.at().iso8601()[11..23]);
        self.trace.borrow_mut().push(line);
    }

    /// Fails the test, and tells what went before.
    pub(crate) fn fail(&self, why: &str) -> ! {
        panic!("{why}\n{}", self.trace.borrow().join("\n"));
    }

    /// A part of AWS is unavailable for a while.
    pub(crate) fn outage(&self, part: Part, length: Duration) {
        self.note(&format!("-- {part:?} is unavailable for {length:?}"));
        let until = self.at() + length;
        self.outages.borrow_mut().push((part, until));
    }

    fn is_out(&self, part: Part) -> bool {
        let now = self.at();
        self.outages
            .borrow()
            .iter()
            .any(|(out, until)| *out == part && now < *until)
    }

    /// The service's CPU utilization from now on.
    pub(crate) fn set_cpu(&self, percent: f64) {
        self.note(&format!("-- CPU at {percent} %"));
        let now = self.at();
        self.cpu.borrow_mut().push((now, percent));
    }
}

/// A port's answer that the test refuses.
fn refused(port: &str, why: &str) -> Error {
    Error::new(dormouse_core::error::Code::Unavailable, format!("{port}: {why}"))
}
