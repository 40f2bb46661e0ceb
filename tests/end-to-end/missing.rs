//! What does not exist is a named error, as the adapters read the stack's own answers.

use std::collections::HashMap;

use dormouse_aws::Aws;
use dormouse_core::config::Config;
use dormouse_core::error::Code;
use dormouse_core::ids::{GroupName, ServiceId};
use dormouse_core::observation::Seen;
use dormouse_core::ports::{Services, Store};
use dormouse_core::settings::{Defaults, GroupSettings, ServiceSettings};
use end_to_end::{Service, Stack};

/// The adapter over the stack, as a function has it.
pub(crate) async fn aws(stack: &Stack, endpoint: &str, table: &str) -> Aws {
    let env = HashMap::from([("TABLE_NAME".to_owned(), table.to_owned())]);
    let config = Config::from_env(&env).expect("a configuration");
    Aws::new(&config, &env, &stack.sdk(endpoint).await)
}

fn group(services: &[ServiceId]) -> GroupSettings {
    let defaults = Defaults::default();
    let services = services
        .iter()
        .map(|id| ServiceSettings::of(id.clone(), &defaults))
        .collect();
    GroupSettings {
        wake_timeout: defaults.wake_timeout,
        ..GroupSettings::of(&GroupName::parse("missing").expect("a name"), services)
    }
}

#[tokio::test]
async fn a_missing_table_is_named() {
    let stack = Stack::connect();
    let aws = aws(&stack, "AWS_ENDPOINT_URL", "nosuchtable").await;
    let error = aws.load(&GroupName::default_group()).await.expect_err("no table");
    assert_eq!(error.code, Code::TableNotFound);
    assert!(error.message.contains("`nosuchtable`"), "{error}");
}

#[tokio::test]
async fn a_missing_cluster_and_a_missing_service_are_named_and_harm_no_neighbour() {
    let stack = Stack::connect();
    let present = ServiceId::new(
        "missing",
        &Service::new("missing").sleeps_after("10m").create(&stack).await,
    );
    let no_service = ServiceId::new("missing", "nosuchservice");
    let no_cluster = ServiceId::new("nosuchcluster", "web");
    let aws = aws(&stack, "AWS_ENDPOINT_URL_ECS", "unused").await;
    let settings = group(&[present.clone(), no_service.clone(), no_cluster.clone()]).services;
    let seen = aws.observe(&settings.iter().collect::<Vec<_>>()).await;
    assert!(matches!(seen[&present], Seen::Known(_)), "{seen:?}");
    for (id, code, name) in [
        (no_service, Code::ServiceNotFound, "nosuchservice"),
        (no_cluster, Code::ClusterNotFound, "nosuchcluster"),
    ] {
        match &seen[&id] {
            Seen::Unknown(error) => assert!(error.code == code && error.message.contains(name), "{error}"),
            Seen::Known(state) => panic!("{state:?}"),
        }
    }
}
