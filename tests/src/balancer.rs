//! Load balancers in front of services, made with the ordinary AWS calls.

use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, LoadBalancer as LoadBalancerState, ProtocolEnum, RuleCondition, Tag,
    TargetGroupAttribute, TargetTypeEnum,
};

use crate::stack::Stack;

/// Port of the apps.
pub(crate) const PORT: i32 = 8080;

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
    /// ARN of the listener.
    pub listener: String,
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

    /// A target group and a listener that may be led to the wake function, of the one load balancer that its target group
    /// is used with.
    ///
    /// # Panics
    /// If the stack refuses.
    pub async fn fronted(stack: &Stack, name: &str, port: i32) -> Self {
        let elb = elb(stack).await;
        let create = elb
            .create_load_balancer()
            .name("fronted")
            .subnets("subnet-1")
            .subnets("subnet-2");
        // Whoever comes first creates it.
        drop(create.send().await);
        let balancers = elb.describe_load_balancers().names("fronted").send().await;
        let balancers = balancers.expect("the load balancer `fronted`");
        let balancer = Self::listen(stack, &balancers.load_balancers()[0], name, port).await;
        elb.add_tags()
            .resource_arns(&balancer.listener)
            .tags(Tag::builder().key("dormouse:front").value("on").build())
            .send()
            .await
            .expect("AddTags");
        balancer
    }

    /// A rule for these paths that leads to the same target group, and may be led to the wake function too.
    ///
    /// # Panics
    /// If the stack refuses.
    pub async fn also_by_rule(&self, stack: &Stack, paths: &str) {
        let forward = Action::builder()
            .r#type(ActionTypeEnum::Forward)
            .target_group_arn(&self.target_group)
            .build();
        let condition = RuleCondition::builder()
            .field("path-pattern")
            .values(paths)
            .build();
        let create = elb(stack).await.create_rule().listener_arn(&self.listener);
        create
            .priority(1)
            .conditions(condition)
            .actions(forward)
            .tags(Tag::builder().key("dormouse:front").value("on").build())
            .send()
            .await
            .expect("CreateRule");
    }

    /// What the listener does by default, word by word.
    ///
    /// # Panics
    /// If the stack refuses.
    pub async fn actions(&self, stack: &Stack) -> String {
        let elb = elb(stack).await;
        let found = elb
            .describe_listeners()
            .listener_arns(&self.listener)
            .send()
            .await;
        let found = found.expect("the listener");
        format!("{:?}", found.listeners()[0].default_actions())
    }

    /// Leads the listener to the app, as its owner's template does.
    ///
    /// # Panics
    /// If the stack refuses.
    pub async fn deploy(&self, stack: &Stack) {
        let forward = Action::builder()
            .r#type(ActionTypeEnum::Forward)
            .target_group_arn(&self.target_group)
            .build();
        let elb = elb(stack).await;
        let modify = elb.modify_listener().listener_arn(&self.listener);
        modify
            .default_actions(forward)
            .send()
            .await
            .expect("ModifyListener");
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
        let listeners = elb
            .create_listener()
            .load_balancer_arn(balancer.load_balancer_arn().expect("an ARN"))
            .protocol(ProtocolEnum::Http)
            .port(port)
            .default_actions(forward)
            .send()
            .await
            .expect("a listener");
        let listener = listeners.listeners()[0].listener_arn().expect("an ARN");
        Self {
            listener: listener.to_owned(),
            target_group,
            address: format!("http://{}:{port}", balancer.dns_name().expect("a name")),
        }
    }
}
