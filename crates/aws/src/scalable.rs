//! Scalable targets of Application Auto Scaling.
//!
//! RegisterScalableTarget updates a target that there is: "To update a scalable target, specify the parameters that you
//! want to change. […] Any parameters that you don't specify are not changed by this update request." It does not make
//! one, because a new one needs a minimum and a maximum (Application Auto Scaling API reference).

use std::collections::BTreeMap;

use aws_sdk_applicationautoscaling::types::{
    ScalableDimension, ScalableTarget, ServiceNamespace, SuspendedState,
};
use dormouse_core::error::Error;
use dormouse_core::ids::ServiceId;
use dormouse_core::ports::ScalableTargets;
use dormouse_core::scalable::{Bounds, Suspended};
use dormouse_core::settings::ServiceSettings;

use crate::Aws;
use crate::errors::failed;

/// Resources in one DescribeScalableTargets call: as many as it answers at once (Application Auto Scaling API reference).
const PER_CALL: usize = 50;

/// What is known of each service.
type Found = BTreeMap<ServiceId, Result<Option<Bounds>, Error>>;

impl ScalableTargets for Aws {
    async fn bounds(&self, services: &[&ServiceSettings]) -> Found {
        let mut found = Found::new();
        for some in services.chunks(PER_CALL) {
            match self.describe_targets(some).await {
                Ok(targets) => found.extend(some.iter().map(|service| {
                    let id = resource_id(&service.id);
                    let target = targets.iter().find(|target| target.resource_id() == id);
                    (service.id.clone(), Ok(target.map(bounds)))
                })),
                Err(error) => {
                    let unknown = some
                        .iter()
                        .map(|service| (service.id.clone(), Err(error.clone())));
                    found.extend(unknown);
                }
            }
        }
        found
    }

    async fn suspend(&self, service: &ServiceId, suspended: Suspended) -> Result<(), Error> {
        let what = format!("RegisterScalableTarget of service `{service}`");
        let call = self.autoscaling.register_scalable_target();
        call.service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .resource_id(resource_id(service))
            .suspended_state(state(suspended))
            .send()
            .await
            .map_err(|error| failed(&what, &error))?;
        Ok(())
    }
}

impl Aws {
    async fn describe_targets(&self, services: &[&ServiceSettings]) -> Result<Vec<ScalableTarget>, Error> {
        let ids = services.iter().map(|service| resource_id(&service.id));
        let what = match services {
            [one] => format!("DescribeScalableTargets of service `{}`", one.id),
            many => format!("DescribeScalableTargets of {} services", many.len()),
        };
        let call = self.autoscaling.describe_scalable_targets();
        let pages = call
            .service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .set_resource_ids(Some(ids.collect()))
            .into_paginator()
            .items()
            .send();
        pages
            .collect::<Result<Vec<_>, _>>()
            .await
            .map_err(|error| failed(&what, &error))
    }
}

/// A service as Application Auto Scaling names it.
fn resource_id(service: &ServiceId) -> String {
    format!("service/{service}")
}

fn bounds(target: &ScalableTarget) -> Bounds {
    let is = |value: Option<bool>| value.unwrap_or(false);
    let suspended = target.suspended_state().map(|state| Suspended {
        dynamic_in: is(state.dynamic_scaling_in_suspended),
        dynamic_out: is(state.dynamic_scaling_out_suspended),
        scheduled: is(state.scheduled_scaling_suspended),
    });
    Bounds {
        min: u32::try_from(target.min_capacity()).unwrap_or(0),
        max: u32::try_from(target.max_capacity()).unwrap_or(0),
        suspended: suspended.unwrap_or_default(),
    }
}

/// All three are said: one that is not would be resumed.
fn state(suspended: Suspended) -> SuspendedState {
    SuspendedState::builder()
        .dynamic_scaling_in_suspended(suspended.dynamic_in)
        .dynamic_scaling_out_suspended(suspended.dynamic_out)
        .scheduled_scaling_suspended(suspended.scheduled)
        .build()
}

#[cfg(test)]
mod tests {
    use aws_sdk_applicationautoscaling::primitives::DateTime;

    use super::*;

    fn target(state: Option<SuspendedState>) -> ScalableTarget {
        ScalableTarget::builder()
            .service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .resource_id("service/dev/web")
            .min_capacity(2)
            .max_capacity(6)
            .role_arn("arn:aws:iam::000000000000:role/x")
            .creation_time(DateTime::from_secs(0))
            .set_suspended_state(state)
            .build()
            .expect("a target")
    }

    #[test]
    fn a_service_is_named_by_its_cluster_and_name() {
        assert_eq!(resource_id(&ServiceId::new("dev", "web")), "service/dev/web");
    }

    #[test]
    fn a_target_that_says_nothing_of_it_is_not_suspended() {
        let found = bounds(&target(None));
        assert_eq!(
            (found.min, found.max, found.suspended),
            (2, 6, Suspended::default())
        );
    }

    #[test]
    fn what_is_suspended_is_said_as_it_is_read() {
        for n in 0..8 {
            let suspended = Suspended {
                dynamic_in: n & 1 != 0,
                dynamic_out: n & 2 != 0,
                scheduled: n & 4 != 0,
            };
            assert_eq!(bounds(&target(Some(state(suspended)))).suspended, suspended);
        }
    }
}
