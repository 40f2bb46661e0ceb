//! Everything together under one clock: what is planned, the functions under way, the executions of state machines.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use dormouse_core::config::Config;
use dormouse_core::error::Error;
use dormouse_core::ids::{Generation, GroupName};
use dormouse_core::scaling::watch::Memory;
use dormouse_testkit::state_machine::{Execution, Machine};
use fargate_sim::model::Millis;
use serde_json::{Value, json};

use crate::cloud::{Cloud, Outgoing};
use crate::function::Function;
use crate::sabotage::Sabotage;
use crate::script::Script;

/// A function that can be invoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Wake,
    AutoSleep,
    Logs,
    Ingest,
    Scaling,
}

impl Target {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Wake => "wake",
            Self::AutoSleep => "auto-sleep",
            Self::Logs => "log-pattern-trigger",
            Self::Ingest => "session-metric-ingest",
            Self::Scaling => "scaling-decision",
        }
    }

    /// Its timeout in template.yaml.
    fn limit(self) -> Duration {
        Duration::from_secs(match self {
            Self::Wake => 29,
            Self::Logs | Self::Ingest => 30,
            Self::AutoSleep => 70,
            Self::Scaling => 170,
        })
    }

    /// Whether template.yaml gives it the sleep timer.
    fn has_timer(self) -> bool {
        matches!(self, Self::Wake | Self::Logs)
    }
}

/// How an invocation ended.
pub(crate) type Outcome = Result<Value, Ended>;

/// Why there is no answer.
pub(crate) enum Ended {
    Failed(Error),
    /// It died, or was cut off.
    Died,
}

type Planned = Box<dyn FnOnce(&mut Sim)>;
type Then = Box<dyn FnOnce(&mut Sim, Outcome)>;

struct UnderWay {
    function: Rc<Function>,
    future: Pin<Box<dyn Future<Output = Result<Value, Error>>>>,
    flag: Arc<Flag>,
    deadline: Millis,
    then: Option<Then>,
}

/// Set when what a function waits for has come.
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

pub(crate) struct Sim {
    pub(crate) cloud: Rc<Cloud>,
    pub(crate) config: Rc<Config>,
    agenda: BTreeMap<(Millis, u64), Planned>,
    number: u64,
    under_way: Vec<UnderWay>,
    pub(crate) executions: Vec<(&'static str, Execution)>,
    pub(crate) machines: BTreeMap<&'static str, Rc<Machine>>,
    /// What scaling-decision remembers while it lives.
    memory: Rc<Memory>,
    /// How often each thing happened, to name it.
    ordinals: BTreeMap<String, u64>,
}

impl Sim {
    pub(crate) fn new(script: Script) -> Self {
        Self {
            cloud: Rc::new(Cloud::new(script)),
            config: Rc::new(dormouse_testkit::config(&[])),
            agenda: BTreeMap::new(),
            number: 0,
            under_way: Vec::new(),
            executions: Vec::new(),
            machines: BTreeMap::from([
                ("scale-in", Rc::new(Machine::scale_in())),
                ("sleep-timer", Rc::new(Machine::sleep_timer())),
            ]),
            memory: Rc::default(),
            ordinals: BTreeMap::new(),
        }
    }

    /// A name with a number, another one each time.
    pub(crate) fn name(&mut self, name: &str) -> String {
        let ordinal = self.ordinals.entry(name.to_owned()).or_default();
        *ordinal += 1;
        format!("{name} #{ordinal}")
    }

    /// Plans something for so long from now.
    pub(crate) fn plan(&mut self, after: Duration, what: impl FnOnce(&mut Sim) + 'static) {
        let at = self.cloud.now() + after;
        self.number += 1;
        self.agenda.insert((at, self.number), Box::new(what));
    }

    /// Invokes a function. `then` is told how it ended.
    pub(crate) fn invoke(
        &mut self,
        target: Target,
        name: &str,
        event: Value,
        then: impl FnOnce(&mut Sim, Outcome) + 'static,
    ) {
        self.cloud.counted.borrow_mut().invocations += 1;
        let name = self.name(&format!("{} {name}", target.name()));
        let timer = (event["action"] == "sleep-timer").then(|| {
            let group = event["group"]
                .as_str()
                .and_then(|name| GroupName::parse(name).ok());
            let generation = Generation(event["generation"].as_u64().unwrap_or_default());
            group.map(|group| (group, generation))
        });
        let function = Function::new(&self.cloud, name.clone(), timer.flatten(), target.has_timer());
        let function = Rc::new(function);
        let mut event = event;
        if let Some((group, ..)) = &function.who.timer
            && self.cloud.has(Sabotage::TrustsOldTimers)
        {
            let table = self.cloud.table.borrow();
            event["generation"] = json!(table.record(group).map_or(0, |record| record.generation.0));
        }
        let (world, config) = (Rc::clone(&function), Rc::clone(&self.config));
        let memory = Rc::clone(&self.memory);
        let future = async move {
            let (world, config) = (&*world, &*config);
            match target {
                Target::Wake => wake::handle(world, config, event, &name).await,
                Target::AutoSleep => auto_sleep::handle(world, config, event, &name).await,
                Target::Logs => log_pattern_trigger::handle(world, config, event, &name).await,
                Target::Ingest => session_metric_ingest::handle(world, config, event, &name).await,
                Target::Scaling => scaling_decision::handle(world, config, &memory, event, &name).await,
            }
        };
        self.under_way.push(UnderWay {
            function,
            future: Box::pin(future),
            flag: Arc::new(Flag(AtomicBool::new(true))),
            deadline: self.cloud.now() + target.limit(),
            then: Some(Box::new(then)),
        });
    }

    /// The next invocation of scaling-decision remembers nothing.
    pub(crate) fn lose_memory(&mut self) {
        self.memory = Rc::default();
    }

    /// Lets everything happen up to a second of the run, unless something is wrong.
    pub(crate) fn run_to(&mut self, second: u64) {
        let end = crate::cloud::START + Duration::from_secs(second);
        while self.cloud.violation().is_none() {
            self.pick_up();
            let next = self.next().filter(|at| *at < end);
            self.cloud.pass_to(next.unwrap_or(end).max(self.cloud.now()));
            self.pick_up();
            self.happen();
            self.go_on();
            if next.is_none() {
                return;
            }
        }
    }

    fn next(&self) -> Option<Millis> {
        let planned = self.agenda.keys().next().map(|(at, _)| *at);
        let deadlines = self.under_way.iter().map(|one| one.deadline).min();
        let model = self.cloud.model.borrow().world.next_due();
        let times = [planned, deadlines, self.cloud.next_due(), model];
        times.into_iter().flatten().min()
    }

    fn happen(&mut self) {
        let now = self.cloud.now();
        while let Some(first) = self.agenda.first_entry() {
            if first.key().0 > now {
                break;
            }
            let what = first.remove();
            what(self);
        }
    }

    /// Lets functions do what they can do now.
    fn go_on(&mut self) {
        let now = self.cloud.now();
        let ready = |one: &UnderWay| one.flag.0.load(Ordering::Relaxed) || one.deadline <= now;
        while let Some(n) = self.under_way.iter().position(ready) {
            let one = &mut self.under_way[n];
            one.flag.0.store(false, Ordering::Relaxed);
            let waker = Waker::from(Arc::clone(&one.flag));
            let polled = one.future.as_mut().poll(&mut Context::from_waker(&waker));
            let outcome = match polled {
                Poll::Ready(answer) => answer.map_err(Ended::Failed),
                Poll::Pending if one.function.is_dead() => Err(Ended::Died),
                Poll::Pending if one.deadline <= now => {
                    one.function.who.disturbed.set(true);
                    self.cloud
                        .note(format!("   * {} was cut off", one.function.who.name));
                    Err(Ended::Died)
                }
                Poll::Pending => continue,
            };
            let mut one = self.under_way.swap_remove(n);
            let who = &one.function.who;
            if outcome.is_ok() && who.name.starts_with("auto-sleep tick") && !who.disturbed.get() {
                self.cloud.tick_went_well(who.begun);
            }
            let then = one.then.take();
            drop(one);
            if let Some(then) = then {
                then(self, outcome);
            }
        }
    }

    /// What functions and the model have put on its way.
    fn pick_up(&mut self) {
        let outgoing = std::mem::take(&mut *self.cloud.outgoing.borrow_mut());
        for outgoing in outgoing {
            match outgoing {
                Outgoing::Execution(machine, name, input) => self.begin(machine, &name, input),
                Outgoing::JobContinues(job, token) => self.continue_job(job, token),
            }
        }
        let events = std::mem::take(&mut *self.cloud.task_events.borrow_mut());
        for event in events {
            self.task_changed(event);
        }
    }

    /// Whether no function, and no execution of the scale-in, is under way.
    pub(crate) fn is_still(&self) -> bool {
        let mut scale_ins = self
            .executions
            .iter()
            .filter(|(machine, _)| *machine == "scale-in");
        self.under_way.is_empty() && scale_ins.all(|(_, execution)| execution.end.is_some())
    }
}
