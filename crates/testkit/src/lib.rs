//! A small world in memory for tests of handlers and the engine: the ports of `dormouse-core` with a clock that
//! stands still unless a test moves it. Every call gives way once, so that concurrent turns really interleave.

mod doors;
pub mod openapi;
mod ports;
mod reports;
pub mod state_machine;

pub use doors::WAKE_TARGET_GROUP;
pub use reports::reports;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::future::poll_fn;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::task::Poll;
use std::time::Duration;

use dormouse_core::config::Config;
use dormouse_core::error::{Code, Error};
use dormouse_core::front::{Door, DoorId, Posted};
use dormouse_core::ids::{GroupName, ServiceId};
use dormouse_core::look::Look;
use dormouse_core::observation::{Health, Probe, ServiceState, TaskAddress, TaskStage, TaskState};
use dormouse_core::pipeline::JobResult;
use dormouse_core::ports::{Clock as _, Stored, StoredRow};
use dormouse_core::quota::Priority;
use dormouse_core::reading::Reading;
use dormouse_core::record::Record;
use dormouse_core::scalable::Bounds;
use dormouse_core::sessions::{Row, TaskKey};
use dormouse_core::settings::GroupSettings;
use dormouse_core::tags::TaggedService;
use dormouse_core::why::Entry;
use jiff::Timestamp;
use serde_json::Value;

/// An event of the folder `events/`.
///
/// # Panics
/// If there is no such file of JSON.
#[must_use]
pub fn event(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../events")
        .join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The configuration of a function with these variables besides its table.
///
/// # Panics
/// If one breaks its rule.
#[must_use]
pub fn config(variables: &[(&str, &str)]) -> Config {
    let table = ("TABLE_NAME", "the-table");
    let all = variables
        .iter()
        .chain([&table])
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::from_env(&all.collect()).unwrap_or_else(|error| panic!("{error}"))
}

/// When every test begins.
pub const START: i64 = 1_800_000_000;

/// The world of a test.
pub struct World {
    now: Cell<Timestamp>,
    /// When those who pause go on.
    pauses: RefCell<Vec<Timestamp>>,
    /// How many calls began.
    gates: Cell<usize>,
    store: RefCell<BTreeMap<GroupName, Stored>>,
    whys: RefCell<BTreeMap<(GroupName, String), Entry>>,
    looked: RefCell<BTreeMap<GroupName, Look>>,
    claims: RefCell<BTreeMap<GroupName, Timestamp>>,
    wake_claims: RefCell<BTreeMap<GroupName, Timestamp>>,
    /// How long operations take.
    slowness: RefCell<HashMap<String, Duration>>,
    tagged: RefCell<Vec<TaggedService>>,
    services: RefCell<BTreeMap<ServiceId, ServiceState>>,
    scalable: RefCell<BTreeMap<ServiceId, Bounds>>,
    doors: RefCell<BTreeMap<DoorId, Door>>,
    posted: RefCell<BTreeMap<(DoorId, GroupName), Posted>>,
    faults: RefCell<HashMap<String, Error>>,
    calls: RefCell<Vec<String>>,
    reading: RefCell<Reading>,
    starts: Cell<bool>,
    balancers: RefCell<HashMap<String, Vec<String>>>,
    results: RefCell<Vec<JobResult>>,
    sessions: RefCell<BTreeMap<TaskKey, StoredRow>>,
    rejects: RefCell<Vec<(String, Error)>>,
    ended: Cell<bool>,
    hangs: RefCell<Vec<String>>,
    panics: RefCell<Vec<String>>,
    writes: Cell<usize>,
    looks: Cell<usize>,
    looked_at: RefCell<Vec<ServiceId>>,
    handed_over: RefCell<Vec<String>>,
    discoveries: Cell<usize>,
    discovered_at: Cell<Option<Timestamp>>,
    waits: RefCell<VecDeque<Duration>>,
    slots: RefCell<VecDeque<Duration>>,
    taken: RefCell<Vec<Priority>>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            now: Cell::new(Timestamp::from_second(START).unwrap_or_default()),
            pauses: RefCell::default(),
            gates: Cell::new(0),
            store: RefCell::default(),
            whys: RefCell::default(),
            looked: RefCell::default(),
            claims: RefCell::default(),
            wake_claims: RefCell::default(),
            slowness: RefCell::default(),
            tagged: RefCell::default(),
            services: RefCell::default(),
            scalable: RefCell::default(),
            doors: RefCell::default(),
            posted: RefCell::default(),
            faults: RefCell::default(),
            calls: RefCell::default(),
            reading: RefCell::new(Reading::Unknown("no test said what it reads".to_owned())),
            starts: Cell::new(false),
            balancers: RefCell::default(),
            results: RefCell::default(),
            sessions: RefCell::default(),
            rejects: RefCell::default(),
            ended: Cell::new(false),
            hangs: RefCell::default(),
            panics: RefCell::default(),
            writes: Cell::new(0),
            looks: Cell::new(0),
            looked_at: RefCell::default(),
            handed_over: RefCell::default(),
            discoveries: Cell::new(0),
            discovered_at: Cell::new(None),
            waits: RefCell::default(),
            slots: RefCell::default(),
            taken: RefCell::default(),
        }
    }
}

impl World {
    /// A world with services `cluster/name` that have these tags, all with the same desired count, which run and
    /// answer if it is not 0.
    #[must_use]
    pub fn with(services: &[&str], tags: &[(&str, &str)], desired: u32) -> Self {
        Self::default().and(services, tags, desired)
    }

    /// The same with more services, which have these tags.
    #[must_use]
    pub fn and(self, services: &[&str], tags: &[(&str, &str)], desired: u32) -> Self {
        for id in services {
            self.add(id, tags, desired);
        }
        self.run_tasks();
        self
    }

    /// Adds a service `cluster/name`, whose tasks do not run yet.
    pub fn add(&self, id: &str, tags: &[(&str, &str)], desired: u32) {
        let id = id_of(id);
        let tags = tags
            .iter()
            .map(|(tag, value)| ((*tag).to_owned(), (*value).to_owned()))
            .collect();
        let tagged = TaggedService { id: id.clone(), tags };
        self.tagged.borrow_mut().push(tagged);
        let state = ServiceState {
            desired,
            ..ServiceState::default()
        };
        self.services.borrow_mut().insert(id, state);
    }

    /// Changes a service behind everybody's back.
    pub fn change(&self, id: &str, change: impl FnOnce(&mut ServiceState)) {
        change(self.services.borrow_mut().entry(id_of(id)).or_default());
    }

    /// From now on Application Auto Scaling scales a service.
    pub fn scale_by_policy(&self, id: &str, bounds: Bounds) {
        self.scalable.borrow_mut().insert(id_of(id), bounds);
    }

    /// A service's scalable target.
    #[must_use]
    pub fn scalable(&self, id: &str) -> Option<Bounds> {
        self.scalable.borrow().get(&id_of(id)).copied()
    }

    /// Removes a service that stays tagged.
    pub fn remove(&self, id: &str) {
        self.services.borrow_mut().remove(&id_of(id));
    }

    /// The tags of all services as they are from now on.
    pub fn retag(&self, tags: &[(&str, &str)]) {
        for service in self.tagged.borrow_mut().iter_mut() {
            service.tags = tags
                .iter()
                .map(|(tag, value)| ((*tag).to_owned(), (*value).to_owned()))
                .collect();
        }
    }

    /// A tag of one service as it is from now on.
    pub fn tag(&self, id: &str, tag: &str, value: &str) {
        let mut tagged = self.tagged.borrow_mut();
        for service in tagged.iter_mut().filter(|service| service.id == id_of(id)) {
            service.tags.retain(|(name, _)| name != tag);
            service.tags.push((tag.to_owned(), value.to_owned()));
        }
    }

    /// Every service gets as many tasks that answer as it wants, or loses all.
    pub fn run_tasks(&self) {
        for state in self.services.borrow_mut().values_mut() {
            run(state);
        }
    }

    /// From now on tasks start and answer as soon as time passes.
    pub fn tasks_start_by_themselves(&self) {
        self.starts.set(true);
    }

    /// Lets time pass.
    pub fn advance(&self, seconds: u64) {
        self.pass(Duration::from_secs(seconds));
    }

    fn pass(&self, duration: Duration) {
        self.now
            .set(dormouse_core::duration::after(self.now.get(), duration));
        if self.starts.get() {
            self.run_tasks();
        }
    }

    /// Makes an operation (`UpdateService`, `DescribeServices`, `DescribeScalableTargets`, `StartExecution`, `table`, `GetResources`), or one
    /// about one service (`UpdateService dev/web`), fail until [`World::mend`].
    pub fn break_(&self, what: &str, code: Code) {
        let error = Error::new(code, format!("{what}: refused by the test"));
        self.faults.borrow_mut().insert(what.to_owned(), error);
    }

    /// Makes it work again.
    pub fn mend(&self, what: &str) {
        self.faults.borrow_mut().remove(what);
    }

    /// Makes an operation (as above, or `bucket`, the shared one) wait for an answer that never comes.
    pub fn hang(&self, what: &str) {
        self.hangs.borrow_mut().push(what.to_owned());
    }

    /// Makes an operation panic, as a bug of ours would.
    pub fn panic_at(&self, what: &str) {
        self.panics.borrow_mut().push(what.to_owned());
    }

    /// The target groups of a load balancer.
    pub fn balance(&self, load_balancer: &str, target_groups: &[&str]) {
        let arns = target_groups.iter().map(|arn| (*arn).to_owned()).collect();
        self.balancers.borrow_mut().insert(load_balancer.to_owned(), arns);
    }

    /// From now on every job has ended already.
    pub fn jobs_have_ended(&self) {
        self.ended.set(true);
    }

    /// What CodePipeline was told, in order.
    #[must_use]
    pub fn job_results(&self) -> Vec<JobResult> {
        self.results.borrow().clone()
    }

    /// The next so many tokens that are not for a wake must be waited for, this long each time.
    pub fn tokens_must_wait(&self, times: usize, wait: Duration) {
        *self.waits.borrow_mut() = std::iter::repeat_n(wait, times).collect();
    }

    /// The next bookings of wakes are for so long after they are made each.
    pub fn wakes_stand_in_line(&self, waits: &[Duration]) {
        *self.slots.borrow_mut() = waits.iter().copied().collect();
    }

    /// The tokens that were taken, in order.
    #[must_use]
    pub fn tokens(&self) -> Vec<Priority> {
        self.taken.borrow().clone()
    }

    /// The stored row of a task, `cluster/id`.
    #[must_use]
    pub fn row(&self, task: &str) -> Option<Row> {
        let task = TaskKey::parse(task).ok()?;
        self.sessions.borrow().get(&task).map(|stored| stored.row.clone())
    }

    /// What was put into the dead-letter queue, with its reason.
    #[must_use]
    pub fn rejects(&self) -> Vec<(String, Error)> {
        self.rejects.borrow().clone()
    }

    /// The settings of a group in the table.
    #[must_use]
    pub fn settings(&self, group: &str) -> Option<GroupSettings> {
        let group = GroupName::parse(group).ok()?;
        self.store.borrow().get(&group)?.settings.clone()
    }

    /// How many records were written.
    #[must_use]
    pub fn writes(&self) -> usize {
        self.writes.get()
    }

    /// What was handed to other invocations.
    #[must_use]
    pub fn handed_over(&self) -> Vec<String> {
        self.handed_over.borrow().clone()
    }

    /// How often tags were read.
    #[must_use]
    pub fn discoveries(&self) -> usize {
        self.discoveries.get()
    }

    /// How often services were looked at.
    #[must_use]
    pub fn looks(&self) -> usize {
        self.looks.get()
    }

    /// What every signal reads from now on.
    pub fn reads(&self, reading: Reading) {
        *self.reading.borrow_mut() = reading;
    }

    /// The services that were looked at, in order.
    #[must_use]
    pub fn looked_at(&self) -> Vec<ServiceId> {
        self.looked_at.borrow().clone()
    }

    /// The calls that changed or started something, in order: `UpdateService dev/web=1`, `StartExecution dev g1`,
    /// `RegisterScalableTarget dev/web`.
    #[must_use]
    pub fn changes(&self) -> Vec<String> {
        self.calls.borrow().clone()
    }

    /// From now on an operation (as above) takes so long.
    pub fn slow_down(&self, what: &str, length: Duration) {
        self.slowness.borrow_mut().insert(what.to_owned(), length);
    }

    /// Forgets the looks that were shared: whoever comes next looks for themselves, though no time has passed.
    pub fn forget_looks(&self) {
        self.looked.borrow_mut().clear();
        self.claims.borrow_mut().clear();
        self.wake_claims.borrow_mut().clear();
    }

    /// Forgets the calls so far.
    pub fn forget_changes(&self) {
        self.calls.borrow_mut().clear();
    }

    /// A service's desired count.
    #[must_use]
    pub fn desired(&self, id: &str) -> u32 {
        self.services
            .borrow()
            .get(&id_of(id))
            .map_or(0, |state| state.desired)
    }

    /// The stored record of a group.
    #[must_use]
    pub fn record(&self, group: &str) -> Option<Record> {
        let name = GroupName::parse(group).ok()?;
        self.store.borrow().get(&name)?.record.clone()
    }

    /// The why-log of a group, the oldest entry first.
    #[must_use]
    pub fn whys(&self, group: &str) -> Vec<Entry> {
        let whys = self.whys.borrow();
        let of_group = whys.iter().filter(|((name, _), _)| name.as_str() == group);
        of_group.map(|(_, entry)| entry.clone()).collect()
    }

    async fn gate(&self, keys: &[&str]) -> Result<(), Error> {
        self.gates.set(self.gates.get() + 1);
        give_way().await;
        let slowness = keys
            .iter()
            .find_map(|key| self.slowness.borrow().get(*key).copied());
        if let Some(length) = slowness {
            self.pause(length).await;
        }
        if self
            .hangs
            .borrow()
            .iter()
            .any(|what| keys.contains(&what.as_str()))
        {
            std::future::pending::<()>().await;
        }
        let bug = self
            .panics
            .borrow()
            .iter()
            .any(|what| keys.contains(&what.as_str()));
        assert!(!bug, "a bug that the test put here: {keys:?}");
        let faults = self.faults.borrow();
        keys.iter()
            .find_map(|key| faults.get(*key))
            .map_or(Ok(()), |error| Err(error.clone()))
    }
}

fn id_of(text: &str) -> ServiceId {
    ServiceId::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

fn run(state: &mut ServiceState) {
    state.running = state.desired;
    state.pending = 0;
    state.tasks = (0..state.desired).map(task).collect();
    for task in &mut state.tasks {
        task.targets = vec![Health::Healthy; state.target_groups.len()];
    }
}

fn task(number: u32) -> TaskState {
    let last = u8::try_from(number % 250).unwrap_or_default() + 1;
    TaskState {
        id: format!("task-{number}"),
        stage: TaskStage::Running,
        health: None,
        targets: Vec::new(),
        probe: Some(Probe::Status(200)),
        address: TaskAddress::Public(IpAddr::V4(Ipv4Addr::new(198, 51, 100, last)), 8080),
        private: None,
        times: Default::default(),
    }
}

async fn give_way() {
    let mut gave = false;
    poll_fn(|context| {
        if gave {
            Poll::Ready(())
        } else {
            gave = true;
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await;
}
