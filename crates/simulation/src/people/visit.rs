//! Somebody who opens a group, waits until it is there, uses it and leaves.

use std::time::Duration;

use dormouse_core::ids::{GroupName, ServiceId};
use fargate_sim::model::{Load, Millis, RequestLine, Route, Task};
use serde_json::{Value, json};

use crate::cloud::{Cloud, Use, moment, service_id};
use crate::dice::Dice;
use crate::function::whose;
use crate::sim::{Outcome, Sim, Target};

/// Between one question and the next.
const ASKS_EVERY: Duration = Duration::from_secs(5);
/// Nobody waits any longer.
const PATIENCE: Duration = Duration::from_secs(600);
/// A look may be shared for so long, and is of a moment before it ends (`core/src/look.rs`), and what ECS tells may be
/// older.
const AS_SEEN: Duration = Duration::from_secs(20);
/// Between one request to the app and the next.
const USES_EVERY: Duration = Duration::from_secs(20);

/// A visitor.
#[derive(Clone, Debug)]
pub(super) struct Visitor {
    name: String,
    group: GroupName,
    /// The service whose own address is opened, if it is not the wake address.
    front: Option<ServiceId>,
    browser: bool,
    came: Millis,
    stays: Duration,
}

impl Visitor {
    /// The id of their session.
    fn session(&self) -> String {
        self.name.replace([' ', '#'], "-")
    }
}

impl Sim {
    pub(super) fn visit(&mut self, group: &str, browser: bool, stays: u64) {
        let name = self.name(&format!("visitor of {group}"));
        let Ok(group) = GroupName::parse(group) else {
            return;
        };
        let theirs = self.cloud.services_of(&group);
        let mut ours = self.cloud.ours();
        let fronted = ours.find(|(scene, id)| theirs.contains(id) && scene.is_fronted());
        let front = fronted.map(|(_, id)| id).filter(|_| browser);
        drop(ours);
        let visitor = Visitor {
            front,
            name,
            group,
            browser,
            came: self.cloud.now(),
            stays: Duration::from_secs(stays),
        };
        self.cloud.truth.borrow_mut().visitors += 1;
        self.ask(visitor);
    }

    fn ask(&mut self, visitor: Visitor) {
        if self.cloud.age(visitor.came) > PATIENCE {
            self.cloud.note(format!("-- {} gives up", visitor.name));
            return self.cloud.is_gone();
        }
        let name = visitor.name.clone();
        let event = match &visitor.front {
            None => api_request(&visitor),
            Some(service) => match self.cloud.knock(service, "/reports/7") {
                Answer::App => {
                    let service = service.clone();
                    return self.arrive(visitor, &service);
                }
                Answer::Wake(event) => event,
                Answer::Nobody => return self.plan(ASKS_EVERY, move |sim| sim.ask(visitor)),
            },
        };
        let begun = self.cloud.now();
        self.invoke(Target::Wake, &name, event, move |sim, outcome| {
            sim.hear(visitor, begun, outcome);
        });
    }

    fn hear(&mut self, visitor: Visitor, begun: Millis, outcome: Outcome) {
        let answer = outcome.ok().unwrap_or_default();
        let location = answer.pointer("/headers/location").and_then(Value::as_str);
        if answer["statusCode"] == 307
            && let Some(location) = location
        {
            let host = location.strip_prefix("https://").unwrap_or(location);
            let service = service_id(host.split('.').next().unwrap_or_default());
            let ready_at = self.cloud.ready_at(&service);
            let is_ready = ready_at.is_some_and(|at| at + AS_SEEN >= begun);
            self.cloud.check(3, is_ready, || {
                format!(
                    "{} was sent to {location}, which answered last {ready_at:?}",
                    visitor.name
                )
            });
            let theirs = self.cloud.services_of(&visitor.group);
            self.cloud.check(3, theirs.contains(&service), || {
                format!(
                    "{} was sent to {location}, which is not of {}",
                    visitor.name, visitor.group
                )
            });
            return self.arrive(visitor, &service);
        }
        if visitor.front.is_none() && !answer.is_null() {
            // A wake that is answered is a wake that is kept, unless somebody refuses it.
            let asked = match answer["statusCode"].as_u64() {
                Some(200) => true,
                Some(503) => tells_of_a_wake(&answer),
                _ => false,
            };
            let kept = self.cloud.is_kept_asleep(&visitor.group);
            if asked && !kept {
                self.cloud.wakes_are_promised(&visitor.group);
            }
        }
        self.plan(ASKS_EVERY, move |sim| sim.ask(visitor));
    }

    /// The app answers: it is used from now on.
    fn arrive(&mut self, visitor: Visitor, service: &ServiceId) {
        let mut tasks = self.cloud.answering(service);
        if tasks.is_empty() {
            return self.plan(ASKS_EVERY, move |sim| sim.ask(visitor));
        }
        let mut dice = Dice::of(self.cloud.script.seed, &visitor.name);
        let task = tasks.swap_remove(dice.below(tasks.len() as u64) as usize);
        self.cloud.note(format!("-- {} is at {service}", visitor.name));
        let now = self.cloud.now();
        let leaves = now + visitor.stays;
        self.begin_use(&visitor, service, &task);
        let (service, task) = (service.clone(), task);
        self.go_on_using(visitor, service, task, leaves);
    }

    fn begin_use(&mut self, visitor: &Visitor, service: &ServiceId, task: &Task) {
        let listens = |signal: &str| {
            self.cloud
                .scene_of(service)
                .is_some_and(|scene| scene.listens_to(signal))
        };
        let (sessions, protects, connects) =
            (listens("sessions"), listens("protection"), listens("connections"));
        let now = self.cloud.now();
        if sessions && !visitor.stays.is_zero() {
            let mut truth = self.cloud.truth.borrow_mut();
            truth.begin_session(&task.id.0, &visitor.session(), now);
            drop(truth);
            self.tell_session(visitor, task, "started");
        }
        if protects && !visitor.stays.is_zero() {
            let minutes = visitor.stays.as_secs() as u32 / 60 + 1;
            let until = now + Duration::from_secs(u64::from(minutes) * 60);
            self.cloud.truth.borrow_mut().app_protects(&task.id.0, now, until);
            let _ = self
                .cloud
                .protect(&task.cluster, std::slice::from_ref(&task.id.0), Some(minutes));
        }
        if connects && !visitor.stays.is_zero() {
            self.cloud.connect(task, 1);
        }
    }

    fn go_on_using(&mut self, visitor: Visitor, service: ServiceId, task: Task, leaves: Millis) {
        let is_there = self.cloud.alive(&service).iter().any(|alive| alive.id == task.id);
        let now = self.cloud.now();
        if is_there {
            self.cloud.use_once(&service);
            let listens = self
                .cloud
                .scene_of(&service)
                .is_some_and(|scene| scene.listens_to("logs"));
            if listens {
                self.log_line(&service);
            }
        }
        if is_there && now < leaves {
            return self.plan(USES_EVERY, move |sim| {
                sim.go_on_using(visitor, service, task, leaves)
            });
        }
        self.cloud.note(format!("-- {} leaves {service}", visitor.name));
        self.cloud.is_gone();
        self.cloud.connect(&task, -1);
        let had_session = self
            .cloud
            .truth
            .borrow_mut()
            .end_session(&task.id.0, &visitor.session());
        if had_session {
            self.tell_session(&visitor, &task, "ended");
        }
    }

    fn tell_session(&mut self, visitor: &Visitor, task: &Task, event: &str) {
        let message = json!({
            "task_arn": task.arn,
            "session_id": visitor.session(),
            "event": event,
            "at": self.cloud.now().0,
        });
        self.report(&message);
    }
}

/// Who answers at an app's own address.
enum Answer {
    App,
    /// The wake function, which gets this event.
    Wake(Value),
    Nobody,
}

impl Cloud {
    /// A request to the address of a fronted service, which must always be answered.
    fn knock(&self, service: &ServiceId, path: &str) -> Answer {
        let balancer = {
            let model = self.model.borrow();
            let name = format!("lb-{}", service.name);
            let mut balancers = model.world.load_balancers();
            balancers.find(|b| b.name == name).map(|b| b.arn.clone())
        };
        let request = RequestLine {
            path: path.to_owned(),
            ..RequestLine::default()
        };
        let route = self.route(&balancer.unwrap_or_default(), &request);
        match &route {
            Some(Route::Lambda { target_group, .. }) => {
                let group = whose(self, target_group, &request);
                let theirs = group
                    .as_ref()
                    .is_some_and(|group| self.services_of(group).contains(service));
                self.check(9, theirs, || {
                    format!("the wake function takes a request for {service} for one of {group:?}")
                });
                Answer::Wake(balanced_request(target_group, path))
            }
            Some(route) if self.app_answers(route) => Answer::App,
            other => {
                let excused = self.is_meddled(service) || self.is_switched_off(service);
                self.check(9, excused, || {
                    format!("the address of {service} is answered by {other:?}")
                });
                Answer::Nobody
            }
        }
    }

    /// Asks at all addresses that must always answer.
    pub(crate) fn knock_everywhere(&self) {
        let fronted: Vec<ServiceId> = self
            .ours()
            .filter(|(scene, _)| scene.is_fronted())
            .map(|(_, id)| id)
            .collect();
        for service in fronted {
            self.knock(&service, "/");
            self.knock(&service, "/reports/1");
        }
    }

    fn is_gone(&self) {
        self.truth.borrow_mut().visitors -= 1;
    }

    fn use_once(&self, service: &ServiceId) {
        let now = self.now();
        let shown = Use {
            at: now,
            // A minute is known a minute after its end.
            visible: Millis((now.0 / 60_000 + 2) * 60_000),
        };
        self.truth.borrow_mut().used(service, "requests", shown);
    }

    fn connect(&self, task: &Task, by: i64) {
        let mut model = self.model.borrow_mut();
        let now = model.now;
        let before = model.world.task(&task.id).map_or(0, |task| task.load.connections);
        let connections = before.saturating_add_signed(by);
        let load = Load {
            connections,
            ..Load::default()
        };
        model.world.report_load(&task.id, load);
        let mut truth = self.truth.borrow_mut();
        truth.connect(&task.id.0, connections > 0, now);
    }

    fn is_kept_asleep(&self, group: &GroupName) -> bool {
        let (table, now) = (self.table.borrow(), moment(self.now()));
        let until = table.record(group).and_then(|record| record.asleep_until);
        // Clocks differ, and what is told may be a moment old.
        until.is_some_and(|until| until.as_second() + 30 > now.as_second())
    }
}

/// A request to the wake address, as API Gateway sends it.
fn api_request(visitor: &Visitor) -> Value {
    let accept = if visitor.browser { "text/html" } else { "*/*" };
    let path = format!("/{}/reports/7", visitor.group);
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": if visitor.browser { "" } else { "wait=3" },
        "headers": {"accept": accept, "user-agent": "Mozilla/5.0", "host": "wake.example.com"},
        "queryStringParameters": if visitor.browser { json!({}) } else { json!({"wait": "3"}) },
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "api",
            "domainName": "wake.example.com",
            "domainPrefix": "wake",
            "http": {
                "method": "GET",
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "198.51.100.23",
                "userAgent": "Mozilla/5.0",
            },
            "requestId": visitor.name,
            "routeKey": "$default",
            "stage": "$default",
            "time": "15/Jan/2027:08:00:00 +0000",
            "timeEpoch": 1_800_000_000_000_u64,
        },
        "isBase64Encoded": false,
    })
}

/// A request to an app's own address, as a load balancer sends it to the wake function.
fn balanced_request(target_group: &str, path: &str) -> Value {
    json!({
        "requestContext": {"elb": {"targetGroupArn": target_group}},
        "httpMethod": "GET",
        "path": path,
        "queryStringParameters": {},
        "headers": {
            "accept": "text/html",
            "host": "localhost",
            "user-agent": "Mozilla/5.0",
            "x-forwarded-for": "198.51.100.23",
            "x-forwarded-port": "80",
            "x-forwarded-proto": "http",
        },
        "body": "",
        "isBase64Encoded": false,
    })
}

impl Sim {
    /// Somebody asks now and then at all addresses that must always answer.
    pub(crate) fn knock_now_and_then(&mut self) {
        self.plan(Duration::from_secs(7), Self::knock_now_and_then);
        self.cloud.knock_everywhere();
    }
}

/// Whether an answer that it is not ready says that it wakes, and not that AWS could not be asked.
fn tells_of_a_wake(answer: &Value) -> bool {
    let body = answer["body"].as_str().unwrap_or_default();
    let status: Value = serde_json::from_str(body).unwrap_or_default();
    matches!(status["phase"].as_str(), Some("waking" | "awake"))
}
