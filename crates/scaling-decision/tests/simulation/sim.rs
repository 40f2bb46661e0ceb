//! Everything together under one clock: the account, the executions of the state machine, and the ticks.

use std::time::Duration;

use fargate_sim::model::Millis;

use crate::account::Account;
use crate::machine::{End, Execution, Machine};

pub(crate) struct Sim {
    pub(crate) account: Account,
    /// All executions, in the order of their starts.
    pub(crate) executions: Vec<Execution>,
    /// Whether the schedule runs the ticks.
    pub(crate) ticking: bool,
    next_tick: Millis,
    machine: Machine,
}

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Next {
    Tick,
    /// A state of this execution.
    State(usize),
}

pub(crate) fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(crate) fn minutes(n: u64) -> Duration {
    Duration::from_secs(60 * n)
}

impl Sim {
    pub(crate) fn new(account: Account) -> Self {
        Self {
            next_tick: account.at(),
            account,
            executions: Vec::new(),
            ticking: false,
            machine: Machine::read(),
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
            .filter(|(_, execution)| execution.end.is_none());
        let states = running.map(|(n, execution)| (execution.due, Next::State(n)));
        let tick = self.ticking.then_some((self.next_tick, Next::Tick));
        states.chain(tick).min_by_key(|(at, _)| *at)
    }

    /// Lets the next thing happen.
    pub(crate) fn step(&mut self) {
        let (at, next) = self.next().expect("something to happen");
        self.wait_until(at);
        match next {
            Next::Tick => self.tick(),
            Next::State(n) => self.state(n),
        }
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

    /// One execution takes one state.
    fn state(&mut self, n: usize) {
        let (execution, account) = (&mut self.executions[n], &self.account);
        account.note(&format!("{} of {}", execution.state, execution.name));
        let now = account.at();
        self.machine
            .step(execution, now, |payload| account.call_function(payload));
        execution.due = execution.due.max(account.at());
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
        execution.due = self.account.at();
        self.account
            .executions
            .borrow_mut()
            .insert(execution.name.clone(), true);
    }

    /// The one-minute schedule: both functions that it calls.
    pub(crate) fn tick(&mut self) {
        self.next_tick = Millis(self.account.at().0 / 60_000 * 60_000) + minutes(1);
        self.account.tick();
        self.pick_up();
    }

    fn pick_up(&mut self) {
        let started = std::mem::take(&mut *self.account.started.borrow_mut());
        for (name, input) in started {
            let execution = self.machine.start(&name, input, self.account.at());
            self.executions.push(execution);
        }
    }
}
