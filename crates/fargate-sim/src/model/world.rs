//! The whole of the model.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::balancer::LoadBalancer;
use super::cluster::Cluster;
use super::config::Config;
use super::effects::Effect;
use super::ids::Ids;
use super::listener::Listener;
use super::network::Network;
use super::pipeline::{JobId, PipelineJob};
use super::request_counts::Requests;
use super::scalable_target::ScalableTarget;
use super::service::{Service, ServiceKey};
use super::target_group::TargetGroup;
use super::task::{Load, Task, TaskId};
use super::task_definition::TaskDefinition;
use super::throttle::Bucket;
use super::time::Millis;

/// An AWS account in one Region, as far as it is modelled. All its time comes from its callers.
#[derive(Clone, Debug)]
pub struct World {
    /// Its settings.
    pub config: Config,
    pub(crate) ids: Ids,
    pub(crate) clusters: BTreeMap<String, Cluster>,
    pub(crate) task_definitions: BTreeMap<String, Vec<Arc<TaskDefinition>>>,
    pub(crate) services: BTreeMap<ServiceKey, Service>,
    pub(crate) scalable_targets: BTreeMap<ServiceKey, ScalableTarget>,
    pub(crate) tasks: BTreeMap<TaskId, Task>,
    pub(crate) task_number: u64,
    pub(crate) network: Network,
    pub(crate) target_groups: BTreeMap<String, TargetGroup>,
    pub(crate) load_balancers: BTreeMap<String, LoadBalancer>,
    pub(crate) listeners: BTreeMap<String, Listener>,
    pub(crate) requests: Requests,
    pub(crate) jobs: BTreeMap<JobId, PipelineJob>,
    /// Targets that somebody took out, to be put back: see [`Config::reregister_after`].
    pub(crate) taken_out: Vec<(Millis, TaskId)>,
    pub(crate) capacity_available: bool,
    /// Fargate launches: 100 at once, 20 a second ("AWS Fargate throttling quotas").
    pub(crate) launches: Bucket,
    pub(crate) effects: Vec<Effect>,
    pub(crate) clock: Millis,
}

impl World {
    /// An empty account.
    pub fn new(config: Config) -> World {
        World {
            ids: Ids::new(config.seed),
            clusters: BTreeMap::new(),
            task_definitions: BTreeMap::new(),
            services: BTreeMap::new(),
            scalable_targets: BTreeMap::new(),
            tasks: BTreeMap::new(),
            task_number: 0,
            network: Network::default(),
            target_groups: BTreeMap::new(),
            load_balancers: BTreeMap::new(),
            listeners: BTreeMap::new(),
            requests: Requests::default(),
            jobs: BTreeMap::new(),
            taken_out: Vec::new(),
            capacity_available: true,
            launches: Bucket::new(100, 20.0 * config.timing.speed),
            effects: Vec::new(),
            clock: Millis(0),
            config,
        }
    }

    /// A task by id.
    pub fn task(&self, id: &TaskId) -> Option<&Task> {
        self.tasks.get(id)
    }

    /// Whether Fargate has capacity; services are looked at again soon after it comes back.
    pub fn set_capacity(&mut self, now: Millis, available: bool) {
        self.capacity_available = available;
        let keys: Vec<ServiceKey> = self.services.keys().cloned().collect();
        for key in keys {
            self.poke(&key, now);
        }
    }

    /// Whether Fargate has capacity.
    pub fn capacity(&self) -> bool {
        self.capacity_available
    }

    /// What a task's app says about its work.
    pub fn report_load(&mut self, id: &TaskId, load: Load) {
        if let Some(task) = self.tasks.get_mut(id) {
            task.load = load;
        }
    }
}
