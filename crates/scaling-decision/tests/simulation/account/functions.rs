//! The functions, called as others call them.

use std::rc::Rc;

use dormouse_core::config::Config;
use dormouse_core::engine;
use dormouse_core::error::Error;
use dormouse_core::intent::{Action, Cause, Intent, Wake};
use dormouse_core::ports::Store;
use dormouse_core::record::Record;
use dormouse_core::scaling::record::ScalingRecord;
use dormouse_testkit::state_machine::Failure;
use scaling_decision::handle;
use serde_json::{Value, json};

use super::{Account, group, web};

impl Account {
    /// Calls the function as the state machine does.
    pub(crate) fn call_function(&self, payload: Value) -> Result<Value, Failure> {
        let step = step_of(&payload);
        let answer = self.function(Some(&step), self.handle(payload));
        self.seen_by_caller(&step, answer)
    }

    /// The function itself.
    pub(crate) async fn handle(&self, event: Value) -> Result<Value, Error> {
        self.requests.set(self.requests.get() + 1);
        let request = format!("request-{}", self.requests.get());
        let memory = Rc::clone(&self.memory.borrow());
        handle(self, &config(), &memory, event, &request).await
    }

    /// An answer, none if the function died, as a state machine or a schedule sees it.
    pub(crate) fn seen_by_caller(
        &self,
        step: &str,
        answer: Option<Result<Value, Error>>,
    ) -> Result<Value, Failure> {
        let answer = match answer {
            Some(Ok(answer)) => Ok(answer),
            Some(Err(error)) => Err((error.code.to_string(), error.message)),
            None => Err(("Lambda.Unknown".to_owned(), "the function died".to_owned())),
        };
        self.note(&format!(
            "   {step}: {}",
            answer
                .as_ref()
                .map_or_else(|e| format!("{e:?}"), Value::to_string)
        ));
        answer
    }

    /// The function's next invocation is one that remembers nothing.
    pub(crate) fn lose_memory(&self) {
        self.memory.replace(Rc::default());
    }

    /// What the one-minute schedule calls: the function, and the idle decision's engine, to which all is in use.
    pub(crate) fn tick(&self) {
        self.note("tick");
        let _ = self.call_function(json!({"action": "tick"}));
        self.idle_tick();
    }

    /// The idle decision's part of it.
    pub(crate) fn idle_tick(&self) {
        let _ = self.intent(Action::Tick, Cause::Tick);
    }

    /// Somebody asks something of the group. What fails is told to whoever asked.
    pub(crate) fn intent(&self, action: Action, cause: Cause) -> Result<(), String> {
        self.note(&format!("-- {action:?}"));
        let answer = self.function(None, self.turn(action, cause));
        answer.expect("nobody ends it").map_err(|error| error.to_string())
    }

    /// The same from a function whose calls are counted, and which may die.
    pub(crate) fn disturbed_intent(&self, action: Action) {
        self.note(&format!("-- {action:?}"));
        let _ = self.function(Some("turn"), self.turn(action, Cause::Direct));
    }

    async fn turn(&self, action: Action, cause: Cause) -> Result<(), Error> {
        let stored = self.load(&group()).await?;
        let Some(settings) = stored.settings else {
            return Ok(());
        };
        engine::turn(self, &settings, stored.record, &Intent::of(action, cause))
            .await
            .map(drop)
    }

    pub(crate) fn wake(&self, desired_count: Option<u32>) {
        let wake = Wake {
            desired_count,
            ..Wake::default()
        };
        let _ = self.intent(Action::Wake(wake), Cause::Http);
    }

    pub(crate) fn record(&self) -> Record {
        self.table.borrow().groups[&group()]
            .record
            .clone()
            .expect("a record")
    }

    pub(crate) fn scaling(&self) -> ScalingRecord {
        self.record().services[&web()].scaling.clone()
    }

    pub(crate) fn desired(&self) -> u32 {
        let clock = self.clock.borrow();
        clock
            .world
            .service("dev", "web")
            .expect("the service")
            .desired_count
    }
}

/// What an event asks the function for, in the words of [`super::Call`].
pub(crate) fn step_of(event: &Value) -> String {
    let is_scheduled = event["detail-type"] == "Scheduled Event";
    let step = if is_scheduled {
        Some("watch")
    } else {
        event["step"].as_str()
    };
    step.unwrap_or("tick").to_owned()
}

fn config() -> Config {
    dormouse_testkit::config(&[])
}
