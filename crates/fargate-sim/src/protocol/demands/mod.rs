//! What a call demands of IAM: actions, the resources that they are done to, and what is told of these.
//!
//! By the tables of "Actions, resources, and condition keys" of each service in the Service Authorization Reference
//! (<https://docs.aws.amazon.com/service-authorization/latest/reference/>). Operations that no function of Dormouse
//! calls demand their action on `*`.

mod ecs;
mod elbv2;

use std::collections::BTreeMap;

use serde_json::Value;

use super::params::Params;
use crate::model::{Tag, World};

/// One thing that the caller's policies must allow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Demand {
    /// The action, such as `ecs:UpdateService`.
    pub action: String,
    /// ARN of what it is done to; `*` for actions that know no resources.
    pub resource: String,
    /// Condition keys and their values.
    pub context: BTreeMap<String, String>,
}

impl Demand {
    fn new(action: &str, resource: impl Into<String>) -> Demand {
        Demand {
            action: action.into(),
            resource: resource.into(),
            context: BTreeMap::new(),
        }
    }

    fn with(mut self, key: &str, value: &str) -> Demand {
        self.context.insert(key.into(), value.into());
        self
    }

    fn tagged(mut self, tags: &[Tag]) -> Demand {
        let keys = tags
            .iter()
            .map(|tag| (format!("aws:ResourceTag/{}", tag.key), tag.value.clone()));
        self.context.extend(keys);
        self
    }
}

/// What an operation with JSON input demands.
pub(super) fn of_json(world: &World, service: &str, operation: &str, input: &Value) -> Vec<Demand> {
    match (service, operation) {
        ("ecs", _) => ecs::demands(world, operation, input),
        ("application-autoscaling", "RegisterScalableTarget") => vec![scalable_target(world, input)],
        ("tagging", _) => vec![Demand::new(&format!("tag:{operation}"), "*")],
        _ => vec![Demand::new(&format!("{service}:{operation}"), "*")],
    }
}

/// What an operation with a form as input demands.
pub(super) fn of_form(world: &World, service: &str, operation: &str, params: &Params) -> Vec<Demand> {
    match service {
        "elasticloadbalancing" => elbv2::demands(world, operation, params),
        _ => vec![Demand::new(&format!("{service}:{operation}"), "*")],
    }
}

/// The id in the ARN of a scalable target does not name its service; policies can only ask for namespace and dimension.
fn scalable_target(world: &World, input: &Value) -> Demand {
    let text = |field: &str| input[field].as_str().unwrap_or_default();
    let (region, account) = (&world.config.region, &world.config.account);
    let id = text("ResourceId").replace('/', "-");
    Demand::new(
        "application-autoscaling:RegisterScalableTarget",
        format!("arn:aws:application-autoscaling:{region}:{account}:scalable-target/{id}"),
    )
    .with(
        "application-autoscaling:service-namespace",
        text("ServiceNamespace"),
    )
    .with(
        "application-autoscaling:scalable-dimension",
        text("ScalableDimension"),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::Config;

    #[test]
    fn a_scalable_target_tells_namespace_and_dimension() {
        let input = json!({"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount",
            "ResourceId": "service/dev/web"});
        let world = World::new(Config::default());
        let demands = of_json(
            &world,
            "application-autoscaling",
            "RegisterScalableTarget",
            &input,
        );
        assert_eq!(demands.len(), 1);
        assert!(demands[0].resource.ends_with(":scalable-target/service-dev-web"));
        let context: Vec<(&str, &str)> = demands[0]
            .context
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        assert_eq!(
            context,
            [
                (
                    "application-autoscaling:scalable-dimension",
                    "ecs:service:DesiredCount"
                ),
                ("application-autoscaling:service-namespace", "ecs"),
            ]
        );
    }

    #[test]
    fn what_knows_no_resources_is_demanded_on_all() {
        let world = World::new(Config::default());
        for (service, operation, action) in [
            ("tagging", "GetResources", "tag:GetResources"),
            (
                "codepipeline",
                "PutJobSuccessResult",
                "codepipeline:PutJobSuccessResult",
            ),
            (
                "application-autoscaling",
                "DescribeScalableTargets",
                "application-autoscaling:DescribeScalableTargets",
            ),
        ] {
            let demands = of_json(&world, service, operation, &json!({}));
            assert_eq!(demands, [Demand::new(action, "*")]);
        }
        let demands = of_form(&world, "ec2", "DescribeNetworkInterfaces", &Params::default());
        assert_eq!(demands, [Demand::new("ec2:DescribeNetworkInterfaces", "*")]);
    }
}
