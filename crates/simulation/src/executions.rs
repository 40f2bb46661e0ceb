//! Executions of the state machines.

use std::rc::Rc;

use dormouse_core::duration;
use dormouse_testkit::state_machine::End;
use serde_json::Value;

use crate::cloud::moment;
use crate::dice::Dice;
use crate::faults::Kind;
use crate::sim::{Ended, Outcome, Sim, Target};

impl Sim {
    pub(crate) fn begin(&mut self, machine: &'static str, name: &str, input: Value) {
        if machine == "scale-in" {
            self.cloud.counted.borrow_mut().scale_ins += 1;
        }
        self.cloud.note(format!("-- {machine} {name} begins"));
        let execution = self.machines[machine].start(name, input, moment(self.cloud.now()));
        self.executions.push((machine, execution));
        let n = self.executions.len() - 1;
        self.plan(std::time::Duration::ZERO, move |sim| sim.state(n));
    }

    /// One execution takes one state, or calls its function and waits for it.
    fn state(&mut self, n: usize) {
        let (machine, execution) = &mut self.executions[n];
        if execution.end.is_some() {
            return;
        }
        let definition = Rc::clone(&self.machines[*machine]);
        let name = format!("{} {}", execution.name, execution.visited.len());
        let mut dice = Dice::of(self.cloud.script.seed, &name);
        let stops = dice.per_mille(self.cloud.script.faults.rate(Kind::StopExecution));
        if stops && !self.cloud.is_calm.get() {
            self.cloud.count(Kind::StopExecution);
            self.cloud.note(format!(
                "   * {} is stopped at {}",
                execution.name, execution.state
            ));
            execution.end = Some(End::Aborted);
            return self.state_is_over(n);
        }
        let name = format!("for {}", execution.name);
        let target = match *machine {
            "scale-in" => Target::Scaling,
            _ => Target::AutoSleep,
        };
        match definition.enter(execution) {
            Some(payload) => self.invoke(target, &name, payload, move |sim, outcome| {
                sim.answered(n, outcome);
            }),
            None => {
                definition.leave(execution, moment(self.cloud.now()));
                self.state_is_over(n);
            }
        }
    }

    fn answered(&mut self, n: usize, outcome: Outcome) {
        let (machine, execution) = &mut self.executions[n];
        let definition = Rc::clone(&self.machines[*machine]);
        let answer = outcome.map_err(|ended| match ended {
            Ended::Failed(error) => (error.code.to_string(), error.message),
            Ended::Died => ("Lambda.Unknown".to_owned(), "the function died".to_owned()),
        });
        let state = execution.state.clone();
        definition.answered(execution, moment(self.cloud.now()), answer);
        if *machine == "scale-in" {
            let next = &execution.state;
            self.cloud
                .note(format!("-- {} leaves {state} for {next}", execution.name));
        }
        self.state_is_over(n);
    }

    fn state_is_over(&mut self, n: usize) {
        let (machine, execution) = &self.executions[n];
        if execution.end.is_some() {
            if *machine == "scale-in" {
                let end = &execution.end;
                self.cloud.note(format!("-- {} ended: {end:?}", execution.name));
            }
            let mut executions = self.cloud.executions.borrow_mut();
            executions.insert(execution.name.clone(), false);
            return;
        }
        // Each state costs money: a sleep timer looks a few times an hour, a scale-in ends.
        let most = if *machine == "scale-in" { 400 } else { 4000 };
        if execution.visited.len() > most {
            let name = execution.name.clone();
            return self.cloud.violate(10, format!("execution {name} goes on and on"));
        }
        let after = duration::between(moment(self.cloud.now()), execution.due);
        self.plan(after, move |sim| sim.state(n));
    }
}
