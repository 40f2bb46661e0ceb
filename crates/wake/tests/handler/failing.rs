//! When it does not get ready, or AWS refuses.

use super::*;

#[tokio::test]
async fn an_awake_group_that_stops_answering_is_not_redirected_to() {
    let world = awake().await;
    world.change("dev/web", |state| {
        state.tasks[0].probe = Some(Probe::Failed("connection refused".into()))
    });
    assert_eq!(
        status_of(&answer(&world, event("http-api-program.json")).await),
        503
    );
}

#[tokio::test]
async fn a_denied_update_is_said_with_502_and_on_the_page() {
    let world = asleep();
    world.break_("UpdateService", Code::AccessDenied);
    for _ in 0..2 {
        let refusal = answer(&world, event("http-api-program.json")).await;
        assert_eq!(status_of(&refusal), 502);
        let error = &body(&refusal)["errors"][0];
        assert_eq!(
            (&error["code"], &error["service"]),
            (&json!("AccessDenied"), &json!("dev/web"))
        );
        let page = answer(&world, event("http-api-browser.json")).await;
        assert!(
            page["body"]
                .as_str()
                .expect("html")
                .contains("refused by the test")
        );
    }
    assert_eq!(
        world.changes(),
        ["StartExecution dev g1", "UpdateService dev/web=1"],
        "not by every tab"
    );
    world.mend("UpdateService");
    world.advance(11);
    assert_eq!(
        status_of(&answer(&world, event("http-api-program.json")).await),
        503
    );
    assert_eq!(world.desired("dev/web"), 1, "it goes on trying");
}

#[tokio::test]
async fn a_throttled_update_is_said_with_503() {
    let world = asleep();
    world.break_("UpdateService", Code::Throttled);
    let refusal = answer(&world, event("http-api-program.json")).await;
    assert_eq!(
        (status_of(&refusal), &body(&refusal)["errors"][0]["code"]),
        (503, &json!("Throttled"))
    );
}

#[tokio::test]
async fn one_denied_service_does_not_keep_the_others_asleep() {
    let world = World::with(&["dev/api", "dev/web"], TAGS, 0);
    world.break_("UpdateService dev/api", Code::AccessDenied);
    let status = body(&answer(&world, event("http-api-program.json")).await);
    assert_eq!((world.desired("dev/api"), world.desired("dev/web")), (0, 1));
    assert_eq!(status["errors"][0]["service"], "dev/api");
}

#[tokio::test]
async fn what_ecs_says_about_a_failing_task_is_shown() {
    let world = asleep();
    answer(&world, event("http-api-program.json")).await;
    world.advance(5);
    let at = world.now();
    world.change("dev/web", |state| {
        state.troubles = vec![Trouble {
            at,
            message: "CannotPullContainerError: <b>no such image</b>".into(),
        }];
    });
    let status = body(&answer(&world, event("http-api-status.json")).await);
    assert_eq!(status["services"][0]["stage"], "failing");
    assert_eq!(status["errors"][0]["code"], "NotBecomingReady");
    let page = answer(&world, event("http-api-browser.json")).await;
    let html = page["body"].as_str().expect("html");
    assert!(
        html.contains("CannotPullContainerError: &#60;b&#62;no such image"),
        "escaped: {html}"
    );
}

#[tokio::test]
async fn a_wake_that_takes_too_long_says_so() {
    let world = asleep();
    answer(&world, event("http-api-program.json")).await;
    world.advance(299);
    assert_eq!(
        body(&answer(&world, event("http-api-status.json")).await)["services"][0]["stage"],
        "provisioning"
    );
    world.advance(1);
    let service = body(&answer(&world, event("http-api-status.json")).await)["services"][0].clone();
    assert_eq!(service["stage"], "failing");
    assert!(
        service["detail"]
            .as_str()
            .expect("text")
            .starts_with("not ready within 5m: "),
        "{service}"
    );
}

#[tokio::test]
async fn a_private_address_is_explained_and_not_redirected_to() {
    let world = asleep();
    answer(&world, event("http-api-program.json")).await;
    world.run_tasks();
    world.change("dev/web", |state| {
        state.tasks[0].probe = None;
        state.tasks[0].address = TaskAddress::PrivateOnly([10, 0, 0, 9].into(), 80);
    });
    let refusal = answer(&world, event("http-api-program.json")).await;
    assert_eq!(status_of(&refusal), 502);
    let error = &body(&refusal)["errors"][0];
    assert_eq!(error["code"], "NoPublicAddress");
    assert!(
        error["message"].as_str().expect("text").contains("10.0.0.9"),
        "{error}"
    );
}

#[tokio::test]
async fn a_load_balancer_that_cannot_be_used_is_explained() {
    let world = awake().await;
    world.change("dev/web", |state| {
        let message = "load balancer lb has no HTTP or HTTPS listener that a browser can use";
        state.load_balancer = Some(Err(Error::new(Code::NoPublicAddress, message)));
    });
    let refusal = answer(&world, event("http-api-program.json")).await;
    assert_eq!(status_of(&refusal), 502);
    assert_eq!(body(&refusal)["errors"][0]["code"], "NoPublicAddress");
}

#[tokio::test]
async fn tasks_that_cannot_be_looked_at_are_waited_for_and_not_called_failing() {
    let world = asleep();
    world.change("dev/web", |state| {
        state.tasks_unknown = Some("ListTasks: Rate exceeded".into())
    });
    let refusal = answer(&world, event("http-api-program.json")).await;
    let service = body(&refusal)["services"][0].clone();
    assert_eq!(
        (status_of(&refusal), &service["stage"]),
        (503, &json!("provisioning"))
    );
    assert_eq!(
        (&service["detail"], world.desired("dev/web")),
        (&json!("ListTasks: Rate exceeded"), 1)
    );
}

#[tokio::test]
async fn a_missing_table_cluster_or_service_is_a_named_error() {
    let world = asleep();
    world.break_("table", Code::TableNotFound);
    let refusal = answer(&world, event("http-api-program.json")).await;
    assert_eq!(
        (status_of(&refusal), &body(&refusal)["errors"][0]["code"]),
        (502, &json!("TableNotFound"))
    );
    world.mend("table");

    world.break_("DescribeServices", Code::ClusterNotFound);
    let refusal = answer(&world, event("http-api-program.json")).await;
    assert_eq!(
        (status_of(&refusal), &body(&refusal)["errors"][0]["code"]),
        (502, &json!("ClusterNotFound"))
    );
    world.mend("DescribeServices");

    world.remove("dev/web");
    let refusal = answer(&world, event("http-api-program.json")).await;
    assert_eq!(
        (status_of(&refusal), &body(&refusal)["errors"][0]["code"]),
        (502, &json!("ServiceNotFound"))
    );
}

#[tokio::test]
async fn a_timer_that_does_not_start_does_not_stop_the_wake() {
    let world = asleep();
    world.break_("StartExecution", Code::AccessDenied);
    let status = body(&answer(&world, event("http-api-program.json")).await);
    assert_eq!(
        (world.desired("dev/web"), &status["errors"][0]["code"]),
        (1, &json!("TimerNotStarted"))
    );
}
