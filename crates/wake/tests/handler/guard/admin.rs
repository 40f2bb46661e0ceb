//! Admin actions over HTTP: sleep and keep-awake.

use dormouse_core::why::What;

use super::*;

/// `printf %s correct-horse-battery-staple | openssl dgst -sha256 -r`
const HASH: &str = "87cbebfeebc05f7c54ac9336c4b4bbec831227a641951a4bde7edd56020f8590";
const TOKEN: &[(&str, &str)] = &[("ADMIN_AUTH", "token"), ("ADMIN_TOKEN_SHA256", HASH)];
const IAM: &[(&str, &str)] = &[("ADMIN_AUTH", "iam")];
const JWT: &[(&str, &str)] = &[("ADMIN_AUTH", "jwt")];
const ARN: &str = "arn:aws:sts::123456789012:assumed-role/operator/ada";

/// The event as it comes by the route that checks IAM credentials.
fn by_iam(mut event: Value, route: &str) -> Value {
    event["routeKey"] = json!(route);
    event["requestContext"]["routeKey"] = json!(route);
    event["requestContext"]["authorizer"] = json!({"iam": {
        "accessKey": "AKIAIOSFODNN7EXAMPLE", "accountId": "123456789012", "callerId": "AROA:ada", "cognitoIdentity": null,
        "principalOrgId": "o-1", "userArn": ARN, "userId": "AROA:ada",
    }});
    event
}

/// The event as it comes by a route that checks a JSON web token.
fn by_jwt(mut event: Value, route: &str) -> Value {
    event["routeKey"] = json!(route);
    event["requestContext"]["routeKey"] = json!(route);
    event["requestContext"]["authorizer"] = json!({"jwt": {"claims": {"sub": "ada@example.com", "iss": "https://id.example.com"}, "scopes": null}});
    event
}

#[tokio::test]
async fn with_the_token_a_group_is_put_to_sleep_and_answers_its_status() {
    let world = awake().await;
    let slept = answer_of(&world, TOKEN, event("http-api-sleep.json")).await;
    assert_eq!(
        (status_of(&slept), &body(&slept)["phase"]),
        (202, &json!("falling-asleep"))
    );
    assert_eq!(world.desired("dev/web"), 0);
    let entry = world.whys("dev").pop().expect("an entry");
    assert_eq!(
        (entry.reason.as_str(), entry.by.as_deref()),
        ("sleep-asked", Some("198.51.100.23"))
    );
}

#[tokio::test]
async fn a_wrong_or_missing_token_changes_nothing_and_is_asked_for() {
    let world = awake().await;
    let mut missing = event("http-api-sleep.json");
    missing["headers"]
        .as_object_mut()
        .expect("headers")
        .remove("authorization");
    let mut events = vec![missing];
    for wrong in [
        "Bearer ",
        "Bearer wrong",
        "Bearer correct-horse-battery-staple2",
        "Basic Y29ycmVjdDpob3JzZQ==",
        HASH,
    ] {
        events.push(with_header(event("http-api-sleep.json"), "authorization", wrong));
    }
    events.push(with_header(
        event("http-api-sleep.json"),
        "authorization",
        &format!("Bearer {HASH}"),
    ));
    for event in events {
        let refused = answer_of(&world, TOKEN, event).await;
        assert_eq!(
            (status_of(&refused), error_of(&refused)),
            (401, json!("Unauthorized"))
        );
        let challenge = refused["headers"]["www-authenticate"]
            .as_str()
            .expect("a challenge");
        assert!(challenge.starts_with("Bearer"), "{challenge}");
    }
    assert_eq!((world.desired("dev/web"), world.changes().len()), (1, 0));
}

#[tokio::test]
async fn sleep_and_keep_awake_have_an_end_by_the_rules_of_direct_calls() {
    let world = awake().await;
    let slept = answer_of(&world, TOKEN, with_query(event("http-api-sleep.json"), "for=2h")).await;
    assert_eq!(
        (status_of(&slept), &body(&slept)["override_until"]),
        (202, &json!("2027-01-15T10:00:00Z"))
    );
    let refused = answer_of(&world, TOKEN, event("http-api-program.json")).await;
    assert_eq!(
        (status_of(&refused), error_of(&refused)),
        (503, json!("KeptAsleep"))
    );
    let kept = answer_of(&world, TOKEN, event("http-api-keep-awake.json")).await;
    assert_eq!(
        (
            status_of(&kept),
            &body(&kept)["phase"],
            &body(&kept)["override_until"]
        ),
        (202, &json!("waking"), &json!("2027-01-15T10:00:00Z"))
    );
    for (query, part) in [
        ("", "`for` or `until` is missing"),
        ("for=soon", "`soon`"),
        ("until=2020-01-01T00:00:00Z", "coming 366 days"),
        ("for=2h&until=2027-01-15T10:00:00Z", "do not go together"),
    ] {
        let refused = answer_of(
            &world,
            TOKEN,
            with_query(event("http-api-keep-awake.json"), query),
        )
        .await;
        assert_eq!(
            (status_of(&refused), error_of(&refused)),
            (400, json!("InvalidRequest"))
        );
        assert!(
            refused["body"].as_str().is_some_and(|text| text.contains(part)),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_with_the_reason() {
    let world = awake().await;
    world.break_("DescribeServices", Code::AccessDenied);
    let refused = answer_of(&world, TOKEN, event("http-api-sleep.json")).await;
    assert_eq!(status_of(&refused), 503, "{refused}");
    assert!(refused["headers"]["retry-after"].is_string());
    let errors = body(&refused)["errors"].to_string();
    assert!(
        errors.contains("`sleep` was not done") && errors.contains("DescribeServices"),
        "{errors}"
    );
    assert_eq!(world.desired("dev/web"), 1);
    let mut nobody = event("http-api-sleep.json");
    nobody["rawPath"] = json!("/nosuch/-/sleep");
    assert_eq!(status_of(&answer_of(&world, TOKEN, nobody).await), 404);
}

#[tokio::test]
async fn an_observed_group_is_not_put_to_sleep_and_says_so() {
    let world = awake().await;
    world.tag("dev/web", "dormouse:mode", "observe");
    let config_ = config(TOKEN);
    dormouse_core::engine::discover(&world, &config_.listed, &config_.defaults)
        .await
        .expect("groups");
    let refused = answer_of(&world, TOKEN, event("http-api-sleep.json")).await;
    assert_eq!(
        (status_of(&refused), error_of(&refused)),
        (503, json!("Observing"))
    );
    assert_eq!(world.desired("dev/web"), 1);
}

#[tokio::test]
async fn iam_and_jwt_say_who_did_it() {
    for (variables, event_, who) in [
        (
            IAM,
            by_iam(event("http-api-sleep.json"), "POST /{group}/-/sleep"),
            ARN,
        ),
        (
            JWT,
            by_jwt(event("http-api-sleep.json"), "POST /{group}/-/sleep"),
            "ada@example.com",
        ),
    ] {
        let world = awake().await;
        assert_eq!(status_of(&answer_of(&world, variables, event_).await), 202);
        let entry = world.whys("dev").pop().expect("an entry");
        assert_eq!(entry.by.as_deref(), Some(who));
        assert!(matches!(
            entry.what,
            What::Phase {
                to: Phase::FallingAsleep,
                ..
            }
        ));
    }
}

#[tokio::test]
async fn what_was_checked_for_visitors_makes_nobody_an_admin() {
    let world = awake().await;
    for (variables, event_, status) in [
        (IAM, event("http-api-sleep.json"), 403),
        (IAM, by_iam(event("http-api-sleep.json"), "$default"), 403),
        (
            IAM,
            by_jwt(event("http-api-sleep.json"), "POST /{group}/-/sleep"),
            403,
        ),
        (JWT, event("http-api-sleep.json"), 401),
        (JWT, by_jwt(event("http-api-sleep.json"), "$default"), 401),
        (
            JWT,
            by_iam(event("http-api-sleep.json"), "POST /{group}/-/sleep"),
            401,
        ),
        (
            &[],
            by_iam(event("http-api-sleep.json"), "POST /{group}/-/sleep"),
            403,
        ),
        (&[], event("http-api-keep-awake.json"), 403),
    ] {
        let refused = answer_of(&world, variables, event_.clone()).await;
        assert_eq!(status_of(&refused), status, "{variables:?} {event_}");
    }
    assert_eq!(world.changes(), [""; 0]);
}
