//! Tags and their rules.

use serde::{Deserialize, Serialize};

use super::arn::{resource_name, service_parts};
use super::error::ApiError;
use super::service::ServiceKey;
use super::task::TaskId;
use super::world::World;

/// A tag on a resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// 1 to 128 characters.
    pub key: String,
    /// Up to 256 characters.
    #[serde(default)]
    pub value: String,
}

impl Tag {
    /// A tag from its two parts.
    pub fn new(key: &str, value: &str) -> Tag {
        Tag {
            key: key.into(),
            value: value.into(),
        }
    }
}

/// What an ARN given to TagResource names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TagTarget {
    /// A service.
    Service(ServiceKey),
    /// A task.
    Task(TaskId),
    /// A cluster by name.
    Cluster(String),
    /// Family and revision.
    TaskDefinition(String, u32),
}

/// Checks a whole set of tags against the rules of "Tagging Amazon ECS resources", section tag restrictions
/// (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-using-tags.html>): 50 a resource, key up
/// to 128 and value up to 256 characters of letters, digits, spaces and `+ - = . _ : / @`, no `aws:` prefix.
pub fn check_tags(tags: &[Tag]) -> Result<(), ApiError> {
    if tags.len() > 50 {
        return Err(ApiError::invalid(
            "The maximum number of tags per resource is 50.",
        ));
    }
    let allowed = |c: char| c.is_alphanumeric() || c.is_whitespace() || "+-=._:/@".contains(c);
    for tag in tags {
        let (key, value) = (&tag.key, &tag.value);
        if key.is_empty() || key.chars().count() > 128 {
            return Err(ApiError::invalid(format!(
                "Tag key `{key}` must have 1 to 128 characters."
            )));
        }
        if value.chars().count() > 256 {
            return Err(ApiError::invalid(format!(
                "Value of tag `{key}` must have at most 256 characters."
            )));
        }
        if let Some(c) = key.chars().chain(value.chars()).find(|c| !allowed(*c)) {
            return Err(ApiError::invalid(format!(
                "Tag `{key}` holds `{c}`. Tags can contain letters, numbers, spaces and the characters + - = . _ : / @"
            )));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(ApiError::invalid(format!(
                "Tag key `{key}` begins with aws: which is reserved for AWS use."
            )));
        }
    }
    Ok(())
}

/// `more` laid over `tags`: a key that is there already gets the new value.
pub(crate) fn merge_tags(tags: &[Tag], more: &[Tag]) -> Vec<Tag> {
    let mut merged = tags.to_vec();
    for tag in more {
        match merged.iter_mut().find(|t| t.key == tag.key) {
            Some(old) => old.value.clone_from(&tag.value),
            None => merged.push(tag.clone()),
        }
    }
    merged
}

impl World {
    /// TagResource on an ECS resource.
    pub fn tag_resource(&mut self, arn: &str, tags: &[Tag]) -> Result<(), ApiError> {
        let current = self.tags_mut(arn)?;
        let merged = merge_tags(current, tags);
        check_tags(&merged)?;
        *current = merged;
        Ok(())
    }

    /// UntagResource on an ECS resource.
    pub fn untag_resource(&mut self, arn: &str, keys: &[String]) -> Result<(), ApiError> {
        self.tags_mut(arn)?.retain(|t| !keys.contains(&t.key));
        Ok(())
    }

    /// ListTagsForResource on an ECS resource.
    pub fn list_tags(&mut self, arn: &str) -> Result<Vec<Tag>, ApiError> {
        self.tags_mut(arn).cloned()
    }

    fn tags_mut(&mut self, arn: &str) -> Result<&mut Vec<Tag>, ApiError> {
        let missing = || ApiError::invalid("The specified resource could not be found.");
        match tag_target(arn)? {
            TagTarget::Service(key) => {
                let service = self
                    .services
                    .get_mut(&key)
                    .filter(|s| s.status != super::ServiceStatus::Inactive);
                Ok(&mut service.ok_or_else(ApiError::service_not_found)?.tags)
            }
            TagTarget::Task(id) => Ok(&mut self.tasks.get_mut(&id).ok_or_else(missing)?.tags),
            TagTarget::Cluster(name) => Ok(&mut self
                .clusters
                .get_mut(&name)
                .ok_or_else(ApiError::cluster_not_found)?
                .tags),
            TagTarget::TaskDefinition(family, revision) => {
                let revisions = self.task_definitions.get_mut(&family).ok_or_else(missing)?;
                let definition = revisions
                    .iter_mut()
                    .find(|d| d.revision == revision)
                    .ok_or_else(missing)?;
                Ok(&mut std::sync::Arc::make_mut(definition).tags)
            }
        }
    }
}

/// Reads an ARN given to the tag operations of ECS.
pub(crate) fn tag_target(arn: &str) -> Result<TagTarget, ApiError> {
    let invalid = || ApiError::invalid(format!("Invalid resource ARN: `{arn}`"));
    if let Some((cluster, name)) = service_parts(arn) {
        return Ok(TagTarget::Service(ServiceKey::new(cluster, name)));
    }
    if arn.contains(":task/") {
        return Ok(TagTarget::Task(TaskId(resource_name("task", arn).into())));
    }
    if arn.contains(":cluster/") {
        return Ok(TagTarget::Cluster(resource_name("cluster", arn).into()));
    }
    let (family, revision) = arn
        .split_once(":task-definition/")
        .and_then(|(_, rest)| rest.split_once(':'))
        .ok_or_else(invalid)?;
    Ok(TagTarget::TaskDefinition(
        family.into(),
        revision.parse().map_err(|_| invalid())?,
    ))
}
