//! Amazon ECS (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html>).

use serde_json::Value;

use super::Demand;
use crate::model::{TaskId, World, resource_name};

pub(super) fn demands(world: &World, operation: &str, input: &Value) -> Vec<Demand> {
    let action = format!("ecs:{operation}");
    // A cluster that is not there is refused later; as on AWS, permission comes first.
    let cluster = resource_name("cluster", input["cluster"].as_str().unwrap_or("default"));
    match operation {
        "UpdateService" => vec![service(world, &action, cluster, &input["service"])],
        "DescribeServices" => each(&input["services"], |name| service(world, &action, cluster, name)),
        "DescribeTasks" | "GetTaskProtection" | "UpdateTaskProtection" => {
            each(&input["tasks"], |id| task(world, &action, cluster, id))
        }
        // ListTasks knows container instances only, and DescribeTaskDefinition nothing.
        _ => vec![Demand::new(&action, "*")],
    }
}

/// A demand for each that is named; without any the call is still one of this action.
fn each(named: &Value, demand: impl Fn(&Value) -> Demand) -> Vec<Demand> {
    match named.as_array() {
        Some(named) if !named.is_empty() => named.iter().map(demand).collect(),
        _ => vec![demand(&Value::Null)],
    }
}

fn service(world: &World, action: &str, cluster: &str, name: &Value) -> Demand {
    let name = resource_name("service", name.as_str().unwrap_or_default());
    let demand = Demand::new(action, world.config.service_arn(cluster, name));
    match world.service(cluster, name) {
        Some(service) => demand.tagged(&service.tags),
        None => demand,
    }
}

fn task(world: &World, action: &str, cluster: &str, id: &Value) -> Demand {
    let id = resource_name("task", id.as_str().unwrap_or_default());
    let demand = Demand::new(action, world.config.task_arn(cluster, id));
    match world.task(&TaskId(id.into())) {
        Some(task) => demand.tagged(&task.tags),
        None => demand,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::{Config, Millis, Tag};

    fn resources(demands: &[Demand]) -> Vec<&str> {
        demands.iter().map(|demand| demand.resource.as_str()).collect()
    }

    #[test]
    fn an_update_demands_its_service_with_its_tags() {
        let mut world = World::new(Config::default());
        world
            .create_cluster(Millis(0), Some("dev"), &[])
            .expect("a cluster");
        let definition = json!({"family": "web", "containerDefinitions": [{"name": "web", "image": "x"}]});
        let network = json!({"awsvpcConfiguration": {"subnets": ["subnet-1"]}});
        let service = json!({"cluster": "dev", "serviceName": "web", "taskDefinition": "web", "desiredCount": 0,
            "networkConfiguration": network, "tags": [Tag::new("dormouse:group", "dev")]});
        for (operation, input) in [("RegisterTaskDefinition", definition), ("CreateService", service)] {
            super::super::super::ecs::perform(&mut world, Millis(0), operation, &input).expect(operation);
        }
        let arn = world.config.service_arn("dev", "web");
        for name in ["web", arn.as_str()] {
            let input = json!({"cluster": "dev", "service": name, "desiredCount": 1});
            let demands = demands(&world, "UpdateService", &input);
            let expected =
                Demand::new("ecs:UpdateService", arn.as_str()).with("aws:ResourceTag/dormouse:group", "dev");
            assert_eq!(demands, [expected]);
        }
    }

    #[test]
    fn each_service_and_task_that_is_named_is_demanded_whether_it_is_there_or_not() {
        let world = World::new(Config::default());
        let input =
            json!({"cluster": "arn:aws:ecs:us-east-1:000000000000:cluster/dev", "services": ["a", "b"]});
        assert_eq!(
            resources(&demands(&world, "DescribeServices", &input)),
            [
                "arn:aws:ecs:us-east-1:000000000000:service/dev/a",
                "arn:aws:ecs:us-east-1:000000000000:service/dev/b"
            ]
        );
        for operation in ["DescribeTasks", "GetTaskProtection", "UpdateTaskProtection"] {
            let demands = demands(&world, operation, &json!({"cluster": "dev", "tasks": ["t1"]}));
            assert_eq!(demands[0].action, format!("ecs:{operation}"));
            assert_eq!(
                resources(&demands),
                ["arn:aws:ecs:us-east-1:000000000000:task/dev/t1"]
            );
        }
        for operation in ["ListTasks", "DescribeTaskDefinition"] {
            assert_eq!(resources(&demands(&world, operation, &json!({}))), ["*"]);
        }
    }
}
