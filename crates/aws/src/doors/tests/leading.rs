use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, AuthenticateOidcActionConfig, RuleCondition,
};
use dormouse_core::front::DoorId;
use dormouse_core::ports::{Doors, Saved};

use super::account::{Account, forward, shares};

fn authenticate() -> Action {
    let oidc = AuthenticateOidcActionConfig::builder()
        .issuer("https://id.example")
        .authorization_endpoint("https://id.example/authorize")
        .token_endpoint("https://id.example/token")
        .user_info_endpoint("https://id.example/user")
        .client_id("client")
        .client_secret("secret")
        .build();
    Action::builder()
        .r#type(ActionTypeEnum::AuthenticateOidc)
        .order(1)
        .authenticate_oidc_config(oidc)
        .build()
}

async fn actions(account: &Account, rule: &DoorId) -> Vec<Action> {
    let answer = account
        .elb
        .describe_rules()
        .rule_arns(&rule.0)
        .send()
        .await
        .unwrap();
    answer.rules()[0].actions().to_vec()
}

#[tokio::test]
async fn only_the_forward_of_a_rule_is_replaced() {
    let account = Account::new().await;
    let app = account.target_group("app").await;
    let listener = account
        .listener(&account.balancer, 80, vec![forward(&[(&app, 1)])], true)
        .await;
    let mut last = forward(&[(&app, 1)]);
    last.order = Some(2);
    let host = RuleCondition::builder()
        .field("host-header")
        .values("dev.example.com");
    let rule = account
        .rule(&listener, 1, vec![host.build()], vec![authenticate(), last])
        .await;
    let (from, to) = (shares(&[(&app, 1)]), shares(&[(&app, 0), (&account.wake, 1)]));

    assert!(
        account
            .aws
            .doors(std::slice::from_ref(&app), &[])
            .await
            .expect("doors")[&rule]
            .place
            .authenticates
    );
    assert_eq!(account.aws.lead(&rule, &from, &to).await, Ok(Saved::Yes));
    let now = actions(&account, &rule).await;
    let kinds: Vec<_> = now.iter().map(|action| action.r#type().cloned()).collect();
    assert_eq!(
        kinds,
        [
            Some(ActionTypeEnum::AuthenticateOidc),
            Some(ActionTypeEnum::Forward)
        ]
    );
    assert_eq!(
        now[0].authenticate_oidc_config().expect("kept").client_id(),
        Some("client")
    );
    // It is seen at once, though a look was shared a moment ago.
    let doors = account
        .aws
        .doors(std::slice::from_ref(&app), &[])
        .await
        .expect("doors");
    assert_eq!(doors[&rule].forward, to);
    assert_eq!(doors[&listener].forward, from, "the other one is as it was");

    assert_eq!(account.aws.lead(&rule, &to, &from).await, Ok(Saved::Yes));
    assert_eq!(account.aws.lead(&listener, &from, &to).await, Ok(Saved::Yes));
    let doors = account
        .aws
        .doors(std::slice::from_ref(&app), &[])
        .await
        .expect("doors");
    assert!(doors[&rule].forward.is_as(&from) && doors[&listener].forward.is_as(&to));
    assert_eq!(account.calls("UpdateItem"), 3, "each under a lease");
    assert_eq!(account.calls("DeleteItem"), 3, "which is given back");
}

#[tokio::test]
async fn a_door_that_does_not_lead_where_it_was_seen_to_is_left_alone() {
    let account = Account::new().await;
    let (app, other) = (
        account.target_group("app").await,
        account.target_group("other").await,
    );
    let listener = account
        .listener(
            &account.balancer,
            80,
            vec![forward(&[(&app, 1), (&other, 1)])],
            true,
        )
        .await;
    let (from, to) = (shares(&[(&app, 1)]), shares(&[(&app, 0), (&account.wake, 1)]));
    assert_eq!(account.aws.lead(&listener, &from, &to).await, Ok(Saved::Conflict));
    assert_eq!(account.calls("ModifyListener"), 0);
    let gone = DoorId(format!("{}x", listener.0));
    assert_eq!(account.aws.lead(&gone, &from, &to).await, Ok(Saved::Conflict));
}

#[tokio::test]
async fn a_refusal_names_the_door() {
    let account = Account::new().await;
    let app = account.target_group("app").await;
    let listener = account
        .listener(&account.balancer, 80, vec![forward(&[(&app, 1)])], true)
        .await;
    let nowhere = format!("{}0", account.wake);
    let to = shares(&[(&app, 0), (&nowhere, 1)]);
    let error = account.aws.lead(&listener, &shares(&[(&app, 1)]), &to).await;
    let error = error.expect_err("no such target group");
    assert!(
        error.message.contains(&format!("ModifyListener {listener}")),
        "{error}"
    );
}
