//! ECS services to try things on, made with the ordinary AWS calls.

use aws_sdk_ecs::types::{
    AssignPublicIp, AwsVpcConfiguration, Compatibility, ContainerDefinition, KeyValuePair, LoadBalancer,
    NetworkConfiguration, NetworkMode, PortMapping, Tag,
};

use crate::balancer::{Balancer, PORT};
use crate::stack::Stack;

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
