//! Service operations.

use serde_json::{Value, json};

use super::service_view::view;
use super::{includes, page_size, paged, read, text, texts};
use crate::model::{
    ApiError, CreateService, Millis, Service, ServiceStatus, UpdateService, World, page, resource_name,
    service_parts,
};

pub(super) fn create(world: &mut World, now: Millis, input: &Value) -> Result<Value, ApiError> {
    let service = world.create_service(now, read::<CreateService>(input)?)?.clone();
    Ok(json!({"service": view(world, &service, true)}))
}

pub(super) fn update(world: &mut World, now: Millis, input: &Value) -> Result<Value, ApiError> {
    text(input, "service")?;
    let service = world.update_service(now, read::<UpdateService>(input)?)?.clone();
    Ok(json!({"service": view(world, &service, false)}))
}

pub(super) fn delete(world: &mut World, now: Millis, input: &Value) -> Result<Value, ApiError> {
    let cluster = world.cluster_name(input["cluster"].as_str())?;
    let force = input["force"].as_bool().unwrap_or(false);
    let service = world
        .delete_service(now, &cluster, text(input, "service")?, force)?
        .clone();
    Ok(json!({"service": view(world, &service, false)}))
}

/// Up to 10 services; those that do not exist are failures. The text of the limit is AWS's own.
pub(super) fn describe(world: &World, input: &Value) -> Result<Value, ApiError> {
    let cluster = world.cluster_name(input["cluster"].as_str())?;
    let named = texts(input, "services");
    match named.len() {
        0 => return Err(ApiError::invalid("Services cannot be empty.")),
        1..=10 => {}
        _ => return Err(ApiError::invalid("service names can have at most 10 items.")),
    }
    let (mut services, mut failures) = (Vec::new(), Vec::new());
    for name in named {
        let elsewhere = service_parts(&name).is_some_and(|(c, _)| c != cluster);
        match world
            .service(&cluster, resource_name("service", &name))
            .filter(|_| !elsewhere)
        {
            Some(service) => services.push(view(world, service, includes(input, "TAGS"))),
            None => {
                let config = &world.config;
                let arn = format!(
                    "arn:aws:ecs:{}:{}:service/{cluster}/{name}",
                    config.region, config.account
                );
                failures.push(
                    json!({"arn": if name.starts_with("arn:") { name } else { arn }, "reason": "MISSING"}),
                );
            }
        }
    }
    Ok(json!({"services": services, "failures": failures}))
}

pub(super) fn list(world: &World, input: &Value) -> Result<Value, ApiError> {
    let cluster = world.cluster_name(input["cluster"].as_str())?;
    let listed = |s: &&Service| s.key.cluster == cluster && s.status != ServiceStatus::Inactive;
    let arns = world.services().filter(listed).map(|s| s.arn.clone());
    let found = page(
        arns,
        String::clone,
        input["nextToken"].as_str(),
        page_size(input, 10)?,
    )?;
    Ok(paged("serviceArns", found.items, found.next))
}
