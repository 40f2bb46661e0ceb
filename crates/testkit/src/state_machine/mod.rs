//! State machines, taken state by state from their files: just what they use of Amazon States Language and JSONata. Any
//! other form is a panic.

mod expression;

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use expression::evaluate;

/// The definition of a state machine.
#[derive(Debug)]
pub struct Machine(Value);

/// How a call of the function failed: error and cause, as a state machine sees them.
pub type Failure = (String, String);

/// One execution: where it is, with what, and when it goes on.
#[derive(Clone, Debug)]
pub struct Execution {
    /// Its name.
    pub name: String,
    /// The state in which it is.
    pub state: String,
    /// When it goes on.
    pub due: Timestamp,
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
    /// With this output.
    Succeeded(Value),
    /// With this error.
    Failed(String),
    /// Somebody stopped it, or it was lost.
    Aborted,
}

impl Machine {
    /// The scale-in, as it is deployed.
    #[must_use]
    pub fn scale_in() -> Self {
        Self::parse(include_str!("../../../../statemachines/scale-in.asl.json"))
    }

    /// The sleep timer, as it is deployed.
    #[must_use]
    pub fn sleep_timer() -> Self {
        Self::parse(include_str!("../../../../statemachines/sleep-timer.asl.json"))
    }

    fn parse(text: &str) -> Self {
        Self(serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}")))
    }

    /// Starts an execution.
    #[must_use]
    pub fn start(&self, name: &str, input: Value, now: Timestamp) -> Execution {
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
    pub fn enter(&self, execution: &mut Execution) -> Option<Value> {
        let state = &self.0["States"][&execution.state];
        if execution.tries == 0 {
            execution.visited.push(execution.state.clone());
        }
        if word(state, "Type") != "Task" {
            return None;
        }
        assert_eq!(state["Resource"], "arn:aws:states:::lambda:invoke");
        let arguments = evaluate(&state["Arguments"], &execution.scope(&json!({})));
        Some(arguments["Payload"].clone())
    }

    /// Leaves a state that has called the function, or waits to try again.
    pub fn answered(&self, execution: &mut Execution, now: Timestamp, answer: Result<Value, Failure>) {
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
    pub fn leave(&self, execution: &mut Execution, now: Timestamp) {
        let state = &self.0["States"][&execution.state];
        execution.due = now;
        match word(state, "Type").as_str() {
            "Pass" => execution.leave(state, &json!({})),
            "Choice" => execution.choose(state),
            "Wait" => {
                let scope = execution.scope(&json!({}));
                let due = match state.get("Timestamp") {
                    Some(at) => moment(&evaluate(at, &scope)).max(now),
                    None => now + Duration::from_secs(whole(&evaluate(&state["Seconds"], &scope))),
                };
                execution.leave(state, &json!({}));
                execution.due = due;
            }
            "Succeed" => {
                let mut end = json!({"End": true});
                if let Some(output) = state.get("Output") {
                    end["Output"] = output.clone();
                }
                execution.leave(&end, &json!({}));
            }
            "Fail" => execution.end = Some(End::Failed(word(state, "Error"))),
            other => panic!("{}: type `{other}` is not known to the test", execution.state),
        }
    }
}

impl Execution {
    /// What came of it, in one word.
    #[must_use]
    pub fn outcome(&self) -> &str {
        match &self.end {
            Some(End::Succeeded(output)) => output["outcome"].as_str().unwrap_or_default(),
            Some(End::Failed(error)) => error,
            Some(End::Aborted) => "aborted",
            None => "running",
        }
    }

    /// All that what follows depends on: where it is, when it goes on, how often it tried, with what, and what was
    /// assigned.
    #[must_use]
    pub fn place(&self) -> (&str, Timestamp, u32, &Value, &Value) {
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
    fn fail(&mut self, state: &Value, (error, cause): &Failure, now: Timestamp) {
        let names = |rule: &&Value| {
            list(&rule["ErrorEquals"])
                .iter()
                .any(|name| name == error || name == "States.ALL")
        };
        if let Some(retrier) = list(&state["Retry"]).iter().find(names)
            && u64::from(self.tries) < whole(&retrier["MaxAttempts"])
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

fn whole(value: &Value) -> u64 {
    value
        .as_u64()
        .unwrap_or_else(|| panic!("{value} is not a whole number"))
}

fn moment(value: &Value) -> Timestamp {
    value
        .as_str()
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| panic!("{value} is not a moment"))
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
    for (name, value) in more.as_object().into_iter().flatten() {
        object[name] = value.clone();
    }
}
