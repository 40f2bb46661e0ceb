//! Many services in one account, and the function that watches them.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use dormouse_aws::Aws;
use dormouse_core::config::Config;
use dormouse_core::error::Error;
use dormouse_core::ids::{Generation, GroupName, ServiceId};
use dormouse_core::ports::Discovery;
use dormouse_core::record::{Phase, Record};
use dormouse_core::scaling::watch::Memory;
use dormouse_core::tags;
use dormouse_testkit::event;
use fargate_sim::model::{self, CreateService, Millis, ServiceKey, Tag, World};
use jiff::Timestamp;
use scaling_decision::handle;
use serde_json::{Value, json};

use crate::calls::Calls;
use crate::cloud::{Cloud, STATUS};
use crate::ports::Probes;
use crate::table::Table;
use crate::time::Time;

/// A minute in 2027.
const START: Millis = Millis(1_800_000_000_000);
/// Connections of one task that the services' owner wants.
const TARGET: u64 = 100;

/// Each account is in a Region of its own: in one process, clients for the same Region share a budget of tries.
static REGIONS: AtomicU32 = AtomicU32::new(1);

/// How many there are of everything.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) services: usize,
    /// Services of each group, all of them in one cluster.
    pub(crate) together: usize,
    pub(crate) clusters: usize,
    /// Of each service; 0: all groups are asleep.
    pub(crate) tasks: u32,
    /// Whether connections decide.
    pub(crate) watched: bool,
    pub(crate) probes: Probes,
    /// More tags of each service, without their prefix.
    pub(crate) tags: &'static [(&'static str, &'static str)],
}

/// 300 services of two tasks in ten clusters, whose connections decide.
pub(crate) const FLEET: Shape = Shape {
    services: 300,
    together: 1,
    clusters: 10,
    tasks: 2,
    watched: true,
    probes: match cfg!(debug_assertions) {
        // The SDK takes ten times as long without optimizations.
        true => Probes::Direct,
        false => Probes::Adapter,
    },
    tags: &[],
};

/// The account, the table, and what they have seen.
pub(crate) struct Fleet {
    pub(crate) shape: Shape,
    pub(crate) cloud: Cloud,
    pub(crate) aws: Aws,
    pub(crate) table: RefCell<Table>,
    /// Questions to tasks.
    pub(crate) asked: Cell<u64>,
    /// When each service was read for the first time.
    pub(crate) first_readings: RefCell<BTreeMap<ServiceId, Millis>>,
    /// Services of which counts were looked at, and how often.
    pub(crate) glances: RefCell<BTreeMap<ServiceId, usize>>,
    /// Services that were looked at, closely or not.
    pub(crate) looked_at: RefCell<BTreeSet<ServiceId>>,
    /// Parts of a tick that no invocation has taken yet.
    pub(crate) queue: RefCell<Vec<String>>,
    pub(crate) config: Config,
    invocations: Cell<u32>,
}

/// One invocation that has ended.
#[derive(Clone, Debug)]
pub(crate) struct Invocation {
    /// From its event to its answer, which is what is paid for.
    pub(crate) span: Range<Millis>,
    /// What it answered.
    pub(crate) answer: Value,
}

impl Invocation {
    /// A number of its summary.
    pub(crate) fn watch(&self, name: &str) -> u64 {
        let number = self.answer["watch"][name].as_u64();
        number.unwrap_or_else(|| panic!("no `{name}` in {}", self.answer["watch"]))
    }

    pub(crate) fn length(&self) -> Duration {
        self.span.end.since(self.span.start)
    }
}

pub(crate) fn moment(at: Millis) -> Timestamp {
    Timestamp::from_millisecond(i64::try_from(at.0).expect("milliseconds")).expect("a moment")
}

/// Connections at which a service needs so many tasks.
pub(crate) fn load_for(tasks: u32) -> u64 {
    (u64::from(tasks) * TARGET).saturating_sub(TARGET / 2)
}

impl Fleet {
    /// All services have been awake for some minutes, with as many tasks as they need.
    pub(crate) fn open(shape: Shape) -> Self {
        // The SDK draws the pauses between its tries from this thread's generator.
        fastrand::seed(1);
        let region = format!("us-east-{}", REGIONS.fetch_add(1, Ordering::Relaxed));
        let mut world = World::new(model::Config {
            region: region.clone(),
            ..model::Config::default()
        });
        for number in 0..shape.clusters {
            let created = world.create_cluster(START, Some(&format!("cluster-{number:03}")), &[]);
            created.expect("a cluster");
        }
        let definition = json!({"family": "web", "containerDefinitions": [
            {"name": "web", "image": "nginx", "portMappings": [{"containerPort": STATUS.0}]},
        ]});
        let definition = definition.as_object().expect("an object").clone();
        let registered = world.register_task_definition(START, definition);
        registered.expect("a task definition");
        for number in 0..shape.services {
            let created = world.create_service(START, shape.service(number));
            created.expect("a service");
        }
        let time = Time::from(START);
        let cloud = Cloud::new(world, &time);
        for number in 0..shape.services {
            let load = load_for(shape.tasks);
            cloud.shared().set_load(shape.key(number), load);
        }
        let config = dormouse_testkit::config(&[]);
        let fleet = Self {
            shape,
            aws: Aws::new(&config, &HashMap::new(), &sdk(&cloud, region)),
            cloud,
            table: RefCell::default(),
            asked: Cell::default(),
            first_readings: RefCell::default(),
            glances: RefCell::default(),
            looked_at: RefCell::default(),
            queue: RefCell::default(),
            config,
            invocations: Cell::default(),
        };
        fleet.run(async {
            // Fargate launches 20 tasks a second.
            let all = Duration::from_millis(50) * shape.services as u32 * shape.tasks;
            fleet.cloud.time.pause(all.max(2 * MINUTE) + MINUTE).await;
            fleet.remember().await;
        });
        fleet.cloud.shared().calls = Calls::default();
        fleet
    }

    pub(crate) fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.cloud.time.run(future)
    }

    /// Writes what the table holds of all groups: their settings by their tags, and that they have been awake, or asleep,
    /// for a while.
    async fn remember(&self) {
        let tagged = self.tagged().await.expect("tags");
        assert_eq!(tagged.len(), self.shape.services);
        let groups = tags::groups(&tagged, &[], &BTreeMap::new(), &self.config.defaults);
        let now = moment(self.cloud.time.now());
        for (name, settings) in groups {
            assert!(settings.problems.is_empty(), "{:?}", settings.problems);
            let mut record = Record::unseen(now);
            record.version = 1;
            if self.shape.tasks > 0 {
                record.phase = Phase::Awake;
                record.generation = Generation(1);
                record.woken_at = Some(now);
            }
            for service in &settings.services {
                record.service(&service.id);
            }
            let mut table = self.table.borrow_mut();
            table.put_record(&name, record);
            table.put_settings(settings);
        }
    }

    /// The schedule's event, in a function that remembers this.
    pub(crate) async fn invoke(&self, memory: &Memory) -> Invocation {
        let event = event("eventbridge-scheduled.json");
        self.invocation(async |id| handle(self, &self.config, memory, event, id).await)
            .await
    }

    /// An invocation of a function, which is told its request id.
    pub(crate) async fn invocation(
        &self,
        function: impl AsyncFnOnce(&str) -> Result<Value, Error>,
    ) -> Invocation {
        let number = self.invocations.get() + 1;
        self.invocations.set(number);
        let begun = self.cloud.time.now();
        let id = format!("request-{number}");
        let answer = function(&id).await;
        Invocation {
            span: begun..self.cloud.time.now(),
            answer: answer.unwrap_or_else(|error| panic!("{id}: {error}")),
        }
    }

    /// So many invocations of one function, a minute apart.
    pub(crate) async fn minutes(&self, minutes: usize, memory: &Memory) -> Vec<Invocation> {
        let mut invocations = Vec::new();
        let begun = self.cloud.time.now();
        for minute in 0..minutes as u32 {
            self.cloud.time.until(begun + minute * MINUTE).await;
            invocations.push(self.invoke(memory).await);
        }
        self.cloud.time.until(begun + minutes as u32 * MINUTE).await;
        invocations
    }

    /// The calls of each minute that an invocation began.
    pub(crate) fn calls_of(&self, invocations: &[Invocation]) -> Vec<Calls> {
        let shared = self.cloud.shared();
        let of = |invocation: &Invocation| {
            let begun = invocation.span.start;
            shared.calls.within(begun..begun + MINUTE)
        };
        invocations.iter().map(of).collect()
    }

    pub(crate) fn set_load(&self, service: usize, connections: u64) {
        let key = self.shape.key(service);
        self.cloud.shared().set_load(key, connections);
    }
}

pub(crate) const MINUTE: Duration = Duration::from_secs(60);

impl Shape {
    /// The service with this number.
    pub(crate) fn key(&self, number: usize) -> ServiceKey {
        let cluster = format!("cluster-{:03}", number / self.together % self.clusters);
        ServiceKey::new(&cluster, &format!("service-{number:03}"))
    }

    /// The group of the service with this number.
    pub(crate) fn group(&self, number: usize) -> GroupName {
        let name = format!("group-{:03}", number / self.together);
        GroupName::parse(&name).expect("a group's name")
    }

    fn service(&self, number: usize) -> CreateService {
        let key = self.key(number);
        let mut tags = vec![("group", self.group(number).to_string())];
        tags.extend(self.tags.iter().map(|(name, value)| (*name, (*value).to_owned())));
        if self.watched {
            let (port, path) = STATUS;
            tags.extend([
                ("connections", format!(":{port}{path}")),
                ("target", TARGET.to_string()),
                ("max", "10".to_owned()),
            ]);
        }
        let tag = |(name, value): (&str, String)| Tag {
            key: format!("{}{name}", tags::PREFIX),
            value,
        };
        CreateService {
            cluster: Some(key.cluster),
            service_name: key.name,
            task_definition: Some("web".into()),
            desired_count: Some(self.tasks.into()),
            network_configuration: Some(json!({"awsvpcConfiguration": {
                "subnets": ["subnet-1"], "assignPublicIp": "ENABLED",
            }})),
            tags: tags.into_iter().map(tag).collect(),
            ..CreateService::default()
        }
    }
}

fn sdk(cloud: &Cloud, region: String) -> SdkConfig {
    let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "secret", None, None, "fleet");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(cloud.clone())
        .sleep_impl(cloud.time.clone())
        // As `Aws::connect` does.
        .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(200)))
        .build()
}
