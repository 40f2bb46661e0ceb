//! Tags of load balancers, target groups, listeners and rules.

use super::super::params::Params;
use super::super::xml::{Node, list, text};
use crate::model::{ApiError, Tag, World};

pub(super) fn read_tags(params: &Params) -> Vec<Tag> {
    let tags = params.structures("Tags").into_iter();
    tags.map(|t| {
        Tag::new(
            t.get("Key").unwrap_or_default(),
            t.get("Value").unwrap_or_default(),
        )
    })
    .collect()
}

pub(super) fn add(world: &mut World, params: &Params) -> Result<Vec<Node>, ApiError> {
    for arn in params.list("ResourceArns") {
        world.add_elb_tags(&arn, &read_tags(params))?;
    }
    Ok(Vec::new())
}

pub(super) fn remove(world: &mut World, params: &Params) -> Result<Vec<Node>, ApiError> {
    for arn in params.list("ResourceArns") {
        world.remove_elb_tags(&arn, &params.list("TagKeys"))?;
    }
    Ok(Vec::new())
}

/// DescribeTags, of up to 20 resources at a time ("DescribeTags" in the API reference).
pub(super) fn describe(world: &World, params: &Params) -> Result<Vec<Node>, ApiError> {
    let arns = params.list("ResourceArns");
    if !(1..=20).contains(&arns.len()) {
        return Err(ApiError::validation(format!(
            "ResourceArns must name 1 to 20 resources, not {}",
            arns.len()
        )));
    }
    let described = arns.into_iter().map(|arn| {
        let tags = world
            .elb_tags(&arn)?
            .iter()
            .map(|t| vec![text("Key", &t.key), text("Value", &t.value)]);
        Ok(vec![text("ResourceArn", &arn), list("Tags", tags)])
    });
    Ok(vec![list(
        "TagDescriptions",
        described.collect::<Result<Vec<_>, ApiError>>()?,
    )])
}
