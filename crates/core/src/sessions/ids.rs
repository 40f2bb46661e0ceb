//! Names of tasks and of their sessions.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One ECS task, written `cluster/id`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TaskKey {
    cluster: String,
    id: String,
}

/// Why a text does not name a task.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("task `{value}`: must be `cluster/id` or the ARN of a task that names its cluster")]
pub struct InvalidTaskKey {
    /// The text as given.
    pub value: String,
}

impl TaskKey {
    /// The rule that [`TaskKey::from_arn`] applies, for error messages.
    pub const ARN_RULE: &str = "must be the ARN of a task that names its cluster, such as \
         arn:aws:ecs:eu-west-1:123456789012:task/dev/0123456789abcdef0123456789abcdef";

    /// Parses `cluster/id` or a long task ARN.
    ///
    /// # Errors
    /// [`InvalidTaskKey`] for anything else, the old short ARNs without a cluster included.
    pub fn parse(value: &str) -> Result<Self, InvalidTaskKey> {
        let key = if value.starts_with("arn:") {
            Self::from_arn(value)
        } else {
            Self::from_path(value)
        };
        key.ok_or_else(|| InvalidTaskKey {
            value: value.to_owned(),
        })
    }

    /// Parses `arn:<partition>:ecs:<region>:<account>:task/<cluster>/<id>` (Amazon ECS Developer Guide, "Amazon
    /// Resource Names (ARNs) and IDs"); `None` breaks [`TaskKey::ARN_RULE`].
    #[must_use]
    pub fn from_arn(arn: &str) -> Option<Self> {
        let word = |text: &str| {
            let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            !text.is_empty() && text.chars().all(legal)
        };
        let mut parts = arn.splitn(6, ':');
        let mut part = || parts.next().unwrap_or_default();
        let (arn, partition, service) = (part(), part(), part());
        let (region, account, resource) = (part(), part(), part());
        let account = account.len() == 12 && account.chars().all(|c| c.is_ascii_digit());
        let good = arn == "arn" && word(partition) && service == "ecs" && word(region) && account;
        let path = resource.strip_prefix("task/").filter(|_| good)?;
        Self::from_path(path)
    }

    /// Names of clusters are 1 to 255 letters, digits, `-` and `_` (Amazon ECS API reference, CreateCluster). Ids are
    /// 32 hexadecimal digits today and were UUIDs before; that is nowhere promised, so they get the same rule.
    fn from_path(path: &str) -> Option<Self> {
        let name = |text: &str| {
            let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            (1..=255).contains(&text.len()) && text.chars().all(legal)
        };
        let (cluster, id) = path.split_once('/')?;
        (name(cluster) && name(id)).then(|| Self {
            cluster: cluster.to_owned(),
            id: id.to_owned(),
        })
    }

    /// Name of the cluster.
    #[must_use]
    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// The task's id, the last part of its ARN.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl TryFrom<String> for TaskKey {
    type Error = InvalidTaskKey;
    fn try_from(value: String) -> Result<Self, InvalidTaskKey> {
        Self::parse(&value)
    }
}

impl From<TaskKey> for String {
    fn from(key: TaskKey) -> Self {
        key.to_string()
    }
}

impl fmt::Display for TaskKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.cluster, self.id)
    }
}

/// What an app calls one of its sessions. Unique within the task only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(String);

impl SessionId {
    /// The rule that [`SessionId::parse`] applies, for error messages.
    pub const RULE: &str = "must be a text of 1 to 128 characters without control characters";

    /// Parses an id; `None` breaks [`SessionId::RULE`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let length = text.chars().take(129).count();
        let good = (1..=128).contains(&length) && !text.chars().any(char::is_control);
        good.then(|| Self(text.to_owned()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_named_by_its_long_arn_or_by_path() {
        let id = "0123456789abcdef0123456789abcdef";
        for text in [
            format!("arn:aws:ecs:eu-west-1:123456789012:task/dev/{id}"),
            format!("arn:aws-us-gov:ecs:us-gov-west-1:000000000000:task/dev/{id}"),
            format!("dev/{id}"),
        ] {
            let key = TaskKey::parse(&text).expect(&text);
            assert_eq!((key.cluster(), key.id()), ("dev", id));
            assert_eq!(key.to_string(), format!("dev/{id}"));
        }
        for bad in [
            "",
            "dev",
            "dev/",
            "/a",
            "a/b/c",
            "dev/a b",
            "arn:",
            "arn:aws:ecs:eu-west-1:123456789012:task/a",
            "arn:aws:ecs:eu-west-1:123456789012:task/dev/a/b",
            "arn:aws:ecs:eu-west-1:123456789012:task/dev/a:1",
            "arn:aws:ecs:eu-west-1:123456789012:service/dev/web",
            "arn:aws:ecs:eu-west-1::task/dev/a",
            "arn:aws:ecs::123456789012:task/dev/a",
            "arn::ecs:eu-west-1:123456789012:task/dev/a",
            "arn:aws:ec2:eu-west-1:123456789012:task/dev/a",
            "arn:aws:ecs:eu-west-1:12345678901x:task/dev/a",
        ] {
            assert!(TaskKey::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(TaskKey::from_arn("dev/a"), None);
    }

    #[test]
    fn a_task_is_stored_by_path() {
        let key = TaskKey::parse("dev/a").expect("a task");
        let json = serde_json::to_string(&key).expect("JSON");
        assert_eq!(json, "\"dev/a\"");
        assert_eq!(serde_json::from_str::<TaskKey>(&json).ok(), Some(key));
        assert!(serde_json::from_str::<TaskKey>("\"dev\"").is_err());
    }

    #[test]
    fn a_session_id_is_any_short_text_that_can_be_printed() {
        for good in ["a", "a b/c:\u{1f9c0}", &"\u{e9}".repeat(128)] {
            assert_eq!(SessionId::parse(good).expect(good).as_str(), good);
        }
        for bad in ["", "a\nb", "\u{0}", "\u{85}", &"x".repeat(129)] {
            assert_eq!(SessionId::parse(bad), None, "{bad:?}");
        }
    }
}
