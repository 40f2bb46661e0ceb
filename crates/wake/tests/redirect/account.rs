//! An account whose stages take random times: the model of ECS and ELB, and beside it the world in memory for the table and
//! all else. What is truly so is read from the model, and never from what Dormouse believes.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use dormouse_core::ports::Clock as _;
use dormouse_testkit::{START, World as Memory, config, event};
use fargate_sim::model::{
    Action, Answer, Config, CreateListener, CreateLoadBalancer, CreateService, CreateTargetGroup, Effect,
    HealthCheck, HealthStatus, Millis, ProbeOutcome, ServiceKey, ServiceLoadBalancer, Stage, TargetState,
    Task, TaskId, UpdateService, VirtualClock, World,
};
use serde_json::{Value, json};

use crate::look::{self, PORT};

/// By what a service is known to be ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Its target in a target group.
    Balanced,
    /// Its container health check.
    Checked,
    /// Its probe path.
    Probed,
}

/// A service of the group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) needs: Option<&'static str>,
}

/// When each task's app begins to answer, after it runs.
#[derive(Default)]
struct Apps {
    /// The moment that the model is at.
    now: Millis,
    /// How long the next ones take at least and at most, in milliseconds.
    warm_up: (u64, u64),
    of_tasks: HashMap<TaskId, Duration>,
}

impl Apps {
    fn answers(&self, task: &Task, now: Millis) -> bool {
        let up_at = self.up_at(task);
        task.stage == Stage::Running && up_at.is_some_and(|at| at <= now)
    }

    fn up_at(&self, task: &Task) -> Option<Millis> {
        Some(task.started_at? + *self.of_tasks.get(&task.id)?)
    }
}

type Outside = Box<dyn FnMut(&World, &Effect) -> Option<Answer>>;

pub(crate) struct Account {
    parts: Vec<Part>,
    model: RefCell<VirtualClock<Outside>>,
    apps: Rc<RefCell<Apps>>,
    memory: Memory,
    config: dormouse_core::config::Config,
    pub(crate) page_event: Value,
    pub(crate) status_event: Value,
    sleep_event: Value,
    random: RefCell<fastrand::Rng>,
}

impl Account {
    /// The services are asleep.
    pub(crate) fn new(parts: &[Part], mut random: fastrand::Rng) -> Self {
        let start = Millis(u64::try_from(START).expect("seconds") * 1000);
        let mut world = World::new(Config::default());
        world.create_cluster(start, Some("dev"), &[]).expect("a cluster");
        let memory = Memory::default();
        for part in parts {
            create(&mut world, start, part, &mut random);
            memory.add(
                &format!("dev/{}", part.name),
                &[("dormouse:group", "dev"), ("dormouse:idle-after", "1h")],
                0,
            );
            if let Some(needs) = part.needs {
                memory.tag(&format!("dev/{}", part.name), "dormouse:needs", needs);
            }
        }
        let apps = Rc::new(RefCell::new(Apps::default()));
        let outside = outside(Rc::clone(&apps), random.fork());
        Self {
            parts: parts.to_vec(),
            model: RefCell::new(VirtualClock::new(world, start, outside)),
            apps,
            memory,
            config: config(&[]),
            page_event: event("http-api-browser.json"),
            status_event: event("http-api-status.json"),
            sleep_event: event("direct-sleep.json"),
            random: RefCell::new(random),
        }
    }

    /// Draws how long everything takes from now on.
    pub(crate) fn draw(&self) {
        let mut random = self.random.borrow_mut();
        let mut millis = |low: u64, high: u64| Duration::from_millis(random.u64(low..high));
        let timing = &mut self.model.borrow_mut().world.config.timing;
        timing.scheduler = millis(200, 4_000);
        timing.provisioning = millis(5_000, 40_000);
        timing.pulling = millis(1_000, 60_000);
        timing.activating = millis(200, 8_000);
        self.apps.borrow_mut().warm_up = (0, millis(1, 30_000).as_millis() as u64);
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.model.borrow().now.0
    }

    /// Calls the wake function at this very moment.
    pub(crate) async fn handle(&self, event: &Value) -> Value {
        let look = |part: &Part| {
            let model = self.model.borrow();
            let apps = self.apps.borrow();
            look::service(&model.world, part.name, |task| apps.answers(task, model.now))
        };
        for part in &self.parts {
            let id = format!("dev/{}", part.name);
            self.memory.change(&id, |state| *state = look(part));
        }
        let answer = wake::handle(&self.memory, &self.config, event.clone(), "request").await;
        self.catch_up();
        let mut model = self.model.borrow_mut();
        let now = model.now;
        for part in &self.parts {
            let desired = self.memory.desired(&format!("dev/{}", part.name));
            let before = model.world.service("dev", part.name).expect("a service");
            if before.desired_count != desired {
                let input = UpdateService {
                    cluster: Some("dev".into()),
                    service: part.name.into(),
                    desired_count: Some(desired.into()),
                    ..UpdateService::default()
                };
                model.world.update_service(now, input).expect("UpdateService");
            }
        }
        answer.expect("an answer")
    }

    /// Lets the time pass in the model that a request waited for the look of another one.
    fn catch_up(&self) {
        let end = u64::try_from(self.memory.now().as_millisecond()).expect("after the epoch");
        while self.now_ms() < end {
            self.pass_in_model(end);
        }
    }

    /// Lets time pass until something happens in the model or an app comes up, or to the end.
    pub(crate) async fn pass_to_next(&self, end: u64) {
        let length = self.pass_in_model(end);
        self.memory.pause(length).await;
    }

    fn pass_in_model(&self, end: u64) -> Duration {
        let mut model = self.model.borrow_mut();
        let now = model.now;
        self.apps.borrow_mut().now = now;
        model.run(Duration::ZERO);
        let next = {
            let (apps, tasks) = (self.apps.borrow(), model.world.tasks());
            let ups = tasks.iter().filter_map(|task| apps.up_at(task));
            let next = model.world.next_due().into_iter().chain(ups);
            next.filter(|at| *at > now).min().map_or(end, |at| at.0.min(end))
        };
        self.apps.borrow_mut().now = Millis(next);
        let length = Duration::from_millis(next - now.0);
        model.run(length);
        length
    }

    /// Puts the group to sleep, and lets all its tasks go.
    pub(crate) async fn sleep(&self) {
        self.handle(&self.sleep_event).await;
        // What is needed sleeps after what needs it, and each look moves on.
        for _ in 0..5 {
            self.handle(&self.status_event).await;
            self.pass(5_000).await;
        }
        self.pass(60_000).await;
        let answer = self.handle(&self.status_event).await;
        let status: Value = serde_json::from_str(answer["body"].as_str().expect("a body")).expect("JSON");
        assert_eq!(status["phase"], "asleep", "{status}");
    }

    async fn pass(&self, length: u64) {
        let end = self.now_ms() + length;
        while self.now_ms() < end {
            self.pass_to_next(end).await;
        }
    }

    /// Whether a task of each service runs.
    pub(crate) fn runs(&self) -> bool {
        self.of_each(|_, _, task| task.stage == Stage::Running)
    }

    /// Whether each service has a task whose app answers and that its check, if it has one, has found to do so.
    pub(crate) fn truly_ready(&self) -> bool {
        let now = Millis(self.now_ms());
        self.of_each(|world, part, task| self.apps.borrow().answers(task, now) && is_found(world, part, task))
    }

    /// Whether the app at this address answers.
    pub(crate) fn answers_at(&self, location: &str) -> bool {
        let now = Millis(self.now_ms());
        self.any(|_, part, task| {
            let public = task.interface.as_ref().and_then(|interface| interface.public);
            let address = match part.kind {
                Kind::Balanced => Some(look::balancer(part.name)),
                Kind::Checked | Kind::Probed => public.map(|address| format!("http://{address}:{PORT}")),
            };
            let here = address.is_some_and(|address| location.starts_with(&format!("{address}/")));
            here && self.apps.borrow().answers(task, now)
        })
    }

    fn of_each(&self, holds: impl Fn(&World, &Part, &Task) -> bool) -> bool {
        let model = self.model.borrow();
        let world = &model.world;
        self.parts.iter().all(|part| {
            let tasks = world.tasks_of(&ServiceKey::new("dev", part.name));
            tasks
                .iter()
                .any(|task| task.is_alive() && holds(world, part, task))
        })
    }

    fn any(&self, holds: impl Fn(&World, &Part, &Task) -> bool) -> bool {
        let model = self.model.borrow();
        let world = &model.world;
        self.parts.iter().any(|part| {
            let tasks = world.tasks_of(&ServiceKey::new("dev", part.name));
            tasks
                .iter()
                .any(|task| task.is_alive() && holds(world, part, task))
        })
    }
}

fn is_found(world: &World, part: &Part, task: &Task) -> bool {
    match part.kind {
        Kind::Balanced => task.load_balancers.iter().all(|balancer| {
            look::target_state(world, task, &balancer.target_group_arn) == Some(TargetState::Healthy)
        }),
        Kind::Checked => task.health_status() == HealthStatus::Healthy,
        Kind::Probed => true,
    }
}

/// Apps come up some time after their tasks run, and checks find what is so.
fn outside(apps: Rc<RefCell<Apps>>, mut random: fastrand::Rng) -> Outside {
    let well_behaved = VirtualClock::well_behaved_answers();
    Box::new(move |world, effect| {
        let mut apps = apps.borrow_mut();
        let now = apps.now;
        match effect {
            Effect::StartApp { task, .. } => {
                let (low, high) = apps.warm_up;
                let warm_up = Duration::from_millis(random.u64(low..=high));
                apps.of_tasks.insert(task.clone(), warm_up);
                well_behaved(world, effect)
            }
            Effect::ProbeTarget {
                target_group, target, ..
            } => {
                let tasks = world.tasks();
                let of = tasks.iter().find(|task| {
                    let own = task.interface.as_ref().map(|interface| interface.private);
                    task.is_alive() && own == Some(target.address)
                });
                let outcome = if of.is_some_and(|task| apps.answers(task, now)) {
                    ProbeOutcome::Status(200)
                } else {
                    ProbeOutcome::Failed
                };
                Some(Answer::TargetProbed {
                    target_group: target_group.clone(),
                    target: *target,
                    outcome,
                })
            }
            Effect::ProbeContainer { task, .. } => {
                let healthy = world.task(task).is_some_and(|task| apps.answers(task, now));
                let task = task.clone();
                Some(Answer::ContainerProbed { task, healthy })
            }
            _ => well_behaved(world, effect),
        }
    })
}

fn create(world: &mut World, start: Millis, part: &Part, random: &mut fastrand::Rng) {
    let mut container = json!({
        "name": "app", "image": "nginx", "portMappings": [{"containerPort": PORT}],
    });
    if part.kind == Kind::Checked {
        container["healthCheck"] = json!({
            "command": ["CMD-SHELL", "curl -f http://localhost:8080/healthz"],
            "interval": random.u64(5..=30), "startPeriod": 300,
        });
    }
    let definition = json!({"family": part.name, "containerDefinitions": [container]});
    let definition = definition.as_object().expect("an object").clone();
    world
        .register_task_definition(start, definition)
        .expect("a task definition");
    let mut service = CreateService {
        cluster: Some("dev".into()),
        service_name: part.name.into(),
        task_definition: Some(part.name.into()),
        desired_count: Some(0),
        network_configuration: Some(json!({"awsvpcConfiguration": {
            "subnets": ["subnet-1"], "assignPublicIp": "ENABLED",
        }})),
        ..CreateService::default()
    };
    if part.kind == Kind::Balanced {
        service.health_check_grace_period_seconds = Some(300);
        service.load_balancers.push(ServiceLoadBalancer {
            target_group_arn: target_group(world, start, part.name, random.u64(6..=30)),
            container_name: "app".into(),
            container_port: PORT,
        });
    }
    world.create_service(start, service).expect("a service");
}

fn target_group(world: &mut World, start: Millis, name: &str, interval_seconds: u64) -> String {
    let balancer = CreateLoadBalancer {
        name: name.into(),
        ..CreateLoadBalancer::default()
    };
    let load_balancer = world
        .create_load_balancer(start, balancer)
        .expect("a load balancer")
        .arn
        .clone();
    let input = CreateTargetGroup {
        name: name.into(),
        port: PORT,
        target_type: Some("ip".into()),
        health_check: HealthCheck {
            interval_seconds,
            healthy_threshold: 2,
            ..HealthCheck::default()
        },
        ..CreateTargetGroup::default()
    };
    let target_group = world
        .create_target_group(input)
        .expect("a target group")
        .arn
        .clone();
    let delay = ("deregistration_delay.timeout_seconds".to_owned(), "10".to_owned());
    let attributes = world.modify_target_group_attributes(&target_group, [delay].into());
    attributes.expect("the delay");
    let listener = CreateListener {
        load_balancer,
        protocol: "HTTP".into(),
        port: 80,
        actions: vec![Action::forward(target_group.as_str())],
        ..CreateListener::default()
    };
    world.create_listener(start, listener).expect("a listener");
    target_group
}
