//! The function's invocations that are under way side by side: steps of executions, and what the schedule calls.

use std::rc::Rc;

use dormouse_core::error::Error;
use dormouse_testkit::state_machine::Failure;
use fargate_sim::model::Millis;
use serde_json::{Value, json};

use crate::account::{Account, Invocation, Progress, step_of};

/// Invocations under way, and those of the schedule that have ended.
#[derive(Default)]
pub(crate) struct Functions {
    under_way: Vec<UnderWay>,
    /// In the order of their ends.
    pub(crate) ended: Vec<Ended>,
}

struct UnderWay {
    begun: Millis,
    /// The execution that waits for it; none: the schedule has called it, and nobody waits.
    execution: Option<usize>,
    step: String,
    invocation: Invocation<'static, Result<Value, Error>>,
}

/// An invocation of the schedule.
pub(crate) struct Ended {
    pub(crate) begun: Millis,
    pub(crate) at: Millis,
    pub(crate) answer: Result<Value, Failure>,
}

impl Functions {
    /// An execution calls the function.
    pub(crate) fn call_for(&mut self, execution: usize, account: &Rc<Account>, payload: Value) {
        self.call(Some(execution), account, payload);
    }

    /// The schedule calls the function.
    pub(crate) fn schedule(&mut self, account: &Rc<Account>) {
        self.call(None, account, scheduled());
    }

    fn call(&mut self, execution: Option<usize>, account: &Rc<Account>, event: Value) {
        let (theirs, step) = (Rc::clone(account), step_of(&event));
        let future = async move { theirs.handle(event).await };
        self.under_way.push(UnderWay {
            begun: account.at(),
            execution,
            invocation: account.invoke(Some(&step), future),
            step,
        });
    }

    /// Lets all do what they can do now. Gives the answers for which executions wait.
    pub(crate) fn go_on(&mut self, account: &Account) -> Vec<(usize, Result<Value, Failure>)> {
        let mut answers = Vec::new();
        while let Some(n) = self.under_way.iter().position(|one| one.invocation.is_awake()) {
            let answer = match account.go_on(&mut self.under_way[n].invocation) {
                Progress::Waits => continue,
                Progress::Died => None,
                Progress::Done(answer) => Some(answer),
            };
            let UnderWay {
                begun,
                execution,
                step,
                ..
            } = self.under_way.remove(n);
            let answer = account.seen_by_caller(&step, answer);
            match execution {
                Some(execution) => answers.push((execution, answer)),
                None => self.ended.push(Ended {
                    begun,
                    at: account.at(),
                    answer,
                }),
            }
        }
        answers
    }

    pub(crate) fn are_over(&self) -> bool {
        self.under_way.is_empty()
    }
}

/// What EventBridge sends.
pub(crate) fn scheduled() -> Value {
    let event = include_str!("../../../../events/eventbridge-scheduled.json");
    let event: Value = serde_json::from_str(event).expect("JSON");
    assert_eq!(event["detail-type"], json!("Scheduled Event"));
    event
}
