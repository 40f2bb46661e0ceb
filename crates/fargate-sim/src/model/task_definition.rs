//! Task definitions: kept as they were sent, with the parts that the model acts on read out.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::ApiError;
use super::tags::{Tag, check_tags};
use super::time::Millis;
use super::world::World;

/// A registered revision.
#[derive(Clone, Debug)]
pub struct TaskDefinition {
    /// Family.
    pub family: String,
    /// Revision, from 1.
    pub revision: u32,
    /// ARN with the revision.
    pub arn: String,
    /// All fields as they were registered.
    pub raw: Map<String, Value>,
    /// The containers.
    pub containers: Vec<ContainerDefinition>,
    /// When it was registered.
    pub registered_at: Millis,
    /// When it was deregistered: INACTIVE since then.
    pub deregistered_at: Option<Millis>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// A container, in the fields that the model acts on.
#[derive(Clone, Debug)]
pub struct ContainerDefinition {
    /// Its name.
    pub name: String,
    /// Its image; one that contains `missing` cannot be pulled here.
    pub image: String,
    /// Whether the task ends with it.
    pub essential: bool,
    /// Container ports.
    pub ports: Vec<u16>,
    /// Environment; names that begin with `SIM_` steer the simulated app.
    pub environment: BTreeMap<String, String>,
    /// Command; `["crash"]` exits 1 shortly after start.
    pub command: Vec<String>,
    /// Container health check, if any.
    pub health_check: Option<ContainerHealthCheck>,
    /// From SIGTERM to SIGKILL: 30 s unless set, at most 120 s on Fargate ("Task definition parameters for
    /// Fargate", container timeouts).
    pub stop_timeout: Duration,
}

/// A container health check ("Determine Amazon ECS task health using container health checks"), whose command
/// is modelled as a GET of the URL that it names.
#[derive(Clone, Debug)]
pub struct ContainerHealthCheck {
    /// Port in the command's URL, else the first container port.
    pub port: Option<u16>,
    /// Path in the command's URL, else `/healthz`.
    pub path: String,
    /// 30 s unless set.
    pub interval: Duration,
    /// 5 s unless set.
    pub timeout: Duration,
    /// 3 unless set.
    pub retries: u32,
    /// Failures do not count this long after the start; 0 unless set.
    pub start_period: Duration,
}

impl TaskDefinition {
    /// The container that is simulated: the first essential one.
    pub fn main(&self) -> &ContainerDefinition {
        // Registration refuses a definition without an essential container.
        self.containers
            .iter()
            .find(|c| c.essential)
            .unwrap_or(&self.containers[0])
    }

    /// A setting of the simulated app from the main container's environment.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.main().environment.get(name).map(String::as_str)
    }

    /// A text field of the definition itself, such as `cpu`.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.raw.get(field).and_then(Value::as_str)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawContainer {
    name: Option<String>,
    image: Option<String>,
    essential: Option<bool>,
    #[serde(default)]
    port_mappings: Vec<RawPort>,
    #[serde(default)]
    environment: Vec<RawVariable>,
    #[serde(default)]
    command: Vec<String>,
    health_check: Option<RawHealthCheck>,
    stop_timeout: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawPort {
    container_port: Option<u16>,
}

#[derive(Deserialize)]
struct RawVariable {
    name: String,
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawHealthCheck {
    command: Vec<String>,
    interval: Option<u64>,
    timeout: Option<u64>,
    retries: Option<u32>,
    start_period: Option<u64>,
}

fn read_container(value: &Value) -> Result<ContainerDefinition, ApiError> {
    let raw = RawContainer::deserialize(value)
        .map_err(|e| ApiError::client(format!("Container definition cannot be read: {e}")))?;
    let name = raw
        .name
        .ok_or_else(|| ApiError::client("Container.name should not be null or empty."))?;
    let image = raw
        .image
        .ok_or_else(|| ApiError::client("Container.image should not be null or empty."))?;
    Ok(ContainerDefinition {
        name,
        image,
        essential: raw.essential.unwrap_or(true),
        ports: raw
            .port_mappings
            .iter()
            .filter_map(|p| p.container_port)
            .collect(),
        environment: raw.environment.into_iter().map(|v| (v.name, v.value)).collect(),
        command: raw.command,
        health_check: raw.health_check.map(read_health_check),
        stop_timeout: Duration::from_secs(raw.stop_timeout.unwrap_or(30).min(120)),
    })
}

fn read_health_check(raw: RawHealthCheck) -> ContainerHealthCheck {
    let command = raw.command.join(" ");
    let url = command
        .split("http://")
        .nth(1)
        .and_then(|rest| rest.split([' ', '"', '\'', '|']).next());
    let (authority, path) = url.map_or(("", "/healthz"), |u| match u.find('/') {
        Some(slash) => (&u[..slash], &u[slash..]),
        None => (u, "/"),
    });
    let port = match (url, authority.rsplit_once(':')) {
        (None, _) => None,
        (_, Some((_, port))) => port.parse().ok(),
        _ => Some(80),
    };
    ContainerHealthCheck {
        port,
        path: path.into(),
        interval: Duration::from_secs(raw.interval.unwrap_or(30)),
        timeout: Duration::from_secs(raw.timeout.unwrap_or(5)),
        retries: raw.retries.unwrap_or(3),
        start_period: Duration::from_secs(raw.start_period.unwrap_or(0)),
    }
}

impl World {
    /// RegisterTaskDefinition: the next revision of its family.
    pub fn register_task_definition(
        &mut self,
        now: Millis,
        mut raw: Map<String, Value>,
    ) -> Result<Arc<TaskDefinition>, ApiError> {
        let family = raw
            .get("family")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_string();
        if family.is_empty() {
            return Err(ApiError::client("Family should not be null or empty."));
        }
        let containers = raw
            .get("containerDefinitions")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let containers = containers
            .iter()
            .map(read_container)
            .collect::<Result<Vec<_>, _>>()?;
        if !containers.iter().any(|c| c.essential) {
            return Err(ApiError::client(
                "At least one container definition must be essential.",
            ));
        }
        let tags: Vec<Tag> = match raw.remove("tags") {
            Some(tags) => {
                serde_json::from_value(tags).map_err(|e| ApiError::invalid(format!("tags: {e}")))?
            }
            None => Vec::new(),
        };
        check_tags(&tags)?;
        let revisions = self.task_definitions.entry(family.clone()).or_default();
        let revision = revisions.last().map_or(1, |d| d.revision + 1);
        let arn = self.config.task_definition_arn(&family, revision);
        let definition = Arc::new(TaskDefinition {
            family,
            revision,
            arn,
            raw,
            containers,
            registered_at: now,
            deregistered_at: None,
            tags,
        });
        revisions.push(definition.clone());
        Ok(definition)
    }

    /// The definition that `family`, `family:revision` or an ARN names; the latest active one for a bare family.
    pub fn task_definition(&self, named: &str) -> Option<&Arc<TaskDefinition>> {
        let name = super::resource_name("task-definition", named);
        match name.split_once(':') {
            Some((family, revision)) => {
                let revision: u32 = revision.parse().ok()?;
                self.task_definitions
                    .get(family)?
                    .iter()
                    .find(|d| d.revision == revision)
            }
            None => self
                .task_definitions
                .get(name)?
                .iter()
                .rev()
                .find(|d| d.deregistered_at.is_none()),
        }
    }

    /// DeregisterTaskDefinition.
    pub fn deregister_task_definition(
        &mut self,
        now: Millis,
        named: &str,
    ) -> Result<Arc<TaskDefinition>, ApiError> {
        let missing = || ApiError::client("The specified task definition does not exist.");
        let (family, revision) = self
            .task_definition(named)
            .map(|d| (d.family.clone(), d.revision))
            .ok_or_else(missing)?;
        let revisions = self.task_definitions.get_mut(&family).ok_or_else(missing)?;
        let definition = revisions
            .iter_mut()
            .find(|d| d.revision == revision)
            .ok_or_else(missing)?;
        Arc::make_mut(definition).deregistered_at = Some(now);
        Ok(definition.clone())
    }

    /// All revisions of all families.
    pub fn task_definitions(&self) -> impl Iterator<Item = &Arc<TaskDefinition>> {
        self.task_definitions.values().flatten()
    }
}
