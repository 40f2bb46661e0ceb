//! Listener operations.

use std::net::SocketAddrV4;

use super::super::endpoint::Sockets;
use super::super::params::Params;
use super::super::xml::{Node, element, list, text};
use crate::model::{Action, ApiError, CreateListener, Listener, Millis, World};

/// CreateListener. The socket is opened first, so that a listener that exists can be reached.
pub(super) fn create(
    world: &mut World,
    now: Millis,
    params: &Params,
    sockets: &mut dyn Sockets,
) -> Result<Vec<Node>, ApiError> {
    let missing = || ApiError::validation("A value must be specified for 'Port'");
    let input = CreateListener {
        load_balancer: params.required("LoadBalancerArn")?.into(),
        protocol: params.get("Protocol").unwrap_or("HTTP").into(),
        port: params.read("Port")?.ok_or_else(missing)?,
        action: read_action(params)?,
    };
    let address = SocketAddrV4::new(world.load_balancer(&input.load_balancer)?.address, input.port);
    let arn = world.create_listener(now, input)?.arn.clone();
    if let Err(why) = sockets.open(address) {
        world.delete_listener(now, &arn)?;
        return Err(ApiError::validation(format!(
            "fargate-sim cannot listen on {address} for this listener: {why}. Choose another port; ports below 1024 \
             usually need special rights."
        )));
    }
    Ok(vec![list("Listeners", [view(world.listener(&arn)?)])])
}

fn read_action(params: &Params) -> Result<Action, ApiError> {
    let actions = params.structures("DefaultActions");
    let [action] = actions.as_slice() else {
        return Err(ApiError::validation(format!(
            "A listener takes one default action here, not {}",
            actions.len()
        )));
    };
    let kind = action.get("Type").unwrap_or_default();
    if kind != "forward" {
        return Err(ApiError::validation(format!(
            "Action type '{kind}' is not simulated: only forward is"
        )));
    }
    let weighted = action.structures("ForwardConfig.TargetGroups");
    let group = action
        .get("TargetGroupArn")
        .or_else(|| weighted.first().and_then(|g| g.get("TargetGroupArn")));
    let group = group.ok_or_else(|| ApiError::validation("A target group ARN must be specified"))?;
    if weighted.len() > 1 {
        return Err(ApiError::validation(
            "Weighted target groups are not simulated: name one",
        ));
    }
    Ok(Action::Forward {
        target_group: group.into(),
    })
}

pub(super) fn describe(world: &World, params: &Params) -> Result<Vec<Node>, ApiError> {
    let arns = params.list("ListenerArns");
    let found: Vec<&Listener> = match params.get("LoadBalancerArn") {
        Some(balancer) => world.listeners_of(&world.load_balancer(balancer)?.arn).collect(),
        None if arns.is_empty() => {
            let text = "You must specify either listener ARNs or a load balancer ARN";
            return Err(ApiError::validation(text));
        }
        None => arns
            .iter()
            .map(|arn| world.listener(arn))
            .collect::<Result<_, _>>()?,
    };
    Ok(vec![list("Listeners", found.into_iter().map(view))])
}

pub(super) fn delete(world: &mut World, now: Millis, params: &Params) -> Result<Vec<Node>, ApiError> {
    world.delete_listener(now, params.required("ListenerArn")?)?;
    Ok(Vec::new())
}

fn view(listener: &Listener) -> Vec<Node> {
    let Action::Forward { target_group } = &listener.action;
    let groups = list(
        "TargetGroups",
        [vec![text("TargetGroupArn", target_group), text("Weight", 1)]],
    );
    let action = vec![
        text("Type", "forward"),
        text("TargetGroupArn", target_group),
        text("Order", 1),
        element("ForwardConfig", vec![groups]),
    ];
    vec![
        text("ListenerArn", &listener.arn),
        text("LoadBalancerArn", &listener.load_balancer),
        text("Port", listener.port),
        text("Protocol", &listener.protocol),
        list("DefaultActions", [action]),
    ]
}
