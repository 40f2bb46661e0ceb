//! The functions, called as others call them.

use dormouse_core::config::Config;
use dormouse_core::engine;
use dormouse_core::error::Error;
use dormouse_core::intent::{Action, Cause, Intent, Wake};
use dormouse_core::ports::Store;
use dormouse_core::record::Record;
use dormouse_core::scaling::record::ScalingRecord;
use scaling_decision::handle;
use serde_json::{Value, json};

use super::calls::drive;
use super::{Account, group, web};
use crate::machine::Failure;

impl Account {
    /// Calls the function as the state machine does.
    pub(crate) fn call_function(&self, payload: Value) -> Result<Value, Failure> {
        let step = payload["step"].as_str().unwrap_or("tick").to_owned();
        let answer = self.function(&step, handle(self, &config(), &self.memory, payload, "request"));
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

    /// What the one-minute schedule calls: the function, and the idle decision's engine, to which all is in use.
    pub(crate) fn tick(&self) {
        self.note("tick");
        let _ = self.call_function(json!({"action": "tick"}));
        let _ = self.intent(Action::Tick, Cause::Tick);
    }

    /// Somebody asks something of the group. What fails is told to whoever asked.
    pub(crate) fn intent(&self, action: Action, cause: Cause) -> Result<(), String> {
        self.note(&format!("-- {action:?}"));
        let turn = async {
            let stored = self.load(&group()).await?;
            let Some(settings) = stored.settings else {
                return Ok(());
            };
            engine::turn(self, &settings, stored.record, &Intent { action, cause })
                .await
                .map(drop)
        };
        drive(turn).map_err(|error: Error| error.to_string())
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

fn config() -> Config {
    dormouse_testkit::config(&[])
}
