//! Events on their way to functions: some are lost, come late or twice, and those that fail come again.

use std::time::Duration;

use dormouse_core::sessions::Message;
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::faults::Kind;
use crate::sim::{Ended, Sim, Target};

/// An asynchronous invocation that failed is repeated after these times (AWS Lambda Developer Guide, "Error handling for
/// asynchronous invocation").
const AGAIN_AFTER: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(120)];
/// When the queue delivers a message again (`VisibilityTimeout` in template.yaml), and how often at most.
const VISIBLE_AGAIN: Duration = Duration::from_secs(180);
const RECEIVES: u32 = 5;

impl Sim {
    fn strikes(&self, kind: Kind, name: &str) -> bool {
        let rate = self.cloud.script.faults.rate(kind);
        let mut dice = Dice::of(self.cloud.script.seed, &format!("{kind:?} {name}"));
        let strikes = dice.per_mille(rate) && !self.cloud.is_calm.get();
        if strikes {
            self.cloud.count(kind);
            self.cloud.note(format!("   * {kind:?}: {name}"));
        }
        strikes
    }

    /// How often an event comes, and when.
    fn arrivals(&mut self, name: &str, may_be_lost: bool, after: Duration) -> Vec<Duration> {
        let name = self.name(name);
        let mut times = Vec::new();
        if !may_be_lost || !self.strikes(Kind::LoseEvent, &name) {
            times.push(after);
        }
        let mut dice = Dice::of(self.cloud.script.seed, &name);
        if self.strikes(Kind::RepeatEvent, &name) {
            times.push(after + dice.millis(0, 90_000));
        }
        if self.strikes(Kind::DelayEvent, &name) {
            for time in &mut times {
                *time += dice.millis(1000, 120_000);
            }
        }
        times
    }

    /// Sends an event that is invoked asynchronously.
    pub(crate) fn send(&mut self, target: Target, name: &str, event: Value, may_be_lost: bool) {
        for after in self.arrivals(&format!("event {name}"), may_be_lost, Duration::from_millis(100)) {
            let (name, event) = (name.to_owned(), event.clone());
            self.plan(after, move |sim| sim.attempt(target, name, event, 0));
        }
    }

    fn attempt(&mut self, target: Target, name: String, event: Value, attempt: usize) {
        let again = event.clone();
        self.invoke(target, &name.clone(), event, move |sim, outcome| {
            if outcome.is_ok() {
                return;
            }
            match AGAIN_AFTER.get(attempt) {
                Some(after) => sim.plan(*after, move |sim| sim.attempt(target, name, again, attempt + 1)),
                None => sim.dead_letter(&name, &again),
            }
        });
    }

    fn dead_letter(&mut self, name: &str, event: &Value) {
        self.cloud.note(format!("-- {name} is kept as a dead letter"));
        if let Some(job) = event.pointer("/CodePipeline.job/id").and_then(Value::as_str) {
            self.cloud.truth.borrow_mut().jobs.remove(job);
        }
    }

    /// Both ticks of each minute.
    pub(crate) fn tick_each_minute(&mut self) {
        self.plan(Duration::from_secs(60), Self::tick_each_minute);
        self.tick();
    }

    pub(crate) fn tick(&mut self) {
        let event = json!({"detail-type": "Scheduled Event", "source": "aws.events", "detail": {}});
        let minute = self.cloud.second() / 60;
        self.send(Target::AutoSleep, &format!("tick {minute}"), event.clone(), true);
        self.send(Target::Scaling, &format!("tick {minute}"), event, true);
    }

    /// EventBridge tells of a task.
    pub(crate) fn task_changed(&mut self, event: Value) {
        let name = format!("task {}", event["detail"]["group"].as_str().unwrap_or_default());
        self.send(Target::AutoSleep, &name, event, true);
    }

    /// An app reports something of its sessions, into the queue.
    pub(crate) fn report(&mut self, message: &Value) {
        if let Ok(report) = Message::parse(message) {
            let mut truth = self.cloud.truth.borrow_mut();
            truth
                .reported
                .entry(report.task.clone())
                .or_default()
                .apply(&report);
        }
        let task = message["task_arn"]
            .as_str()
            .unwrap_or_default()
            .rsplit('/')
            .next();
        let name = format!("report of {}", task.unwrap_or_default());
        let body = message.to_string();
        for after in self.arrivals(&format!("event {name}"), false, Duration::from_secs(1)) {
            let (name, body) = (name.clone(), body.clone());
            self.plan(after, move |sim| sim.receive(name, body, 1));
        }
    }

    fn receive(&mut self, name: String, body: String, receives: u32) {
        let event = json!({"Records": [{"messageId": "m", "body": body}]});
        self.invoke(Target::Ingest, &name.clone(), event, move |sim, outcome| {
            let kept = matches!(&outcome, Ok(answer) if answer["batchItemFailures"] == json!([]));
            if kept {
                return;
            }
            if receives < RECEIVES {
                sim.plan(VISIBLE_AGAIN, move |sim| sim.receive(name, body, receives + 1));
            } else {
                // Whoever looks after the dead-letter queue sends it again once all is well.
                sim.cloud.note(format!("-- {name} is kept as a dead letter"));
                let now = sim.cloud.second();
                let calm = Duration::from_secs(sim.cloud.script.calm_from.saturating_sub(now));
                sim.plan(calm + VISIBLE_AGAIN, move |sim| sim.receive(name, body, 1));
            }
        });
    }

    /// A pipeline's job goes on.
    pub(crate) fn continue_job(&mut self, job: String, token: String) {
        self.plan(Duration::from_secs(30), move |sim| {
            let parameters = sim.cloud.truth.borrow().job_parameters.get(&job).cloned();
            let event = job_event(&job, parameters.as_deref(), Some(&token));
            sim.send(Target::Wake, &format!("job {job}"), event, false);
        });
    }

    /// A pipeline's stage calls.
    pub(crate) fn begin_job(&mut self, group: &str, waits: bool) {
        let job = self.name("job");
        self.cloud.truth.borrow_mut().jobs.insert(job.clone());
        let parameters = json!({"group": group, "wait": waits}).to_string();
        let event = job_event(&job, Some(&parameters), None);
        self.cloud
            .truth
            .borrow_mut()
            .job_parameters
            .insert(job.clone(), parameters);
        self.send(Target::Wake, &format!("job {job}"), event, false);
    }

    /// Calls a function and waits for its answer, and asks again if there is none.
    pub(crate) fn call(&mut self, name: String, event: Value, attempts: u32) {
        let again = event.clone();
        self.invoke(Target::Wake, &name.clone(), event, move |sim, outcome| {
            if let Err(Ended::Failed(error)) = &outcome {
                sim.cloud.note(format!("   {name} is told: {error}"));
            }
            if outcome.is_err() && attempts > 1 {
                sim.plan(Duration::from_secs(5), move |sim| {
                    sim.call(name, again, attempts - 1)
                });
            }
        });
    }
}

fn job_event(job: &str, parameters: Option<&str>, token: Option<&str>) -> Value {
    let mut event = dormouse_testkit::event("codepipeline-job.json");
    event["CodePipeline.job"]["id"] = json!(job);
    let data = &mut event["CodePipeline.job"]["data"];
    if let Some(parameters) = parameters {
        data["actionConfiguration"]["configuration"]["UserParameters"] = json!(parameters);
    }
    if let Some(token) = token {
        data["continuationToken"] = json!(token);
    }
    event
}
