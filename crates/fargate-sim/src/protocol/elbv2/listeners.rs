//! Listener operations.

use std::net::SocketAddrV4;

use super::super::endpoint::Sockets;
use super::super::params::Params;
use super::super::xml::{Node, list, text};
use super::actions;
use super::tags::read_tags;
use crate::model::{ApiError, CreateListener, Listener, Millis, World, page};

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
        actions: actions::read_all(params, "DefaultActions")?,
        tags: read_tags(params),
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

pub(super) fn describe(world: &World, params: &Params) -> Result<Vec<Node>, ApiError> {
    let arns = params.list("ListenerArns");
    let mut found: Vec<&Listener> = match params.get("LoadBalancerArn") {
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
    found.sort_by_key(|l| &l.arn);
    let size = params.read("PageSize")?.unwrap_or(400);
    let found = page(found, |l| l.arn.clone(), params.get("Marker"), size)
        .map_err(|e| ApiError::validation(e.message))?;
    let mut nodes = vec![list("Listeners", found.items.into_iter().map(view))];
    nodes.extend(found.next.map(|next| text("NextMarker", next)));
    Ok(nodes)
}

pub(super) fn delete(world: &mut World, now: Millis, params: &Params) -> Result<Vec<Node>, ApiError> {
    world.delete_listener(now, params.required("ListenerArn")?)?;
    Ok(Vec::new())
}

/// ModifyListener: the default actions; the socket stays where it is.
pub(super) fn modify(world: &mut World, now: Millis, params: &Params) -> Result<Vec<Node>, ApiError> {
    let arn = params.required("ListenerArn")?;
    let listener = world.listener(arn)?;
    let port = params.read::<u16>("Port")?.unwrap_or(listener.port);
    let protocol = params.get("Protocol").unwrap_or(&listener.protocol);
    if port != listener.port || protocol != listener.protocol {
        let text = "A change of a listener's port or protocol is not simulated";
        return Err(ApiError::validation(text));
    }
    let actions = actions::read_all(params, "DefaultActions")?;
    if !actions.is_empty() {
        world.modify_listener(now, arn, actions)?;
    }
    Ok(vec![list("Listeners", [view(world.listener(arn)?)])])
}

fn view(listener: &Listener) -> Vec<Node> {
    vec![
        text("ListenerArn", &listener.arn),
        text("LoadBalancerArn", &listener.load_balancer),
        text("Port", listener.port),
        text("Protocol", &listener.protocol),
        actions::view_all("DefaultActions", listener.default_actions()),
    ]
}
