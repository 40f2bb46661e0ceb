//! Application Auto Scaling, over the model.

use std::collections::BTreeMap;

use dormouse_core::error::{Code, Error};
use dormouse_core::ids::ServiceId;
use dormouse_core::ports::ScalableTargets;
use dormouse_core::scalable::{Bounds, Suspended};
use dormouse_core::settings::ServiceSettings;
use fargate_sim::model::{RegisterScalableTarget, ServiceKey, SuspendedState};

use super::{Account, Part};

type Found = BTreeMap<ServiceId, Result<Option<Bounds>, Error>>;

impl ScalableTargets for Account {
    async fn bounds(&self, services: &[&ServiceSettings]) -> Found {
        let ids = || services.iter().map(|settings| settings.id.clone());
        let ask = || Ok(ids().map(|id| (id.clone(), Ok(self.target(&id)))).collect());
        let found = self.call(Part::Other, "bounds", ask).await;
        found.unwrap_or_else(|error| ids().map(|id| (id, Err(error.clone()))).collect())
    }

    async fn suspend(&self, service: &ServiceId, suspended: Suspended) -> Result<(), Error> {
        let register = || {
            let input = RegisterScalableTarget {
                suspended: Some(state(suspended)),
                ..RegisterScalableTarget::default()
            };
            self.register(service, input)
        };
        self.call(Part::Other, "suspend", register).await
    }
}

impl Account {
    /// The scalable target as it is.
    pub(crate) fn target(&self, service: &ServiceId) -> Option<Bounds> {
        let clock = self.clock.borrow();
        let target = clock.world.scalable_target(&key(service))?;
        Some(Bounds {
            min: target.min,
            max: target.max,
            suspended: Suspended {
                dynamic_in: target.suspended.dynamic_in,
                dynamic_out: target.suspended.dynamic_out,
                scheduled: target.suspended.scheduled,
            },
        })
    }

    /// The owner lets Application Auto Scaling scale the service like this.
    pub(crate) fn scale_by_policy(&self, service: &ServiceId, bounds: Bounds) {
        let input = RegisterScalableTarget {
            min: Some(bounds.min),
            max: Some(bounds.max),
            suspended: Some(state(bounds.suspended)),
        };
        self.register(service, input).expect("a target");
    }

    fn register(&self, service: &ServiceId, input: RegisterScalableTarget) -> Result<(), Error> {
        self.note(&format!("-- RegisterScalableTarget {:?}", input.suspended));
        let mut clock = self.clock.borrow_mut();
        let now = clock.now;
        clock
            .world
            .register_scalable_target(now, &key(service), input)
            .map_err(|error| Error::new(Code::Rejected, error.to_string()))
    }
}

fn key(service: &ServiceId) -> ServiceKey {
    ServiceKey::new(&service.cluster, &service.name)
}

fn state(suspended: Suspended) -> SuspendedState {
    SuspendedState {
        dynamic_in: suspended.dynamic_in,
        dynamic_out: suspended.dynamic_out,
        scheduled: suspended.scheduled,
    }
}
