//! Load balancers, listeners, and where a request goes.

use std::net::Ipv4Addr;

use super::error::ApiError;
use super::tags::Tag;
use super::target_group::{TargetKey, check_name};
use super::target_health::TargetState;
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

/// What a listener or rule does with a request. More kinds come with listener rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Hand it to a target of this group.
    Forward {
        /// ARN of the target group.
        target_group: String,
    },
}

/// Input of CreateListener.
#[derive(Clone, Debug)]
pub struct CreateListener {
    /// ARN of the load balancer.
    pub load_balancer: String,
    /// `HTTP`.
    pub protocol: String,
    /// Port it listens on.
    pub port: u16,
    /// What it does.
    pub action: Action,
}

/// A listener.
#[derive(Clone, Debug)]
pub struct Listener {
    /// Its ARN.
    pub arn: String,
    /// ARN of its load balancer.
    pub load_balancer: String,
    /// `HTTP`.
    pub protocol: String,
    /// Port it listens on.
    pub port: u16,
    /// What it does with requests that no rule takes.
    pub action: Action,
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// To this target.
    Target {
        /// ARN of the target group.
        target_group: String,
        /// The target.
        target: TargetKey,
    },
    /// Nowhere: 503.
    NoTarget,
    /// The listener is gone.
    NoListener,
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

    /// CreateListener.
    pub fn create_listener(&mut self, now: Millis, input: CreateListener) -> Result<&Listener, ApiError> {
        let balancer = self.load_balancer(&input.load_balancer)?;
        let name = balancer
            .arn
            .split_once(":loadbalancer/")
            .map_or("", |(_, n)| n)
            .to_string();
        if input.protocol != "HTTP" {
            let text = format!(
                "Listener protocol '{}' is not simulated: only HTTP is",
                input.protocol
            );
            return Err(ApiError::validation(text));
        }
        let Action::Forward { target_group } = &input.action;
        self.target_group(target_group)?;
        let group = target_group.clone();
        if self
            .listeners_of(&input.load_balancer)
            .any(|l| l.port == input.port)
        {
            let text = format!(
                "A listener already exists on this port '{}' for this load balancer",
                input.port
            );
            return Err(ApiError::new("DuplicateListener", text));
        }
        let arn = self
            .config
            .elb_arn(&format!("listener/{name}/{}", self.ids.hex(16)));
        let listener = Listener {
            arn: arn.clone(),
            load_balancer: input.load_balancer,
            protocol: input.protocol,
            port: input.port,
            action: input.action,
        };
        self.listeners.insert(arn.clone(), listener);
        self.use_changed(&group, now);
        self.listener(&arn)
    }

    /// A listener by ARN.
    pub fn listener(&self, arn: &str) -> Result<&Listener, ApiError> {
        let missing = || ApiError::new("ListenerNotFound", format!("Listener '{arn}' not found"));
        self.listeners.get(arn).ok_or_else(missing)
    }

    /// The listeners of a load balancer.
    pub fn listeners_of(&self, balancer: &str) -> impl Iterator<Item = &Listener> {
        self.listeners
            .values()
            .filter(move |l| l.load_balancer == balancer)
    }

    /// DeleteListener.
    pub fn delete_listener(&mut self, now: Millis, arn: &str) -> Result<(), ApiError> {
        self.listener(arn)?;
        self.remove_listener(now, arn);
        Ok(())
    }

    fn remove_listener(&mut self, now: Millis, arn: &str) {
        if let Some(Listener {
            action: Action::Forward { target_group },
            ..
        }) = self.listeners.remove(arn)
        {
            self.use_changed(&target_group, now);
        }
    }

    /// ARNs of the load balancers that lead to a target group.
    pub fn balancers_of(&self, group: &str) -> Vec<&str> {
        let leads =
            |l: &&Listener| matches!(&l.action, Action::Forward { target_group } if target_group == group);
        let mut arns: Vec<&str> = self
            .listeners
            .values()
            .filter(leads)
            .map(|l| l.load_balancer.as_str())
            .collect();
        arns.sort_unstable();
        arns.dedup();
        arns
    }

    /// Whether a load balancer leads to a target group.
    pub(crate) fn is_used(&self, group: &str) -> bool {
        !self.balancers_of(group).is_empty()
    }

    /// Where the next request at a listener goes: healthy targets in turn. With none healthy but some unhealthy
    /// ones it goes to those ("Target groups for your Application Load Balancers": if a target group has only
    /// unhealthy registered targets, requests go to all of them); new and draining targets get nothing.
    pub fn route(&mut self, listener: &str) -> Route {
        let Some(listener) = self.listeners.get(listener) else {
            return Route::NoListener;
        };
        let Action::Forward { target_group } = &listener.action;
        let Some(group) = self.target_groups.get_mut(target_group) else {
            return Route::NoTarget;
        };
        let with = |wanted: fn(&TargetState) -> bool| -> Vec<TargetKey> {
            group
                .targets
                .iter()
                .filter(|(_, t)| wanted(&t.state))
                .map(|(key, _)| *key)
                .collect()
        };
        let mut choices = with(|s| *s == TargetState::Healthy);
        if choices.is_empty() && with(|s| *s == TargetState::Initial).is_empty() {
            choices = with(|s| matches!(s, TargetState::Unhealthy(_)));
        }
        if choices.is_empty() {
            return Route::NoTarget;
        }
        group.turn = group.turn.wrapping_add(1);
        Route::Target {
            target_group: group.arn.clone(),
            target: choices[group.turn % choices.len()],
        }
    }
}

impl World {
    /// AddTags of ELBv2, on a load balancer or target group.
    pub fn add_elb_tags(&mut self, arn: &str, tags: &[Tag]) -> Result<(), ApiError> {
        self.elb_tags(arn)?;
        let balancer = self.load_balancers.get_mut(arn).map(|b| &mut b.tags);
        let group = self.target_groups.get_mut(arn).map(|g| &mut g.tags);
        if let Some(held) = balancer.or(group) {
            *held = super::tags::merge_tags(held, tags);
        }
        Ok(())
    }

    /// DescribeTags of ELBv2.
    pub fn elb_tags(&self, arn: &str) -> Result<&[Tag], ApiError> {
        match self.load_balancers.get(arn) {
            Some(balancer) => Ok(&balancer.tags),
            None => Ok(&self.target_group(arn)?.tags),
        }
    }
}

impl World {
    /// The listener at an address, if there is one.
    pub fn listener_at(&self, address: std::net::SocketAddrV4) -> Option<&Listener> {
        self.listeners.values().find(|l| {
            let balancer = self.load_balancers.get(&l.load_balancer);
            l.port == address.port() && balancer.is_some_and(|b| b.address == *address.ip())
        })
    }
}
