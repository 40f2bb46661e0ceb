//! A small account to tell timelines about: cluster `dev`, load balancer `lb`, target group `tg`.

use std::time::Duration;

use fargate_sim::model::{
    Action, Answer, Config, CreateListener, CreateLoadBalancer, CreateService, CreateTargetGroup, Effect,
    HealthCheck, Millis, Service, ServiceLoadBalancer, Stage, Task, UpdateService, VirtualClock, World,
};
use serde_json::{Value, json};

pub(crate) const START: Millis = Millis(1_800_000_000_000);

pub(crate) type Outside = Box<dyn FnMut(&World, &Effect) -> Option<Answer>>;

pub(crate) struct Sim {
    pub(crate) clock: VirtualClock<Outside>,
    pub(crate) target_group: String,
    pub(crate) listener: String,
}

pub(crate) fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(crate) fn minutes(n: u64) -> Duration {
    Duration::from_secs(60 * n)
}

/// An account whose apps behave.
pub(crate) fn sim() -> Sim {
    with(Config::default(), |_, _| None)
}

/// An account whose effects are answered by `outside` first, by well-behaved apps where it says nothing.
pub(crate) fn with(
    config: Config,
    mut outside: impl FnMut(&World, &Effect) -> Option<Answer> + 'static,
) -> Sim {
    let mut world = World::new(config);
    world.create_cluster(START, Some("dev"), &[]).unwrap();
    let balancer = CreateLoadBalancer {
        name: "lb".into(),
        ..CreateLoadBalancer::default()
    };
    let load_balancer = world.create_load_balancer(START, balancer).unwrap().arn.clone();
    let group = CreateTargetGroup {
        name: "tg".into(),
        port: 8080,
        target_type: Some("ip".into()),
        health_check: HealthCheck {
            interval_seconds: 10,
            ..HealthCheck::default()
        },
        ..CreateTargetGroup::default()
    };
    let target_group = world.create_target_group(group).unwrap().arn.clone();
    let listener = CreateListener {
        load_balancer,
        protocol: "HTTP".into(),
        port: 8081,
        actions: vec![Action::forward(target_group.as_str())],
        ..CreateListener::default()
    };
    let listener = world.create_listener(START, listener).unwrap().arn.clone();
    let behaved = VirtualClock::well_behaved_answers();
    let both: Outside =
        Box::new(move |world, effect| outside(world, effect).or_else(|| behaved(world, effect)));
    let mut sim = Sim {
        clock: VirtualClock::new(world, START, both),
        target_group,
        listener,
    };
    sim.define(json!({"name": "web", "image": "nginx", "portMappings": [{"containerPort": 8080}]}));
    sim
}

impl Sim {
    /// Registers the next revision of family `web` with one container.
    pub(crate) fn define(&mut self, container: Value) {
        let definition = json!({"family": "web", "containerDefinitions": [container]});
        let now = self.clock.now;
        self.clock
            .world
            .register_task_definition(now, definition.as_object().unwrap().clone())
            .unwrap();
    }

    /// Creates service `web`.
    pub(crate) fn service(&mut self, desired: i64) {
        self.create(desired, |_| {});
    }

    /// Creates service `web` behind the load balancer.
    pub(crate) fn service_behind_balancer(&mut self, desired: i64) {
        let target_group_arn = self.target_group.clone();
        self.create(desired, |s| {
            s.load_balancers = vec![ServiceLoadBalancer {
                target_group_arn,
                container_name: "web".into(),
                container_port: 8080,
            }];
        });
    }

    pub(crate) fn create(&mut self, desired: i64, change: impl FnOnce(&mut CreateService)) {
        let mut input = CreateService {
            cluster: Some("dev".into()),
            service_name: "web".into(),
            task_definition: Some("web".into()),
            desired_count: Some(desired),
            network_configuration: Some(json!({"awsvpcConfiguration": {"subnets": ["subnet-1"]}})),
            ..CreateService::default()
        };
        change(&mut input);
        let now = self.clock.now;
        self.clock.world.create_service(now, input).unwrap();
    }

    pub(crate) fn update(&mut self, change: impl FnOnce(&mut UpdateService)) {
        let mut input = UpdateService {
            cluster: Some("dev".into()),
            service: "web".into(),
            ..UpdateService::default()
        };
        change(&mut input);
        let now = self.clock.now;
        self.clock.world.update_service(now, input).unwrap();
    }

    pub(crate) fn desire(&mut self, count: i64) {
        self.update(|u| u.desired_count = Some(count));
    }

    pub(crate) fn run(&mut self, length: Duration) {
        self.clock.run(length);
    }

    pub(crate) fn web(&self) -> &Service {
        self.clock.world.service("dev", "web").unwrap()
    }

    /// All tasks, oldest first, that are still described.
    pub(crate) fn tasks(&self) -> Vec<&Task> {
        self.clock.world.tasks()
    }

    pub(crate) fn alive(&self) -> Vec<&Task> {
        self.tasks().into_iter().filter(|t| t.is_alive()).collect()
    }

    pub(crate) fn stages(&self) -> Vec<Stage> {
        self.tasks().iter().map(|t| t.stage).collect()
    }

    /// Running and pending count.
    pub(crate) fn counts(&self) -> (usize, usize) {
        self.clock.world.counts(&self.web().key, None)
    }

    /// Event texts, oldest first, with ids and ARNs made short.
    pub(crate) fn events(&self) -> Vec<String> {
        let mut texts: Vec<String> = self
            .web()
            .events
            .iter()
            .rev()
            .map(|e| e.message.clone())
            .collect();
        for text in &mut texts {
            *text = text.replace(&self.target_group, "TG");
            for (n, task) in self.tasks().iter().enumerate() {
                *text = text.replace(&task.id.0, &format!("#{n}"));
            }
        }
        texts
    }

    pub(crate) fn protect(&mut self, task: usize, minutes: i64) {
        let arn = self.tasks()[task].arn.clone();
        let now = self.clock.now;
        let (done, failures) = self
            .clock
            .world
            .update_task_protection(now, "dev", &[arn], true, Some(minutes))
            .unwrap();
        assert_eq!((done.len(), failures.len()), (1, 0));
    }

    /// States of the targets by DescribeTargetHealth's words.
    pub(crate) fn targets(&self) -> Vec<&'static str> {
        let group = self.clock.world.target_group(&self.target_group).unwrap();
        group.targets.values().map(|t| t.describe().0).collect()
    }

    pub(crate) fn deregistration_delay(&mut self, seconds: u64) {
        let attribute = (
            "deregistration_delay.timeout_seconds".to_string(),
            seconds.to_string(),
        );
        self.clock
            .world
            .modify_target_group_attributes(&self.target_group, [attribute].into())
            .unwrap();
    }
}
