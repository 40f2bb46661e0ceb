//! Listeners and rules as the SDK sees them.

use aws_sdk_elasticloadbalancingv2::error::ProvideErrorMetadata;
use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, HttpHeaderConditionConfig, PathPatternConditionConfig,
    QueryStringConditionConfig, QueryStringKeyValuePair, RedirectActionConfig, RedirectActionStatusCodeEnum,
    RuleCondition, RulePriorityPair, SourceIpConditionConfig, TargetGroupStickinessConfig,
};
use serde_json::json;

use super::client::{get, request};
use super::elb::{Account, fixed, forward, path, tag};

#[tokio::test]
async fn rules_answer_redirect_and_are_described_as_they_were_given() {
    let account = Account::new().await;
    let (elb, front) = (&account.elb, &account.front);
    let unknown = get(front, "/").await.unwrap();
    assert_eq!((unknown.status, unknown.body.as_str()), (404, "nothing here"));
    assert_eq!(unknown.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(unknown.header("server"), Some("awselb/2.0"));

    let redirect = RedirectActionConfig::builder()
        .protocol("HTTPS")
        .port("443")
        .path("/new/#{path}")
        .status_code(RedirectActionStatusCodeEnum::Http301);
    let redirect = Action::builder()
        .r#type(ActionTypeEnum::Redirect)
        .redirect_config(redirect.build());
    account.rule(30, path("/old/*"), redirect.build()).await;
    let moved = get(front, "/old/a?b=c").await.unwrap();
    let host = front.split(':').next().unwrap();
    assert_eq!(moved.status, 301);
    assert_eq!(
        moved.header("location"),
        Some(format!("https://{host}:443/new/old/a?b=c").as_str())
    );

    let header = HttpHeaderConditionConfig::builder()
        .http_header_name("X-Kind")
        .values("te?t*");
    let pair = QueryStringKeyValuePair::builder().key("v").value("1*").build();
    let conditions = [
        RuleCondition::builder()
            .field("http-header")
            .http_header_config(header.build()),
        RuleCondition::builder()
            .field("query-string")
            .query_string_config(QueryStringConditionConfig::builder().values(pair).build()),
        RuleCondition::builder()
            .field("source-ip")
            .source_ip_config(SourceIpConditionConfig::builder().values("127.0.0.0/8").build()),
        RuleCondition::builder()
            .field("path-pattern")
            .path_pattern_config(PathPatternConditionConfig::builder().values("/all").build()),
    ];
    let create = elb
        .create_rule()
        .listener_arn(&account.listener)
        .priority(10)
        .set_conditions(Some(conditions.map(|c| c.build()).into()))
        .actions(fixed("200", "all of it"))
        .tags(tag("of", "rule"));
    let made = create.clone().send().await.unwrap();
    let arn = made.rules()[0].rule_arn().unwrap();
    assert!(
        arn.starts_with(&account.listener.replace(":listener/", ":listener-rule/")),
        "{arn}"
    );
    let refused = create.send().await.unwrap_err();
    assert!(refused.into_service_error().is_priority_in_use_exception());
    let all = request(front, "GET", "/all?v=12", &["X-KIND: TEST-3".into()], "")
        .await
        .unwrap();
    assert_eq!((all.status, all.body.as_str()), (200, "all of it"));
    assert_eq!(account.status("/all?v=12").await, 404, "without the header");

    let described = elb
        .describe_rules()
        .listener_arn(&account.listener)
        .page_size(2)
        .send()
        .await
        .unwrap();
    let priorities: Vec<_> = described.rules().iter().map(|r| r.priority().unwrap()).collect();
    assert_eq!(priorities, ["10", "30"]);
    let rest = elb
        .describe_rules()
        .listener_arn(&account.listener)
        .marker(described.next_marker().unwrap())
        .send()
        .await
        .unwrap();
    let default = &rest.rules()[0];
    assert_eq!(
        (default.priority(), default.is_default()),
        (Some("default"), Some(true))
    );
    let fields: Vec<_> = described.rules()[0]
        .conditions()
        .iter()
        .map(|c| c.field().unwrap())
        .collect();
    assert_eq!(
        fields,
        ["http-header", "query-string", "source-ip", "path-pattern"]
    );
    let by_path = &described.rules()[0].conditions()[3];
    assert_eq!(by_path.values(), ["/all"]);
    assert_eq!(by_path.path_pattern_config().unwrap().values(), ["/all"]);

    let tags = elb
        .describe_tags()
        .resource_arns(arn)
        .resource_arns(&account.listener)
        .send()
        .await
        .unwrap();
    let values: Vec<_> = tags
        .tag_descriptions()
        .iter()
        .map(|d| d.tags()[0].value().unwrap())
        .collect();
    assert_eq!(values, ["rule", "listener"]);
    elb.add_tags()
        .resource_arns(arn)
        .tags(tag("more", "x"))
        .send()
        .await
        .unwrap();
    elb.remove_tags()
        .resource_arns(arn)
        .tag_keys("of")
        .send()
        .await
        .unwrap();
    let tags = elb.describe_tags().resource_arns(arn).send().await.unwrap();
    assert_eq!(tags.tag_descriptions()[0].tags(), [tag("more", "x")]);
    let too_many = (0..21)
        .fold(elb.describe_tags(), |d, _| d.resource_arns(arn))
        .send()
        .await;
    assert_eq!(too_many.unwrap_err().code(), Some("ValidationError"));

    let pair = RulePriorityPair::builder().rule_arn(arn).priority(31).build();
    let moved = elb
        .set_rule_priorities()
        .rule_priorities(pair)
        .send()
        .await
        .unwrap();
    assert_eq!(moved.rules()[0].priority(), Some("31"));
    elb.delete_rule().rule_arn(arn).send().await.unwrap();
    let gone = elb.describe_rules().rule_arns(arn).send().await.unwrap_err();
    assert!(gone.into_service_error().is_rule_not_found_exception());
    account.sim.server.stop().await;
}

#[tokio::test]
async fn forwards_are_described_in_both_forms_and_replaced_whole() {
    let account = Account::new().await;
    let elb = &account.elb;
    let (one, two) = (account.group("one").await, account.group("two").await);
    let plain = Action::builder()
        .r#type(ActionTypeEnum::Forward)
        .target_group_arn(&one)
        .build();
    let rule = account.rule(1, path("/app"), plain).await;
    let described = elb.describe_rules().rule_arns(&rule).send().await.unwrap();
    let action = &described.rules()[0].actions()[0];
    let config = action.forward_config().unwrap();
    assert_eq!(
        (action.target_group_arn(), action.order()),
        (Some(one.as_str()), Some(1))
    );
    assert_eq!(config.target_groups()[0].weight(), Some(1));
    assert_eq!(
        config.target_group_stickiness_config().unwrap().enabled(),
        Some(false)
    );
    assert_eq!(account.status("/app").await, 503, "nobody is registered");

    let sticky = TargetGroupStickinessConfig::builder()
        .enabled(true)
        .duration_seconds(60)
        .build();
    let mut weighted = forward(&[(&one, 0), (&two, 999)]);
    weighted
        .forward_config
        .as_mut()
        .unwrap()
        .target_group_stickiness_config = Some(sticky);
    elb.modify_rule()
        .rule_arn(&rule)
        .actions(weighted.clone())
        .send()
        .await
        .unwrap();
    let described = elb.describe_rules().rule_arns(&rule).send().await.unwrap();
    let action = &described.rules()[0].actions()[0];
    assert_eq!(
        (action.target_group_arn(), action.forward_config()),
        (None, weighted.forward_config())
    );
    assert_eq!(
        described.rules()[0].conditions()[0].values(),
        ["/app"],
        "not given, not changed"
    );
    let used = elb
        .describe_target_groups()
        .load_balancer_arn(&account.balancer)
        .send()
        .await
        .unwrap();
    assert_eq!(used.target_groups().len(), 2, "also with weight 0");
    let refused = elb
        .delete_target_group()
        .target_group_arn(&one)
        .send()
        .await
        .unwrap_err();
    assert!(refused.into_service_error().is_resource_in_use_exception());

    let modify = elb.modify_listener().listener_arn(&account.listener);
    modify
        .default_actions(forward(&[(&two, 5)]))
        .send()
        .await
        .unwrap();
    let described = elb
        .describe_listeners()
        .load_balancer_arn(&account.balancer)
        .send()
        .await
        .unwrap();
    let action = &described.listeners()[0].default_actions()[0];
    assert_eq!(action.target_group_arn(), Some(two.as_str()));
    assert_eq!(
        action.forward_config().unwrap().target_groups()[0].weight(),
        Some(5)
    );
    assert_eq!(account.status("/").await, 503);

    let other = elb.create_load_balancer().name("other").send().await.unwrap();
    let refused = elb
        .create_listener()
        .load_balancer_arn(other.load_balancers()[0].load_balancer_arn().unwrap())
        .protocol("HTTP".into())
        .port(8082)
        .default_actions(forward(&[(&one, 1)]))
        .send()
        .await
        .unwrap_err();
    assert!(
        refused
            .into_service_error()
            .is_target_group_association_limit_exception()
    );
    account.sim.server.stop().await;
}

#[tokio::test]
async fn a_change_that_is_throttled_changes_nothing_and_is_seen_among_the_calls() {
    let account = Account::new().await;
    let rule = account.rule(1, path("/app"), fixed("200", "old")).await;
    let fault = json!({"operation": "ModifyRule", "code": "Throttling", "message": "Rate exceeded", "times": 1,
        "resource": "app"});
    account.sim.control("POST", "/faults", fault).await;
    let denied = json!({"operation": "ModifyListener", "code": "AccessDenied", "status": 403, "times": 1});
    account.sim.control("POST", "/faults", denied).await;

    let modify = account.elb.modify_rule().rule_arn(&rule).conditions(path("/app"));
    let modify = modify.actions(fixed("202", "new"));
    modify.send().await.unwrap();
    assert_eq!(account.status("/app").await, 202, "the SDK has tried again");
    let listener = account.elb.modify_listener().listener_arn(&account.listener);
    let refused = listener
        .default_actions(fixed("200", ""))
        .send()
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Some("AccessDenied"));
    assert_eq!(account.status("/").await, 404);

    let calls = account.sim.control("GET", "/calls", json!(null)).await.json();
    let calls: Vec<_> = calls["calls"]
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .take(3)
        .rev()
        .collect();
    let seen: Vec<_> = calls
        .iter()
        .map(|c| (c["operation"].as_str().unwrap(), c["outcome"].as_str().unwrap()))
        .collect();
    assert_eq!(
        seen,
        [
            ("ModifyRule", "Throttling"),
            ("ModifyRule", "ok"),
            ("ModifyListener", "AccessDenied")
        ]
    );
    assert_eq!(calls[1]["parameters"]["RuleArn"], json!(rule));
    account.sim.server.stop().await;
}
