//! ECS services to try things on, made with the ordinary AWS calls.

use aws_sdk_ecs::types::{
    AssignPublicIp, AwsVpcConfiguration, Compatibility, ContainerDefinition, KeyValuePair, LoadBalancer,
    NetworkConfiguration, NetworkMode, PortMapping, Tag,
};
use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, LoadBalancer as LoadBalancerState, ProtocolEnum, TargetGroupAttribute,
    TargetTypeEnum,
};

use crate::stack::Stack;

/// Port of the apps.
const PORT: i32 = 8080;

/// A service in the making.
#[derive(Clone, Debug)]
pub struct Service {
    cluster: String,
    name: String,
    tags: Vec<(String, String)>,
    desired: i32,
    image: String,
    command: Vec<String>,
    environment: Vec<(String, String)>,
    public: bool,
    target_group: Option<String>,
}

impl Service {
    /// A service `web` in a cluster of its own, both named after the test, at 0 tasks, with a public address.
    #[must_use]
    pub fn new(group: &str) -> Self {
        Self {
            cluster: group.to_owned(),
            name: format!("{group}-web"),
            tags: Vec::new(),
            desired: 0,
            image: "example/app:1".to_owned(),
            command: Vec::new(),
            environment: Vec::new(),
            public: true,
            target_group: None,
        }
        .tag("group", group)
    }

    /// Another name.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = name.to_owned();
        self
    }

    /// In another cluster.
    #[must_use]
    pub fn within(mut self, cluster: &str) -> Self {
        self.cluster = cluster.to_owned();
        self
    }

    /// Adds a tag of Dormouse.
    #[must_use]
    pub fn tag(mut self, name: &str, value: &str) -> Self {
        self.tags.push((format!("dormouse:{name}"), value.to_owned()));
        self
    }

    /// A fixed timer of this length, and no grace.
    #[must_use]
    pub fn sleeps_after(self, period: &str) -> Self {
        self.tag("signals", "none")
            .tag("idle-after", period)
            .tag("grace", "0s")
    }

    /// Tasks that it begins with.
    #[must_use]
    pub fn desired(mut self, count: i32) -> Self {
        self.desired = count;
        self
    }

    /// Another command for the container.
    #[must_use]
    pub fn command(mut self, command: &str) -> Self {
        self.command = vec![command.to_owned()];
        self
    }

    /// Another image.
    #[must_use]
    pub fn image(mut self, image: &str) -> Self {
        self.image = image.to_owned();
        self
    }

    /// An environment variable of the container.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without a public address.
    #[must_use]
    pub fn private(mut self) -> Self {
        self.public = false;
        self
    }

    /// Behind a load balancer.
    #[must_use]
    pub fn behind(mut self, balancer: &Balancer) -> Self {
        self.target_group = Some(balancer.target_group.clone());
        self
    }

    /// Creates cluster, task definition and service; gives the service's name.
    ///
    /// # Panics
    /// If the stack refuses.
    pub async fn create(self, stack: &Stack) -> String {
        let ecs = aws_sdk_ecs::Client::new(&stack.sdk("AWS_ENDPOINT_URL_ECS").await);
        ecs.create_cluster()
            .cluster_name(&self.cluster)
            .send()
            .await
            .expect("a cluster");
        let variables = self
            .environment
            .iter()
            .map(|(n, v)| KeyValuePair::builder().name(n).value(v).build());
        let container = ContainerDefinition::builder()
            .name("app")
            .image(&self.image)
            .essential(true)
            .set_command((!self.command.is_empty()).then(|| self.command.clone()))
            .set_environment(Some(variables.collect()))
            .port_mappings(PortMapping::builder().container_port(PORT).build())
            .build();
        ecs.register_task_definition()
            .family(&self.name)
            .network_mode(NetworkMode::Awsvpc)
            .requires_compatibilities(Compatibility::Fargate)
            .cpu("256")
            .memory("512")
            .container_definitions(container)
            .send()
            .await
            .expect("a task definition");
        let vpc = AwsVpcConfiguration::builder()
            .subnets("subnet-1")
            .assign_public_ip(if self.public {
                AssignPublicIp::Enabled
            } else {
                AssignPublicIp::Disabled
            })
            .build()
            .expect("a network configuration");
        let balancers = self.target_group.iter().map(|arn| {
            LoadBalancer::builder()
                .target_group_arn(arn)
                .container_name("app")
                .container_port(PORT)
                .build()
        });
        let tags = self
            .tags
            .iter()
            .map(|(key, value)| Tag::builder().key(key).value(value).build());
        ecs.create_service()
            .cluster(&self.cluster)
            .service_name(&self.name)
            .task_definition(&self.name)
            .desired_count(self.desired)
            .network_configuration(NetworkConfiguration::builder().awsvpc_configuration(vpc).build())
            .set_load_balancers(Some(balancers.collect()))
            .set_tags(Some(tags.collect()))
            .set_health_check_grace_period_seconds(self.target_group.is_some().then_some(3600))
            .send()
            .await
            .expect("a service");
        self.name
    }
}

async fn elb(stack: &Stack) -> aws_sdk_elasticloadbalancingv2::Client {
    let endpoint = "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2";
    aws_sdk_elasticloadbalancingv2::Client::new(&stack.sdk(endpoint).await)
}

/// A load balancer with one target group and one listener.
#[derive(Clone, Debug)]
pub struct Balancer {
    /// ARN of the target group.
    pub target_group: String,
    /// Where visitors find it.
    pub address: String,
}

impl Balancer {
    /// Creates it. Each test takes a port of its own.
    ///
    /// # Panics
    /// If the stack refuses.
    pub async fn create(stack: &Stack, name: &str, port: i32) -> Self {
        let balancers = elb(stack)
            .await
            .create_load_balancer()
            .name(name)
            .subnets("subnet-1")
            .subnets("subnet-2")
            .send()
            .await;
        let balancers = balancers.expect("a load balancer");
        Self::listen(stack, &balancers.load_balancers()[0], name, port).await
    }

    /// A target group and a listener of the load balancer whose 503s the template watches.
    ///
    /// # Panics
    /// If the stack refuses.
    pub async fn watched(stack: &Stack, name: &str, port: i32) -> Self {
        let balancers = elb(stack)
            .await
            .describe_load_balancers()
            .names("front")
            .send()
            .await;
        let balancers = balancers.expect("the load balancer `front`");
        Self::listen(stack, &balancers.load_balancers()[0], name, port).await
    }

    async fn listen(stack: &Stack, balancer: &LoadBalancerState, name: &str, port: i32) -> Self {
        let elb = elb(stack).await;
        let groups = elb
            .create_target_group()
            .name(name)
            .protocol(ProtocolEnum::Http)
            .port(PORT)
            .vpc_id("vpc-1")
            .target_type(TargetTypeEnum::Ip)
            .health_check_path("/healthz")
            .health_check_interval_seconds(5)
            .health_check_timeout_seconds(2)
            .healthy_threshold_count(2)
            .send()
            .await
            .expect("a target group");
        let target_group = groups.target_groups()[0]
            .target_group_arn()
            .expect("an ARN")
            .to_owned();
        let delay = TargetGroupAttribute::builder()
            .key("deregistration_delay.timeout_seconds")
            .value("10")
            .build();
        elb.modify_target_group_attributes()
            .target_group_arn(&target_group)
            .attributes(delay)
            .send()
            .await
            .expect("attributes");
        let forward = Action::builder()
            .r#type(ActionTypeEnum::Forward)
            .target_group_arn(&target_group)
            .build();
        elb.create_listener()
            .load_balancer_arn(balancer.load_balancer_arn().expect("an ARN"))
            .protocol(ProtocolEnum::Http)
            .port(port)
            .default_actions(forward)
            .send()
            .await
            .expect("a listener");
        Self {
            target_group,
            address: format!("http://{}:{port}", balancer.dns_name().expect("a name")),
        }
    }
}
