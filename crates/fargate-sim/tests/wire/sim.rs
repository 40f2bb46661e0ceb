//! A server with real apps, a hundred times faster than AWS.

use std::time::{Duration, Instant};

use fargate_sim::server::{Server, ServerConfig};
use serde_json::{Value, json};

use super::client::{Answer, ECS, get, request, xml};

pub(crate) struct Sim {
    pub(crate) server: Server,
    pub(crate) address: String,
}

impl Sim {
    pub(crate) async fn start(change: impl FnOnce(&mut ServerConfig)) -> Sim {
        let sim = Sim::empty(change).await;
        sim.ecs("CreateCluster", json!({"clusterName": "dev"})).await;
        sim
    }

    /// One that asks this stack's IAM about everybody but the key `test`, without any cluster.
    pub(crate) async fn start_guarded(stack: String) -> Sim {
        Sim::empty(|config| {
            config.stack = Some(stack);
            config.iam_owner = Some("test".into());
        })
        .await
    }

    async fn empty(change: impl FnOnce(&mut ServerConfig)) -> Sim {
        let mut config = ServerConfig::new(env!("CARGO_BIN_EXE_fargate-sim").into());
        config.world.timing.speed = 100.0;
        change(&mut config);
        let server = Server::start(config).await.unwrap();
        let address = server.url().trim_start_matches("http://").to_string();
        Sim { server, address }
    }

    pub(crate) async fn ecs(&self, operation: &str, input: Value) -> Value {
        let headers = [format!("X-Amz-Target: {ECS}.{operation}")];
        let answer = request(&self.address, "POST", "/", &headers, &input.to_string())
            .await
            .unwrap();
        assert_eq!(answer.status, 200, "{operation}: {}", answer.body);
        answer.json()
    }

    pub(crate) async fn elb(&self, form: &str) -> String {
        let answer = request(
            &self.address,
            "POST",
            "/",
            &[],
            &format!("{form}&Version=2015-12-01"),
        )
        .await
        .unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    pub(crate) async fn control(&self, method: &str, path: &str, body: Value) -> Answer {
        request(
            &self.address,
            method,
            &format!("/_sim{path}"),
            &[],
            &body.to_string(),
        )
        .await
        .unwrap()
    }

    /// A load balancer in front of a target group of port 8080, probed every 5 s; its address, and the group's ARN.
    pub(crate) async fn balancer(&self) -> (String, String) {
        let balancer = self.elb("Action=CreateLoadBalancer&Name=lb").await;
        let form = "Action=CreateTargetGroup&Name=tg&Port=8080&TargetType=ip&HealthCheckPath=%2Fhealthz\
            &HealthCheckIntervalSeconds=5&HealthCheckTimeoutSeconds=2";
        let group = self.elb(form).await;
        let balancer_arn = xml(&balancer, "LoadBalancerArn").unwrap();
        let group_arn = xml(&group, "TargetGroupArn").unwrap();
        self.elb(&format!(
            "Action=CreateListener&LoadBalancerArn={balancer_arn}&Protocol=HTTP&Port=8081\
             &DefaultActions.member.1.Type=forward&DefaultActions.member.1.TargetGroupArn={group_arn}"
        ))
        .await;
        let front = format!("{}:8081", xml(&balancer, "DNSName").unwrap());
        (front, group_arn.into())
    }

    /// Creates service `web` of one container.
    pub(crate) async fn service(&self, container: Value, desired: u64, balancers: Value) {
        let definition = json!({"family": "web", "containerDefinitions": [container]});
        self.ecs("RegisterTaskDefinition", definition).await;
        let network = json!({"awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": "ENABLED"}});
        let input = json!({"cluster": "dev", "serviceName": "web", "taskDefinition": "web", "desiredCount": desired,
            "networkConfiguration": network, "loadBalancers": balancers,
            "healthCheckGracePeriodSeconds": 60});
        self.ecs("CreateService", input).await;
    }

    pub(crate) async fn tasks(&self, desired_status: &str) -> Vec<Value> {
        let input = json!({"cluster": "dev", "serviceName": "web", "desiredStatus": desired_status});
        let arns = self.ecs("ListTasks", input).await["taskArns"].clone();
        if arns.as_array().unwrap().is_empty() {
            return Vec::new();
        }
        let described = self
            .ecs("DescribeTasks", json!({"cluster": "dev", "tasks": arns}))
            .await;
        described["tasks"].as_array().unwrap().clone()
    }

    /// The first stopped task.
    pub(crate) async fn stopped(&self) -> Value {
        let end = Instant::now() + Duration::from_secs(5);
        loop {
            let tasks = self.tasks("STOPPED").await;
            if let Some(task) = tasks.into_iter().find(|t| t["lastStatus"] == "STOPPED") {
                return task;
            }
            assert!(Instant::now() < end, "no task stopped within 5 s");
            // ListTasks and DescribeTasks have 20 tokens a second.
            tokio::time::sleep(Duration::from_millis(80)).await;
        }
    }
}

pub(crate) async fn pause() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}

/// Asks again until the status is the wanted one.
pub(crate) async fn until(address: &str, path: &str, status: u16) -> Answer {
    let end = Instant::now() + Duration::from_secs(5);
    loop {
        let answer = get(address, path).await;
        match answer {
            Some(answer) if answer.status == status => return answer,
            last => assert!(
                Instant::now() < end,
                "http://{address}{path} never answered {status}: {last:?}"
            ),
        }
        pause().await;
    }
}
