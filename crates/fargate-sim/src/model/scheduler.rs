//! The service scheduler: level-triggered, it brings what is towards what should be.
//!
//! "Amazon ECS services" and "Deploy Amazon ECS services by replacing tasks"
//! (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-ecs.html>).

use super::container_health::HealthStatus;
use super::deployment::{Deployment, RolloutState};
use super::events::{NO_CAPACITY, STEADY, task_list};
use super::service::{ServiceKey, ServiceStatus};
use super::stages::Stop;
use super::target_health::TargetState;
use super::task::{Stage, Task, TaskId};
use super::time::Millis;
use super::world::World;

impl World {
    /// One look at a service.
    pub(crate) fn reconcile(&mut self, key: &ServiceKey, now: Millis) {
        let Some(service) = self.services.get_mut(key) else {
            return;
        };
        service.look_at = None;
        match service.status {
            ServiceStatus::Inactive => return,
            ServiceStatus::Draining => return self.retire(key),
            ServiceStatus::Active => {}
        }
        self.stop_unhealthy(key, now);
        self.break_circuit(key, now);
        self.scale_in(key, now);
        self.scale_out(key, now);
        self.settle(key, now);
    }

    /// Tasks of a service that are not on their way out, oldest first.
    fn alive(&self, key: &ServiceKey) -> Vec<&Task> {
        self.tasks_of(key).into_iter().filter(|t| t.is_alive()).collect()
    }

    /// Whether a task counts as healthy for a deployment: RUNNING, its container health check passed if it has
    /// one, and healthy in its target groups if it has any ("DeploymentConfiguration", minimumHealthyPercent).
    pub(crate) fn is_healthy(&self, task: &Task) -> bool {
        let checked =
            task.definition.main().health_check.is_none() || task.health.status == HealthStatus::Healthy;
        let targets = self.targets_of(&task.id);
        let in_groups = targets.iter().all(|(group, target)| {
            self.target(group, *target)
                .is_some_and(|t| t.state == TargetState::Healthy)
        });
        task.stage == Stage::Running && checked && in_groups
    }

    /// Stops tasks that fail their health checks once their grace period is over; they are replaced
    /// ("healthCheckGracePeriodSeconds": load balancer and container checks are ignored that long after the start).
    fn stop_unhealthy(&mut self, key: &ServiceKey, now: Millis) {
        let Some(service) = self.services.get(key) else {
            return;
        };
        let grace = self.config.timing.seconds(service.grace_seconds.unwrap_or(0));
        let (mut stops, mut wait) = (Vec::new(), None::<Millis>);
        for task in self.alive(key) {
            let (Stage::Running, Some(started)) = (task.stage, task.started_at) else {
                continue;
            };
            let Some(why) = self.illness(task) else { continue };
            match started + grace {
                over if over <= now => stops.push((task.id.clone(), task.deployment.clone(), why)),
                over => wait = Some(wait.map_or(over, |w| w.min(over))),
            }
        }
        for (id, deployment, (reason, event)) in stops {
            if let Some(deployment) = self.deployment_mut(key, &deployment) {
                deployment.failed_tasks += 1;
            }
            self.tell(key, now, &event);
            self.stop_for_scheduler(key, &[id], reason, now);
        }
        if let Some(at) = wait {
            self.look(key, at);
        }
    }

    /// Reason and event of a failed health check.
    fn illness(&self, task: &Task) -> Option<(String, String)> {
        if task.health.status == HealthStatus::Unhealthy {
            let event = format!("(task {}) failed container health checks.", task.id);
            return Some(("Task failed container health checks".into(), event));
        }
        self.targets_of(&task.id).into_iter().find_map(|(group, key)| {
            let target = self.target(&group, key)?;
            if !matches!(target.state, TargetState::Unhealthy(_)) {
                return None;
            }
            let detail = target.describe().2.unwrap_or_default();
            let event = format!(
                "(port {}) is unhealthy in (target-group {group}) due to (reason {detail})",
                key.port
            );
            Some((
                format!("Task failed ELB health checks in (target-group {group})"),
                event,
            ))
        })
    }

    /// Gives a deployment up when too many of its tasks failed: half of the desired count, at least 3 and at
    /// most 200 ("How the Amazon ECS deployment circuit breaker detects failures").
    fn break_circuit(&mut self, key: &ServiceKey, now: Millis) {
        let Some(service) = self.services.get(key) else {
            return;
        };
        let (primary, (on, rollback)) = (service.primary(), service.circuit_breaker);
        let threshold = service.desired_count.div_ceil(2).clamp(3, 200);
        if !on || primary.rollout != RolloutState::InProgress || primary.failed_tasks < threshold {
            return;
        }
        let (failed, last_good) = (primary.id.clone(), service.last_good.clone());
        let id = self.deployment_id();
        self.tell(
            key,
            now,
            &format!("(deployment {failed}) deployment failed: tasks failed to start."),
        );
        let Some(service) = self.services.get_mut(key) else {
            return;
        };
        let primary = &mut service.deployments[0];
        primary.rollout = RolloutState::Failed;
        primary.rollout_reason = "ECS deployment circuit breaker: tasks failed to start.".into();
        if let Some(good) = last_good.filter(|_| rollback) {
            let mut deployment = Deployment::new(id, good.definition, good.network, now);
            deployment.rollout_reason =
                "ECS deployment circuit breaker: rolling back to the last deployment.".into();
            service.deploy(deployment);
        }
    }

    /// Stops tasks of old deployments as far as `minimumHealthyPercent` allows, and those above the desired count.
    /// Protected tasks stay ("Protect your Amazon ECS tasks …": a deployment waits for them too).
    fn scale_in(&mut self, key: &ServiceKey, now: Millis) {
        let Some(service) = self.services.get(key) else {
            return;
        };
        let (desired, primary) = (service.desired_count as usize, service.primary().id.clone());
        let minimum = (desired * service.minimum_healthy_percent as usize).div_ceil(100);
        let alive = self.alive(key);
        let (new, old): (Vec<&Task>, Vec<&Task>) = alive.iter().partition(|t| t.deployment == primary);
        let mut healthy = alive.iter().filter(|t| self.is_healthy(t)).count();
        let mut stops: Vec<TaskId> = Vec::new();

        for task in old.iter().filter(|t| !t.is_protected(now)) {
            if !self.is_healthy(task) {
                stops.push(task.id.clone());
            } else if healthy > minimum {
                healthy -= 1;
                stops.push(task.id.clone());
            }
        }
        let mut candidates: Vec<&Task> = new.iter().copied().filter(|t| !t.is_protected(now)).collect();
        for _ in desired..new.len() {
            if candidates.is_empty() {
                break;
            }
            let chosen = self.config.scale_in.choose(&candidates);
            stops.push(candidates.remove(chosen).id.clone());
        }
        self.stop_for_scheduler(
            key,
            &stops,
            format!("Scaling activity initiated by (deployment {primary})"),
            now,
        );
    }

    fn stop_for_scheduler(&mut self, key: &ServiceKey, tasks: &[TaskId], reason: String, now: Millis) {
        if tasks.is_empty() {
            return;
        }
        let registered = |id: &&TaskId| {
            self.targets_of(id)
                .iter()
                .any(|(g, t)| self.target(g, *t).is_some())
        };
        let draining = tasks.iter().filter(registered).count();
        if draining > 0 {
            self.tell(
                key,
                now,
                &format!("has begun draining connections on {draining} tasks."),
            );
        }
        for id in tasks {
            self.stop(
                id,
                now,
                Stop {
                    code: "ServiceSchedulerInitiated",
                    reason: reason.clone(),
                    drain: true,
                },
            );
        }
        let list = task_list(tasks.iter().map(|t| t.0.as_str()));
        self.tell(
            key,
            now,
            &format!("has stopped {} running tasks: {list}.", tasks.len()),
        );
        if let Some(service) = self.services.get_mut(key) {
            service.steady = false;
        }
    }

    /// Starts what is missing, as far as `maximumPercent`, restart throttling and Fargate's capacity allow.
    fn scale_out(&mut self, key: &ServiceKey, now: Millis) {
        let Some(service) = self.services.get(key) else {
            return;
        };
        let (desired, primary) = (service.desired_count as usize, service.primary());
        let maximum = desired * service.maximum_percent as usize / 100;
        let alive = self.alive(key);
        let new = alive.iter().filter(|t| t.deployment == primary.id).count();
        let missing = desired
            .saturating_sub(new)
            .min(maximum.saturating_sub(alive.len()));
        if missing == 0 || primary.rollout == RolloutState::Failed {
            return;
        }
        if let Some(at) = primary.start_after.filter(|at| *at > now) {
            return self.look(key, at);
        }
        if !self.capacity_available {
            let again = self.config.timing.scaled(self.config.timing.capacity_retry);
            let told = service.no_capacity_told;
            if told.is_none_or(|at| now.since(at) >= again) {
                self.tell(key, now, NO_CAPACITY);
            }
            if let Some(service) = self.services.get_mut(key) {
                service.no_capacity_told = Some(now);
            }
            return self.look(key, now + again);
        }
        let mut started = Vec::new();
        while started.len() < missing && self.launches.take(now) {
            started.extend(self.launch(key, now));
        }
        if started.len() < missing {
            self.poke(key, now);
        }
        if !started.is_empty() {
            let list = task_list(started.iter().map(|t| t.0.as_str()));
            self.tell(key, now, &format!("has started {} tasks: {list}.", started.len()));
        }
        if let Some(service) = self.services.get_mut(key) {
            service.steady = false;
            service.no_capacity_told = None;
        }
    }

    /// Ends what has come to its end: old deployments, the rollout, the way to the steady state.
    fn settle(&mut self, key: &ServiceKey, now: Millis) {
        let tasks = self.tasks_of(key);
        let in_use = |id: &str| {
            tasks
                .iter()
                .any(|t| t.deployment == id && t.stage != Stage::Stopped)
        };
        let Some(service) = self.services.get(key) else {
            return;
        };
        let primary = service.primary().id.clone();
        let keep: Vec<String> = service
            .deployments
            .iter()
            .map(|d| d.id.clone())
            .filter(|id| *id == primary || in_use(id))
            .collect();
        let alive = self.alive(key);
        let steady = alive.len() == service.desired_count as usize
            && alive
                .iter()
                .all(|t| t.deployment == primary && self.is_healthy(t));

        let Some(service) = self.services.get_mut(key) else {
            return;
        };
        service.deployments.retain(|d| keep.contains(&d.id));
        if !steady {
            return;
        }
        let deployment = &mut service.deployments[0];
        let completed = deployment.rollout == RolloutState::InProgress;
        if completed {
            deployment.rollout = RolloutState::Completed;
            deployment.rollout_reason = format!("ECS deployment {primary} completed.");
            deployment.updated_at = now;
            service.last_good = Some(deployment.clone());
        }
        let tell_steady = !std::mem::replace(&mut service.steady, true);
        if completed {
            self.tell(key, now, &format!("(deployment {primary}) deployment completed."));
        }
        if tell_steady {
            self.tell(key, now, STEADY);
        }
    }

    fn tell(&mut self, key: &ServiceKey, now: Millis, text: &str) {
        if let Some(service) = self.services.get_mut(key) {
            service.say(&mut self.ids, now, text);
        }
    }
}
