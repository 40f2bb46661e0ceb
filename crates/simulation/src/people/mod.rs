//! What people do.

mod visit;

use std::time::Duration;

use base64::Engine as _;
use dormouse_core::ids::{GroupName, ServiceId};
use fargate_sim::model::Millis;
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use std::io::Write as _;

use crate::cloud::{Cloud, Use, service_id};
use crate::dice::Dice;
use crate::script::Happening;
use crate::sim::{Sim, Target};

impl Sim {
    /// Lets something happen.
    pub(crate) fn lets(&mut self, happening: &Happening) {
        self.cloud.note(format!("-- {happening:?}"));
        match happening.clone() {
            Happening::Visit {
                group,
                browser,
                stays,
            } => self.visit(&group, browser, stays),
            Happening::Call {
                group,
                action,
                minutes,
            } => {
                let mut event = json!({"group": group, "action": action});
                if let Some(minutes) = minutes {
                    event["for"] = json!(format!("{minutes}m"));
                }
                if action == "sleep"
                    && let Ok(name) = GroupName::parse(&group)
                {
                    self.cloud.sleep_is_called(&name);
                }
                self.call(format!("{action} {group}"), event, 6);
            }
            Happening::Alarm(service) => self.alarm(&service_id(&service)),
            Happening::LogLine(service) => self.log_line(&service_id(&service)),
            Happening::Job { group, waits } => self.begin_job(&group, waits),
            Happening::SetCount(service, count) => self.cloud.set_by_hand(&service_id(&service), count),
            Happening::Deploy(service) => {
                let service = service_id(&service);
                self.cloud.meddle(&service);
                let _ = self
                    .cloud
                    .update(&service, |input| input.force_new_deployment = true);
            }
            Happening::Crash(service) => {
                let service = service_id(&service);
                if let Some(task) = self.cloud.alive(&service).first() {
                    self.cloud.meddle(&service);
                    self.cloud.crash(&task.id);
                }
            }
            Happening::StopTask(service) => {
                let service = service_id(&service);
                if let Some(task) = self.cloud.alive(&service).last() {
                    self.cloud.meddle(&service);
                    let mut model = self.cloud.model.borrow_mut();
                    let now = model.now;
                    let _ = model.world.stop_task(now, &service.cluster, &task.id.0, None);
                }
            }
            Happening::BadTag(service) => self.cloud.tag(&service, "idle-after", "soon"),
            Happening::NoCapacity(seconds) => {
                self.cloud.no_capacity();
                self.plan(Duration::from_secs(seconds), |sim| sim.cloud.capacity());
            }
            Happening::Cpu(service, percent) => self.cloud.set_cpu(&service_id(&service), percent),
            Happening::Tick => {
                // By another instance, too.
                self.lose_memory();
                self.tick();
            }
        }
    }

    /// An alarm of a service's target group.
    fn alarm(&mut self, service: &ServiceId) {
        let group = {
            let model = self.cloud.model.borrow();
            let found = model.world.service(&service.cluster, &service.name);
            let balancer = found.and_then(|service| service.load_balancers.first().cloned());
            balancer.map(|balancer| balancer.target_group_arn)
        };
        let Some(group) = group else { return };
        let dimension = group.rsplit(':').next().unwrap_or_default().to_owned();
        let message = json!({
            "AlarmName": "asked-for",
            "NewStateValue": "ALARM",
            "NewStateReason": "Threshold Crossed",
            "Trigger": {
                "MetricName": "HTTPCode_ELB_503_Count",
                "Namespace": "AWS/ApplicationELB",
                "Dimensions": [{"name": "TargetGroup", "value": dimension}],
            },
        });
        let mut event = dormouse_testkit::event("sns-alarm.json");
        event["Records"][0]["Sns"]["Message"] = json!(message.to_string());
        self.send(Target::Wake, &format!("alarm {service}"), event, false);
    }

    /// A line in a service's log, which its subscription tells of.
    fn log_line(&mut self, service: &ServiceId) {
        let group = self
            .cloud
            .scene_of(service)
            .and_then(|scene| scene.tag("log-group"));
        let Some(group) = group.map(str::to_owned) else {
            return;
        };
        let now = self.cloud.now();
        let mut dice = Dice::of(self.cloud.script.seed, &format!("line {service} {}", now.0));
        let shown = Use {
            at: now,
            visible: now + dice.millis(1000, 50_000),
        };
        self.cloud.truth.borrow_mut().used(service, "logs", shown);
        let event = subscription(&group, now);
        self.send(Target::Logs, &format!("line {service}"), event, true);
    }
}

/// A batch with one line, as a subscription sends it.
fn subscription(group: &str, at: Millis) -> Value {
    let batch = json!({
        "messageType": "DATA_MESSAGE",
        "owner": "000000000000",
        "logGroup": group,
        "logStream": "app",
        "subscriptionFilters": ["dormouse"],
        "logEvents": [{"id": "1", "timestamp": at.0, "message": "GET /reports/7 200"}],
    });
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    let written = packed.write_all(batch.to_string().as_bytes());
    let packed = written.and_then(|()| packed.finish()).unwrap_or_default();
    json!({"awslogs": {"data": base64::engine::general_purpose::STANDARD.encode(packed)}})
}

impl Cloud {
    fn no_capacity(&self) {
        let mut model = self.model.borrow_mut();
        let now = model.now;
        model.world.set_capacity(now, false);
        drop(model);
        self.ours().for_each(|(_, service)| self.meddle(&service));
    }

    /// Fargate has capacity again.
    pub(crate) fn capacity(&self) {
        let mut model = self.model.borrow_mut();
        let now = model.now;
        model.world.set_capacity(now, true);
        drop(model);
        self.ours().for_each(|(_, service)| self.meddle(&service));
    }

    /// The CPU utilization of a service from now on.
    pub(crate) fn set_cpu(&self, service: &ServiceId, percent: u32) {
        let now = self.now();
        let mut truth = self.truth.borrow_mut();
        let set = truth.cpu.entry(service.clone()).or_default();
        set.push((now, f64::from(percent)));
    }

    /// Mends the tags that somebody broke.
    pub(crate) fn mend_tags(&self) {
        for (scene, _) in self.ours() {
            if let Some(idle_after) = scene.tag("idle-after") {
                self.tag(&scene.name, "idle-after", idle_after);
            }
        }
    }
}
