//! What AWS answers: bodies for every call of the adapters, whatever was asked. Among them are the items of the table, the
//! definitions and states of tasks, tags and listener rules.

use std::collections::HashMap;
use std::sync::Arc;

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use dormouse_aws::Aws;
use dormouse_core::ids::{GroupName, ServiceId};
use dormouse_core::ports::{
    Connections, Discovery, Doors, Leases, LoadBalancers, LogQueries, Looks, Plans, Protection,
    ScalableTargets, ScaleIns, Services, SessionRows, Store, Targets, Whys, Windows,
};
use dormouse_core::sessions::TaskKey;
use dormouse_core::settings::{Defaults, ServiceSettings};
use dormouse_testkit::{START, config};
use jiff::Timestamp;

use super::{Decoder, wait};

pub(super) const DECODERS: &[Decoder] = &[Decoder {
    name: "what AWS answers",
    folders: &["crates/fuzz/corpus/account"],
    decode: answers,
    cases: 150,
    longest: 64 << 10,
    memory: 300,
}];

/// An account that answers every call with the same body.
#[derive(Clone, Debug)]
pub(super) struct Canned {
    body: Arc<[u8]>,
}

impl Canned {
    pub(super) fn answering(body: &[u8]) -> Self {
        Self { body: body.into() }
    }

    /// The adapters over it.
    pub(super) fn aws(self) -> Aws {
        let credentials = Credentials::new("id", "secret", None, None, "fuzz");
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .retry_config(RetryConfig::disabled())
            .http_client(SharedHttpClient::new(self))
            .build();
        Aws::new(&config(&[]), &HashMap::new(), &sdk)
    }
}

impl HttpClient for Canned {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Canned {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let status = StatusCode::try_from(200).unwrap_or_else(|error| panic!("{error}"));
        let body = SdkBody::from(self.body.to_vec());
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, body)))
    }
}

fn answers(bytes: &[u8]) {
    wait(ask_everything(Canned::answering(bytes).aws()));
}

async fn ask_everything(aws: Aws) {
    let now = Timestamp::from_second(START).unwrap_or_default();
    let id = ServiceId::new("dev", "web");
    let service = ServiceSettings::of(id.clone(), &Defaults::default());
    let (Ok(group), Ok(task)) = (GroupName::parse("dev"), TaskKey::parse("dev/a")) else {
        return;
    };
    let target_group = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/0123456789abcdef";

    let _ = (
        aws.load(&group).await,
        aws.load_all().await,
        aws.discovered_at().await,
    );
    let _ = (aws.why(&group, None, 20).await, aws.shared(&group).await);
    let _ = (
        aws.rows(&[task]).await,
        aws.plan(&id).await,
        aws.windows("0").await,
    );
    let _ = (aws.take_lease("l", "me", now).await, aws.posted().await);
    let _ = (aws.tagged().await, aws.bounds(&[&service]).await);
    let _ = (
        aws.observe(&[&service]).await,
        aws.observe_counts(&[&service]).await,
    );
    let _ = (
        aws.list_tasks(&[&service]).await,
        aws.protected_until("dev", &["a".to_owned()]).await,
    );
    let _ = (
        aws.doors(&[target_group.to_owned()], &[]).await,
        aws.target_groups("app/web/1").await,
    );
    let _ = (
        aws.targets(target_group).await,
        aws.deregistration_delay(target_group).await,
    );
    let _ = (aws.query_state("q").await, aws.scale_in_runs("e").await);
}
