//! The ports of `dormouse-core` over the AWS SDK: one file per AWS service.

mod cloudwatch;
mod codepipeline;
mod connections;
mod discovery;
mod doors;
mod ec2;
mod ecs;
mod elb;
mod errors;
mod fan_out;
mod http;
mod insights;
mod lazy;
mod leases;
mod lists;
mod looks;
mod machines;
mod notifications;
mod operation;
mod plans;
mod probe;
mod protection;
mod quota;
mod reads;
mod rejects;
mod scalable;
mod sessions;
mod signals;
mod table;
mod targets;
mod task;
mod tasks;
mod utilization;
mod whys;
mod windows;

use std::collections::HashMap;
use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use dormouse_core::config::Config;
use dormouse_core::ports::Clock;
use jiff::Timestamp;

use lazy::{Lazy, lazy};

pub use errors::{chain, failed};
pub use http::http_client;
pub use reads::{Trial, Tried};

/// One attempt of a call to AWS may take this long: several times what a slow one takes.
const ATTEMPT: Duration = Duration::from_secs(4);
/// A call with all its attempts may take this long: three of them fit a wake function's 29 s.
const CALL: Duration = Duration::from_secs(9);

/// All ports of the engine, over one shared HTTP client.
pub struct Aws {
    autoscaling: Lazy<aws_sdk_applicationautoscaling::Client>,
    cloudwatch: Lazy<aws_sdk_cloudwatch::Client>,
    logs: Lazy<aws_sdk_cloudwatchlogs::Client>,
    pipeline: Lazy<aws_sdk_codepipeline::Client>,
    table: table::Table,
    ecs: Lazy<aws_sdk_ecs::Client>,
    elb: elb::Balancers,
    doors: doors::Doorways,
    ec2: ec2::Ec2,
    tagging: Lazy<aws_sdk_resourcegroupstagging::Client>,
    machines: machines::Machines,
    task_definitions: tasks::Definitions,
    probe: probe::Prober,
    queues: Lazy<aws_sdk_sqs::Client>,
    dead_letters: Option<String>,
    tick_queue: Option<String>,
    topics: Lazy<aws_sdk_sns::Client>,
    notifications: Option<String>,
    in_vpc: bool,
}

impl Aws {
    /// Clients for a function, from its environment. Credentials are fetched with the first call.
    pub async fn connect(config: &Config, env: &HashMap<String, String>) -> Self {
        let sdk = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http::of_function(env))
            // Lambda gives them in variables. All the other ways make clients of their own before it is known that none is
            // needed.
            .credentials_provider(EnvironmentVariableCredentialsProvider::new())
            .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(200)))
            .timeout_config(
                TimeoutConfig::builder()
                    .operation_attempt_timeout(ATTEMPT)
                    .operation_timeout(CALL)
                    .build(),
            )
            .load()
            .await;
        Self::new(config, env, &sdk)
    }

    /// Clients over a configuration of the SDK, whose HTTP client they share.
    #[must_use]
    pub fn new(config: &Config, env: &HashMap<String, String>, sdk: &SdkConfig) -> Self {
        let http = sdk.http_client().unwrap_or_else(http_client);
        Self {
            autoscaling: lazy(sdk, aws_sdk_applicationautoscaling::Client::new),
            cloudwatch: lazy(sdk, aws_sdk_cloudwatch::Client::new),
            logs: lazy(sdk, aws_sdk_cloudwatchlogs::Client::new),
            pipeline: lazy(sdk, aws_sdk_codepipeline::Client::new),
            table: table::Table::new(lazy(sdk, aws_sdk_dynamodb::Client::new), config.table.clone()),
            ecs: lazy(sdk, aws_sdk_ecs::Client::new),
            elb: elb::Balancers::new(lazy(sdk, aws_sdk_elasticloadbalancingv2::Client::new)),
            doors: doors::Doorways::new(config.front_target_groups.clone()),
            ec2: ec2::Ec2::new(
                sdk,
                http.clone(),
                env.get("AWS_ENDPOINT_URL_EC2").map(String::as_str),
            ),
            tagging: lazy(sdk, aws_sdk_resourcegroupstagging::Client::new),
            machines: machines::Machines::new(
                lazy(sdk, aws_sdk_sfn::Client::new),
                config.sleep_timer.clone(),
                config.scale_in.clone(),
            ),
            task_definitions: tasks::Definitions::default(),
            probe: probe::Prober::new(http),
            queues: lazy(sdk, aws_sdk_sqs::Client::new),
            dead_letters: config.dead_letters.clone(),
            tick_queue: config.tick_queue.clone(),
            topics: lazy(sdk, aws_sdk_sns::Client::new),
            notifications: config.notifications.clone(),
            in_vpc: config.in_vpc,
        }
    }
}

impl Clock for Aws {
    #[expect(clippy::disallowed_methods, reason = "this is the port's clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn pause(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    async fn within<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout(limit, work).await.ok()
    }
}

/// A moment of the SDK as one of ours; the epoch if it lies outside of time.
fn moment(at: &aws_smithy_types::DateTime) -> Timestamp {
    let millis = at.to_millis().unwrap_or_default();
    Timestamp::from_millisecond(millis).unwrap_or_default()
}
