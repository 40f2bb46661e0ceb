use aws_sdk_elasticloadbalancingv2::types::{
    HostHeaderConditionConfig, HttpHeaderConditionConfig, HttpRequestMethodConditionConfig,
    PathPatternConditionConfig, QueryStringConditionConfig, QueryStringKeyValuePair, RuleCondition,
};
use dormouse_core::error::Code;
use dormouse_core::front::{Condition, QueryPair};
use dormouse_core::ports::Doors;
use futures_util::future::join_all;

use super::account::{Account, balancer, forward, function, shares};

fn strings(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

fn path(pattern: &str) -> RuleCondition {
    RuleCondition::builder()
        .field("path-pattern")
        .values(pattern)
        .build()
}

fn every_condition() -> Vec<RuleCondition> {
    let of = |field: &str| RuleCondition::builder().field(field);
    let host = HostHeaderConditionConfig::builder()
        .values("*.example.com")
        .build();
    let path = PathPatternConditionConfig::builder().values("/api/*").build();
    let header = HttpHeaderConditionConfig::builder();
    let header = header.http_header_name("x-team").values("blue").build();
    let method = HttpRequestMethodConditionConfig::builder().values("GET").build();
    let pair = QueryStringKeyValuePair::builder().key("a").value("b").build();
    vec![
        of("host-header").host_header_config(host).build(),
        of("path-pattern").path_pattern_config(path).build(),
        of("http-header").http_header_config(header).build(),
        of("http-request-method")
            .http_request_method_config(method)
            .build(),
        of("query-string")
            .query_string_config(QueryStringConditionConfig::builder().values(pair).build())
            .build(),
    ]
}

#[tokio::test]
async fn rules_and_default_actions_that_name_a_target_group_are_its_doors() {
    let account = Account::new().await;
    let (app, other) = (
        account.target_group("app").await,
        account.target_group("other").await,
    );
    let first = account
        .listener(&account.balancer, 80, vec![forward(&[(&other, 1)])], true)
        .await;
    let second = account
        .listener(&account.balancer, 8080, vec![forward(&[(&app, 1)])], false)
        .await;
    let rule = account
        .rule(
            &first,
            7,
            every_condition(),
            vec![forward(&[(&app, 80), (&other, 20)])],
        )
        .await;
    let elsewhere = account
        .rule(&first, 8, vec![path("/other")], vec![forward(&[(&other, 1)])])
        .await;
    let doors = account
        .aws
        .doors(std::slice::from_ref(&app), &[])
        .await
        .expect("doors");
    assert_eq!(
        doors.keys().cloned().collect::<Vec<_>>(),
        [rule.clone(), second.clone()]
    );

    let found = &doors[&rule];
    assert_eq!(found.forward, shares(&[(&app, 80), (&other, 20)]));
    assert_eq!(found.wake.as_ref(), Ok(&account.wake));
    let place = &found.place;
    assert_eq!(
        (place.port, place.tls, place.priority, place.authenticates),
        (80, false, Some(7), false)
    );
    assert_eq!(
        place.conditions,
        [
            Condition::Host(strings(&["*.example.com"])),
            Condition::Path(strings(&["/api/*"])),
            Condition::Header {
                name: "x-team".to_owned(),
                values: strings(&["blue"])
            },
            Condition::Method(strings(&["GET"])),
            Condition::Query(vec![QueryPair {
                key: Some("a".to_owned()),
                value: "b".to_owned()
            }]),
        ]
    );
    assert_eq!(
        (doors[&second].place.port, doors[&second].place.priority),
        (8080, None)
    );
    let untagged = doors[&second].wake.clone().expect_err("has no tag");
    assert_eq!(untagged.code, Code::FrontNotLed);
    assert!(
        untagged.message.contains(&format!("--resource-arns {second}")),
        "{untagged}"
    );

    // One that is known is in the answer wherever it leads.
    let known = account
        .aws
        .doors(&[], std::slice::from_ref(&elsewhere))
        .await
        .expect("doors");
    assert_eq!(known[&elsewhere].forward, shares(&[(&other, 1)]));
}

#[tokio::test]
async fn what_is_gone_is_not_there_and_hides_nothing() {
    let account = Account::new().await;
    let app = account.target_group("app").await;
    let gone = account.target_group("gone").await;
    account
        .elb
        .delete_target_group()
        .target_group_arn(&gone)
        .send()
        .await
        .unwrap();
    let listener = account
        .listener(&account.balancer, 80, vec![forward(&[(&app, 1)])], true)
        .await;
    let rule = account
        .rule(&listener, 1, vec![path("/a")], vec![forward(&[(&app, 1)])])
        .await;
    let target_groups = [gone, app];
    let doors = account.aws.doors(&target_groups, &[]).await.expect("doors");
    assert_eq!(doors.len(), 2);

    account.elb.delete_rule().rule_arn(&rule.0).send().await.unwrap();
    account.aws.doors.forget(&account.balancer).await;
    let known = [rule, listener];
    let doors = account.aws.doors(&target_groups, &known).await.expect("doors");
    assert_eq!(doors.keys().collect::<Vec<_>>(), [&known[1]]);

    let call = account
        .elb
        .delete_load_balancer()
        .load_balancer_arn(&account.balancer);
    call.send().await.unwrap();
    account.aws.doors.forget(&account.balancer).await;
    assert!(
        account
            .aws
            .doors(&target_groups, &known)
            .await
            .expect("doors")
            .is_empty()
    );
}

#[tokio::test]
async fn many_groups_behind_one_load_balancer_share_a_look() {
    let mut account = Account::new().await;
    let listener = {
        let app = account.target_group("app").await;
        account
            .listener(&account.balancer, 80, vec![forward(&[(&app, 1)])], true)
            .await
    };
    let mut target_groups = Vec::new();
    for n in 1..30 {
        let target_group = account.target_group(&format!("app{n}")).await;
        let actions = vec![forward(&[(&target_group, 1)])];
        account
            .rule(&listener, n, vec![path(&format!("/{n}"))], actions)
            .await;
        target_groups.push(target_group);
    }
    account.see_anew();
    let asked = target_groups
        .iter()
        .map(|target_group| account.aws.doors(std::slice::from_ref(target_group), &[]));
    for doors in join_all(asked).await {
        assert_eq!(doors.expect("a door").len(), 1);
    }
    assert_eq!(account.calls("DescribeListeners"), 1);
    assert_eq!(account.calls("DescribeRules"), 1);
    assert_eq!(account.calls("DescribeTags"), 2, "20 a call");
    let before = account.calls("DescribeTargetGroups");
    let again = account.aws.doors(&target_groups, &[]).await.expect("doors");
    assert_eq!(again.len(), 29);
    assert_eq!(
        account.calls("DescribeTargetGroups"),
        before,
        "where each is is remembered"
    );
}

#[tokio::test]
async fn each_load_balancer_has_a_target_group_of_the_wake_function_of_its_own() {
    let mut account = Account::new().await;
    let second = balancer(&account.elb, "second").await;
    let (one, two) = (
        account.target_group("one").await,
        account.target_group("two").await,
    );
    account
        .listener(&account.balancer, 80, vec![forward(&[(&one, 1)])], true)
        .await;
    account
        .listener(&second, 81, vec![forward(&[(&two, 1)])], true)
        .await;
    let target_groups = [one, two];
    let doors = account.aws.doors(&target_groups, &[]).await.expect("doors");
    let errors = doors.values().filter_map(|door| door.wake.clone().err());
    let errors: Vec<_> = errors.collect();
    assert_eq!(errors.len(), 1, "there is one target group only");
    assert!(errors[0].message.contains("FrontTargetGroups"), "{}", errors[0]);

    let another = function(&account.elb, "wake2").await;
    let first = account.wake.clone();
    account.with_wake(&["no-more", "wake", &another]);
    let doors = account.aws.doors(&target_groups, &[]).await.expect("doors");
    let mut wakes: Vec<String> = doors
        .values()
        .map(|door| door.wake.clone().expect("one"))
        .collect();
    wakes.sort();
    let mut expected = vec![first, another];
    expected.sort();
    assert_eq!(wakes, expected);

    account.with_wake(&[]);
    let doors = account.aws.doors(&target_groups, &[]).await.expect("doors");
    let error = doors.values().next().expect("a door").wake.clone();
    assert!(error.expect_err("none").message.contains("Front=on"));
}
