//! What the engine needs of the outside, as small traits. `dormouse-aws` implements them over the AWS SDK.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::decide::Question;
use crate::error::Error;
use crate::front::{Door, DoorId, Forward, Place, Posted};
use crate::ids::{Generation, GroupName, ServiceId};
use crate::logs::LogSource;
use crate::look::{Look, Shared};
use crate::observation::{Seen, TaskState};
use crate::pipeline::{JobResult, Reported};
use crate::quota::Priority;
use crate::reading::Reading;
use crate::record::Record;
use crate::scalable::{Bounds, Suspended};
use crate::scale_in::plan::Plan;
use crate::scaling::connections::window::Window;
use crate::scaling::load::Metric;
use crate::scaling::notice::Notice;
use crate::scaling::reason::Utilization;
use crate::sessions::{Row, TaskKey};
use crate::settings::{GroupSettings, ServiceSettings};
use crate::tags::TaggedService;
use crate::why::{Cursor, Entry, Page};

/// What the table holds of a group.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stored {
    /// Its settings as last discovered.
    pub settings: Option<GroupSettings>,
    /// Its record.
    pub record: Option<Record>,
}

/// How a conditional write ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    /// It is written; the stored version is one higher than the given one.
    Yes,
    /// Somebody else wrote first; nothing changed.
    Conflict,
}

/// The table. Its errors are those of [`Error`] with table codes.
#[expect(async_fn_in_trait, reason = "used through generics only, within one task")]
pub trait Store {
    /// Settings and record of a group.
    async fn load(&self, group: &GroupName) -> Result<Stored, Error>;
    /// Settings and records of all groups.
    async fn load_all(&self) -> Result<BTreeMap<GroupName, Stored>, Error>;
    /// Writes a record over the version that it carries, as the next version, and the entry of the why-log that tells of
    /// it, if there is one: both or neither.
    async fn save_record(
        &self,
        group: &GroupName,
        record: &Record,
        why: Option<&Entry>,
    ) -> Result<Saved, Error>;
    /// Writes settings, whatever was there.
    async fn save_settings(&self, settings: &GroupSettings) -> Result<(), Error>;
    /// Removes the settings of a group that no service names any more. Its record stays.
    async fn remove_settings(&self, group: &GroupName) -> Result<(), Error>;
    /// When the tags were read from which the settings are, if they ever were; a tick may have read them again since, but
    /// not much later.
    async fn discovered_at(&self) -> Result<Option<Timestamp>, Error>;
    /// Says when they were.
    async fn save_discovered_at(&self, at: Timestamp) -> Result<(), Error>;
}

/// The why-log.
#[expect(async_fn_in_trait, reason = "used through generics only, within one task")]
pub trait Whys {
    /// At most so many of a group's entries, newest first: those before the cursor, else the last ones.
    async fn why(&self, group: &GroupName, before: Option<&Cursor>, limit: usize) -> Result<Page, Error>;
    /// Writes the entry of a change that no record comes with. Writing it again changes nothing.
    async fn add_why(&self, entry: &Entry) -> Result<(), Error>;
}

/// Finds the services that opted in.
#[expect(async_fn_in_trait, reason = "used through generics only, within one task")]
pub trait Discovery {
    /// All services with the group tag, and their tags.
    async fn tagged(&self) -> Result<Vec<TaggedService>, Error>;
}

/// Hands work to other invocations of the same function.
#[expect(async_fn_in_trait, reason = "used through generics only, within one task")]
pub trait FanOut {
    /// Sends a message, which an invocation of its own is called with.
    async fn hand_over(&self, message: &str) -> Result<(), Error>;
}

/// ECS and what surrounds its tasks.
#[expect(async_fn_in_trait, reason = "used through generics only, within one task")]
pub trait Services {
    /// Looks at services. What fails is `Unknown` for the services it concerns, not an error.
    async fn observe(&self, services: &[&ServiceSettings]) -> BTreeMap<ServiceId, Seen>;
    /// Looks at counts, rollouts and tasks only, and not at whether the tasks are ready: all that a scale-in needs.
    async fn observe_tasks(&self, services: &[&ServiceSettings]) -> BTreeMap<ServiceId, Seen> {
        self.observe(services).await
    }
    /// Looks at counts and rollouts only, in the fewest calls.
    async fn observe_counts(&self, services: &[&ServiceSettings]) -> BTreeMap<ServiceId, Seen> {
        self.observe(services).await
    }
    /// Sets the desired count of a service.
    async fn set_desired(&self, service: &ServiceId, count: u32) -> Result<(), Error>;
}

/// Scalable targets of Application Auto Scaling.
#[expect(async_fn_in_trait, reason = "used through generics only, within one task")]
pub trait ScalableTargets {
    /// The scalable target of each of these services, or why it is not known; none if it has none.
    async fn bounds(
        &self,
        services: &[&ServiceSettings],
    ) -> BTreeMap<ServiceId, Result<Option<Bounds>, Error>>;
    /// Sets what is suspended of a scalable target that there is, and nothing else of it.
    async fn suspend(&self, service: &ServiceId, suspended: Suspended) -> Result<(), Error>;
}

/// The doors of load balancers: what forwards requests to target groups.
#[expect(async_fn_in_trait, reason = "used through generics only, within one task")]
pub trait Doors {
    /// The doors that name one of these target groups, and these, wherever they lead now; those that are gone are not in
    /// the answer.
    async fn doors(
        &self,
        target_groups: &[String],
        known: &[DoorId],
    ) -> Result<BTreeMap<DoorId, Door>, Error>;
    /// Leads a door elsewhere, with all else of it as it is; a conflict: it does not lead any more where it was seen to.
    async fn lead(&self, door: &DoorId, from: &Forward, to: &Forward) -> Result<Saved, Error>;
    /// Asks through the load balancer whether the wake function answers at this door, for this group.
    async fn prove(&self, group: &GroupName, door: &DoorId, place: &Place) -> Result<(), Error>;
    /// Lets the wake function know of a door, over what it knew of it before.
    async fn post(&self, posted: &Posted) -> Result<(), Error>;
    /// The doors that lead to the wake function, or did a while ago.
    async fn posted(&self) -> Result<Vec<Posted>, Error>;
}

/// Reads signals.
#[expect(async_fn_in_trait, reason = "used through generics only, within one task")]
pub trait Signals {
    /// What the signal says, over at least the idle time before `now`. What fails is `Unknown`.
    async fn read(&self, question: Question<'_>, idle_after: Duration, now: Timestamp) -> Reading;
}

/// Searches logs.
#[expect(async_fn_in_trait, reason = "used through generics only, within one task")]
pub trait LogQueries {
    /// Begins to search for the last line that shows use from `start` to `end`; gives the query's id.
    async fn start_query(
        &self,
        source: &LogSource,
        start: Timestamp,
        end: Timestamp,
    ) -> Result<String, Error>;
    /// How far a query is.
    async fn query_state(&self, id: &str) -> Result<QueryState, Error>;
    /// Stops a query, if it can be stopped.
    async fn stop_query(&self, id: &str);
}

/// How far a query is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueryState {
    /// It waits or runs.
    Running,
    /// It is over, and found the last line at this moment, or none.
    Complete(Option<Timestamp>),
    /// It is over without a result, in the words of who ran it.
    Ended(String),
}

/// The sessions that apps report, one row for each task.
#[expect(async_fn_in_trait, reason = "used through generics only, within one task")]
pub trait SessionRows {
    /// The rows of these tasks; a task of which nothing was reported has none.
    async fn rows(&self, tasks: &[TaskKey]) -> Result<BTreeMap<TaskKey, StoredRow>, Error>;
    /// Writes a row over the version that it carries, as the next version.
    async fn save_row(&self, task: &TaskKey, stored: &StoredRow) -> Result<Saved, Error>;
}

/// A row as the table holds it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StoredRow {
    /// Counts writes; 0 was never saved.
    pub version: u64,
    /// The row.
    pub row: Row,
}

/// Keeps what cannot be understood.
#[expect(async_fn_in_trait, reason = "used through generics only, within one task")]
pub trait Rejects {
    /// Puts a message into the dead-letter queue, with its reason.
    async fn reject(&self, body: &str, error: &Error) -> Result<(), Error>;
}

/// Starts sleep timers.
#[expect(async_fn_in_trait, reason = "used through generics only, within one task")]
pub trait Timers {
    /// Starts the sleep timer of a generation, unless it runs already.
    async fn start(
        &self,
        group: &GroupName,
        generation: Generation,
        woken_at: Timestamp,
        at: Timestamp,
    ) -> Result<(), Error>;
}

/// Tells the time, and lets it pass.
#[expect(async_fn_in_trait, reason = "used through generics only, within one task")]
pub trait Clock {
    /// Now.
    fn now(&self) -> Timestamp;
    /// Waits.
    async fn pause(&self, duration: Duration);
    /// Does something for this long at most; none: it took longer and was given up.
    async fn within<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T>;
}

/// The bucket of [`crate::quota::SERVICE_WRITES`] that all functions of this account and Region share.
///
/// It is courtesy towards ECS, which counts for itself, so it does not fail: where the bucket cannot be asked, the call
/// may be made.
#[expect(async_fn_in_trait, reason = "used through generics only, within one task")]
pub trait Quota {
    /// Takes a token for one UpdateService, if one is there. Answers within about a second.
    async fn take(&self, priority: Priority) -> Grant;
    /// Books tokens for so many calls, if all of them are there until `latest`. Answers within about a second.
    async fn book(&self, priority: Priority, count: u32, latest: Timestamp) -> Booking;
    /// Gives tokens back that were taken or booked for calls that are not made after all. Answers within about a second.
    async fn give_back(&self, count: u32);
}

/// When calls may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Booking {
    /// At once.
    Now,
    /// At this moment, which is yours.
    At(Timestamp),
    /// Not until the latest moment: nothing was booked.
    Later,
}

/// Whether a call may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// The token is taken: the call may be made now.
    Now,
    /// Nothing was taken. To ask again after this time, more than none.
    Wait(Duration),
}

/// Tells which target groups a load balancer leads to.
#[expect(async_fn_in_trait, reason = "used through generics only, within one task")]
pub trait LoadBalancers {
    /// The ARNs of the target groups of a load balancer, given as metrics name it: `app/name/id`. None if there is no
    /// such load balancer here.
    async fn target_groups(&self, load_balancer: &str) -> Result<Vec<String>, Error>;
}

/// Tells CodePipeline how a job went.
#[expect(async_fn_in_trait, reason = "used through generics only, within one task")]
pub trait Jobs {
    /// Reports a result.
    async fn report(&self, job: &str, result: &JobResult) -> Result<Reported, Error>;
}

/// Reads utilizations.
#[expect(async_fn_in_trait, reason = "used through generics only, within one task")]
pub trait Utilizations {
    /// The average utilization of each of these services, minute by minute since `since`, in as few calls as possible.
    /// What fails is `Unknown`. The answers are in the order of the questions.
    async fn utilizations(
        &self,
        wanted: &[(ServiceId, Utilization)],
        since: Timestamp,
        now: Timestamp,
    ) -> Vec<Metric>;
}

/// Protects tasks from scale-in (Amazon ECS Developer Guide, "Protect your Amazon ECS tasks from being terminated by
/// scale-in events").
#[expect(async_fn_in_trait, reason = "used through generics only, within one task")]
pub trait Protection {
    /// Until when each of these tasks of a cluster is protected; none: it is not. A task that is gone is not in the
    /// answer.
    async fn protected_until(
        &self,
        cluster: &str,
        tasks: &[String],
    ) -> Result<BTreeMap<String, Option<Timestamp>>, Error>;
    /// Protects tasks for whole minutes from now, 1 to 2,880, whatever was set before; none takes their protection
    /// away. Tasks that are gone are passed over.
    async fn protect(&self, cluster: &str, tasks: &[String], minutes: Option<u32>) -> Result<(), Error>;
}

/// Target groups of load balancers.
#[expect(async_fn_in_trait, reason = "used through generics only, within one task")]
pub trait Targets {
    /// The targets of a target group, those that drain included.
    async fn targets(&self, target_group: &str) -> Result<Vec<Target>, Error>;
    /// Takes targets out of their target group; they drain. Those that are not there are passed over.
    async fn deregister(&self, target_group: &str, targets: &[TargetName]) -> Result<(), Error>;
    /// Puts targets into a target group, those that drain included.
    async fn register(&self, target_group: &str, targets: &[TargetName]) -> Result<(), Error>;
    /// How long a target of this group drains.
    async fn deregistration_delay(&self, target_group: &str) -> Result<Duration, Error>;
}

/// A target as its group knows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TargetName {
    /// An IP address, or an instance's id.
    pub id: String,
    /// The port.
    pub port: u16,
}

/// A target and whether it takes connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Which.
    pub name: TargetName,
    /// Whether it was taken out and only finishes what it has; else it is registered, whatever its health.
    pub draining: bool,
}

/// The tasks of services and their open connections.
#[expect(async_fn_in_trait, reason = "used through generics only, within one task")]
pub trait Connections {
    /// The tasks of services of one cluster, with the addresses at which they count their connections, in the fewest
    /// calls. What fails is an error for the services that it concerns.
    async fn list_tasks(&self, services: &[&ServiceSettings]) -> Listed;
    /// How many connections a task of this service has, without the one that asks.
    ///
    /// # Errors
    /// Why that is unknown, in words that name the task.
    async fn connections(&self, service: &ServiceSettings, task: &TaskState) -> Result<u64, String>;
}

/// The tasks of some services.
#[derive(Clone, Debug, Default)]
pub struct Listed {
    /// Those that are not stopped, by service.
    pub tasks: BTreeMap<ServiceId, Result<Vec<TaskState>, Error>>,
    /// How many calls of ListTasks and DescribeTasks it took.
    pub calls: u32,
}

/// The right to do something alone for a while.
#[expect(async_fn_in_trait, reason = "used through generics only, within one task")]
pub trait Leases {
    /// Takes a lease until a moment, if nobody has it now. If somebody has, it is prolonged for them instead, at least
    /// until this moment: whoever asked may leave, because the other one stays.
    async fn take_lease(&self, lease: &str, owner: &str, until: Timestamp) -> Result<Lease, Error>;
    /// Gives the lease back that its owner has until a moment; if it was prolonged meanwhile, keeps it and says until
    /// when.
    async fn return_lease(
        &self,
        lease: &str,
        owner: &str,
        until: Timestamp,
    ) -> Result<Option<Timestamp>, Error>;
}

/// Who has a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lease {
    /// Whoever asked.
    Taken,
    /// Somebody else, who was given more time.
    Prolonged,
}

/// Looks at groups that many share.
#[expect(async_fn_in_trait, reason = "used through generics only, within one task")]
pub trait Looks {
    /// The last look at a group, however old, and the last claim. A look that cannot be understood is none, because the next
    /// one replaces it.
    async fn shared(&self, group: &GroupName) -> Result<Shared, Error>;
    /// Claims the right to look at a group, over the claim that was found.
    async fn claim_look(
        &self,
        group: &GroupName,
        found: Option<Timestamp>,
        at: Timestamp,
    ) -> Result<Saved, Error>;
    /// Claims the right to write a wake down, unless somebody has (see [`wakes_claimed`](crate::look::wakes_claimed)). The
    /// group need not be known.
    async fn claim_wake(&self, group: &GroupName, at: Timestamp) -> Result<Saved, Error>;
    /// Shares a look, unless there is one that began later.
    async fn share_look(&self, group: &GroupName, look: &Look) -> Result<(), Error>;
}

/// What is remembered of the connections of services between invocations.
#[expect(async_fn_in_trait, reason = "used through generics only, within one task")]
pub trait Windows {
    /// The windows that were saved last under this name.
    async fn windows(&self, name: &str) -> Result<BTreeMap<ServiceId, Window>, Error>;
    /// Saves windows in place of those before.
    async fn save_windows(&self, name: &str, windows: &BTreeMap<ServiceId, Window>) -> Result<(), Error>;
}

/// What scale-ins are about to do.
#[expect(async_fn_in_trait, reason = "used through generics only, within one task")]
pub trait Plans {
    /// The plan of a service's scale-in.
    async fn plan(&self, service: &ServiceId) -> Result<Option<Plan>, Error>;
    /// Writes a plan over the version that it carries (0: none), as the next version.
    async fn save_plan(&self, service: &ServiceId, plan: &Plan) -> Result<Saved, Error>;
    /// Removes exactly this plan. If somebody wrote another one, that stays.
    async fn remove_plan(&self, service: &ServiceId, plan: &Plan) -> Result<Saved, Error>;
}

/// Runs scale-ins.
#[expect(async_fn_in_trait, reason = "used through generics only, within one task")]
pub trait ScaleIns {
    /// Starts an execution of the scale-in state machine, unless one of this name runs already.
    async fn start_scale_in(
        &self,
        execution: &str,
        group: &GroupName,
        service: &ServiceId,
    ) -> Result<(), Error>;
    /// Whether the execution runs.
    async fn scale_in_runs(&self, execution: &str) -> Result<bool, Error>;
}

/// Tells people what changed.
#[expect(async_fn_in_trait, reason = "used through generics only, within one task")]
pub trait Notifications {
    /// Publishes a notice to everybody who subscribed.
    async fn tell(&self, notice: &Notice) -> Result<(), Error>;
}

/// All that scaling needs beyond [`World`].
pub trait ScalingWorld:
    World
    + SessionRows
    + Utilizations
    + Connections
    + Leases
    + Windows
    + Protection
    + Targets
    + Plans
    + ScaleIns
    + Notifications
{
}
impl<W> ScalingWorld for W where
    W: World
        + SessionRows
        + Utilizations
        + Connections
        + Leases
        + Windows
        + Protection
        + Targets
        + Plans
        + ScaleIns
        + Notifications
{
}

/// All that every function needs.
pub trait World:
    Store + Whys + Discovery + Services + ScalableTargets + Doors + Signals + Timers + Clock + Quota
{
}
impl<W> World for W where
    W: Store + Whys + Discovery + Services + ScalableTargets + Doors + Signals + Timers + Clock + Quota
{
}
