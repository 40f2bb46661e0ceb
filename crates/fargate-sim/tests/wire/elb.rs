//! A simulator with a load balancer, and its API by the SDK.

use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, FixedResponseActionConfig, ForwardActionConfig, LoadBalancerTypeEnum,
    RuleCondition, Tag, TargetGroupTuple, TargetTypeEnum,
};

use super::client::get;
use super::sim::Sim;

/// A simulator, its API by the SDK, and a listener on port 8081 that answers 404.
pub(crate) struct Account {
    pub(crate) sim: Sim,
    pub(crate) elb: Client,
    pub(crate) balancer: String,
    pub(crate) listener: String,
    pub(crate) front: String,
}

impl Account {
    pub(crate) async fn new() -> Account {
        let sim = Sim::start(|_| {}).await;
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .endpoint_url(sim.server.url())
            .build();
        let elb = Client::from_conf(config);
        let made = elb
            .create_load_balancer()
            .name("lb")
            .r#type(LoadBalancerTypeEnum::Application);
        let made = made.send().await.unwrap();
        let made = &made.load_balancers()[0];
        let balancer = made.load_balancer_arn().unwrap().to_string();
        let front = format!("{}:8081", made.dns_name().unwrap());
        let listener = elb
            .create_listener()
            .load_balancer_arn(&balancer)
            .protocol("HTTP".into())
            .port(8081)
            .default_actions(fixed("404", "nothing here"))
            .tags(tag("of", "listener"))
            .send()
            .await
            .unwrap();
        let listener = listener.listeners()[0].listener_arn().unwrap().to_string();
        Account {
            sim,
            elb,
            balancer,
            listener,
            front,
        }
    }

    pub(crate) async fn group(&self, name: &str) -> String {
        let create = self
            .elb
            .create_target_group()
            .name(name)
            .target_type(TargetTypeEnum::Ip);
        let made = create.protocol("HTTP".into()).port(80).send().await.unwrap();
        made.target_groups()[0].target_group_arn().unwrap().into()
    }

    pub(crate) async fn rule(&self, priority: i32, condition: RuleCondition, action: Action) -> String {
        let create = self
            .elb
            .create_rule()
            .listener_arn(&self.listener)
            .priority(priority);
        let made = create.conditions(condition).actions(action).send().await.unwrap();
        made.rules()[0].rule_arn().unwrap().into()
    }

    pub(crate) async fn status(&self, path: &str) -> u16 {
        get(&self.front, path).await.unwrap().status
    }
}

pub(crate) fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build()
}

pub(crate) fn fixed(status: &str, body: &str) -> Action {
    let config = FixedResponseActionConfig::builder()
        .status_code(status)
        .content_type("text/plain")
        .message_body(body);
    let action = Action::builder().r#type(ActionTypeEnum::FixedResponse);
    action.fixed_response_config(config.build()).build()
}

pub(crate) fn path(pattern: &str) -> RuleCondition {
    RuleCondition::builder()
        .field("path-pattern")
        .values(pattern)
        .build()
}

pub(crate) fn forward(groups: &[(&str, i32)]) -> Action {
    let tuple = |(arn, weight): &(&str, i32)| {
        TargetGroupTuple::builder()
            .target_group_arn(*arn)
            .weight(*weight)
            .build()
    };
    let config = ForwardActionConfig::builder().set_target_groups(Some(groups.iter().map(tuple).collect()));
    let action = Action::builder().r#type(ActionTypeEnum::Forward);
    action.forward_config(config.build()).build()
}
