//! Everything together under one clock: the account, the executions of the state machine, the schedule, the functions
//! under way, and what a test has planned.

use std::rc::Rc;
use std::time::Duration;

use dormouse_testkit::state_machine::{End, Execution, Machine};
use fargate_sim::model::Millis;
use jiff::Timestamp;

use crate::account::{Account, millis, moment};
use crate::functions::Functions;

pub(crate) struct Sim {
    pub(crate) account: Rc<Account>,
    /// All executions, in the order of their starts.
    pub(crate) executions: Vec<Execution>,
    /// Whether the schedule runs the ticks.
    pub(crate) ticking: bool,
    /// Whether its ticks are scheduled events, which a watch may follow, and functions run side by side; else all stand
    /// still until one has ended.
    pub(crate) watching: bool,
    pub(crate) functions: Functions,
    /// What is to happen when.
    agenda: Vec<(Millis, Planned)>,
    next_tick: Millis,
    machine: Machine,
}

type Planned = Box<dyn FnOnce(&mut Sim)>;

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Next {
    /// What a test has planned.
    Planned(usize),
    Tick,
    /// A state of this execution.
    State(usize),
    /// A function has waited for this moment.
    Function,
}

/// Longer than any test: the moment at which an execution goes on that waits for a function.
const NEVER: Timestamp = Timestamp::MAX;

pub(crate) const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(crate) const fn minutes(n: u64) -> Duration {
    Duration::from_secs(60 * n)
}

impl Sim {
    pub(crate) fn new(account: Account) -> Self {
        Self {
            next_tick: account.at(),
            account: Rc::new(account),
            executions: Vec::new(),
            ticking: false,
            watching: false,
            functions: Functions::default(),
            agenda: Vec::new(),
            machine: Machine::scale_in(),
        }
    }

    /// From now on ECS acts so many seconds after what it is told.
    pub(crate) fn set_scheduler(&self, after: u64) {
        let timing = &mut self.account.clock.borrow_mut().world.config.timing;
        timing.scheduler = seconds(after);
    }

    /// What happens next, and when.
    pub(crate) fn next(&mut self) -> Option<(Millis, Next)> {
        self.pick_up();
        let running = self
            .executions
            .iter()
            .enumerate()
            .filter(|(_, execution)| execution.end.is_none() && execution.due != NEVER);
        let planned = self.agenda.iter().enumerate();
        let planned = planned.map(|(n, (at, _))| (*at, Next::Planned(n)));
        let states = running.map(|(n, execution)| (millis(execution.due), Next::State(n)));
        let tick = self.ticking.then_some((self.next_tick, Next::Tick));
        let function = self.account.next_timer().map(|at| (at, Next::Function));
        planned
            .chain(states)
            .chain(tick)
            .chain(function)
            .min_by_key(|(at, _)| *at)
    }

    /// Plans something for so long from now.
    pub(crate) fn plan(&mut self, after: Duration, what: impl FnOnce(&mut Sim) + 'static) {
        let at = self.account.at() + after;
        self.agenda.push((at, Box::new(what)));
    }

    /// Lets the next thing happen.
    pub(crate) fn step(&mut self) {
        let (at, next) = self.next().expect("something to happen");
        self.wait_until(at);
        match next {
            Next::Planned(n) => self.agenda.remove(n).1(self),
            Next::Tick => self.tick(),
            Next::State(n) => self.state(n),
            Next::Function => {}
        }
        self.functions_go_on();
    }

    /// Lets everything happen for a while.
    pub(crate) fn run(&mut self, length: Duration) {
        let end = self.account.at() + length;
        while self.next().is_some_and(|(at, _)| at <= end) {
            self.step();
        }
        self.wait_until(end);
    }

    /// Lets everything happen until all executions have ended.
    pub(crate) fn finish(&mut self) {
        self.run_until(|sim| sim.executions.iter().all(|execution| execution.end.is_some()));
    }

    /// Lets everything happen until something is so, for three hours at most.
    pub(crate) fn run_until(&mut self, done: impl Fn(&Self) -> bool) {
        let limit = self.account.at() + minutes(180);
        self.pick_up();
        while !done(self) {
            if self.account.at() > limit {
                self.account.fail("nothing of the kind happens");
            }
            self.step();
        }
    }

    /// Lets everything happen until the last execution is about to take this state.
    pub(crate) fn run_to(&mut self, state: &str) {
        self.run_until(|sim| sim.last().state == state);
    }

    pub(crate) fn last(&self) -> &Execution {
        self.executions.last().expect("an execution")
    }

    /// What came of the last execution.
    pub(crate) fn outcome(&self) -> &str {
        self.last().outcome()
    }

    fn wait_until(&self, at: Millis) {
        self.account.pass(at.since(self.account.at()));
    }

    /// One execution takes one state, or calls the function and waits for it.
    fn state(&mut self, n: usize) {
        let execution = &mut self.executions[n];
        self.account
            .note(&format!("{} of {}", execution.state, execution.name));
        match self.machine.enter(execution) {
            Some(payload) => {
                execution.due = NEVER;
                self.functions.call_for(n, &self.account, payload);
                if !self.watching {
                    self.wait_for_functions();
                }
            }
            None => {
                self.machine.leave(execution, moment(self.account.at()));
                self.state_is_over(n);
            }
        }
    }

    fn state_is_over(&mut self, n: usize) {
        let (execution, account) = (&self.executions[n], &self.account);
        if execution.end.is_some() {
            account.note(&format!("{} ended: {:?}", execution.name, execution.end));
            account
                .executions
                .borrow_mut()
                .insert(execution.name.clone(), false);
        }
        account.watch();
        // Each state costs money.
        if execution.visited.len() > 200 {
            account.fail("an execution goes on and on");
        }
        self.pick_up();
    }

    /// Lets functions do what they can do now.
    fn functions_go_on(&mut self) {
        for (n, answer) in self.functions.go_on(&self.account) {
            let execution = &mut self.executions[n];
            if execution.end.is_none() {
                self.machine
                    .answered(execution, moment(self.account.at()), answer);
                self.state_is_over(n);
            }
        }
    }

    fn wait_for_functions(&mut self) {
        self.functions_go_on();
        while !self.functions.are_over() {
            let next = self.account.next_timer().expect("a moment for which one waits");
            self.wait_until(next);
            self.functions_go_on();
        }
    }

    /// An execution is lost.
    pub(crate) fn abort(&mut self, n: usize) {
        let execution = &mut self.executions[n];
        self.account.note(&format!("-- {} is lost", execution.name));
        execution.end = Some(End::Aborted);
        self.account
            .executions
            .borrow_mut()
            .insert(execution.name.clone(), false);
    }

    /// Somebody lets an execution that failed go on in the state in which it did.
    pub(crate) fn redrive(&mut self, n: usize) {
        let execution = &mut self.executions[n];
        self.account.note(&format!("-- {} is redriven", execution.name));
        execution.end = None;
        execution.due = moment(self.account.at());
        self.account
            .executions
            .borrow_mut()
            .insert(execution.name.clone(), true);
    }

    /// The one-minute schedule: both functions that it calls.
    pub(crate) fn tick(&mut self) {
        self.next_tick = Millis(self.account.at().0 / 60_000 * 60_000) + minutes(1);
        if self.watching {
            self.schedule();
            self.account.idle_tick();
        } else {
            self.account.tick();
        }
        self.pick_up();
    }

    /// The schedule calls the function.
    pub(crate) fn schedule(&mut self) {
        self.account.note("-- a scheduled event");
        self.functions.schedule(&self.account);
        self.functions_go_on();
    }

    fn pick_up(&mut self) {
        let started = std::mem::take(&mut *self.account.started.borrow_mut());
        for (name, input) in started {
            let execution = self.machine.start(&name, input, moment(self.account.at()));
            self.executions.push(execution);
        }
    }
}
