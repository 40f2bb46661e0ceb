//! IAM lets the functions do what they need, and not more.

use std::time::Duration;

use end_to_end::{Service, Stack, eventually};
use serde_json::json;

const SOON: Duration = Duration::from_secs(120);

const FUNCTIONS: [&str; 5] = [
    "AutoSleepFunctionName",
    "LogPatternTriggerFunctionName",
    "ScalingDecisionFunctionName",
    "SessionMetricIngestFunctionName",
    "WakeFunctionName",
];

const SERVICE: &str = "arn:aws:ecs:us-east-1:000000000000:service/dev/web";

#[tokio::test]
async fn only_services_with_the_tag_are_changed_and_not_by_what_only_keeps_reports() {
    let stack = Stack::connect();
    for function in FUNCTIONS {
        let update =
            async |context: &[(&str, &str)]| stack.may(function, "ecs:UpdateService", SERVICE, context).await;
        assert!(!update(&[]).await, "{function}");
        let other = [("aws:ResourceTag/team", "dormouse")];
        assert!(!update(&other).await, "{function}");
        let tagged = [("aws:ResourceTag/dormouse:group", "dev")];
        assert_eq!(
            update(&tagged).await,
            function != "SessionMetricIngestFunctionName",
            "{function}"
        );
    }
}

#[tokio::test]
async fn nobody_may_stop_a_task_delete_a_service_or_read_what_is_not_theirs() {
    let stack = Stack::connect();
    let tagged = [("aws:ResourceTag/dormouse:group", "dev")];
    for function in FUNCTIONS {
        for (action, resource) in [
            ("ecs:DeleteService", SERVICE),
            ("ecs:StopTask", "arn:aws:ecs:us-east-1:000000000000:task/dev/1"),
            ("iam:PassRole", "arn:aws:iam::000000000000:role/any"),
            (
                "dynamodb:GetItem",
                "arn:aws:dynamodb:us-east-1:000000000000:table/other",
            ),
            ("sqs:SendMessage", "arn:aws:sqs:us-east-1:000000000000:other"),
            ("lambda:InvokeFunction", "*"),
        ] {
            let allowed = stack.may(function, action, resource, &tagged).await;
            assert!(!allowed, "{function} may {action} on {resource}");
        }
    }
}

#[tokio::test]
async fn listeners_and_rules_are_led_only_with_their_own_tag() {
    let stack = Stack::connect();
    let rule =
        "arn:aws:elasticloadbalancing:us-east-1:000000000000:listener-rule/app/front/0123456789abcdef/1/2";
    let modify = async |context: &[(&str, &str)]| {
        stack
            .may(
                "WakeFunctionName",
                "elasticloadbalancing:ModifyRule",
                rule,
                context,
            )
            .await
    };
    assert!(!modify(&[]).await);
    assert!(!modify(&[("aws:ResourceTag/dormouse:front", "off")]).await);
    assert!(modify(&[("aws:ResourceTag/dormouse:front", "on")]).await);
}

/// The table still knows the group when its tag is gone: IAM is what keeps hands off it in the minute between.
#[tokio::test]
async fn a_service_that_has_just_lost_its_tag_is_refused_by_iam_and_the_page_says_so() {
    let stack = Stack::connect();
    let service = Service::new("untagged").sleeps_after("10m").create(&stack).await;
    assert_eq!(stack.status("untagged").await["phase"], "asleep", "it is known");
    stack.untag("untagged", &service, "group").await;
    let answer = stack.wake("GET", "/untagged").send().await;
    stack.tag("untagged", &service, "group", "untagged").await;

    let error = answer.json()["errors"][0].clone();
    assert_eq!((answer.status, &error["code"]), (502, &json!("AccessDenied")));
    let message = error["message"].as_str().expect("a message");
    for part in [
        "is not authorized to perform: ecs:UpdateService on resource:",
        "service/untagged/untagged-web",
    ] {
        assert!(message.contains(part), "{message}");
    }
    eventually("it wakes with its tag", SOON, || async {
        stack.wake("GET", "/untagged").send().await;
        (stack.status("untagged").await["ready"] == true).then_some(())
    })
    .await;
}
