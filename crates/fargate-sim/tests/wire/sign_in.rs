//! Authenticate actions: their secrets, and whom they let through.

use aws_sdk_elasticloadbalancingv2::error::ProvideErrorMetadata;
use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, AuthenticateOidcActionConfig, JwtValidationActionAdditionalClaim,
    JwtValidationActionAdditionalClaimFormatEnum, JwtValidationActionConfig,
};
use serde_json::json;

use super::client::{get, request, xml};
use super::elb::{Account, fixed, path};
use super::functions::function;

fn oidc(secret: Option<&str>, existing: bool) -> Action {
    let config = AuthenticateOidcActionConfig::builder()
        .issuer("https://idp.example.com")
        .authorization_endpoint("https://idp.example.com/authorize")
        .token_endpoint("https://idp.example.com/token")
        .user_info_endpoint("https://idp.example.com/me")
        .client_id("dormouse")
        .authentication_request_extra_params("prompt", "login")
        .set_client_secret(secret.map(str::to_string))
        .use_existing_client_secret(existing);
    let action = Action::builder()
        .r#type(ActionTypeEnum::AuthenticateOidc)
        .order(1);
    action.authenticate_oidc_config(config.build()).build()
}

#[tokio::test]
async fn a_client_secret_is_kept_when_asked_and_never_told() {
    let account = Account::new().await;
    let elb = &account.elb;
    let last = || {
        let mut action = fixed("200", "hello");
        action.order = Some(2);
        action
    };
    let create = elb
        .create_rule()
        .listener_arn(&account.listener)
        .priority(1)
        .conditions(path("/me"));
    let without = create
        .clone()
        .actions(oidc(None, false))
        .actions(last())
        .send()
        .await
        .unwrap_err();
    assert_eq!(without.code(), Some("InvalidLoadBalancerAction"));
    let made = create
        .actions(oidc(Some("s3cret"), false))
        .actions(last())
        .send()
        .await
        .unwrap();
    let arn = made.rules()[0].rule_arn().unwrap();
    let config = made.rules()[0].actions()[0].authenticate_oidc_config().unwrap();
    assert_eq!(
        (config.client_secret(), config.use_existing_client_secret()),
        (None, None)
    );
    assert_eq!(config.scope(), Some("openid"));
    assert_eq!(config.session_timeout(), Some(604_800));
    let extra = config.authentication_request_extra_params().unwrap();
    assert_eq!(extra.get("prompt").map(String::as_str), Some("login"));

    let modify = elb.modify_rule().rule_arn(arn);
    let without = modify
        .clone()
        .actions(oidc(None, false))
        .actions(last())
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        without.message(),
        Some("You must either specify a client secret or set UseExistingClientSecret to true")
    );
    let both = modify
        .clone()
        .actions(oidc(Some("x"), true))
        .actions(last())
        .send()
        .await;
    assert_eq!(both.unwrap_err().code(), Some("InvalidLoadBalancerAction"));
    modify
        .actions(oidc(None, true))
        .actions(last())
        .send()
        .await
        .unwrap();

    let nobody = get(&account.front, "/me").await.unwrap();
    assert_eq!(nobody.status, 302);
    let to = nobody.header("location").unwrap();
    assert!(
        to.starts_with("https://idp.example.com/authorize?client_id=dormouse&"),
        "{to}"
    );
    let somebody = request(&account.front, "GET", "/me", &["x-sim-user: ann".into()], "")
        .await
        .unwrap();
    assert_eq!(somebody.body, "hello");

    let claim = JwtValidationActionAdditionalClaim::builder()
        .name("scope")
        .format(JwtValidationActionAdditionalClaimFormatEnum::StringArray)
        .values("read")
        .build();
    let jwt = JwtValidationActionConfig::builder()
        .jwks_endpoint("https://idp.example.com/keys")
        .issuer("https://idp.example.com")
        .additional_claims(claim)
        .build();
    let jwt = Action::builder()
        .r#type(ActionTypeEnum::JwtValidation)
        .order(1)
        .jwt_validation_config(jwt)
        .build();
    let create = elb
        .create_rule()
        .listener_arn(&account.listener)
        .priority(2)
        .conditions(path("/jwt"));
    let made = create.actions(jwt.clone()).actions(last()).send().await.unwrap();
    assert_eq!(
        made.rules()[0].actions()[0].jwt_validation_config(),
        jwt.jwt_validation_config()
    );
    assert_eq!(account.status("/jwt").await, 200);
    account.sim.server.stop().await;
}

#[tokio::test]
async fn a_user_is_named_to_the_target_and_nobody_is_denied_or_let_through() {
    let (sim, stack, front, group) = function(|_| json!({"statusCode": 200})).await;
    let described = sim
        .elb(&format!(
            "Action=DescribeTargetGroups&TargetGroupArns.member.1={group}"
        ))
        .await;
    let balancer = described.split("<LoadBalancerArns><member>").nth(1).unwrap();
    let balancer = balancer.split('<').next().unwrap();
    let listeners = sim
        .elb(&format!("Action=DescribeListeners&LoadBalancerArn={balancer}"))
        .await;
    let listener = xml(&listeners, "ListenerArn").unwrap();
    for (priority, nobody) in [(1, "deny"), (2, "allow"), (3, "authenticate")] {
        let cognito = "Actions.member.1.AuthenticateCognitoConfig";
        sim.elb(&format!(
            "Action=CreateRule&ListenerArn={listener}&Priority={priority}\
             &Conditions.member.1.Field=path-pattern&Conditions.member.1.Values.member.1=/{nobody}\
             &Actions.member.1.Type=authenticate-cognito&Actions.member.1.Order=1&{cognito}.UserPoolArn=arn\
             &{cognito}.UserPoolClientId=me&{cognito}.UserPoolDomain=pool\
             &{cognito}.OnUnauthenticatedRequest={nobody}\
             &Actions.member.2.Type=forward&Actions.member.2.Order=2&Actions.member.2.TargetGroupArn={group}"
        ))
        .await;
    }
    let denied = get(&front, "/deny").await.unwrap();
    assert_eq!(
        (denied.status, denied.header("server")),
        (401, Some("awselb/2.0"))
    );
    let asked = get(&front, "/authenticate").await.unwrap();
    let to = asked.header("location").unwrap();
    assert_eq!(asked.status, 302);
    assert!(
        to.starts_with("https://pool.auth.us-east-1.amazoncognito.com/oauth2/authorize?client_id=me&"),
        "{to}"
    );
    assert!(stack.calls("/invocations").is_empty(), "neither came through");

    assert_eq!(get(&front, "/allow").await.unwrap().status, 200);
    let ann = request(&front, "GET", "/deny", &["x-sim-user: ann".into()], "")
        .await
        .unwrap();
    assert_eq!(ann.status, 200);
    let calls = stack.calls("/invocations");
    let users: Vec<_> = calls
        .iter()
        .map(|c| c.json()["headers"]["x-amzn-oidc-identity"].clone())
        .collect();
    assert_eq!(users, [json!(null), json!("ann")]);
    sim.server.stop().await;
}
