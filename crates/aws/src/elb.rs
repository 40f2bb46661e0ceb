//! Load balancers: what they say of targets, and their addresses.

use std::collections::HashMap;
use std::sync::Mutex;

use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::operation::describe_load_balancers::DescribeLoadBalancersError;
use aws_sdk_elasticloadbalancingv2::types::{
    Listener, ProtocolEnum, TargetHealthDescription, TargetHealthStateEnum,
};
use dormouse_core::error::{Code, Error};
use dormouse_core::observation::Health;
use dormouse_core::ports::LoadBalancers;
use dormouse_core::settings::AppUrl;

use crate::Aws;
use crate::errors::failed;
use crate::lazy::Lazy;

/// The health of one target.
pub(crate) struct TargetHealth {
    /// An IP address or an instance id.
    pub(crate) id: String,
    /// What the target group says.
    pub(crate) health: Health,
}

/// The load balancer in front of a target group.
#[derive(Clone)]
pub(crate) struct Balancer {
    /// Its ARN.
    pub(crate) arn: String,
    /// Where visitors find it; none if it has no listener that a browser can use.
    address: Option<AppUrl>,
}

impl Balancer {
    /// Where visitors find it.
    pub(crate) fn address(self) -> Result<AppUrl, Error> {
        self.address.ok_or_else(|| {
            let message = format!(
                "load balancer {} has no HTTP or HTTPS listener that a browser can use",
                self.arn
            );
            Error::new(Code::NoPublicAddress, message)
        })
    }
}

/// The load balancers of an account. Their addresses do not change, so each is looked up once.
pub(crate) struct Balancers {
    pub(crate) client: Lazy<Client>,
    known: Mutex<HashMap<String, Balancer>>,
}

impl Balancers {
    pub(crate) fn new(client: Lazy<Client>) -> Self {
        Self {
            client,
            known: Mutex::default(),
        }
    }

    /// The health of all targets of a target group.
    pub(crate) async fn health(&self, target_group: &str) -> Result<Vec<TargetHealth>, Error> {
        let descriptions = self.descriptions(target_group).await?;
        Ok(descriptions.iter().map(read).collect())
    }

    /// All targets of a target group as it describes them.
    pub(crate) async fn descriptions(
        &self,
        target_group: &str,
    ) -> Result<Vec<TargetHealthDescription>, Error> {
        let answer = self
            .client
            .describe_target_health()
            .target_group_arn(target_group)
            .send()
            .await
            .map_err(|error| failed(&format!("DescribeTargetHealth of {target_group}"), &error))?;
        Ok(answer.target_health_descriptions.unwrap_or_default())
    }

    /// The load balancer in front of a target group.
    pub(crate) async fn balancer(&self, target_group: &str) -> Result<Balancer, Error> {
        if let Some(known) = self.known().get(target_group) {
            return Ok(known.clone());
        }
        let groups = self
            .client
            .describe_target_groups()
            .target_group_arns(target_group)
            .send()
            .await
            .map_err(|error| failed(&format!("DescribeTargetGroups {target_group}"), &error))?;
        let arn = groups
            .target_groups()
            .iter()
            .flat_map(|group| group.load_balancer_arns())
            .next();
        let Some(arn) = arn else {
            let message =
                format!("target group {target_group} belongs to no load balancer: attach it to a listener");
            return Err(Error::new(Code::NoPublicAddress, message));
        };
        let balancer = Balancer {
            arn: arn.clone(),
            address: self.address(arn).await?,
        };
        if balancer.address.is_some() {
            self.known().insert(target_group.to_owned(), balancer.clone());
        }
        Ok(balancer)
    }

    async fn address(&self, arn: &str) -> Result<Option<AppUrl>, Error> {
        let balancers = self
            .client
            .describe_load_balancers()
            .load_balancer_arns(arn)
            .send();
        let listeners = self.client.describe_listeners().load_balancer_arn(arn).send();
        let (balancers, listeners) = futures_util::future::join(balancers, listeners).await;
        let balancers = balancers.map_err(|error| failed(&format!("DescribeLoadBalancers {arn}"), &error))?;
        let listeners = listeners.map_err(|error| failed(&format!("DescribeListeners of {arn}"), &error))?;
        let host = balancers
            .load_balancers()
            .first()
            .and_then(|balancer| balancer.dns_name());
        let front = preferred(listeners.listeners());
        Ok(host
            .zip(front)
            .and_then(|(host, (scheme, port))| AppUrl::of(scheme, host, port)))
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<String, Balancer>> {
        self.known
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl LoadBalancers for Aws {
    async fn target_groups(&self, load_balancer: &str) -> Result<Vec<String>, Error> {
        let Some(name) = load_balancer.split('/').nth(1) else {
            return Ok(Vec::new());
        };
        let found = self.elb.client.describe_load_balancers().names(name).send().await;
        let found = match found {
            Ok(found) => found,
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DescribeLoadBalancersError::is_load_balancer_not_found_exception) =>
            {
                return Ok(Vec::new());
            }
            Err(error) => return Err(failed(&format!("DescribeLoadBalancers {name}"), &error)),
        };
        // A load balancer that was deleted may have left its name to another.
        let mut arns = found
            .load_balancers()
            .iter()
            .filter_map(|balancer| balancer.load_balancer_arn());
        let Some(arn) = arns.find(|arn| arn.ends_with(&format!(":loadbalancer/{load_balancer}"))) else {
            return Ok(Vec::new());
        };
        let mut groups = self
            .elb
            .client
            .describe_target_groups()
            .load_balancer_arn(arn)
            .into_paginator()
            .items()
            .send();
        let mut target_groups = Vec::new();
        while let Some(group) = groups.next().await {
            let group = group.map_err(|error| failed(&format!("DescribeTargetGroups of {arn}"), &error))?;
            target_groups.extend(group.target_group_arn);
        }
        Ok(target_groups)
    }
}

/// HTTPS before HTTP, then the usual port before others.
fn preferred(listeners: &[Listener]) -> Option<(&'static str, u16)> {
    let fronts = listeners.iter().filter_map(|listener| {
        let port = u16::try_from(listener.port()?).ok()?;
        match listener.protocol()? {
            ProtocolEnum::Https | ProtocolEnum::Tls => Some(("https", port)),
            ProtocolEnum::Http | ProtocolEnum::Tcp => Some(("http", port)),
            _ => None,
        }
    });
    fronts.min_by_key(|(scheme, port)| (*scheme == "http", !matches!(port, 80 | 443), *port))
}

fn read(description: &TargetHealthDescription) -> TargetHealth {
    let id = description
        .target()
        .and_then(|target| target.id())
        .unwrap_or_default()
        .to_owned();
    let health = description.target_health();
    let state = health.and_then(|health| health.state());
    let words = health.and_then(|health| health.description());
    let health = match state {
        Some(TargetHealthStateEnum::Healthy) => Health::Healthy,
        Some(state) => Health::Unhealthy(words.map_or_else(|| state.to_string(), str::to_owned)),
        None => Health::Unknown("the target group reports no state".to_owned()),
    };
    TargetHealth { id, health }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listener(protocol: ProtocolEnum, port: i32) -> Listener {
        Listener::builder().protocol(protocol).port(port).build()
    }

    #[test]
    fn visitors_are_sent_to_https_if_there_is_any() {
        let listeners = [
            listener(ProtocolEnum::Http, 80),
            listener(ProtocolEnum::Https, 8443),
            listener(ProtocolEnum::Https, 443),
        ];
        assert_eq!(preferred(&listeners), Some(("https", 443)));
        assert_eq!(preferred(&listeners[..1]), Some(("http", 80)));
        assert_eq!(preferred(&[]), None);
    }
}
