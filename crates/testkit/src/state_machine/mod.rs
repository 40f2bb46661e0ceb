//! `statemachines/scale-in.asl.json`, taken state by state. A form of it that is not known here makes the test panic.

mod expression;

use std::ops::Add;
use std::time::Duration;

use serde_json::{Value, json};

use expression::evaluate;

/// The definition of the state machine.
#[derive(Debug)]
pub struct Machine(Value);

/// How a call of the function failed: error and cause, as a state machine sees them.
pub type Failure = (String, String);

/// One execution: where it is, with what, and when it goes on, by a clock of the caller's.
#[derive(Clone, Debug)]
pub struct Execution<T> {
    /// Its name.
    pub name: String,
    /// The state it is in.
    pub state: String,
    /// When it goes on.
    pub due: T,
    /// The states that were entered, in order.
    pub visited: Vec<String>,
    /// How it ended, once it has.
    pub end: Option<End>,
    input: Value,
    /// What was assigned.
    variables: Value,
    /// How often the present state was tried.
    tries: u32,
}

/// How an execution ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// Well, with this output.
    Succeeded(Value),
    /// With this error.
    Failed(String),
    /// Somebody stopped it, or it was lost.
    Aborted,
}

impl Machine {
    /// The definition as it is deployed.
    ///
    /// # Panics
    /// If it is not JSON.
    #[must_use]
    pub fn read() -> Self {
        let text = include_str!("../../../../statemachines/scale-in.asl.json");
        Self(serde_json::from_str(text).expect("JSON"))
    }

    /// An execution in its first state, not entered yet.
    #[must_use]
    pub fn start<T>(&self, name: &str, input: Value, now: T) -> Execution<T> {
        Execution {
            name: name.to_owned(),
            state: word(&self.0, "StartAt"),
            due: now,
            visited: Vec::new(),
            end: None,
            input,
            variables: json!({}),
            tries: 0,
        }
    }

    /// Enters a state. If it calls the function, with what.
    ///
    /// # Panics
    /// If it calls anything else.
    pub fn enter<T: Copy + Add<Duration, Output = T>>(&self, execution: &mut Execution<T>) -> Option<Value> {
        let state = &self.0["States"][&execution.state];
        if execution.tries == 0 {
            execution.visited.push(execution.state.clone());
        }
        if word(state, "Type") != "Task" {
            return None;
        }
        assert_eq!(state["Resource"], "arn:aws:states:::lambda:invoke");
        let arguments = evaluate(&state["Arguments"], &execution.scope(&json!({})));
        assert_eq!(arguments["FunctionName"], "${ScalingDecisionFunctionArn}");
        Some(arguments["Payload"].clone())
    }

    /// Leaves a state that has called the function, or waits to try again.
    pub fn answered<T: Copy + Add<Duration, Output = T>>(
        &self,
        execution: &mut Execution<T>,
        now: T,
        answer: Result<Value, Failure>,
    ) {
        let state = &self.0["States"][&execution.state];
        execution.due = now;
        match answer {
            Ok(payload) => execution.leave(state, &json!({"result": {"Payload": payload}})),
            Err(failure) => execution.fail(state, &failure, now),
        }
    }

    /// Leaves a state that calls nobody.
    ///
    /// # Panics
    /// If its type is not known here.
    pub fn leave<T: Copy + Add<Duration, Output = T>>(&self, execution: &mut Execution<T>, now: T) {
        let state = &self.0["States"][&execution.state];
        execution.due = now;
        match word(state, "Type").as_str() {
            "Pass" => execution.leave(state, &json!({})),
            "Choice" => execution.choose(state),
            "Wait" => {
                let seconds = evaluate(&state["Seconds"], &execution.scope(&json!({})));
                let seconds = seconds.as_u64().expect("seconds to wait");
                execution.leave(state, &json!({}));
                execution.due = now + Duration::from_secs(seconds);
            }
            "Succeed" => execution.leave(&json!({"Output": state["Output"], "End": true}), &json!({})),
            "Fail" => execution.end = Some(End::Failed(word(state, "Error"))),
            other => panic!("{}: type `{other}` is not known to the test", execution.state),
        }
    }
}

impl<T: Copy + Add<Duration, Output = T>> Execution<T> {
    /// What came of it, in one word.
    ///
    /// # Panics
    /// If its output has no outcome.
    #[must_use]
    pub fn outcome(&self) -> &str {
        match &self.end {
            Some(End::Succeeded(output)) => output["outcome"].as_str().expect("an outcome"),
            Some(End::Failed(error)) => error,
            Some(End::Aborted) => "aborted",
            None => "running",
        }
    }

    /// All that what follows depends on: where it is, when it goes on, how often it tried, with what, and what was
    /// assigned.
    #[must_use]
    pub fn place(&self) -> (&str, T, u32, &Value, &Value) {
        (&self.state, self.due, self.tries, &self.input, &self.variables)
    }

    /// The variables that expressions see.
    fn scope(&self, more: &Value) -> Value {
        let mut states = json!({"input": self.input, "context": {"Execution": {"Name": self.name}}});
        extend(&mut states, more);
        let mut scope = self.variables.clone();
        scope["states"] = states;
        scope
    }

    /// Assigns, puts out and goes to the next state, as a state, a rule of a choice or a catcher says.
    fn leave(&mut self, how: &Value, more: &Value) {
        let scope = self.scope(more);
        if let Some(assign) = how.get("Assign") {
            extend(&mut self.variables, &evaluate(assign, &scope));
        }
        if let Some(output) = how.get("Output") {
            self.input = evaluate(output, &scope);
        }
        self.tries = 0;
        if how["End"] == true {
            self.end = Some(End::Succeeded(self.input.clone()));
        } else {
            self.state = word(how, "Next");
        }
    }

    fn choose(&mut self, state: &Value) {
        let scope = self.scope(&json!({}));
        let holds = |rule: &&Value| evaluate(&rule["Condition"], &scope) == json!(true);
        match list(&state["Choices"]).iter().find(holds) {
            Some(rule) => self.leave(rule, &json!({})),
            None => self.leave(&json!({"Next": state["Default"]}), &json!({})),
        }
    }

    /// Tries again, or catches, or fails. Intervals are without jitter, so as long as they may be.
    fn fail(&mut self, state: &Value, (error, cause): &Failure, now: T) {
        let names = |rule: &&Value| {
            list(&rule["ErrorEquals"])
                .iter()
                .any(|name| name == error || name == "States.ALL")
        };
        if let Some(retrier) = list(&state["Retry"]).iter().find(names)
            && u64::from(self.tries) < retrier["MaxAttempts"].as_u64().expect("attempts")
        {
            let number = |field: &str| retrier[field].as_f64().unwrap_or_else(|| panic!("{field}"));
            let interval = number("IntervalSeconds") * number("BackoffRate").powi(self.tries as i32);
            self.tries += 1;
            self.due = now + Duration::from_secs_f64(interval.min(number("MaxDelaySeconds")));
            return;
        }
        match list(&state["Catch"]).iter().find(names) {
            Some(catcher) => {
                let output = json!({"Error": error, "Cause": cause});
                self.leave(catcher, &json!({"errorOutput": &output}));
                self.input = output;
            }
            None => {
                self.tries = 0;
                self.end = Some(End::Failed(error.clone()));
            }
        }
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn word(state: &Value, field: &str) -> String {
    state[field]
        .as_str()
        .unwrap_or_else(|| panic!("no {field} in {state}"))
        .to_owned()
}

fn extend(object: &mut Value, more: &Value) {
    for (name, value) in more.as_object().expect("an object") {
        object[name] = value.clone();
    }
}
