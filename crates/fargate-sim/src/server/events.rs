//! Hands task state changes to the targets of the rules made for them.
//!
//! Nobody can put events with a source of AWS's own: PutEvents refuses them, on AWS and on the stack. So they take the
//! way here that the default event bus would give them: to every target of every enabled rule whose pattern matches.
//! EventBridge tries for 24 hours to deliver ("How EventBridge retries delivering events"); here a delivery is tried
//! once, in the order of the changes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::Shared;
use super::stack::Stack;
use crate::protocol::EventPattern;

/// Rules are asked for again after this, so that a new one holds within seconds, as on AWS.
const RULES_KEPT: Duration = Duration::from_secs(2);

/// A rule that is in force.
struct Rule {
    name: String,
    pattern: EventPattern,
    targets: Vec<Value>,
}

/// The rules of the default event bus, as of a moment ago.
struct Rules {
    stack: Stack,
    known: Vec<Rule>,
    asked: Option<Instant>,
}

/// What went wrong last, so that it is told once and not with every event.
#[derive(Default)]
struct Complaints(Vec<String>);

/// Delivers events one after the other as they come in.
pub(super) async fn deliver(shared: Arc<Shared>, mut events: mpsc::UnboundedReceiver<Value>) {
    let Some(stack) = shared.stack.clone() else {
        return;
    };
    let mut rules = Rules {
        stack,
        known: Vec::new(),
        asked: None,
    };
    let mut complaints = Complaints::default();
    while let Some(event) = events.recv().await {
        let failures = rules.hand_out(&event).await;
        complaints.tell(failures);
    }
}

impl Rules {
    /// Invokes the targets of all rules that match; what could not be done.
    async fn hand_out(&mut self, event: &Value) -> Vec<String> {
        let mut failures = Vec::new();
        if self.asked.is_none_or(|at| at.elapsed() > RULES_KEPT) {
            match self.ask(&mut failures).await {
                Ok(known) => (self.known, self.asked) = (known, Some(Instant::now())),
                Err(why) => return vec![format!("the rules are not known: {why}")],
            }
        }
        for rule in self.known.iter().filter(|r| r.pattern.matches(event)) {
            for target in &rule.targets {
                if let Err(why) = self.invoke(target, event).await {
                    failures.push(format!("rule {}: {why}", rule.name));
                }
            }
        }
        failures
    }

    /// Enabled rules of the default bus with a pattern; schedules have none. Rules whose pattern cannot be used are
    /// left out with a failure.
    async fn ask(&self, failures: &mut Vec<String>) -> Result<Vec<Rule>, String> {
        let stack = &self.stack;
        let mut known = Vec::new();
        for rule in stack.event_bridge_list("ListRules", json!({}), "Rules").await? {
            let (Some(name), Some(pattern)) = (rule["Name"].as_str(), rule["EventPattern"].as_str()) else {
                continue;
            };
            // There is also ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS.
            if !rule["State"].as_str().is_some_and(|s| s.starts_with("ENABLED")) {
                continue;
            }
            match EventPattern::parse(pattern) {
                Ok(pattern) => known.push(Rule {
                    name: name.into(),
                    pattern,
                    targets: stack
                        .event_bridge_list("ListTargetsByRule", json!({"Rule": name}), "Targets")
                        .await?,
                }),
                Err(why) => failures.push(format!("rule {name}: {why}")),
            }
        }
        Ok(known)
    }

    /// Invokes one target with its own input, or else with the event.
    async fn invoke(&self, target: &Value, event: &Value) -> Result<(), String> {
        let arn = target["Arn"].as_str().unwrap_or_default();
        if !arn.contains(":lambda:") {
            return Err(format!(
                "the target {arn} is not a function, and others are not simulated"
            ));
        }
        for shape in ["InputPath", "InputTransformer"] {
            if !target[shape].is_null() {
                return Err(format!("the target {arn} has an {shape}, which is not simulated"));
            }
        }
        let input = target["Input"].as_str();
        let input = input.map_or_else(|| event.to_string(), str::to_string);
        self.stack.invoke(arn, input).await
    }
}

impl Complaints {
    /// Tells what is new, and forgets what is over.
    fn tell(&mut self, failures: Vec<String>) {
        for new in failures.iter().filter(|f| !self.0.contains(f)) {
            eprintln!("fargate-sim: a task state change is not delivered: {new}");
        }
        self.0 = failures;
    }
}
