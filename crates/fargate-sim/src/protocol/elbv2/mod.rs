//! Elastic Load Balancing v2 over AWS Query.

mod actions;
mod balancers;
mod conditions;
mod config;
mod groups;
mod listeners;
mod rules;
mod tags;

use super::endpoint::{Sockets, unknown};
use super::params::Params;
use super::xml::Node;
use crate::model::{ApiError, Millis, World};

/// Performs one operation of ELBv2.
pub(crate) fn perform(
    world: &mut World,
    now: Millis,
    operation: &str,
    params: &Params,
    sockets: &mut dyn Sockets,
) -> Result<Vec<Node>, ApiError> {
    match operation {
        "CreateLoadBalancer" => balancers::create(world, now, params),
        "DescribeLoadBalancers" => balancers::describe(world, params),
        "DeleteLoadBalancer" => balancers::delete(world, now, params),
        "CreateTargetGroup" => groups::create(world, params),
        "DescribeTargetGroups" => groups::describe(world, params),
        "ModifyTargetGroup" => groups::modify(world, params),
        "DeleteTargetGroup" => groups::delete(world, params),
        "DescribeTargetGroupAttributes" => groups::attributes(world, params),
        "ModifyTargetGroupAttributes" => groups::modify_attributes(world, params),
        "RegisterTargets" => groups::register(world, now, params),
        "DeregisterTargets" => groups::deregister(world, now, params),
        "DescribeTargetHealth" => groups::health(world, params),
        "CreateListener" => listeners::create(world, now, params, sockets),
        "DescribeListeners" => listeners::describe(world, params),
        "DeleteListener" => listeners::delete(world, now, params),
        "ModifyListener" => listeners::modify(world, now, params),
        "CreateRule" => rules::create(world, now, params),
        "DescribeRules" => rules::describe(world, params),
        "ModifyRule" => rules::modify(world, now, params),
        "DeleteRule" => rules::delete(world, now, params),
        "SetRulePriorities" => rules::set_priorities(world, now, params),
        "AddTags" => tags::add(world, params),
        "RemoveTags" => tags::remove(world, params),
        "DescribeTags" => tags::describe(world, params),
        _ => Err(ApiError {
            code: "InvalidAction".into(),
            ..unknown(operation)
        }),
    }
}
