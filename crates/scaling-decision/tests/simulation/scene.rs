//! Where tests begin: six tasks that have run for a while, with sessions on three.

use std::time::Duration;

use dormouse_core::ids::Generation;
use dormouse_core::ports::Stored;
use dormouse_core::record::{Phase, Record};
use dormouse_core::scaling::bounds::{Range, Scaling};
use dormouse_core::settings::{Defaults, GroupSettings, ServiceSettings};
use fargate_sim::model::{
    Action, Config, CreateListener, CreateLoadBalancer, CreateService, CreateTargetGroup, Millis,
    ServiceLoadBalancer, VirtualClock, World,
};
use serde_json::json;

use crate::account::{Account, group, moment, web};
use crate::sim::{Sim, minutes};

/// A minute in 2027.
const START: Millis = Millis(1_800_000_000_000);

/// What differs from test to test.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene {
    pub(crate) balanced: bool,
    pub(crate) tasks: u32,
    /// The fewest tasks that its owner wants while it is awake.
    pub(crate) min: u32,
    pub(crate) delay: u64,
    pub(crate) reregister_after: Option<Duration>,
}

/// Six tasks behind a load balancer whose targets drain for five minutes.
pub(crate) const BALANCED: Scene = Scene {
    balanced: true,
    tasks: 6,
    min: 1,
    delay: 300,
    reregister_after: None,
};

/// Six tasks that their clients find in some other way.
pub(crate) const ALONE: Scene = Scene {
    balanced: false,
    ..BALANCED
};

impl Scene {
    /// The tasks have run for two minutes and have had little to do for as long as anybody knows. Every second one has a
    /// session.
    pub(crate) fn open(self) -> Sim {
        let account = self.account();
        for id in account.alive().iter().skip(1).step_by(2) {
            assert!(account.begin_session(id));
        }
        account.pass(minutes(1));
        account.trace.borrow_mut().clear();
        Sim::new(account)
    }

    /// An account with the tasks, which have run for half a minute and have no sessions.
    pub(crate) fn account(self) -> Account {
        let mut world = World::new(Config {
            reregister_after: self.reregister_after,
            ..Config::default()
        });
        self.create(&mut world);
        let account = Account::new(VirtualClock::well_behaved(world, START));
        account.remember(self.min);
        account.pass(minutes(1));
        account
    }

    /// As [`Scene::open`]; then a tick has begun a scale-in, and from now on the load is such that no tick wants any
    /// change.
    pub(crate) fn begun(self) -> Sim {
        let mut sim = self.open();
        sim.tick();
        assert_eq!(
            sim.executions.len(),
            1,
            "a scale-in has begun: {:?}",
            sim.account.scaling()
        );
        sim.account.set_cpu(50.0);
        sim.ticking = true;
        sim
    }

    fn create(self, world: &mut World) {
        let cluster = world.create_cluster(START, Some("dev"), &[]);
        cluster.expect("a cluster");
        let definition = json!({"family": "web", "containerDefinitions": [
            {"name": "web", "image": "nginx", "portMappings": [{"containerPort": 8080}]},
        ]});
        let definition = definition.as_object().expect("an object").clone();
        world
            .register_task_definition(START, definition)
            .expect("a task definition");
        let mut service = CreateService {
            cluster: Some("dev".into()),
            service_name: "web".into(),
            task_definition: Some("web".into()),
            desired_count: Some(self.tasks.into()),
            network_configuration: Some(json!({"awsvpcConfiguration": {"subnets": ["subnet-1"]}})),
            ..CreateService::default()
        };
        if self.balanced {
            service.load_balancers.push(ServiceLoadBalancer {
                target_group_arn: self.target_group(world),
                container_name: "web".into(),
                container_port: 8080,
            });
        }
        world.create_service(START, service).expect("a service");
    }

    fn target_group(self, world: &mut World) -> String {
        let balancer = CreateLoadBalancer {
            name: "lb".into(),
            ..CreateLoadBalancer::default()
        };
        let load_balancer = world
            .create_load_balancer(START, balancer)
            .expect("a load balancer")
            .arn
            .clone();
        let input = CreateTargetGroup {
            name: "web".into(),
            port: 8080,
            target_type: Some("ip".into()),
            ..CreateTargetGroup::default()
        };
        let target_group = world
            .create_target_group(input)
            .expect("a target group")
            .arn
            .clone();
        let delay = (
            "deregistration_delay.timeout_seconds".to_owned(),
            self.delay.to_string(),
        );
        let attributes = world.modify_target_group_attributes(&target_group, [delay].into());
        attributes.expect("the delay");
        let listener = CreateListener {
            load_balancer,
            protocol: "HTTP".into(),
            port: 80,
            actions: vec![Action::forward(target_group.as_str())],
            ..CreateListener::default()
        };
        world.create_listener(START, listener).expect("a listener");
        target_group
    }
}

impl Account {
    /// The owner wants something else of the service from now on, and that is known at once.
    pub(crate) fn set_settings(&self, change: impl FnOnce(&mut ServiceSettings)) {
        let mut table = self.table.borrow_mut();
        let stored = table.groups.get_mut(&group()).expect("the group");
        change(&mut stored.settings.as_mut().expect("settings").services[0]);
    }

    /// Writes what the table holds of the group: its settings, and that it is awake.
    fn remember(&self, min: u32) {
        let now = moment(START);
        let mut settings = ServiceSettings::of(web(), &Defaults::default());
        settings.scaling = Scaling {
            min,
            max: Some(10),
            cpu: Range::parse("30-70"),
            ..Scaling::default()
        };
        let settings = GroupSettings {
            wake_timeout: minutes(5),
            ..GroupSettings::of(&group(), vec![settings])
        };
        let mut record = Record::unseen(now);
        record.version = 1;
        record.phase = Phase::Awake;
        record.generation = Generation(1);
        record.woken_at = Some(now);
        record.service(&web());
        let stored = Stored {
            settings: Some(settings),
            record: Some(record),
        };
        self.table.borrow_mut().groups.insert(group(), stored);
    }
}
