//! Application Auto Scaling over AWS JSON 1.1: scalable targets of ECS services.

use serde::Deserialize;
use serde_json::{Value, json};

use super::endpoint::unknown;
use crate::model::{
    ApiError, Millis, RegisterScalableTarget, ScalableTarget, ServiceKey, SuspendedState, World, page,
};

/// The only dimension of ECS.
const DIMENSION: &str = "ecs:service:DesiredCount";
/// Targets on a page, unless fewer are asked for, and resource ids in a call (DescribeScalableTargets).
const PAGE: usize = 50;

/// The input of all operations, as far as it is simulated.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Input {
    service_namespace: Option<String>,
    scalable_dimension: Option<String>,
    resource_id: Option<String>,
    resource_ids: Vec<String>,
    min_capacity: Option<i64>,
    max_capacity: Option<i64>,
    suspended_state: Option<Suspended>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

/// What is left out is false ("Setting it to false (default) resumes").
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Suspended {
    dynamic_scaling_in_suspended: bool,
    dynamic_scaling_out_suspended: bool,
    scheduled_scaling_suspended: bool,
}

/// Performs one operation of Application Auto Scaling.
pub(crate) fn perform(
    world: &mut World,
    now: Millis,
    operation: &str,
    input: &Value,
) -> Result<Value, ApiError> {
    let input = Input::deserialize(input);
    let input = input.map_err(|e| ApiError::new("SerializationException", e.to_string()))?;
    match operation {
        "RegisterScalableTarget" => register(world, now, &input),
        "DescribeScalableTargets" => describe(world, &input),
        "DeregisterScalableTarget" => {
            let service = input.service()?;
            world.deregister_scalable_target(&service).map(|()| json!({}))
        }
        _ => Err(unknown(operation)),
    }
}

impl Input {
    fn check_namespace(&self) -> Result<(), ApiError> {
        match self.service_namespace.as_deref() {
            Some("ecs") => Ok(()),
            namespace => Err(member("serviceNamespace", namespace, "ecs")),
        }
    }

    fn check_dimension(&self) -> Result<(), ApiError> {
        match self.scalable_dimension.as_deref() {
            Some(DIMENSION) => Ok(()),
            dimension => Err(member("scalableDimension", dimension, DIMENSION)),
        }
    }

    /// The service that is meant, which need not exist.
    fn service(&self) -> Result<ServiceKey, ApiError> {
        self.check_namespace()?;
        self.check_dimension()?;
        let id = self.resource_id.as_deref().unwrap_or_default();
        let (cluster, name) = id
            .strip_prefix("service/")
            .and_then(|rest| rest.split_once('/'))
            .filter(|(cluster, name)| !cluster.is_empty() && !name.is_empty() && !name.contains('/'))
            .ok_or_else(|| invalid(format!("Unsupported service namespace, resource type: {id}")))?;
        Ok(ServiceKey::new(cluster, name))
    }
}

fn register(world: &mut World, now: Millis, input: &Input) -> Result<Value, ApiError> {
    let service = input.service()?;
    let capacity = |value: Option<i64>| {
        let out_of_range = |_| invalid("capacity must be 0 or more".into());
        value.map(|n| u32::try_from(n).map_err(out_of_range)).transpose()
    };
    let change = RegisterScalableTarget {
        min: capacity(input.min_capacity)?,
        max: capacity(input.max_capacity)?,
        suspended: input.suspended_state.as_ref().map(|state| SuspendedState {
            dynamic_in: state.dynamic_scaling_in_suspended,
            dynamic_out: state.dynamic_scaling_out_suspended,
            scheduled: state.scheduled_scaling_suspended,
        }),
    };
    world.register_scalable_target(now, &service, change)?;
    Ok(json!({"ScalableTargetARN": arn(world, &service)}))
}

fn describe(world: &World, input: &Input) -> Result<Value, ApiError> {
    input.check_namespace()?;
    if input.scalable_dimension.is_some() {
        input.check_dimension()?;
    }
    if input.resource_ids.len() > PAGE {
        return Err(invalid(format!("resourceIds can have at most {PAGE} items")));
    }
    let size = input.max_results.unwrap_or(PAGE);
    if !(1..=PAGE).contains(&size) {
        return Err(invalid(format!("maxResults must be between 1 and {PAGE}")));
    }
    let wanted = |id: &String| input.resource_ids.is_empty() || input.resource_ids.contains(id);
    let targets = world
        .scalable_targets()
        .map(|(service, target)| (resource_id(service), service, target))
        .filter(|(id, ..)| wanted(id));
    let found = page(targets, |(id, ..)| id.clone(), input.next_token.as_deref(), size).map_err(|_| {
        ApiError::new(
            "InvalidNextTokenException",
            "The next token supplied was invalid.",
        )
    })?;
    let views = found
        .items
        .iter()
        .map(|(id, service, target)| view(world, id, service, target));
    let mut answer = json!({"ScalableTargets": views.collect::<Vec<_>>()});
    if let Some(next) = found.next {
        answer["NextToken"] = next.into();
    }
    Ok(answer)
}

fn view(world: &World, id: &str, service: &ServiceKey, target: &ScalableTarget) -> Value {
    let role = "role/aws-service-role/ecs.application-autoscaling.amazonaws.com/\
                AWSServiceRoleForApplicationAutoScaling_ECSService";
    json!({
        "ServiceNamespace": "ecs",
        "ScalableDimension": DIMENSION,
        "ResourceId": id,
        "MinCapacity": target.min,
        "MaxCapacity": target.max,
        "RoleARN": format!("arn:aws:iam::{}:{role}", world.config.account),
        "CreationTime": target.created_at.epoch_seconds(),
        "SuspendedState": {
            "DynamicScalingInSuspended": target.suspended.dynamic_in,
            "DynamicScalingOutSuspended": target.suspended.dynamic_out,
            "ScheduledScalingSuspended": target.suspended.scheduled,
        },
        "ScalableTargetARN": arn(world, service),
    })
}

fn resource_id(service: &ServiceKey) -> String {
    format!("service/{}/{}", service.cluster, service.name)
}

/// The id in it is made of the service's name here; of AWS's it is only known that it is unique.
fn arn(world: &World, service: &ServiceKey) -> String {
    let (region, account) = (&world.config.region, &world.config.account);
    format!(
        "arn:aws:application-autoscaling:{region}:{account}:scalable-target/{}-{}",
        service.cluster, service.name
    )
}

fn invalid(text: String) -> ApiError {
    ApiError::new("ValidationException", text)
}

/// AWS's words for a value that is not among those there are.
fn member(name: &str, value: Option<&str>, only: &str) -> ApiError {
    let value = value.map_or("null".to_owned(), |value| format!("'{value}'"));
    invalid(format!(
        "1 validation error detected: Value {value} at '{name}' failed to satisfy constraint: fargate-sim simulates \
         {only} only"
    ))
}
