//! Load balancers.

use std::net::Ipv4Addr;

use super::error::ApiError;
use super::tags::Tag;
use super::target_group::check_name;
use super::time::Millis;
use super::world::World;

/// Input of CreateLoadBalancer.
#[derive(Clone, Debug, Default)]
pub struct CreateLoadBalancer {
    /// Up to 32 letters, digits and hyphens.
    pub name: String,
    /// `internet-facing` unless set.
    pub scheme: Option<String>,
    /// Subnets, echoed.
    pub subnets: Vec<String>,
    /// Security groups, echoed.
    pub security_groups: Vec<String>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// An Application Load Balancer.
#[derive(Clone, Debug)]
pub struct LoadBalancer {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// The loopback address that it answers on; also its DNS name.
    pub address: Ipv4Addr,
    /// `internet-facing` or `internal`.
    pub scheme: String,
    /// Subnets, echoed.
    pub subnets: Vec<String>,
    /// Security groups, echoed.
    pub security_groups: Vec<String>,
    /// When it was made.
    pub created_at: Millis,
    /// Its tags.
    pub tags: Vec<Tag>,
}

impl LoadBalancer {
    /// `app/name/id`, the value of the metrics' dimension.
    pub fn dimension(&self) -> &str {
        self.arn
            .split_once(":loadbalancer/")
            .map_or("", |(_, suffix)| suffix)
    }
}

impl World {
    /// CreateLoadBalancer; only Application Load Balancers.
    pub fn create_load_balancer(
        &mut self,
        now: Millis,
        input: CreateLoadBalancer,
    ) -> Result<&LoadBalancer, ApiError> {
        check_name("Load balancer", &input.name)?;
        if self.load_balancers.values().any(|b| b.name == input.name) {
            let text = format!(
                "A load balancer with the same name '{}' exists, but with different settings",
                input.name
            );
            return Err(ApiError::new("DuplicateLoadBalancerName", text));
        }
        let arn = self
            .config
            .elb_arn(&format!("loadbalancer/app/{}/{}", input.name, self.ids.hex(16)));
        let balancer = LoadBalancer {
            arn: arn.clone(),
            name: input.name,
            address: self.network.balancer(self.config.addresses),
            scheme: input.scheme.unwrap_or_else(|| "internet-facing".into()),
            subnets: input.subnets,
            security_groups: input.security_groups,
            created_at: now,
            tags: input.tags,
        };
        Ok(self.load_balancers.entry(arn).or_insert(balancer))
    }

    /// All load balancers.
    pub fn load_balancers(&self) -> impl Iterator<Item = &LoadBalancer> {
        self.load_balancers.values()
    }

    /// A load balancer by ARN.
    pub fn load_balancer(&self, arn: &str) -> Result<&LoadBalancer, ApiError> {
        let missing = || ApiError::new("LoadBalancerNotFound", format!("Load balancer '{arn}' not found"));
        self.load_balancers.get(arn).ok_or_else(missing)
    }

    /// DeleteLoadBalancer, with its listeners. One that is not there is no error.
    pub fn delete_load_balancer(&mut self, now: Millis, arn: &str) {
        let listeners: Vec<String> = self.listeners_of(arn).map(|l| l.arn.clone()).collect();
        for listener in listeners {
            self.remove_listener(now, &listener);
        }
        self.load_balancers.remove(arn);
    }
}
