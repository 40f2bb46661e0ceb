//! Target groups and their API.

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;
use std::time::Duration;

use super::error::ApiError;
use super::tags::Tag;
use super::target_health::Target;
use super::time::Millis;
use super::world::World;

/// Address and port of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TargetKey {
    /// The address.
    pub address: Ipv4Addr,
    /// The port.
    pub port: u16,
}

impl fmt::Display for TargetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.address, self.port)
    }
}

/// How targets are checked. Defaults for target type `ip` from "Health checks for Application Load Balancer
/// target groups" (<https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html>).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// `HTTP`; other protocols are probed by HTTP too.
    pub protocol: String,
    /// `traffic-port` or a number.
    pub port: String,
    /// `/` unless set.
    pub path: String,
    /// 30 s unless set.
    pub interval_seconds: u64,
    /// 5 s unless set.
    pub timeout_seconds: u64,
    /// 5 in a row make an unhealthy target healthy.
    pub healthy_threshold: u32,
    /// 2 in a row make a target unhealthy.
    pub unhealthy_threshold: u32,
    /// Codes that pass: `200`, `200,302`, `200-399`.
    pub matcher: String,
}

impl Default for HealthCheck {
    fn default() -> Self {
        HealthCheck {
            protocol: "HTTP".into(),
            port: "traffic-port".into(),
            path: "/".into(),
            interval_seconds: 30,
            timeout_seconds: 5,
            healthy_threshold: 5,
            unhealthy_threshold: 2,
            matcher: "200".into(),
        }
    }
}

impl HealthCheck {
    /// Whether a status code passes.
    pub fn matches(&self, status: u16) -> bool {
        self.matcher
            .split(',')
            .any(|part| match part.trim().split_once('-') {
                Some((low, high)) => {
                    let bounds = (low.trim().parse::<u16>(), high.trim().parse::<u16>());
                    matches!(bounds, (Ok(low), Ok(high)) if (low..=high).contains(&status))
                }
                None => part.trim().parse() == Ok(status),
            })
    }

    fn check(&self) -> Result<(), ApiError> {
        let within = |name: &str, value: u64, low: u64, high: u64| match (low..=high).contains(&value) {
            true => Ok(()),
            false => Err(ApiError::validation(format!(
                "{name} '{value}' must be between {low} and {high}"
            ))),
        };
        within("Health check interval", self.interval_seconds, 5, 300)?;
        within("Health check timeout", self.timeout_seconds, 2, 120)?;
        within("Healthy threshold count", self.healthy_threshold.into(), 2, 10)?;
        within(
            "Unhealthy threshold count",
            self.unhealthy_threshold.into(),
            2,
            10,
        )?;
        if self.timeout_seconds >= self.interval_seconds {
            return Err(ApiError::validation(format!(
                "Health check timeout '{}' must be smaller than the interval '{}'",
                self.timeout_seconds, self.interval_seconds
            )));
        }
        if !self.path.starts_with('/') {
            return Err(ApiError::validation(format!(
                "Health check path '{}' must begin with a '/'",
                self.path
            )));
        }
        Ok(())
    }
}

/// Input of CreateTargetGroup.
#[derive(Clone, Debug, Default)]
pub struct CreateTargetGroup {
    /// Up to 32 letters, digits and hyphens.
    pub name: String,
    /// `HTTP` unless set.
    pub protocol: Option<String>,
    /// Port of targets registered without one.
    pub port: u16,
    /// VPC, echoed.
    pub vpc: Option<String>,
    /// `ip`, as tasks with awsvpc networking need, or `lambda`.
    pub target_type: Option<String>,
    /// The health check.
    pub health_check: HealthCheck,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// What a target group's targets are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetType {
    /// Addresses.
    Ip,
    /// One function.
    Lambda,
}

impl TargetType {
    /// As the API names it.
    pub fn name(self) -> &'static str {
        match self {
            TargetType::Ip => "ip",
            TargetType::Lambda => "lambda",
        }
    }
}

/// A target group.
#[derive(Clone, Debug)]
pub struct TargetGroup {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// What its targets are.
    pub target_type: TargetType,
    /// Protocol; means nothing for a function.
    pub protocol: String,
    /// Default port; means nothing for a function.
    pub port: u16,
    /// VPC, echoed.
    pub vpc: Option<String>,
    /// The health check.
    pub health_check: HealthCheck,
    /// Attributes by name.
    pub attributes: BTreeMap<String, String>,
    /// What is registered, including what is draining.
    pub targets: BTreeMap<TargetKey, Target>,
    /// ARN of the function that is registered, with target type `lambda`.
    pub function: Option<String>,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// Whether a load balancer leads to it.
    pub(crate) used: bool,
    /// Round robin position.
    pub(crate) turn: usize,
}

/// Attribute that holds the deregistration delay in seconds.
pub(crate) const DEREGISTRATION_DELAY: &str = "deregistration_delay.timeout_seconds";

/// Attribute that gives functions and takes from them all values of a header.
pub(crate) const MULTI_VALUE_HEADERS: &str = "lambda.multi_value_headers.enabled";

impl TargetGroup {
    /// `targetgroup/name/id`, the value of the metrics' dimension.
    pub fn dimension(&self) -> &str {
        self.arn.rsplit(':').next().unwrap_or_default()
    }

    /// How long a target drains: 300 s unless set ("Target group attributes", deregistration delay).
    pub fn deregistration_delay(&self) -> Duration {
        let seconds = self
            .attributes
            .get(DEREGISTRATION_DELAY)
            .and_then(|s| s.parse().ok());
        Duration::from_secs(seconds.unwrap_or(300))
    }
}

/// Attributes of a new target group ("Target group attributes").
fn attributes(target_type: TargetType) -> BTreeMap<String, String> {
    let pairs: &[(&str, &str)] = match target_type {
        TargetType::Ip => &[
            (DEREGISTRATION_DELAY, "300"),
            ("stickiness.enabled", "false"),
            ("slow_start.duration_seconds", "0"),
        ],
        TargetType::Lambda => &[(MULTI_VALUE_HEADERS, "false")],
    };
    let owned = |(key, value): &(&str, &str)| (key.to_string(), value.to_string());
    pairs.iter().map(owned).collect()
}

impl World {
    /// CreateTargetGroup.
    pub fn create_target_group(&mut self, input: CreateTargetGroup) -> Result<&TargetGroup, ApiError> {
        check_name("Target group", &input.name)?;
        if self.target_groups.values().any(|g| g.name == input.name) {
            let text = format!(
                "A target group with the same name '{}' exists, but with different settings",
                input.name
            );
            return Err(ApiError::new("DuplicateTargetGroupName", text));
        }
        let target_type = match input.target_type.as_deref().unwrap_or("instance") {
            "ip" => TargetType::Ip,
            "lambda" => TargetType::Lambda,
            other => {
                return Err(ApiError::validation(format!(
                    "Target type '{other}' of target group '{}' is not simulated: tasks with awsvpc networking need 'ip'",
                    input.name
                )));
            }
        };
        let health_check = match target_type {
            TargetType::Ip => input.health_check,
            TargetType::Lambda => HealthCheck::of_functions(),
        };
        health_check.check()?;
        let arn = self
            .config
            .elb_arn(&format!("targetgroup/{}/{}", input.name, self.ids.hex(16)));
        let group = TargetGroup {
            arn: arn.clone(),
            name: input.name,
            target_type,
            protocol: input.protocol.unwrap_or_else(|| "HTTP".into()),
            port: input.port,
            vpc: input.vpc,
            health_check,
            attributes: attributes(target_type),
            targets: BTreeMap::new(),
            function: None,
            tags: input.tags,
            used: false,
            turn: 0,
        };
        Ok(self.target_groups.entry(arn).or_insert(group))
    }

    /// All target groups.
    pub fn target_groups(&self) -> impl Iterator<Item = &TargetGroup> {
        self.target_groups.values()
    }

    /// A target group by ARN.
    pub fn target_group(&self, arn: &str) -> Result<&TargetGroup, ApiError> {
        self.target_groups
            .get(arn)
            .ok_or_else(|| target_group_not_found(arn))
    }

    pub(crate) fn target_group_mut(&mut self, arn: &str) -> Result<&mut TargetGroup, ApiError> {
        self.target_groups
            .get_mut(arn)
            .ok_or_else(|| target_group_not_found(arn))
    }

    /// ModifyTargetGroup: a new health check.
    pub fn modify_target_group(&mut self, arn: &str, check: HealthCheck) -> Result<&TargetGroup, ApiError> {
        check.check()?;
        let group = self.target_group_mut(arn)?;
        group.health_check = check;
        Ok(group)
    }

    /// ModifyTargetGroupAttributes.
    pub fn modify_target_group_attributes(
        &mut self,
        arn: &str,
        attributes: BTreeMap<String, String>,
    ) -> Result<&TargetGroup, ApiError> {
        if let Some(delay) = attributes.get(DEREGISTRATION_DELAY)
            && !delay.parse::<u64>().is_ok_and(|d| d <= 3600)
        {
            let text = format!("{DEREGISTRATION_DELAY} '{delay}' must be between 0 and 3600");
            return Err(ApiError::new("InvalidConfigurationRequest", text));
        }
        let group = self.target_group_mut(arn)?;
        group.attributes.extend(attributes);
        Ok(group)
    }

    /// DeleteTargetGroup, refused while a listener or rule names it, also with weight 0.
    pub fn delete_target_group(&mut self, arn: &str) -> Result<(), ApiError> {
        if !self.balancers_of(arn).is_empty() {
            let text = format!("Target group '{arn}' is currently in use by a listener or a rule");
            return Err(ApiError::new("ResourceInUse", text));
        }
        self.target_groups.remove(arn);
        self.poke_users(arn, self.clock);
        Ok(())
    }

    /// RegisterTargets. A target that is draining comes back.
    pub fn register_targets(
        &mut self,
        now: Millis,
        arn: &str,
        targets: &[TargetKey],
    ) -> Result<(), ApiError> {
        self.group_of(arn, TargetType::Ip)?;
        for target in targets {
            self.put_target(arn, *target, now);
        }
        Ok(())
    }

    /// DeregisterTargets. A target that is not there is no error.
    pub fn deregister_targets(
        &mut self,
        now: Millis,
        arn: &str,
        targets: &[TargetKey],
    ) -> Result<(), ApiError> {
        self.target_group(arn)?;
        for target in targets {
            self.drop_target(arn, *target, now);
            self.note_taken_out(arn, *target, now);
        }
        Ok(())
    }
}

pub(crate) fn check_name(kind: &str, name: &str) -> Result<(), ApiError> {
    let valid = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if name.is_empty() || name.len() > 32 || !valid || name.starts_with('-') || name.ends_with('-') {
        return Err(ApiError::validation(format!(
            "{kind} name '{name}' must have 1 to 32 letters, digits and hyphens, no hyphen first or last"
        )));
    }
    Ok(())
}

fn target_group_not_found(arn: &str) -> ApiError {
    ApiError::new("TargetGroupNotFound", format!("Target groups '{arn}' not found"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matcher_takes_values_lists_and_ranges() {
        let check = |matcher: &str| HealthCheck {
            matcher: matcher.into(),
            ..HealthCheck::default()
        };
        assert!(check("200").matches(200) && !check("200").matches(204));
        assert!(check("200,302").matches(302));
        assert!(check("200-399").matches(307) && !check("200-399").matches(404));
    }
}
