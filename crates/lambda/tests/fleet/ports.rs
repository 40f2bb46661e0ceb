//! The other ports: those that AWS answers go to the adapter, the others are in memory.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::pin::pin;
use std::time::Duration;

use dormouse_core::decide::Question;
use dormouse_core::error::Error;
use dormouse_core::front::{Door, DoorId, Forward, Place, Posted};
use dormouse_core::ids::{Generation, GroupName, ServiceId};
use dormouse_core::observation::{Seen, TaskAddress, TaskState};
use dormouse_core::pipeline::{JobResult, Reported};
use dormouse_core::ports::{
    Clock, Connections, Discovery, Doors, FanOut, Jobs, Listed, LoadBalancers, Notifications, Protection,
    Saved, ScalableTargets, ScaleIns, Services, Signals, Target, TargetName, Targets, Timers, Utilizations,
};
use dormouse_core::reading::Reading;
use dormouse_core::scalable::{Bounds, Suspended};
use dormouse_core::scaling::load::Metric;
use dormouse_core::scaling::notice::Notice;
use dormouse_core::scaling::reason::Utilization;
use dormouse_core::settings::ServiceSettings;
use dormouse_core::tags::TaggedService;
use futures_util::future::{Either, select};
use jiff::Timestamp;

use crate::fleet::{Fleet, moment};

impl Clock for Fleet {
    fn now(&self) -> Timestamp {
        moment(self.cloud.time.now())
    }

    async fn pause(&self, duration: Duration) {
        self.cloud.time.pause(duration).await;
    }

    async fn within<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        match select(pin!(work), self.cloud.time.pause(limit)).await {
            Either::Left((answer, _)) => Some(answer),
            Either::Right(_) => None,
        }
    }
}

impl Services for Fleet {
    async fn observe(&self, services: &[&ServiceSettings]) -> BTreeMap<ServiceId, Seen> {
        self.looked_at
            .borrow_mut()
            .extend(services.iter().map(|service| service.id.clone()));
        self.aws.observe(services).await
    }

    async fn observe_tasks(&self, services: &[&ServiceSettings]) -> BTreeMap<ServiceId, Seen> {
        self.aws.observe_tasks(services).await
    }

    async fn observe_counts(&self, services: &[&ServiceSettings]) -> BTreeMap<ServiceId, Seen> {
        for service in services {
            let mut glances = self.glances.borrow_mut();
            *glances.entry(service.id.clone()).or_default() += 1;
            self.looked_at.borrow_mut().insert(service.id.clone());
        }
        self.aws.observe_counts(services).await
    }

    async fn set_desired(&self, service: &ServiceId, count: u32) -> Result<(), Error> {
        self.aws.set_desired(service, count).await
    }
}

impl ScalableTargets for Fleet {
    async fn bounds(
        &self,
        services: &[&ServiceSettings],
    ) -> BTreeMap<ServiceId, Result<Option<Bounds>, Error>> {
        self.aws.bounds(services).await
    }

    async fn suspend(&self, service: &ServiceId, suspended: Suspended) -> Result<(), Error> {
        self.aws.suspend(service, suspended).await
    }
}

impl Doors for Fleet {
    async fn doors(
        &self,
        target_groups: &[String],
        known: &[DoorId],
    ) -> Result<BTreeMap<DoorId, Door>, Error> {
        self.aws.doors(target_groups, known).await
    }

    async fn lead(&self, door: &DoorId, from: &Forward, to: &Forward) -> Result<Saved, Error> {
        self.aws.lead(door, from, to).await
    }

    async fn prove(&self, group: &GroupName, door: &DoorId, place: &Place) -> Result<(), Error> {
        self.aws.prove(group, door, place).await
    }

    async fn post(&self, posted: &Posted) -> Result<(), Error> {
        self.aws.post(posted).await
    }

    async fn posted(&self) -> Result<Vec<Posted>, Error> {
        self.aws.posted().await
    }
}

impl Connections for Fleet {
    async fn list_tasks(&self, services: &[&ServiceSettings]) -> Listed {
        self.aws.list_tasks(services).await
    }

    async fn connections(&self, service: &ServiceSettings, task: &TaskState) -> Result<u64, String> {
        self.asked.set(self.asked.get() + 1);
        let answer = match (self.shape.probes, &task.address) {
            (Probes::Direct, TaskAddress::Public(address, _)) => self.ask(*address).await,
            _ => self.aws.connections(service, task).await,
        };
        if answer.is_ok() {
            let mut first = self.first_readings.borrow_mut();
            first
                .entry(service.id.clone())
                .or_insert_with(|| self.cloud.time.now());
        }
        answer
    }
}

/// How tasks are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Probes {
    /// By the adapter, as always.
    Adapter,
    /// Around the adapter and the SDK, to the same tasks, which answer as late: for long runs.
    Direct,
}

impl Fleet {
    async fn ask(&self, address: IpAddr) -> Result<u64, String> {
        let answer = self.cloud.ask(address).await;
        answer.ok_or_else(|| format!("nobody answers at {address}"))
    }
}

impl Discovery for Fleet {
    async fn tagged(&self) -> Result<Vec<TaggedService>, Error> {
        self.aws.tagged().await
    }
}

impl Protection for Fleet {
    async fn protected_until(
        &self,
        cluster: &str,
        tasks: &[String],
    ) -> Result<BTreeMap<String, Option<Timestamp>>, Error> {
        self.aws.protected_until(cluster, tasks).await
    }

    async fn protect(&self, cluster: &str, tasks: &[String], minutes: Option<u32>) -> Result<(), Error> {
        self.aws.protect(cluster, tasks, minutes).await
    }
}

impl Targets for Fleet {
    async fn targets(&self, target_group: &str) -> Result<Vec<Target>, Error> {
        self.aws.targets(target_group).await
    }

    async fn deregister(&self, target_group: &str, targets: &[TargetName]) -> Result<(), Error> {
        self.aws.deregister(target_group, targets).await
    }

    async fn register(&self, target_group: &str, targets: &[TargetName]) -> Result<(), Error> {
        self.aws.register(target_group, targets).await
    }

    async fn deregistration_delay(&self, target_group: &str) -> Result<Duration, Error> {
        self.aws.deregistration_delay(target_group).await
    }
}

/// All services are in use.
impl Signals for Fleet {
    async fn read(&self, question: Question<'_>, _idle_after: Duration, now: Timestamp) -> Reading {
        self.cloud.call(question.signal.as_str(), 0, 0).await;
        Reading::Active(now)
    }
}

impl Timers for Fleet {
    async fn start(
        &self,
        _group: &GroupName,
        _generation: Generation,
        _woken_at: Timestamp,
        _at: Timestamp,
    ) -> Result<(), Error> {
        self.cloud.call("StartExecution", 0, 0).await;
        Ok(())
    }
}

impl FanOut for Fleet {
    async fn hand_over(&self, message: &str) -> Result<(), Error> {
        self.cloud.call("SendMessage", 0, 0).await;
        self.queue.borrow_mut().push(message.to_owned());
        Ok(())
    }
}

impl Jobs for Fleet {
    async fn report(&self, job: &str, result: &JobResult) -> Result<Reported, Error> {
        self.aws.report(job, result).await
    }
}

impl LoadBalancers for Fleet {
    async fn target_groups(&self, load_balancer: &str) -> Result<Vec<String>, Error> {
        self.aws.target_groups(load_balancer).await
    }
}

impl Utilizations for Fleet {
    async fn utilizations(
        &self,
        wanted: &[(ServiceId, Utilization)],
        _since: Timestamp,
        _now: Timestamp,
    ) -> Vec<Metric> {
        panic!("nobody asked for utilizations: {wanted:?}");
    }
}

impl ScaleIns for Fleet {
    async fn start_scale_in(
        &self,
        execution: &str,
        _group: &GroupName,
        _service: &ServiceId,
    ) -> Result<(), Error> {
        panic!("{execution} has no reason to begin");
    }

    async fn scale_in_runs(&self, execution: &str) -> Result<bool, Error> {
        panic!("{execution} never began");
    }
}

impl Notifications for Fleet {
    async fn tell(&self, _notice: &Notice) -> Result<(), Error> {
        self.cloud.call("Publish", 0, 0).await;
        Ok(())
    }
}
