//! Other questions and calls, and what is not one.

use super::*;

#[tokio::test]
async fn an_unknown_group_is_404_for_people_and_programs() {
    let world = asleep();
    for path in ["/nosuch", "/.env", "/favicon.ico", "/dev/-/nosuch"] {
        let json = answer(&world, get(path, "*/*")).await;
        assert_eq!(
            (status_of(&json), &body(&json)["errors"][0]["code"]),
            (404, &json!("UnknownGroup")),
            "{path}"
        );
        assert_eq!(
            status_of(&answer(&world, get(path, "text/html")).await),
            404,
            "{path}"
        );
    }
    assert_eq!(world.changes(), [""; 0]);
}

/// Whoever comes while somebody else reads the tags must not be told that what those find does not exist.
#[tokio::test]
async fn a_group_that_somebody_else_finds_meanwhile_is_not_unknown_however_slow_the_table_is() {
    for steps in 0..8 {
        let world = asleep();
        let mut first = std::pin::pin!(answer(&world, get("/dev/", "*/*")));
        // It stands still there while another one comes and goes.
        for _ in 0..steps {
            assert!(futures_util::poll!(&mut first).is_pending(), "{steps}");
        }
        assert_eq!(status_of(&answer(&world, get("/dev/-/status", "*/*")).await), 200);
        let told = first.await;
        assert_eq!(status_of(&told), 503, "{steps}: {told}");
        assert_eq!(world.desired("dev/web"), 1, "{steps}");
    }
}

#[tokio::test]
async fn people_may_wake_but_not_put_to_sleep_over_http() {
    let world = awake().await;
    let accepted = answer(&world, event("http-api-wake.json")).await;
    assert_eq!(
        (status_of(&accepted), &body(&accepted)["phase"]),
        (202, &json!("awake"))
    );
    let forbidden = answer(&world, event("http-api-sleep.json")).await;
    assert_eq!(
        (status_of(&forbidden), &body(&forbidden)["errors"][0]["code"]),
        (403, &json!("Forbidden"))
    );
    assert_eq!(world.desired("dev/web"), 1);
    let mut wrong = event("http-api-wake.json");
    wrong["requestContext"]["http"]["method"] = json!("GET");
    assert_eq!(status_of(&answer(&world, wrong).await), 405);
}

#[tokio::test]
async fn whoever_comes_while_it_is_kept_asleep_is_told_until_when() {
    let world = awake().await;
    let kept = json!({"group": "dev", "action": "sleep", "for": "2h"});
    let slept = answer(&world, kept).await;
    assert_eq!(
        (&slept["outcome"], &slept["override_until"]),
        (&json!("falling-asleep"), &json!("2027-01-15T10:00:00Z"))
    );
    let until = "group `dev` is kept asleep until 2027-01-15T10:00:00Z";
    let page = answer(&world, get("/dev/reports", "text/html")).await;
    assert_eq!(status_of(&page), 503);
    assert!(
        page["body"]
            .as_str()
            .is_some_and(|html| html.contains("kept asleep until 2027-01-15T10:00:00Z")),
        "{page}"
    );
    for program in [get("/dev/reports?wait=25", "*/*"), event("http-api-wake.json")] {
        let refused = answer(&world, program).await;
        assert_eq!(
            (status_of(&refused), &refused["headers"]["retry-after"]),
            (503, &json!("7200"))
        );
        assert_eq!(
            body(&refused)["errors"],
            json!([{"code": "KeptAsleep", "service": null, "message": until}])
        );
    }
    assert_eq!(
        body(&answer(&world, event("http-api-status.json")).await)["errors"],
        json!([]),
        "nothing to mend"
    );
    let job = answer(&world, event("codepipeline-job.json")).await;
    assert_eq!(
        (&job["result"], &job["message"]),
        (&json!("failed"), &json!(format!("KeptAsleep: {until}")))
    );
    assert_eq!(world.desired("dev/web"), 0);
    world.advance(7200);
    assert_eq!(status_of(&answer(&world, event("http-api-wake.json")).await), 202);
    assert_eq!(world.desired("dev/web"), 1);
}

#[tokio::test]
async fn all_groups_are_listed_without_asking_ecs() {
    let world = awake().await;
    world.break_("DescribeServices", Code::AccessDenied);
    let groups = body(&answer(&world, event("http-api-groups.json")).await);
    assert_eq!(
        (&groups["groups"][0]["group"], &groups["groups"][0]["phase"]),
        (&json!("dev"), &json!("awake"))
    );
}

#[tokio::test]
async fn direct_calls_wake_put_to_sleep_and_keep_awake() {
    let world = asleep();
    let woken = answer(&world, event("direct-wake.json")).await;
    assert_eq!(
        (&woken["decision"], &woken["outcome"], &woken["group"]),
        (&json!("wake"), &json!("waking"), &json!("dev"))
    );
    assert_eq!(world.desired("dev/web"), 2, "the count that was asked for");
    world.run_tasks();
    assert_eq!(
        answer(&world, event("direct-tick.json")).await["decision"],
        "ready"
    );
    let kept = answer(&world, event("direct-keep-awake.json")).await;
    assert!(kept["override_until"].is_string(), "{kept}");
    let slept = answer(&world, event("direct-sleep.json")).await;
    assert_eq!(
        (&slept["decision"], &slept["reason"]),
        (&json!("sleep"), &json!("sleep-asked"))
    );
    assert_eq!(world.desired("dev/web"), 0);
}

#[tokio::test]
async fn a_bare_count_is_for_the_default_group() {
    let world = World::with(&["dev/web"], &[("dormouse:group", "default")], 0);
    answer(&world, event("direct-desired-count-1.json")).await;
    assert_eq!(world.desired("dev/web"), 1);
    answer(&world, event("direct-desired-count-0.json")).await;
    assert_eq!(world.desired("dev/web"), 0);
}

#[tokio::test]
async fn what_is_not_understood_is_a_named_error() {
    let world = asleep();
    for event in [
        json!({}),
        json!([]),
        json!("x"),
        json!({"Records": {}}),
        json!({"Records": null}),
        json!({"action": "explode"}),
    ] {
        let error = wake::handle(&world, &config(&[]), event.clone(), "r")
            .await
            .expect_err("no answer");
        assert_eq!(error.code, Code::InvalidRequest, "{event}");
    }
}

#[tokio::test]
async fn a_bad_tag_is_shown_and_harms_nobody_else() {
    let world = awake().await;
    world.retag(&[("dormouse:group", "dev"), ("dormouse:idle-after", "soon")]);
    let config = config(&[]);
    let groups = dormouse_core::engine::discover(&world, &config.listed, &config.defaults)
        .await
        .expect("groups");
    assert_eq!(groups.groups.len(), 1);
    let redirect = answer(&world, event("http-api-program.json")).await;
    assert_eq!(status_of(&redirect), 307, "its last good settings still hold");
    let status = body(&answer(&world, event("http-api-status.json")).await);
    assert_eq!(status["errors"][0]["code"], "InvalidTag");
}

#[tokio::test]
async fn a_group_whose_tags_were_never_good_says_what_is_wrong() {
    let tags = [("dormouse:group", "dev"), ("dormouse:idle-after", "soon")];
    let world = World::with(&["dev/web"], &tags, 0);
    let program = answer(&world, event("http-api-program.json")).await;
    assert_eq!(status_of(&program), 502, "there is nothing yet that could wake");
    assert_eq!(body(&program)["errors"][0]["code"], "InvalidTag");
    assert_eq!(world.record("dev"), None);
}

#[tokio::test]
async fn text_from_outside_never_becomes_markup() {
    let world = World::with(&["dev/web"], &[("dormouse:group", "dev")], 0);
    let mut event = event("http-api-browser.json");
    event["rawPath"] = json!("/dev/<script>alert(1)</script>");
    event["rawQueryString"] = json!("x=<script>");
    let page = answer(&world, event).await;
    let html = page["body"].as_str().expect("html");
    assert!(!html.contains("<script>alert"), "{html}");
    let policy = page["headers"]["content-security-policy"]
        .as_str()
        .expect("a policy");
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert_eq!(world.record("dev").expect("a record").phase, Phase::Waking);
}

#[tokio::test]
async fn services_named_by_parameters_form_the_default_group_without_any_tag() {
    let world = World::with(&["dev/web"], &[("Name", "web")], 0);
    let config = config(&[("CLUSTER", "dev"), ("SERVICES", "web")]);
    let woken = wake::handle(&world, &config, get("/default/", "*/*"), "request")
        .await
        .expect("an answer");
    assert_eq!((status_of(&woken), world.desired("dev/web")), (503, 1));
}
