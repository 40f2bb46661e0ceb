//! Scalable targets of Application Auto Scaling, and what it does to counts.
//!
//! Of policies and scheduled actions the model knows only that they may act at any moment, within the target's bounds,
//! unless they are suspended ("Suspend and resume scaling for Application Auto Scaling",
//! <https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-suspend-resume-scaling.html>).
//! It lets them do the worst to whoever keeps a count outside of the bounds: they bring it back within a second. What
//! RegisterScalableTarget itself does to the count, it does whatever is suspended
//! (<https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html>).

use std::time::Duration;

use super::error::ApiError;
use super::service::{ServiceKey, ServiceStatus};
use super::service_api::UpdateService;
use super::time::Millis;
use super::world::World;

/// From a count outside of the bounds to the scaling activity that ends that. Our choice: soon, so that tests need not
/// wait for it, and not at once, so that callers may see the count between.
const ACTS_AFTER: Duration = Duration::from_secs(1);

/// What is suspended of a scalable target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SuspendedState {
    /// Policies take no capacity away.
    pub dynamic_in: bool,
    /// Policies add no capacity.
    pub dynamic_out: bool,
    /// Scheduled actions do nothing.
    pub scheduled: bool,
}

/// A service's count as a scalable target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScalableTarget {
    /// Least capacity.
    pub min: u32,
    /// Most capacity.
    pub max: u32,
    /// What is suspended.
    pub suspended: SuspendedState,
    /// When it was registered first.
    pub created_at: Millis,
    /// When a scaling activity is due.
    acts_at: Option<Millis>,
}

/// Input of RegisterScalableTarget. What is not given is not changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RegisterScalableTarget {
    /// Least capacity; a new target needs it.
    pub min: Option<u32>,
    /// Most capacity; a new target needs it.
    pub max: Option<u32>,
    /// What is suspended.
    pub suspended: Option<SuspendedState>,
}

impl ScalableTarget {
    /// The count that a scaling activity would set, if one is possible.
    fn activity(&self, desired: u32) -> Option<u32> {
        let scheduled = !self.suspended.scheduled;
        let out = desired < self.min && (!self.suspended.dynamic_out || scheduled);
        let back_in = desired > self.max && (!self.suspended.dynamic_in || scheduled);
        (out || back_in).then(|| self.clamp(desired))
    }

    fn clamp(&self, desired: u32) -> u32 {
        desired.max(self.min).min(self.max)
    }
}

impl World {
    /// The scalable target of a service.
    pub fn scalable_target(&self, service: &ServiceKey) -> Option<&ScalableTarget> {
        self.scalable_targets.get(service)
    }

    /// All scalable targets.
    pub fn scalable_targets(&self) -> impl Iterator<Item = (&ServiceKey, &ScalableTarget)> {
        self.scalable_targets.iter()
    }

    /// RegisterScalableTarget: makes or changes a target, and brings the count within its bounds.
    ///
    /// Errors: `ValidationException`.
    pub fn register_scalable_target(
        &mut self,
        now: Millis,
        service: &ServiceKey,
        input: RegisterScalableTarget,
    ) -> Result<(), ApiError> {
        let refused = |text: String| Err(ApiError::new("ValidationException", text));
        let active = self.services.get(service).map(|s| s.status) == Some(ServiceStatus::Active);
        if !active {
            return refused(format!(
                "ECS service doesn't exist: service/{}/{}",
                service.cluster, service.name
            ));
        }
        let old = self.scalable_targets.get(service);
        let (min, max) = (
            input.min.or(old.map(|target| target.min)),
            input.max.or(old.map(|target| target.max)),
        );
        let (Some(min), Some(max)) = (min, max) else {
            return refused("minimum and maximum capacity are required to register a scalable target".into());
        };
        if min > max {
            return refused(format!(
                "Maximum capacity cannot be less than minimum capacity: {max} < {min}"
            ));
        }
        let suspended = input.suspended.or(old.map(|target| target.suspended));
        let target = ScalableTarget {
            min,
            max,
            suspended: suspended.unwrap_or_default(),
            created_at: old.map_or(now, |target| target.created_at),
            acts_at: None,
        };
        self.scalable_targets.insert(service.clone(), target);
        let desired = self.services.get(service).map_or(0, |s| s.desired_count);
        self.scale(now, service, target.clamp(desired));
        Ok(())
    }

    /// DeregisterScalableTarget. The count stays.
    ///
    /// Errors: `ObjectNotFoundException`.
    pub fn deregister_scalable_target(&mut self, service: &ServiceKey) -> Result<(), ApiError> {
        let ServiceKey { cluster, name } = service;
        let missing = || {
            let text = format!(
                "No scalable target found for service namespace: ecs, resource ID: service/{cluster}/{name}, \
                 scalable dimension: ecs:service:DesiredCount"
            );
            ApiError::new("ObjectNotFoundException", text)
        };
        self.scalable_targets
            .remove(service)
            .map(|_| ())
            .ok_or_else(missing)
    }

    /// When a scaling activity is due next.
    pub(crate) fn activities_due(&self) -> impl Iterator<Item = Option<Millis>> + '_ {
        self.scalable_targets.values().map(|target| target.acts_at)
    }

    /// Lets the scaling activities happen that are due.
    pub(crate) fn scale_by_policy(&mut self, now: Millis) {
        let due = |target: &ScalableTarget| target.acts_at.is_some_and(|at| at <= now);
        let keys: Vec<ServiceKey> = self
            .scalable_targets
            .iter()
            .filter(|(_, target)| due(target))
            .map(|(key, _)| key.clone())
            .collect();
        for key in keys {
            let desired = self.services.get(&key).map_or(0, |s| s.desired_count);
            if let Some(target) = self.scalable_targets.get_mut(&key) {
                target.acts_at = None;
                // What was suspended or set meanwhile counts.
                if let Some(count) = target.activity(desired) {
                    self.scale(now, &key, count);
                }
            }
        }
    }

    /// A service has another count: whether a scaling activity follows. To be called whenever a count is set.
    pub(crate) fn consider_scaling(&mut self, now: Millis, service: &ServiceKey) {
        let delay = self.config.timing.scaled(ACTS_AFTER);
        let active = self
            .services
            .get(service)
            .filter(|s| s.status == ServiceStatus::Active);
        let desired = active.map(|s| s.desired_count);
        if let Some(target) = self.scalable_targets.get_mut(service) {
            let acts = desired.and_then(|desired| target.activity(desired)).is_some();
            target.acts_at = acts.then(|| target.acts_at.unwrap_or(now + delay));
        }
    }

    /// Application Auto Scaling calls UpdateService, unless the count is right.
    fn scale(&mut self, now: Millis, service: &ServiceKey, count: u32) {
        if self
            .services
            .get(service)
            .is_none_or(|s| s.desired_count == count)
        {
            return;
        }
        let input = UpdateService {
            cluster: Some(service.cluster.clone()),
            service: service.name.clone(),
            desired_count: Some(count.into()),
            ..UpdateService::default()
        };
        // A service that cannot be updated is one that is being deleted.
        let _ = self.update_service(now, input);
    }
}
