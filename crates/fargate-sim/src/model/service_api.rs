//! CreateService, UpdateService, DeleteService.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::deployment::{Deployment, DeploymentStatus};
use super::error::ApiError;
use super::service::{Service, ServiceKey, ServiceLoadBalancer, ServiceStatus};
use super::stages::Stop;
use super::tags::{Tag, check_tags};
use super::task::{Stage, TaskId};
use super::task_definition::TaskDefinition;
use super::time::Millis;
use super::world::World;

/// Input of CreateService, as the API spells it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "the fields are those of the API's reference")]
pub struct CreateService {
    pub cluster: Option<String>,
    pub service_name: String,
    pub task_definition: Option<String>,
    pub desired_count: Option<i64>,
    pub load_balancers: Vec<ServiceLoadBalancer>,
    pub network_configuration: Option<Value>,
    pub deployment_configuration: Option<Value>,
    pub health_check_grace_period_seconds: Option<u64>,
    pub propagate_tags: Option<String>,
    #[serde(rename = "enableECSManagedTags")]
    pub enable_ecs_managed_tags: bool,
    pub tags: Vec<Tag>,
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Input of UpdateService, as the API spells it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "the fields are those of the API's reference")]
pub struct UpdateService {
    pub cluster: Option<String>,
    pub service: String,
    pub desired_count: Option<i64>,
    pub task_definition: Option<String>,
    pub force_new_deployment: bool,
    pub health_check_grace_period_seconds: Option<u64>,
    pub network_configuration: Option<Value>,
    pub deployment_configuration: Option<Value>,
    pub load_balancers: Option<Vec<ServiceLoadBalancer>>,
    pub propagate_tags: Option<String>,
    #[serde(rename = "enableECSManagedTags")]
    pub enable_ecs_managed_tags: Option<bool>,
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

fn count(desired: i64) -> Result<u32, ApiError> {
    u32::try_from(desired)
        .map_err(|_| ApiError::invalid("The desired count must be greater than or equal to 0."))
}

impl Service {
    fn configure(&mut self, configuration: Option<&Value>) -> Result<(), ApiError> {
        let Some(configuration) = configuration else {
            return Ok(());
        };
        let number = |name: &str| configuration.get(name).and_then(Value::as_u64).map(|n| n as u32);
        self.minimum_healthy_percent =
            number("minimumHealthyPercent").unwrap_or(self.minimum_healthy_percent);
        self.maximum_percent = number("maximumPercent").unwrap_or(self.maximum_percent);
        if self.maximum_percent < 100 || self.minimum_healthy_percent >= self.maximum_percent {
            return Err(ApiError::invalid(format!(
                "maximumPercent {} must be at least 100 and greater than minimumHealthyPercent {}.",
                self.maximum_percent, self.minimum_healthy_percent
            )));
        }
        if let Some(breaker) = configuration.get("deploymentCircuitBreaker") {
            let flag = |name: &str| breaker.get(name).and_then(Value::as_bool).unwrap_or(false);
            self.circuit_breaker = (flag("enable"), flag("rollback"));
        }
        Ok(())
    }
}

impl World {
    /// CreateService.
    pub fn create_service(&mut self, now: Millis, input: CreateService) -> Result<&Service, ApiError> {
        let cluster = self.cluster_name(input.cluster.as_deref())?;
        let valid = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let name = &input.service_name;
        if name.is_empty() || name.len() > 255 || !name.chars().all(valid) {
            return Err(ApiError::invalid(format!(
                "Service name `{name}` must have 1 to 255 letters, numbers, underscores and hyphens."
            )));
        }
        let key = ServiceKey::new(&cluster, name);
        match self.services.get(&key).map(|s| s.status) {
            Some(ServiceStatus::Active) => {
                return Err(ApiError::invalid("Creation of service was not idempotent."));
            }
            Some(ServiceStatus::Draining) => {
                return Err(ApiError::invalid(
                    "Unable to Start a service that is still Draining.",
                ));
            }
            Some(ServiceStatus::Inactive) | None => {}
        }
        check_tags(&input.tags)?;
        let definition = self.usable_definition(input.task_definition.as_deref())?;
        check_network(input.network_configuration.as_ref())?;
        self.check_load_balancers(&input.load_balancers, &definition)?;
        let deployment = Deployment::new(self.deployment_id(), definition, input.network_configuration, now);
        let grace = input.health_check_grace_period_seconds;
        let mut service = Service {
            arn: self.config.service_arn(&key.cluster, &key.name),
            key: key.clone(),
            status: ServiceStatus::Active,
            desired_count: count(input.desired_count.unwrap_or(0))?,
            deployments: vec![deployment],
            events: VecDeque::new(),
            grace_seconds: grace.or((!input.load_balancers.is_empty()).then_some(0)),
            load_balancers: input.load_balancers,
            minimum_healthy_percent: 100,
            maximum_percent: 200,
            circuit_breaker: (false, false),
            propagate_tags: input.propagate_tags,
            managed_tags: input.enable_ecs_managed_tags,
            tags: input.tags,
            created_at: now,
            other: input.other,
            look_at: None,
            steady: false,
            last_good: None,
            no_capacity_told: None,
        };
        service.configure(input.deployment_configuration.as_ref())?;
        self.services.insert(key.clone(), service);
        self.poke(&key, now);
        self.services.get(&key).ok_or_else(ApiError::service_not_found)
    }

    /// UpdateService. A new task definition, network or load balancer, or `forceNewDeployment`, makes a new
    /// deployment; anything else does not ("Update an Amazon ECS service").
    pub fn update_service(&mut self, now: Millis, input: UpdateService) -> Result<&Service, ApiError> {
        let cluster = self.cluster_name(input.cluster.as_deref())?;
        let key = ServiceKey::new(&cluster, super::resource_name("service", &input.service));
        let found = self.services.get(&key).ok_or_else(ApiError::service_not_found)?;
        if found.status != ServiceStatus::Active {
            return Err(ApiError::new(
                "ServiceNotActiveException",
                "Service was not ACTIVE.",
            ));
        }
        let mut service = found.clone();
        service.configure(input.deployment_configuration.as_ref())?;
        let definition = match &input.task_definition {
            Some(named) => self.usable_definition(Some(named))?,
            None => service.primary().definition.clone(),
        };
        if let Some(balancers) = &input.load_balancers {
            self.check_load_balancers(balancers, &definition)?;
        }
        let network = input
            .network_configuration
            .or_else(|| service.primary().network.clone());
        check_network(network.as_ref())?;
        let primary = service.primary();
        let changed = definition.arn != primary.definition.arn
            || network != primary.network
            || input
                .load_balancers
                .as_ref()
                .is_some_and(|b| *b != service.load_balancers);
        if let Some(desired) = input.desired_count {
            service.desired_count = count(desired)?;
            service.deployments[0].updated_at = now;
        }
        if changed || input.force_new_deployment {
            let id = self.deployment_id();
            service.deploy(Deployment::new(id, definition, network, now));
        }
        service.load_balancers = input.load_balancers.unwrap_or(service.load_balancers);
        service.grace_seconds = input.health_check_grace_period_seconds.or(service.grace_seconds);
        service.propagate_tags = input.propagate_tags.or(service.propagate_tags);
        service.managed_tags = input.enable_ecs_managed_tags.unwrap_or(service.managed_tags);
        service.other.extend(input.other);
        service.steady = false;
        self.services.insert(key.clone(), service);
        self.poke(&key, now);
        self.consider_scaling(now, &key);
        self.services.get(&key).ok_or_else(ApiError::service_not_found)
    }

    /// DeleteService: refused above zero without `force`; then the service drains. Protection does not hold.
    pub fn delete_service(
        &mut self,
        now: Millis,
        cluster: &str,
        name: &str,
        force: bool,
    ) -> Result<&Service, ApiError> {
        let key = ServiceKey::new(cluster, super::resource_name("service", name));
        let service = self
            .services
            .get_mut(&key)
            .ok_or_else(ApiError::service_not_found)?;
        if service.status == ServiceStatus::Inactive {
            return Err(ApiError::new(
                "ServiceNotActiveException",
                "Service was not ACTIVE.",
            ));
        }
        if service.desired_count > 0 && !force {
            return Err(ApiError::invalid(
                "The service cannot be stopped while it is scaled above 0.",
            ));
        }
        service.status = ServiceStatus::Draining;
        service.desired_count = 0;
        let reason = format!(
            "Scaling activity initiated by (deployment {})",
            service.primary().id
        );
        let tasks: Vec<TaskId> = self
            .tasks_of(&key)
            .iter()
            .filter(|t| t.is_alive())
            .map(|t| t.id.clone())
            .collect();
        for id in tasks {
            self.stop(
                &id,
                now,
                Stop {
                    code: "ServiceSchedulerInitiated",
                    reason: reason.clone(),
                    drain: true,
                },
            );
        }
        self.poke(&key, now);
        self.services.get(&key).ok_or_else(ApiError::service_not_found)
    }

    /// Ends a service whose last task is gone.
    pub(crate) fn retire(&mut self, key: &ServiceKey) {
        let empty = self.tasks_of(key).iter().all(|t| t.stage == Stage::Stopped);
        if let Some(service) = self
            .services
            .get_mut(key)
            .filter(|s| s.status == ServiceStatus::Draining && empty)
        {
            service.status = ServiceStatus::Inactive;
            service.look_at = None;
        }
    }

    pub(crate) fn deployment_id(&mut self) -> String {
        format!("ecs-svc/{}", self.ids.digits())
    }

    fn usable_definition(&self, named: Option<&str>) -> Result<Arc<TaskDefinition>, ApiError> {
        let named = named.ok_or_else(|| ApiError::invalid("TaskDefinition can not be blank."))?;
        let found = self
            .task_definition(named)
            .ok_or_else(|| ApiError::client("TaskDefinition not found."))?;
        match found.deregistered_at {
            Some(_) => Err(ApiError::client("TaskDefinition is inactive")),
            None => Ok(found.clone()),
        }
    }

    fn check_load_balancers(
        &self,
        list: &[ServiceLoadBalancer],
        definition: &TaskDefinition,
    ) -> Result<(), ApiError> {
        for entry in list {
            let arn = &entry.target_group_arn;
            if !self.target_groups.contains_key(arn) {
                return Err(ApiError::invalid(format!(
                    "Unable to describe target group {arn}: it does not exist."
                )));
            }
            if !self.is_used(arn) {
                return Err(ApiError::invalid(format!(
                    "The target group with targetGroupArn {arn} does not have an associated load balancer."
                )));
            }
            let container = definition
                .containers
                .iter()
                .find(|c| c.name == entry.container_name);
            let Some(container) = container else {
                let name = &entry.container_name;
                return Err(ApiError::invalid(format!(
                    "The container {name} does not exist in the task definition."
                )));
            };
            if !container.ports.contains(&entry.container_port) {
                return Err(ApiError::invalid(format!(
                    "The container {} did not have a container port {} defined.",
                    entry.container_name, entry.container_port
                )));
            }
        }
        Ok(())
    }
}

impl Service {
    /// Makes `deployment` the primary one.
    pub(crate) fn deploy(&mut self, deployment: Deployment) {
        for old in &mut self.deployments {
            old.status = DeploymentStatus::Active;
        }
        self.deployments.insert(0, deployment);
        self.steady = false;
    }
}

fn check_network(network: Option<&Value>) -> Result<(), ApiError> {
    let subnets = network.and_then(|n| n.get("awsvpcConfiguration")?.get("subnets")?.as_array());
    match subnets {
        None => {
            let text = "Network Configuration must be provided when networkMode 'awsvpc' is specified.";
            Err(ApiError::invalid(text))
        }
        Some(subnets) if subnets.is_empty() => Err(ApiError::invalid("subnets can not be empty.")),
        Some(_) => Ok(()),
    }
}
