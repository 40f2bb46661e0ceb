//! Target group and target operations.

use super::super::params::Params;
use super::super::xml::{Node, element, list, text, texts};
use super::tags::read_tags;
use crate::model::{
    ApiError, CreateTargetGroup, HealthCheck, Millis, TargetGroup, TargetKey, TargetType, World, page,
};

pub(super) fn create(world: &mut World, params: &Params) -> Result<Vec<Node>, ApiError> {
    let lambda = params.get("TargetType") == Some("lambda");
    if lambda && params.get("HealthCheckEnabled") == Some("true") {
        let text = "Health checks of Lambda functions are not simulated";
        return Err(ApiError::validation(text));
    }
    let input = CreateTargetGroup {
        name: params.required("Name")?.into(),
        protocol: params.get("Protocol").map(str::to_string),
        port: params.read("Port")?.unwrap_or(80),
        vpc: params.get("VpcId").map(str::to_string),
        target_type: params.get("TargetType").map(str::to_string),
        health_check: read_health_check(params, HealthCheck::default())?,
        tags: read_tags(params),
    };
    let group = world.create_target_group(input)?.clone();
    Ok(vec![list("TargetGroups", [view(world, &group)])])
}

fn read_health_check(params: &Params, base: HealthCheck) -> Result<HealthCheck, ApiError> {
    let text = |name: &str, base: String| params.get(name).map_or(base, str::to_string);
    Ok(HealthCheck {
        protocol: text("HealthCheckProtocol", base.protocol),
        port: text("HealthCheckPort", base.port),
        path: text("HealthCheckPath", base.path),
        interval_seconds: params
            .read("HealthCheckIntervalSeconds")?
            .unwrap_or(base.interval_seconds),
        timeout_seconds: params
            .read("HealthCheckTimeoutSeconds")?
            .unwrap_or(base.timeout_seconds),
        healthy_threshold: params
            .read("HealthyThresholdCount")?
            .unwrap_or(base.healthy_threshold),
        unhealthy_threshold: params
            .read("UnhealthyThresholdCount")?
            .unwrap_or(base.unhealthy_threshold),
        matcher: text("Matcher.HttpCode", base.matcher),
    })
}

pub(super) fn describe(world: &World, params: &Params) -> Result<Vec<Node>, ApiError> {
    let (arns, names) = (params.list("TargetGroupArns"), params.list("Names"));
    let balancer = params.get("LoadBalancerArn");
    for arn in &arns {
        world.target_group(arn)?;
    }
    if let Some(name) = names
        .iter()
        .find(|n| !world.target_groups().any(|g| g.name == **n))
    {
        return Err(ApiError::new(
            "TargetGroupNotFound",
            format!("Target groups '[{name}]' not found"),
        ));
    }
    if let Some(arn) = balancer {
        world.load_balancer(arn)?;
    }
    let wanted = |g: &&TargetGroup| match balancer {
        Some(balancer) => world.balancers_of(&g.arn).contains(&balancer),
        None => (arns.is_empty() && names.is_empty()) || arns.contains(&g.arn) || names.contains(&g.name),
    };
    let size = params.read("PageSize")?.unwrap_or(400);
    let found = page(
        world.target_groups().filter(wanted),
        |g| g.arn.clone(),
        params.get("Marker"),
        size,
    )
    .map_err(|e| ApiError::validation(e.message))?;
    let mut nodes = vec![list(
        "TargetGroups",
        found.items.into_iter().map(|g| view(world, g)),
    )];
    nodes.extend(found.next.map(|next| text("NextMarker", next)));
    Ok(nodes)
}

pub(super) fn modify(world: &mut World, params: &Params) -> Result<Vec<Node>, ApiError> {
    let arn = params.required("TargetGroupArn")?;
    let check = read_health_check(params, world.target_group(arn)?.health_check.clone())?;
    let group = world.modify_target_group(arn, check)?.clone();
    Ok(vec![list("TargetGroups", [view(world, &group)])])
}

pub(super) fn delete(world: &mut World, params: &Params) -> Result<Vec<Node>, ApiError> {
    world.delete_target_group(params.required("TargetGroupArn")?)?;
    Ok(Vec::new())
}

pub(super) fn attributes(world: &World, params: &Params) -> Result<Vec<Node>, ApiError> {
    Ok(attribute_nodes(
        world.target_group(params.required("TargetGroupArn")?)?,
    ))
}

pub(super) fn modify_attributes(world: &mut World, params: &Params) -> Result<Vec<Node>, ApiError> {
    let mut attributes = std::collections::BTreeMap::new();
    for attribute in params.structures("Attributes") {
        let value = attribute.get("Value").unwrap_or_default();
        attributes.insert(attribute.required("Key")?.to_string(), value.to_string());
    }
    world
        .modify_target_group_attributes(params.required("TargetGroupArn")?, attributes)
        .map(attribute_nodes)
}

fn attribute_nodes(group: &TargetGroup) -> Vec<Node> {
    let pairs = group
        .attributes
        .iter()
        .map(|(key, value)| vec![text("Key", key), text("Value", value)]);
    vec![list("Attributes", pairs)]
}

pub(super) fn register(world: &mut World, now: Millis, params: &Params) -> Result<Vec<Node>, ApiError> {
    let arn = params.required("TargetGroupArn")?;
    if world.target_group(arn)?.target_type == TargetType::Lambda {
        for function in read_functions(params)? {
            world.register_function(arn, &function)?;
        }
        return Ok(Vec::new());
    }
    let targets = read_targets(world.target_group(arn)?, params)?;
    world.register_targets(now, arn, &targets).map(|()| Vec::new())
}

pub(super) fn deregister(world: &mut World, now: Millis, params: &Params) -> Result<Vec<Node>, ApiError> {
    let arn = params.required("TargetGroupArn")?;
    if world.target_group(arn)?.target_type == TargetType::Lambda {
        for function in read_functions(params)? {
            world.deregister_function(arn, &function)?;
        }
        return Ok(Vec::new());
    }
    let targets = read_targets(world.target_group(arn)?, params)?;
    world.deregister_targets(now, arn, &targets).map(|()| Vec::new())
}

/// ARNs of functions: the ids of targets without ports.
fn read_functions(params: &Params) -> Result<Vec<String>, ApiError> {
    let read = |target: Params| Ok(target.required("Id")?.to_string());
    params.structures("Targets").into_iter().map(read).collect()
}

fn read_targets(group: &TargetGroup, params: &Params) -> Result<Vec<TargetKey>, ApiError> {
    let read = |target: Params| {
        let id = target.required("Id")?;
        let address = id.parse().map_err(|_| {
            let text = format!("The target '{id}' is not an IPv4 address, as target type ip requires");
            ApiError::new("InvalidTarget", text)
        })?;
        Ok(TargetKey {
            address,
            port: target.read("Port")?.unwrap_or(group.port),
        })
    };
    params.structures("Targets").into_iter().map(read).collect()
}

/// DescribeTargetHealth: all targets, or the ones that are asked for.
pub(super) fn health(world: &World, params: &Params) -> Result<Vec<Node>, ApiError> {
    let group = world.target_group(params.required("TargetGroupArn")?)?;
    if group.target_type == TargetType::Lambda {
        return function_health(group, params);
    }
    let mut keys = read_targets(group, params)?;
    if keys.is_empty() {
        keys.extend(group.targets.keys());
    }
    let described = keys.into_iter().map(|key| {
        let not_registered = "Target is not registered to the target group";
        let (state, reason, description) = group.targets.get(&key).map_or(
            (
                "unused",
                Some("Target.NotRegistered"),
                Some(not_registered.to_string()),
            ),
            |t| t.describe(),
        );
        let mut health = vec![text("State", state)];
        health.extend(reason.map(|r| text("Reason", r)));
        health.extend(description.map(|d| text("Description", d)));
        let probed = match group.health_check.port.as_str() {
            "traffic-port" => key.port.to_string(),
            port => port.to_string(),
        };
        let target = vec![
            text("Id", key.address),
            text("Port", key.port),
            text("AvailabilityZone", format!("{}a", world.config.region)),
        ];
        vec![
            element("Target", target),
            text("HealthCheckPort", probed),
            element("TargetHealth", health),
        ]
    });
    Ok(vec![list("TargetHealthDescriptions", described)])
}

fn function_health(group: &TargetGroup, params: &Params) -> Result<Vec<Node>, ApiError> {
    let mut functions = read_functions(params)?;
    if functions.is_empty() {
        functions.extend(group.function.clone());
    }
    let described = functions.into_iter().map(|function| {
        let (state, reason, description) = match group.function.as_ref() == Some(&function) {
            true => group.describe_function(),
            false => (
                "unused",
                "Target.NotRegistered",
                "Target is not registered to the target group",
            ),
        };
        let target = vec![text("Id", function), text("AvailabilityZone", "all")];
        let health = vec![
            text("State", state),
            text("Reason", reason),
            text("Description", description),
        ];
        vec![element("Target", target), element("TargetHealth", health)]
    });
    Ok(vec![list("TargetHealthDescriptions", described)])
}

fn view(world: &World, group: &TargetGroup) -> Vec<Node> {
    let check = &group.health_check;
    let mut nodes = vec![
        text("TargetGroupArn", &group.arn),
        text("TargetGroupName", &group.name),
    ];
    if group.target_type == TargetType::Ip {
        nodes.extend([
            text("Protocol", &group.protocol),
            text("ProtocolVersion", "HTTP1"),
            text("Port", group.port),
            text("HealthCheckProtocol", &check.protocol),
            text("HealthCheckPort", &check.port),
        ]);
    }
    nodes.extend([
        text("HealthCheckEnabled", group.target_type == TargetType::Ip),
        text("HealthCheckIntervalSeconds", check.interval_seconds),
        text("HealthCheckTimeoutSeconds", check.timeout_seconds),
        text("HealthyThresholdCount", check.healthy_threshold),
        text("UnhealthyThresholdCount", check.unhealthy_threshold),
        text("HealthCheckPath", &check.path),
        element("Matcher", vec![text("HttpCode", &check.matcher)]),
        texts("LoadBalancerArns", world.balancers_of(&group.arn)),
        text("TargetType", group.target_type.name()),
        text("IpAddressType", "ipv4"),
    ]);
    nodes.extend(group.vpc.as_ref().map(|vpc| text("VpcId", vpc)));
    nodes
}
