//! Container health checks.

use std::time::Duration;

use super::config::Timing;
use super::effects::Effect;
use super::task::{Stage, TaskId};
use super::task_definition::TaskDefinition;
use super::time::Millis;
use super::world::World;

/// Health of a task by its container health checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HealthStatus {
    /// No check, or none has decided yet.
    #[default]
    Unknown,
    /// Passed.
    Healthy,
    /// Failed `retries` times in a row after the start period.
    Unhealthy,
}

impl HealthStatus {
    /// `UNKNOWN`, `HEALTHY`, `UNHEALTHY`.
    pub fn name(self) -> &'static str {
        match self {
            HealthStatus::Unknown => "UNKNOWN",
            HealthStatus::Healthy => "HEALTHY",
            HealthStatus::Unhealthy => "UNHEALTHY",
        }
    }
}

/// Health of one task's main container.
#[derive(Clone, Debug, Default)]
pub(crate) struct ContainerHealth {
    pub(crate) status: HealthStatus,
    pub(crate) next: Option<Millis>,
    failures: u32,
}

impl ContainerHealth {
    /// The first check runs one interval after the start, as Docker's `HEALTHCHECK` does.
    pub(crate) fn start(&mut self, definition: &TaskDefinition, timing: &Timing, now: Millis) {
        self.next = definition
            .main()
            .health_check
            .as_ref()
            .map(|c| now + timing.scaled(c.interval));
    }
}

impl World {
    /// A container health check is due.
    pub(crate) fn probe_container(&mut self, id: &TaskId) {
        let timing = self.config.timing.clone();
        let Some(task) = self.tasks.get_mut(id) else {
            return;
        };
        task.health.next = None;
        let main = task.definition.main();
        let (Some(check), Some(interface)) = (&main.health_check, &task.interface) else {
            return;
        };
        if task.stage != Stage::Running {
            return;
        }
        self.effects.push(Effect::ProbeContainer {
            task: id.clone(),
            address: interface.private,
            port: check.port.or(main.ports.first().copied()).unwrap_or(80),
            path: check.path.clone(),
            timeout: timing.scaled(check.timeout),
        });
    }

    /// A container health check ran ("Determine Amazon ECS task health using container health checks",
    /// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/healthcheck.html>).
    pub(crate) fn container_probed(&mut self, id: &TaskId, healthy: bool, now: Millis) {
        let timing = self.config.timing.clone();
        let Some(task) = self.tasks.get_mut(id) else {
            return;
        };
        let Some(check) = &task.definition.main().health_check else {
            return;
        };
        if task.stage != Stage::Running || task.health.next.is_some() {
            return;
        }
        let before = task.health.status;
        let age: Duration = task.started_at.map_or(Duration::ZERO, |s| now.since(s));
        if healthy {
            task.health.failures = 0;
            task.health.status = HealthStatus::Healthy;
        } else if age >= timing.scaled(check.start_period) {
            task.health.failures += 1;
            if task.health.failures >= check.retries {
                task.health.status = HealthStatus::Unhealthy;
            }
        }
        task.health.next = Some(now + timing.scaled(check.interval));
        if task.health.status != before {
            let service = task.service.clone();
            self.task_changed(id, now);
            self.poke(&service, now);
        }
    }
}
