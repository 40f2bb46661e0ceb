//! Cluster operations.

use serde_json::{Value, json};

use super::{page_size, paged, text, texts};
use crate::model::{ApiError, Cluster, Millis, ServiceStatus, Tag, World, page, resource_name};

pub(super) fn create(world: &mut World, now: Millis, input: &Value) -> Result<Value, ApiError> {
    let tags: Vec<Tag> = if input["tags"].is_null() {
        Vec::new()
    } else {
        super::read(&input["tags"])?
    };
    let cluster = world
        .create_cluster(now, input["clusterName"].as_str(), &tags)?
        .clone();
    Ok(json!({"cluster": view(world, &cluster)}))
}

pub(super) fn describe(world: &World, input: &Value) -> Result<Value, ApiError> {
    let mut named = texts(input, "clusters");
    if named.is_empty() {
        named.push("default".into());
    }
    let (mut clusters, mut failures) = (Vec::new(), Vec::new());
    for name in named {
        match world
            .clusters()
            .find(|c| c.name == resource_name("cluster", &name))
        {
            Some(cluster) => clusters.push(view(world, cluster)),
            None => {
                let config = &world.config;
                let arn = format!("arn:aws:ecs:{}:{}:cluster/{name}", config.region, config.account);
                failures.push(
                    json!({"arn": if name.starts_with("arn:") { name } else { arn }, "reason": "MISSING"}),
                );
            }
        }
    }
    Ok(json!({"clusters": clusters, "failures": failures}))
}

pub(super) fn list(world: &World, input: &Value) -> Result<Value, ApiError> {
    let arns = world.clusters().map(|c| c.arn.clone());
    let found = page(
        arns,
        String::clone,
        input["nextToken"].as_str(),
        page_size(input, 100)?,
    )?;
    Ok(paged("clusterArns", found.items, found.next))
}

pub(super) fn delete(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let cluster = world.delete_cluster(text(input, "cluster")?)?;
    let mut view = view(world, &cluster);
    view["status"] = "INACTIVE".into();
    Ok(json!({"cluster": view}))
}

fn view(world: &World, cluster: &Cluster) -> Value {
    let services = world.services().filter(|s| s.key.cluster == cluster.name);
    let active: Vec<_> = services.filter(|s| s.status == ServiceStatus::Active).collect();
    let counts: Vec<_> = active.iter().map(|s| world.counts(&s.key, None)).collect();
    json!({
        "clusterArn": cluster.arn,
        "clusterName": cluster.name,
        "status": "ACTIVE",
        "registeredContainerInstancesCount": 0,
        "runningTasksCount": counts.iter().map(|c| c.0).sum::<usize>(),
        "pendingTasksCount": counts.iter().map(|c| c.1).sum::<usize>(),
        "activeServicesCount": active.len(),
        "statistics": [],
        "settings": [],
        "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
        "defaultCapacityProviderStrategy": [],
        "tags": cluster.tags,
    })
}
