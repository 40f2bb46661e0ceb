//! Clusters.

use super::error::ApiError;
use super::service::ServiceStatus;
use super::tags::{Tag, check_tags};
use super::task::Stage;
use super::time::Millis;
use super::world::World;

/// A cluster.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// When it was made.
    pub created_at: Millis,
    /// Its tags.
    pub tags: Vec<Tag>,
}

impl World {
    /// CreateCluster; a cluster that exists already is returned as it is, as ECS does.
    pub fn create_cluster(
        &mut self,
        now: Millis,
        name: Option<&str>,
        tags: &[Tag],
    ) -> Result<&Cluster, ApiError> {
        let name = name.unwrap_or("default");
        let valid = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || name.len() > 255 || !name.chars().all(valid) {
            return Err(ApiError::invalid("Invalid cluster name."));
        }
        check_tags(tags)?;
        let arn = self.config.cluster_arn(name);
        let cluster = || Cluster {
            name: name.into(),
            arn,
            created_at: now,
            tags: tags.to_vec(),
        };
        Ok(self.clusters.entry(name.into()).or_insert_with(cluster))
    }

    /// DeleteCluster, refused while it has services or tasks.
    pub fn delete_cluster(&mut self, name: &str) -> Result<Cluster, ApiError> {
        let name = self.cluster_name(Some(name))?;
        let services = self.services.values();
        if services
            .clone()
            .any(|s| s.key.cluster == name && s.status != ServiceStatus::Inactive)
        {
            let text = "The Cluster cannot be deleted while Services are active.";
            return Err(ApiError::new("ClusterContainsServicesException", text));
        }
        if self
            .tasks
            .values()
            .any(|t| t.cluster == name && t.stage != Stage::Stopped)
        {
            let text = "The Cluster cannot be deleted while Tasks are active.";
            return Err(ApiError::new("ClusterContainsTasksException", text));
        }
        self.clusters
            .remove(&name)
            .ok_or_else(ApiError::cluster_not_found)
    }

    /// All clusters by name.
    pub fn clusters(&self) -> impl Iterator<Item = &Cluster> {
        self.clusters.values()
    }

    /// The name of a cluster given by name, ARN or not at all (`default`).
    ///
    /// Errors: `ClusterNotFoundException`.
    pub fn cluster_name(&self, given: Option<&str>) -> Result<String, ApiError> {
        let name = super::resource_name("cluster", given.unwrap_or("default"));
        match self.clusters.contains_key(name) {
            true => Ok(name.into()),
            false => Err(ApiError::cluster_not_found()),
        }
    }
}
