//! Load balancer operations.

use super::super::params::Params;
use super::super::xml::{Node, element, list, text, texts};
use super::tags::read_tags;
use crate::model::{ApiError, CreateLoadBalancer, LoadBalancer, Millis, World, page};

pub(super) fn create(world: &mut World, now: Millis, params: &Params) -> Result<Vec<Node>, ApiError> {
    if let Some(kind) = params.get("Type").filter(|k| *k != "application") {
        return Err(ApiError::validation(format!(
            "Load balancer type '{kind}' is not simulated: only application is"
        )));
    }
    let input = CreateLoadBalancer {
        name: params.required("Name")?.into(),
        scheme: params.get("Scheme").map(str::to_string),
        subnets: params.list("Subnets"),
        security_groups: params.list("SecurityGroups"),
        tags: read_tags(params),
    };
    let balancer = world.create_load_balancer(now, input)?.clone();
    Ok(vec![list("LoadBalancers", [view(world, &balancer)])])
}

pub(super) fn describe(world: &World, params: &Params) -> Result<Vec<Node>, ApiError> {
    let (arns, names) = (params.list("LoadBalancerArns"), params.list("Names"));
    for arn in &arns {
        world.load_balancer(arn)?;
    }
    for name in &names {
        if !world.load_balancers().any(|b| b.name == *name) {
            return Err(ApiError::new(
                "LoadBalancerNotFound",
                format!("Load balancers '[{name}]' not found"),
            ));
        }
    }
    let all = arns.is_empty() && names.is_empty();
    let found = world
        .load_balancers()
        .filter(|b| all || arns.contains(&b.arn) || names.contains(&b.name));
    let size = params.read("PageSize")?.unwrap_or(400);
    let found = page(found, |b| b.arn.clone(), params.get("Marker"), size)
        .map_err(|e| ApiError::validation(e.message))?;
    let mut nodes = vec![list(
        "LoadBalancers",
        found.items.into_iter().map(|b| view(world, b)),
    )];
    nodes.extend(found.next.map(|next| text("NextMarker", next)));
    Ok(nodes)
}

pub(super) fn delete(world: &mut World, now: Millis, params: &Params) -> Result<Vec<Node>, ApiError> {
    world.delete_load_balancer(now, params.required("LoadBalancerArn")?);
    Ok(Vec::new())
}

fn view(world: &World, balancer: &LoadBalancer) -> Vec<Node> {
    let zones = balancer.subnets.iter().map(|subnet| {
        vec![
            text("SubnetId", subnet),
            text("ZoneName", format!("{}a", world.config.region)),
        ]
    });
    vec![
        text("LoadBalancerArn", &balancer.arn),
        text("DNSName", balancer.address),
        text("CanonicalHostedZoneId", "Z35SXDOTRQ7X7K"),
        text("CreatedTime", balancer.created_at.iso8601()),
        text("LoadBalancerName", &balancer.name),
        text("Scheme", &balancer.scheme),
        text("VpcId", "vpc-simulated"),
        element("State", vec![text("Code", "active")]),
        text("Type", "application"),
        list("AvailabilityZones", zones),
        texts(
            "SecurityGroups",
            balancer.security_groups.iter().map(String::as_str),
        ),
        text("IpAddressType", "ipv4"),
    ]
}
