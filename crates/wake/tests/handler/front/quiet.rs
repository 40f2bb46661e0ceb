//! What comes to an app's own address and wakes nothing.

use super::*;

#[tokio::test]
async fn the_target_groups_own_health_check_is_answered_without_a_word_to_anybody() {
    let world = led_away().await;
    let healthy = ask(&world, &event("alb-health-check.json")).await;
    assert_eq!(
        (status_of(&healthy), body(&healthy)),
        (200, json!({"healthy": true}))
    );
    let elsewhere = with_header(event("alb-program.json"), "user-agent", "ELB-HealthChecker/2.0");
    let elsewhere = with_header(elsewhere, "host", "other.example");
    assert_eq!(status_of(&ask(&world, &elsewhere).await), 200);
    assert_eq!(
        (world.looks(), world.discoveries(), world.changes().len()),
        (0, 0, 0)
    );
}

#[tokio::test]
async fn a_check_through_the_door_is_told_that_it_sleeps() {
    let world = led_away().await;
    let check = with_header(event("alb-program.json"), "user-agent", "ELB-HealthChecker/2.0");
    let refusal = ask(&world, &check).await;
    assert_eq!(
        (status_of(&refusal), &status_json(&refusal)["phase"]),
        (503, &json!("asleep"))
    );
    assert_eq!(world.changes(), [""; 0]);
}

#[tokio::test]
async fn a_proof_is_answered_for_the_group_and_reads_nothing_else() {
    let world = led_away().await;
    for what in ["GetResources", "DescribeServices"] {
        world.break_(what, Code::Internal);
    }
    let proof = ask(&world, &event("alb-proof.json")).await;
    assert_eq!(
        (status_of(&proof), header(&proof, "content-type"), body(&proof)),
        (
            200,
            "application/json",
            json!({"dormouse_proof": "a1b2c3", "group": "dev"})
        )
    );
    let elsewhere = with_header(event("alb-proof.json"), "host", "other.example");
    assert_eq!(
        body(&ask(&world, &elsewhere).await),
        json!({"dormouse_proof": "a1b2c3", "group": null})
    );
    for word in ["", "a b", "<script>", "ü", &"a".repeat(65)] {
        let refused = ask(
            &world,
            &with_header(event("alb-proof.json"), "x-dormouse-proof", word),
        )
        .await;
        assert_eq!(status_of(&refused), 400, "{word}");
    }
    assert_eq!(
        (world.looks(), world.discoveries(), world.changes().len()),
        (0, 0, 0)
    );
}

#[tokio::test]
async fn heads_prefetches_previews_checkers_and_scanners_look_and_wake_nothing() {
    let world = led_away().await;
    let mut head = event("alb-browser.json");
    head["httpMethod"] = json!("HEAD");
    let browser = |name, value| with_header(event("alb-browser.json"), name, value);
    for event in [
        head,
        browser("sec-purpose", "prefetch;prerender"),
        browser("purpose", "preview"),
        browser(
            "user-agent",
            "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        ),
        browser(
            "user-agent",
            "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)",
        ),
        browser(
            "user-agent",
            "Mozilla/5.0 (compatible; CensysInspect/1.1; +https://about.censys.io/)",
        ),
        with_header(event("alb-program.json"), "user-agent", "Mozilla/5.0 zgrab/0.x"),
        with_header(poll(""), "user-agent", "Mozilla/5.0 (compatible; bingbot/2.0)"),
    ] {
        let refusal = ask(&world, &event).await;
        assert_eq!(status_of(&refusal), 503, "{event}");
        let said = refusal["body"].as_str().expect("a body");
        assert!(
            said.contains("\"phase\":\"asleep\"") || said.contains("data-state=\"asleep\""),
            "{said}"
        );
        // Nothing is offered that would not work here.
        assert!(
            !said.contains("<form") && !said.contains("<script") && !said.contains("class=\"button\""),
            "{said}"
        );
    }
    assert_eq!(world.changes(), [""; 0]);
}

#[tokio::test]
async fn what_only_machines_ask_for_wakes_nothing_and_the_apps_own_paths_do() {
    let world = led_away().await;
    for path in [
        "/.env",
        "/.git/config",
        "/wp-login.php",
        "/a/b/xmlrpc.php",
        "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php",
        "/%2e%65nv",
        "/..%2f..%2fetc/passwd",
        "/robots.txt",
        "/favicon.ico",
    ] {
        for name in ["alb-browser.json", "alb-program.json", "alb-form-post.json"] {
            let mut event = with_header(event(name), "prefer", "wait=25");
            event["path"] = json!(path);
            let began = world.now();
            assert_eq!(status_of(&ask(&world, &event).await), 503, "{path}");
            assert_eq!(world.now(), began, "nobody is held for it");
        }
    }
    assert_eq!(world.changes(), [""; 0]);
    for path in [
        "/index.php",
        "/.well-known/openid-configuration",
        "/-/status",
        "/dev/-/sleep",
    ] {
        let world = led_away().await;
        let mut event = event("alb-program.json");
        event["path"] = json!(path);
        assert_eq!(status_of(&ask(&world, &event).await), 503);
        assert_eq!(world.changes(), WOKEN, "{path} is the app's here");
    }
}

#[tokio::test]
async fn what_looks_at_a_group_that_is_up_changes_nothing() {
    let world = still_led_away().await;
    let mut head = event("alb-program.json");
    head["httpMethod"] = json!("HEAD");
    let before = world.record("dev").expect("a record").last_wake_at;
    world.advance(120);
    assert_eq!(status_of(&ask(&world, &head).await), 503);
    assert_eq!(
        world.record("dev").expect("a record").last_wake_at,
        before,
        "no use"
    );
    assert_eq!(world.changes(), [""; 0]);
}
