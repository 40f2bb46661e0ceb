//! Target groups of functions as the SDK sees them.

use aws_sdk_elasticloadbalancingv2::types::{
    TargetDescription, TargetHealthReasonEnum, TargetHealthStateEnum, TargetTypeEnum,
};

use super::elb::{Account, forward, path};

#[tokio::test]
async fn a_function_is_a_target_without_port_and_health_checks() {
    let account = Account::new().await;
    let elb = &account.elb;
    let made = elb
        .create_target_group()
        .name("wake")
        .target_type(TargetTypeEnum::Lambda)
        .send()
        .await
        .unwrap();
    let group = &made.target_groups()[0];
    let arn = group.target_group_arn().unwrap();
    assert_eq!(
        (group.port(), group.protocol(), group.health_check_enabled()),
        (None, None, Some(false))
    );
    let function = "arn:aws:lambda:us-east-1:000000000000:function:wake";
    let target = |id: &str| TargetDescription::builder().id(id).build();
    let register = elb.register_targets().target_group_arn(arn);
    register.clone().targets(target(function)).send().await.unwrap();
    let second = register
        .clone()
        .targets(target("arn:aws:lambda:us-east-1:000000000000:function:x"))
        .send()
        .await;
    assert!(
        second
            .unwrap_err()
            .into_service_error()
            .is_too_many_targets_exception()
    );

    let health = async || {
        let described = elb
            .describe_target_health()
            .target_group_arn(arn)
            .send()
            .await
            .unwrap();
        let described = &described.target_health_descriptions()[0];
        assert_eq!(described.target().unwrap().id(), Some(function));
        let health = described.target_health().unwrap();
        (
            health.state().cloned().unwrap(),
            health.reason().cloned().unwrap(),
        )
    };
    assert_eq!(
        health().await,
        (TargetHealthStateEnum::Unused, TargetHealthReasonEnum::NotInUse)
    );
    account.rule(1, path("/wake"), forward(&[(arn, 0)])).await;
    assert_eq!(
        health().await,
        (
            TargetHealthStateEnum::Unavailable,
            TargetHealthReasonEnum::HealthCheckDisabled
        )
    );
    let attributes = elb
        .describe_target_group_attributes()
        .target_group_arn(arn)
        .send()
        .await
        .unwrap();
    let attribute = &attributes.attributes()[0];
    assert_eq!(
        (attribute.key(), attribute.value()),
        (Some("lambda.multi_value_headers.enabled"), Some("false"))
    );
    account.sim.server.stop().await;
}
