//! An account with a load balancer.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, ForwardActionConfig, ProtocolEnum, RuleCondition, Tag, TargetGroupTuple,
    TargetTypeEnum,
};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use dormouse_core::config::Config;
use dormouse_core::front::{DoorId, Forward};
use fargate_sim::model::{Config as SimConfig, Millis, World};
use fargate_sim::protocol::{AnyPort, Call, Endpoint};

use crate::Aws;

const NOW: Millis = Millis(1_800_000_000_000);

struct Shared {
    endpoint: Endpoint,
    calls: BTreeMap<String, u32>,
}

/// An account, and the adapter that sees it.
pub(super) struct Account {
    pub(super) aws: Aws,
    pub(super) elb: Client,
    shared: Arc<Mutex<Shared>>,
    pub(super) balancer: String,
    pub(super) wake: String,
}

impl Account {
    /// An account with a load balancer `dev` and a target group of the wake function.
    pub(super) async fn new() -> Self {
        let shared = Arc::new(Mutex::new(Shared {
            endpoint: Endpoint::new(World::new(SimConfig::default())),
            calls: BTreeMap::new(),
        }));
        let sdk = serve(Arc::clone(&shared)).await;
        let elb = Client::new(&sdk);
        let balancer = balancer(&elb, "dev").await;
        let wake = function(&elb, "wake").await;
        let mut account = Self {
            aws: adapter(&sdk, &[&wake]),
            elb,
            shared,
            balancer,
            wake,
        };
        account.see_anew();
        account
    }

    /// The adapter of another invocation, which has these target groups of the wake function.
    pub(super) fn with_wake(&mut self, wake: &[&str]) {
        self.aws.doors = super::super::Doorways::new(wake.iter().map(|arn| (*arn).to_owned()).collect());
    }

    /// Forgets all looks, and the calls so far.
    pub(super) fn see_anew(&mut self) {
        let wake = self.wake.clone();
        self.with_wake(&[&wake]);
        self.shared.lock().unwrap().calls.clear();
    }

    /// How often an operation was called.
    pub(super) fn calls(&self, operation: &str) -> u32 {
        let shared = self.shared.lock().unwrap();
        shared.calls.get(operation).copied().unwrap_or(0)
    }

    pub(super) async fn target_group(&self, name: &str) -> String {
        let call = self.elb.create_target_group().name(name);
        let call = call.protocol(ProtocolEnum::Http).port(8080);
        let answer = call
            .target_type(TargetTypeEnum::Ip)
            .vpc_id("vpc-1")
            .send()
            .await
            .unwrap();
        answer.target_groups()[0].target_group_arn().unwrap().to_owned()
    }

    pub(super) async fn listener(
        &self,
        balancer: &str,
        port: i32,
        actions: Vec<Action>,
        tagged: bool,
    ) -> DoorId {
        let call = self.elb.create_listener().load_balancer_arn(balancer);
        let call = call.protocol(ProtocolEnum::Http).port(port);
        let answer = call
            .set_default_actions(Some(actions))
            .set_tags(tagged.then(tags))
            .send()
            .await
            .unwrap();
        DoorId(answer.listeners()[0].listener_arn().unwrap().to_owned())
    }

    pub(super) async fn rule(
        &self,
        listener: &DoorId,
        priority: i32,
        conditions: Vec<RuleCondition>,
        actions: Vec<Action>,
    ) -> DoorId {
        let call = self
            .elb
            .create_rule()
            .listener_arn(&listener.0)
            .priority(priority);
        let answer = call
            .set_conditions(Some(conditions))
            .set_actions(Some(actions))
            .set_tags(Some(tags()))
            .send()
            .await
            .unwrap();
        DoorId(answer.rules()[0].rule_arn().unwrap().to_owned())
    }
}

pub(super) async fn balancer(elb: &Client, name: &str) -> String {
    let call = elb.create_load_balancer().name(name).subnets("subnet-1");
    let answer = call.send().await.unwrap();
    answer.load_balancers()[0].load_balancer_arn().unwrap().to_owned()
}

/// A target group of type lambda.
pub(super) async fn function(elb: &Client, name: &str) -> String {
    let call = elb.create_target_group().name(name);
    let answer = call.target_type(TargetTypeEnum::Lambda).send().await.unwrap();
    answer.target_groups()[0].target_group_arn().unwrap().to_owned()
}

pub(super) fn tags() -> Vec<Tag> {
    vec![Tag::builder().key("dormouse:front").value("on").build()]
}

/// A forward action to target groups with their weights.
pub(super) fn forward(shares: &[(&str, i32)]) -> Action {
    let tuples = shares.iter().map(|(target_group, weight)| {
        TargetGroupTuple::builder()
            .target_group_arn(*target_group)
            .weight(*weight)
            .build()
    });
    let config = ForwardActionConfig::builder().set_target_groups(Some(tuples.collect()));
    Action::builder()
        .r#type(ActionTypeEnum::Forward)
        .forward_config(config.build())
        .build()
}

/// The same as core has it.
pub(super) fn shares(shares: &[(&str, u32)]) -> Forward {
    Forward::weighted(shares.iter().copied(), None)
}

fn adapter(sdk: &SdkConfig, wake: &[&str]) -> Aws {
    let env = HashMap::from([
        ("TABLE_NAME".to_owned(), "table".to_owned()),
        ("FRONT_TARGET_GROUPS".to_owned(), wake.join(",")),
    ]);
    Aws::new(&Config::from_env(&env).unwrap(), &env, sdk)
}

async fn serve(shared: Arc<Mutex<Shared>>) -> SdkConfig {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback(answer).with_state(shared);
    tokio::spawn(async move { axum::serve(listener, router).await });
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            "AKID", "secret", None, None, "test",
        )))
        .http_client(crate::http_client())
        .endpoint_url(format!("http://{address}"))
        .build()
}

async fn answer(State(shared): State<Arc<Mutex<Shared>>>, headers: HeaderMap, body: Bytes) -> Response {
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    let mut shared = shared.lock().unwrap();
    let target = text("x-amz-target");
    if let Some(target) = &target
        && target.starts_with("DynamoDB")
    {
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        *shared.calls.entry(operation).or_default() += 1;
        return "{}".into_response();
    }
    let form = String::from_utf8_lossy(&body).into_owned();
    let operation = form.split('&').find_map(|pair| pair.strip_prefix("Action="));
    *shared
        .calls
        .entry(operation.unwrap_or_default().to_owned())
        .or_default() += 1;
    let call = Call {
        path: "/".to_owned(),
        target,
        content_type: text("content-type"),
        authorization: text("authorization"),
        caller: None,
        user_agent: text("user-agent"),
        body: body.to_vec(),
    };
    let response = shared.endpoint.handle(NOW, &call, &mut AnyPort);
    let status = StatusCode::from_u16(response.status).unwrap();
    (status, response.body).into_response()
}
