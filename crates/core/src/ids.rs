//! Names of things: parsed once at the edge, trusted afterwards.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest group name, so that `<group>-g<generation>-<epoch seconds>` fits the 80 characters of a
/// Step Functions execution name (Step Functions API reference, StartExecution, `name`).
pub const MAX_GROUP_NAME: usize = 50;

/// The name of a group: the unit that a person names in a URL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GroupName(String);

/// Why a text is not a group name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "group name `{value}`: must be 1 to 50 letters, digits, `.`, `_` or `-`, beginning with a letter or digit"
)]
pub struct InvalidGroupName {
    /// The text as given.
    pub value: String,
}

impl GroupName {
    /// Parses a name: 1 to 50 letters, digits, `.`, `_` or `-`, beginning with a letter or digit.
    ///
    /// # Errors
    /// [`InvalidGroupName`] names the value and the rule.
    pub fn parse(value: &str) -> Result<Self, InvalidGroupName> {
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let starts_well = value.starts_with(|c: char| c.is_ascii_alphanumeric());
        if starts_well && value.len() <= MAX_GROUP_NAME && value.chars().all(legal) {
            Ok(Self(value.to_owned()))
        } else {
            Err(InvalidGroupName {
                value: value.to_owned(),
            })
        }
    }

    /// The group of services that are named by stack parameters instead of tags.
    #[must_use]
    pub fn default_group() -> Self {
        Self("default".to_owned())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for GroupName {
    type Error = InvalidGroupName;
    fn try_from(value: String) -> Result<Self, InvalidGroupName> {
        Self::parse(&value)
    }
}

impl From<GroupName> for String {
    fn from(name: GroupName) -> Self {
        name.0
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One ECS service, written `cluster/service`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServiceId {
    /// Name of the cluster.
    pub cluster: String,
    /// Name of the service.
    pub name: String,
}

/// Why a text does not name a service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("service `{value}`: must be `cluster/service` or a service ARN that names its cluster")]
pub struct InvalidServiceId {
    /// The text as given.
    pub value: String,
}

impl ServiceId {
    /// A service by cluster and name.
    #[must_use]
    pub fn new(cluster: &str, name: &str) -> Self {
        Self {
            cluster: cluster.to_owned(),
            name: name.to_owned(),
        }
    }

    /// Parses `cluster/service` or a long service ARN (`arn:…:service/cluster/service`).
    ///
    /// # Errors
    /// [`InvalidServiceId`] for anything else, the old short ARNs without a cluster included.
    pub fn parse(value: &str) -> Result<Self, InvalidServiceId> {
        let path = if value.starts_with("arn:") {
            value.split_once(":service/").map_or("", |(_, path)| path)
        } else {
            value
        };
        match path.split_once('/') {
            Some((cluster, name)) if !cluster.is_empty() && !name.is_empty() && !name.contains('/') => {
                Ok(Self::new(cluster, name))
            }
            _ => Err(InvalidServiceId {
                value: value.to_owned(),
            }),
        }
    }
}

impl TryFrom<String> for ServiceId {
    type Error = InvalidServiceId;
    fn try_from(value: String) -> Result<Self, InvalidServiceId> {
        Self::parse(&value)
    }
}

impl From<ServiceId> for String {
    fn from(id: ServiceId) -> Self {
        id.to_string()
    }
}

impl fmt::Display for ServiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.cluster, self.name)
    }
}

/// Counts how often a group left sleep. Whatever was made for an older generation changes nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(pub u64);

impl Generation {
    /// The generation that the next wake begins.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_name_is_what_fits_a_url_and_an_execution_name() {
        for good in ["dev", "a", "9", "Shop.eu_1-b", &"x".repeat(50)] {
            assert_eq!(GroupName::parse(good).map(|n| n.to_string()), Ok(good.to_owned()));
        }
        for bad in ["", "-", "-dev", ".env", "a/b", "a b", "é", &"x".repeat(51)] {
            assert!(GroupName::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_service_is_named_by_path_or_by_long_arn() {
        let web = ServiceId::new("dev", "web");
        assert_eq!(ServiceId::parse("dev/web"), Ok(web.clone()));
        assert_eq!(
            ServiceId::parse("arn:aws:ecs:eu-west-1:123456789012:service/dev/web"),
            Ok(web)
        );
        for bad in [
            "web",
            "/web",
            "dev/",
            "a/b/c",
            "arn:aws:ecs:eu-west-1:123456789012:service/web",
        ] {
            assert!(ServiceId::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_generation_is_told_as_its_number() {
        assert_eq!(Generation(7).to_string(), "7");
    }
}
