//! Services: looking at them, and setting desired counts.

use std::collections::BTreeMap;

use aws_sdk_ecs::types::{Deployment, DeploymentRolloutState, Service};
use dormouse_core::error::{Code, Error};
use dormouse_core::ids::ServiceId;
use dormouse_core::observation::{Seen, ServiceState, Trouble};
use dormouse_core::ports::Services;
use dormouse_core::settings::ServiceSettings;
use futures_util::future::join_all;

use crate::errors::failed;
use crate::{Aws, moment};

/// Services in one DescribeServices call (Amazon ECS API reference, DescribeServices).
const PER_CALL: usize = 10;

/// How closely services are looked at.
#[derive(Clone, Copy)]
enum Depth {
    /// How many tasks there are.
    Counts,
    /// Whether their tasks are ready, and what keeps them from it.
    Readiness,
    /// Which tasks there are.
    Tasks,
}

impl Services for Aws {
    async fn observe(&self, services: &[&ServiceSettings]) -> BTreeMap<ServiceId, Seen> {
        self.look(services, Depth::Readiness).await
    }

    async fn observe_tasks(&self, services: &[&ServiceSettings]) -> BTreeMap<ServiceId, Seen> {
        self.look(services, Depth::Tasks).await
    }

    async fn observe_counts(&self, services: &[&ServiceSettings]) -> BTreeMap<ServiceId, Seen> {
        self.look(services, Depth::Counts).await
    }

    async fn set_desired(&self, service: &ServiceId, count: u32) -> Result<(), Error> {
        let answer = self
            .ecs
            .update_service()
            .cluster(&service.cluster)
            .service(&service.name)
            .desired_count(i32::try_from(count).unwrap_or(i32::MAX))
            .send()
            .await;
        let Err(error) = answer else { return Ok(()) };
        let error = failed(&format!("UpdateService {service} to {count}"), &error);
        if error.code == Code::Throttled {
            self.note_throttled().await;
        }
        Err(error)
    }
}

impl Aws {
    async fn look(&self, services: &[&ServiceSettings], depth: Depth) -> BTreeMap<ServiceId, Seen> {
        let clusters = by_cluster(services);
        let calls = clusters.iter().flat_map(|(cluster, services)| {
            services
                .chunks(PER_CALL)
                .map(|chunk| self.observe_chunk(cluster, chunk, depth))
        });
        join_all(calls).await.into_iter().flatten().collect()
    }

    async fn observe_chunk(
        &self,
        cluster: &str,
        chunk: &[&ServiceSettings],
        depth: Depth,
    ) -> Vec<(ServiceId, Seen)> {
        let names = chunk.iter().map(|settings| settings.id.name.clone()).collect();
        let answer = self
            .ecs
            .describe_services()
            .cluster(cluster)
            .set_services(Some(names))
            .send()
            .await;
        let described = match answer {
            Ok(answer) => answer.services.unwrap_or_default(),
            Err(error) => {
                let error = failed(&format!("DescribeServices in cluster `{cluster}`"), &error);
                return chunk
                    .iter()
                    .map(|s| (s.id.clone(), Seen::Unknown(error.clone())))
                    .collect();
            }
        };
        let looks = chunk.iter().map(|settings| {
            let service = described
                .iter()
                .find(|service| service.service_name() == Some(&settings.id.name));
            async move { (settings.id.clone(), self.look_at(settings, service, depth).await) }
        });
        join_all(looks).await
    }

    async fn look_at(&self, settings: &ServiceSettings, service: Option<&Service>, depth: Depth) -> Seen {
        let id = &settings.id;
        let status = service.and_then(Service::status).unwrap_or("MISSING");
        let Some(service) = service.filter(|_| status == "ACTIVE") else {
            let message = format!("service `{id}` is {status}: it must exist and be ACTIVE");
            return Seen::Unknown(Error::new(Code::ServiceNotFound, message));
        };
        let mut state = ServiceState {
            desired: count(service.desired_count()),
            running: count(service.running_count()),
            pending: count(service.pending_count()),
            tasks: Vec::new(),
            tasks_unknown: None,
            rollout_since: rollout_since(service.deployments()),
            troubles: troubles(service),
            load_balancer: None,
            target_groups: service
                .load_balancers()
                .iter()
                .filter_map(|b| b.target_group_arn.clone())
                .collect(),
        };
        if state.desired + state.running + state.pending > 0
            && let Err(error) = match depth {
                Depth::Readiness => self.look_at_tasks(settings, &mut state).await,
                Depth::Tasks => self.list_tasks(&settings.id, &mut state).await,
                Depth::Counts => Ok(()),
            }
        {
            // The counts are known all the same: what hangs on them alone goes on.
            state.tasks_unknown = Some(error.to_string());
        }
        Seen::Known(state)
    }
}

/// The services of each cluster: a call names only services of one.
pub(crate) fn by_cluster<'a>(
    services: &[&'a ServiceSettings],
) -> BTreeMap<&'a str, Vec<&'a ServiceSettings>> {
    let mut clusters: BTreeMap<&str, Vec<&ServiceSettings>> = BTreeMap::new();
    for settings in services {
        clusters.entry(&settings.id.cluster).or_default().push(settings);
    }
    clusters
}

fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

/// A rollout is under way while an older deployment still has tasks (Amazon ECS API reference, Deployment:
/// `status` PRIMARY is the newest, ACTIVE one that is being replaced).
fn rollout_since(deployments: &[Deployment]) -> Option<jiff::Timestamp> {
    let primary = deployments.iter().find(|d| d.status() == Some("PRIMARY"))?;
    let older = deployments
        .iter()
        .any(|d| d.status() == Some("ACTIVE") && d.running_count() + d.pending_count() > 0);
    let under_way = primary.rollout_state() != Some(&DeploymentRolloutState::Failed);
    primary.created_at().filter(|_| older && under_way).map(moment)
}

/// Service events that say why tasks do not run or do not answer (Amazon ECS Developer Guide, "Viewing Amazon
/// ECS service event messages").
fn troubles(service: &Service) -> Vec<Trouble> {
    let says_why = |message: &str| {
        message.contains(" was unable to ")
            || message.contains(" is unable to ")
            || message.contains(" is unhealthy in ")
    };
    let events = service
        .events()
        .iter()
        .filter_map(|event| Some((event.created_at()?, event.message()?)));
    events
        .filter(|(_, message)| says_why(message))
        .map(|(at, message)| Trouble {
            at: moment(at),
            message: message.to_owned(),
        })
        .collect()
}
