//! Rule operations.

use super::super::params::Params;
use super::super::xml::{Node, list, text};
use super::tags::read_tags;
use super::{actions, conditions};
use crate::model::{ApiError, CreateRule, Millis, Priority, Rule, World, page};

pub(super) fn create(world: &mut World, now: Millis, params: &Params) -> Result<Vec<Node>, ApiError> {
    no_transforms(params)?;
    let missing = || ApiError::validation("A value must be specified for 'Priority'");
    let input = CreateRule {
        listener: params.required("ListenerArn")?.into(),
        priority: params.read("Priority")?.ok_or_else(missing)?,
        conditions: conditions::read_all(params)?,
        actions: actions::read_all(params, "Actions")?,
        tags: read_tags(params),
    };
    let rule = world.create_rule(now, input)?;
    Ok(vec![list("Rules", [view(rule)])])
}

/// DescribeRules: those of a listener in the order of their priorities, the default rule last, or those named.
pub(super) fn describe(world: &World, params: &Params) -> Result<Vec<Node>, ApiError> {
    let arns = params.list("RuleArns");
    let mut found: Vec<&Rule> = match (params.get("ListenerArn"), arns.is_empty()) {
        (Some(listener), true) => world.rules_of(listener)?.iter().collect(),
        (None, false) => arns.iter().map(|arn| world.rule(arn)).collect::<Result<_, _>>()?,
        _ => {
            let text = "You must specify either listener rule ARNs or a listener ARN";
            return Err(ApiError::validation(text));
        }
    };
    let key = |r: &&Rule| {
        let number = match r.priority {
            Priority::At(number) => number,
            Priority::Default => u32::MAX,
        };
        format!("{number:010} {}", r.arn)
    };
    found.sort_by_key(key);
    let size = params.read("PageSize")?.unwrap_or(400);
    let found = page(found, key, params.get("Marker"), size).map_err(|e| ApiError::validation(e.message))?;
    let mut nodes = vec![list("Rules", found.items.into_iter().map(view))];
    nodes.extend(found.next.map(|next| text("NextMarker", next)));
    Ok(nodes)
}

/// ModifyRule: what is given replaces all of what was there.
pub(super) fn modify(world: &mut World, now: Millis, params: &Params) -> Result<Vec<Node>, ApiError> {
    no_transforms(params)?;
    let (conditions, actions) = (
        conditions::read_all(params)?,
        actions::read_all(params, "Actions")?,
    );
    let conditions = Some(conditions).filter(|c| !c.is_empty());
    let actions = Some(actions).filter(|a| !a.is_empty());
    let rule = world.modify_rule(now, params.required("RuleArn")?, conditions, actions)?;
    Ok(vec![list("Rules", [view(rule)])])
}

pub(super) fn delete(world: &mut World, now: Millis, params: &Params) -> Result<Vec<Node>, ApiError> {
    world.delete_rule(now, params.required("RuleArn")?)?;
    Ok(Vec::new())
}

pub(super) fn set_priorities(world: &mut World, now: Millis, params: &Params) -> Result<Vec<Node>, ApiError> {
    let missing = || ApiError::validation("A value must be specified for 'Priority'");
    let pair = |p: &Params| {
        let priority = p.read("Priority")?.ok_or_else(missing)?;
        Ok((p.required("RuleArn")?.to_string(), priority))
    };
    let pairs = params.structures("RulePriorities");
    let pairs = pairs.iter().map(pair).collect::<Result<Vec<_>, ApiError>>()?;
    let rules = world.set_rule_priorities(now, &pairs)?;
    Ok(vec![list("Rules", rules.into_iter().map(view))])
}

fn no_transforms(params: &Params) -> Result<(), ApiError> {
    match params.structures("Transforms").is_empty() {
        true => Ok(()),
        false => Err(ApiError::validation("Transforms of rules are not simulated")),
    }
}

fn view(rule: &Rule) -> Vec<Node> {
    vec![
        text("RuleArn", &rule.arn),
        text("Priority", rule.priority),
        list("Conditions", rule.conditions.iter().map(conditions::view)),
        actions::view_all("Actions", &rule.actions),
        text("IsDefault", rule.priority == Priority::Default),
    ]
}
