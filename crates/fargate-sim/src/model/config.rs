//! What a world is set up with: names, addresses, speed, and the choices that AWS leaves open.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use super::task::Task;

/// Settings of a [`super::World`].
#[derive(Clone, Debug)]
pub struct Config {
    /// Account id in every ARN.
    pub account: String,
    /// Region in every ARN.
    pub region: String,
    /// How long things take.
    pub timing: Timing,
    /// Where addresses come from.
    pub addresses: AddressBase,
    /// Which task a scale-in takes.
    pub scale_in: ScaleInChoice,
    /// Put a running task's target back this long (before speed) after somebody else took it out of its target
    /// group; `None` leaves it out. AWS documents neither. aws/containers-roadmap issue 251 reports that ECS
    /// registers it again; whether it still does is not known to us, so it can be tried both ways.
    pub reregister_after: Option<Duration>,
    /// How long (before speed) a change of listener rules takes to be everywhere. Until then requests go by the old
    /// and the new rules in turn: AWS documents neither a duration nor that a change comes at once.
    pub rule_propagation: Duration,
    /// Whether a cookie still leads to its target group when the rule gives that group weight 0. AWS documents neither;
    /// users report that stickiness goes before weights, so it can be tried both ways.
    pub stick_to_weight_zero: bool,
    /// Seed of all ids.
    pub seed: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            account: "000000000000".into(),
            region: "us-east-1".into(),
            timing: Timing::default(),
            addresses: AddressBase::default(),
            scale_in: ScaleInChoice::default(),
            reregister_after: None,
            rule_propagation: Duration::ZERO,
            stick_to_weight_zero: false,
            seed: 1,
        }
    }
}

/// How long each stage takes on Fargate before [`Timing::speed`], and that speed.
///
/// AWS publishes no durations. These are our estimates from public timelines of small images: 30 to 45 s from
/// the call until the container runs. Stage names: "Amazon ECS task lifecycle"
/// (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html>).
#[derive(Clone, Debug)]
pub struct Timing {
    /// All simulated lengths are divided by this.
    pub speed: f64,
    /// Until the service scheduler reacts to a change.
    pub scheduler: Duration,
    /// PROVISIONING: the network interface is made and attached.
    pub provisioning: Duration,
    /// PENDING: the image is pulled. `SIM_PULL_SECONDS` in the task definition's environment goes first.
    pub pulling: Duration,
    /// ACTIVATING: the container starts.
    pub activating: Duration,
    /// DEPROVISIONING: the interface is detached and deleted.
    pub deprovisioning: Duration,
    /// Until the next attempt when Fargate had no capacity.
    pub capacity_retry: Duration,
    /// From a pipeline job's continuation token until its function is invoked again; see [`super::PipelineJob`].
    pub job_continuation: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Timing {
            speed: 1.0,
            scheduler: Duration::from_secs(1),
            provisioning: Duration::from_secs(10),
            pulling: Duration::from_secs(15),
            activating: Duration::from_millis(1500),
            deprovisioning: Duration::from_secs(8),
            capacity_retry: Duration::from_secs(30),
            job_continuation: Duration::from_secs(30),
        }
    }
}

impl Timing {
    /// A simulated length at this world's speed, at least one millisecond unless it was zero.
    pub fn scaled(&self, length: Duration) -> Duration {
        if length.is_zero() {
            return length;
        }
        Duration::from_millis((length.as_secs_f64() * 1000.0 / self.speed).ceil().max(1.0) as u64)
    }

    /// `seconds` at this world's speed.
    pub fn seconds(&self, seconds: u64) -> Duration {
        self.scaled(Duration::from_secs(seconds))
    }
}

/// The first two bytes of the loopback addresses: `127.77` gives tasks private addresses in 127.77.0.0/16,
/// public ones in 127.78.0.0/16 and load balancers theirs in 127.79.0.0/16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressBase(u8);

impl Default for AddressBase {
    fn default() -> Self {
        AddressBase(77)
    }
}

impl AddressBase {
    /// `127.<second>`; `None` outside 1 to 253, which leaves room for the two ranges after it.
    pub fn new(second: u8) -> Option<AddressBase> {
        (1..=253).contains(&second).then_some(AddressBase(second))
    }

    /// The second byte.
    pub fn second(self) -> u8 {
        self.0
    }

    /// A task's `n`th private address.
    pub fn private(self, n: u16) -> Ipv4Addr {
        self.address(0, n)
    }

    /// The public address that goes with [`AddressBase::private`] `n`.
    pub fn public(self, n: u16) -> Ipv4Addr {
        self.address(1, n)
    }

    /// The `n`th load balancer's address.
    pub fn balancer(self, n: u16) -> Ipv4Addr {
        self.address(2, n)
    }

    fn address(self, range: u8, n: u16) -> Ipv4Addr {
        // Last byte 1 to 250: no address that looks like a network or broadcast address.
        Ipv4Addr::new(127, self.0 + range, (n / 250) as u8, (n % 250 + 1) as u8)
    }
}

impl FromStr for AddressBase {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.strip_prefix("127.")
            .and_then(|rest| rest.parse().ok())
            .and_then(AddressBase::new)
            .ok_or_else(|| format!("`{text}` is not of the form 127.N with N from 1 to 253"))
    }
}

impl fmt::Display for AddressBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "127.{}", self.0)
    }
}

/// Which of several unprotected tasks a scale-in stops: an index into the tasks it is given (oldest first).
///
/// AWS promises nothing for Fargate beyond balance over Availability Zones and task protection ("Amazon ECS
/// service parameters", "Protect your Amazon ECS tasks from being terminated by scale-in events"), so software
/// must be right whichever task goes: a test passes the choice that hurts most.
#[derive(Clone)]
pub struct ScaleInChoice(Arc<Choose>);

type Choose = dyn Fn(&[&Task]) -> usize + Send + Sync;

impl ScaleInChoice {
    /// A choice made by `choose`, which is never given an empty list.
    pub fn new(choose: impl Fn(&[&Task]) -> usize + Send + Sync + 'static) -> ScaleInChoice {
        ScaleInChoice(Arc::new(choose))
    }

    /// The longest-running task goes.
    pub fn oldest() -> ScaleInChoice {
        ScaleInChoice::new(|_| 0)
    }

    /// The youngest task goes.
    pub fn newest() -> ScaleInChoice {
        ScaleInChoice::new(|tasks| tasks.len() - 1)
    }

    /// The task with the most connections, then the most CPU, goes; the youngest of equals. The worst pick.
    pub fn busiest() -> ScaleInChoice {
        ScaleInChoice::new(|tasks| {
            let weight = |t: &Task| (t.load.connections, (t.load.cpu * 1000.0) as u64);
            (0..tasks.len())
                .max_by_key(|&i| (weight(tasks[i]), i))
                .unwrap_or(0)
        })
    }

    /// Index of the task to stop.
    pub(crate) fn choose(&self, tasks: &[&Task]) -> usize {
        (self.0)(tasks).min(tasks.len().saturating_sub(1))
    }
}

impl Default for ScaleInChoice {
    fn default() -> Self {
        ScaleInChoice::busiest()
    }
}

impl fmt::Debug for ScaleInChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScaleInChoice(..)")
    }
}
