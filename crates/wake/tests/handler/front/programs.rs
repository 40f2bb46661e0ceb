//! Programs at an app's own address.

use dormouse_core::duration::between;

use super::*;

fn prefer(value: &str) -> Value {
    with_header(event("alb-program.json"), "prefer", value)
}

#[tokio::test]
async fn a_program_gets_503_with_retry_after_and_the_status() {
    let world = led_away().await;
    let refusal = ask(&world, &event("alb-program.json")).await;
    assert_eq!((status_of(&refusal), header(&refusal, "retry-after")), (503, "2"));
    let status = status_json(&refusal);
    assert_eq!(
        (&status["group"], &status["phase"], &status["ready"]),
        (&json!("dev"), &json!("waking"), &json!(false))
    );
    assert_eq!(world.changes(), WOKEN);
}

#[tokio::test]
async fn a_program_is_held_if_it_prefers_so_and_led_back_to_where_it_came() {
    let world = led_away().await;
    world.tasks_start_by_themselves();
    let began = world.now();
    let redirect = ask(&world, &event("alb-multi-value.json")).await;
    assert_eq!(
        (status_of(&redirect), &redirect["statusDescription"]),
        (307, &json!("307 Temporary Redirect"))
    );
    assert_eq!(
        header(&redirect, "location"),
        "/api/v1/items?page=2&tag=a%26b&tag=c"
    );
    assert_eq!(header(&redirect, "preference-applied"), "wait=25");
    assert_eq!(between(began, world.now()).as_secs(), 1);
}

#[tokio::test]
async fn a_hold_ends_when_it_should_and_no_later_than_after_25_seconds() {
    for (value, seconds) in [
        ("wait=25", 25),
        ("respond-async, wait=10", 10),
        ("wait=9999", 25),
        ("wait=0", 0),
        ("wait=soon", 0),
        ("wait=-1", 0),
        ("return=minimal", 0),
    ] {
        let world = led_away().await;
        let began = world.now();
        let refusal = ask(&world, &prefer(value)).await;
        assert_eq!(status_of(&refusal), 503, "{value}");
        assert_eq!(status_json(&refusal)["phase"], "waking");
        assert_eq!(between(began, world.now()).as_secs(), seconds, "{value}");
        assert_eq!(header(&refusal, "preference-applied"), "");
    }
}

#[tokio::test]
async fn the_apps_own_parameter_wait_holds_nobody() {
    let world = led_away().await;
    let mut event = event("alb-program.json");
    for value in ["25", "long"] {
        event["queryStringParameters"] = json!({"wait": value});
        let began = world.now();
        assert_eq!(status_of(&ask(&world, &event).await), 503);
        assert_eq!(world.now(), began);
    }
}

#[tokio::test]
async fn who_is_ready_already_is_never_sent_round_in_circles() {
    let world = still_led_away().await;
    let refusal = ask(&world, &event("alb-program.json")).await;
    assert_eq!((status_of(&refusal), header(&refusal, "retry-after")), (503, "1"));
    let status = status_json(&refusal);
    assert_eq!(
        (&status["ready"], &status["retry_after_seconds"]),
        (&json!(true), &json!(1))
    );
    // Held, it gives the load balancer time before it sends anybody back.
    let began = world.now();
    assert_eq!(status_of(&ask(&world, &prefer("wait=5")).await), 307);
    assert_eq!(between(began, world.now()).as_secs(), 1);
    assert_eq!(world.changes(), [""; 0]);
}

#[tokio::test]
async fn the_way_back_leads_to_the_same_host_whatever_path_and_query_say() {
    for (path, query, location) in [
        ("//evil.example/x", json!({}), "/.//evil.example/x"),
        ("/\\evil.example", json!({}), "/%5Cevil.example"),
        ("/x\r\nset-cookie: y=1", json!({}), "/x%0D%0Aset-cookie:%20y=1"),
        (
            "/",
            json!({"a": "1\r\nset-cookie: y#z", "url": "//evil.example"}),
            "/?a=1%0D%0Aset-cookie:%20y%23z&url=//evil.example",
        ),
        (
            "/a%2Fb/%C3%BC",
            json!({"q": "a%20b+c"}),
            "/a%2Fb/%C3%BC?q=a%20b+c",
        ),
    ] {
        let world = led_away().await;
        world.tasks_start_by_themselves();
        let mut event = prefer("wait=25");
        event["path"] = json!(path);
        event["queryStringParameters"] = query;
        event["headers"]["x-forwarded-host"] = json!("evil.example");
        let redirect = ask(&world, &event).await;
        assert_eq!(
            (status_of(&redirect), header(&redirect, "location")),
            (307, location)
        );
    }
}

#[tokio::test]
async fn what_a_program_sends_is_not_lost_without_a_word() {
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let world = led_away().await;
        let mut event = event("alb-program.json");
        event["httpMethod"] = json!(method);
        event["body"] = json!("{\"item\": \"tea\"}");
        let refusal = ask(&world, &event).await;
        assert_eq!(
            (status_of(&refusal), header(&refusal, "x-dormouse-not-delivered")),
            (503, "true"),
            "{method}"
        );
        assert_eq!(status_json(&refusal)["phase"], "waking");
        assert_eq!(world.changes(), WOKEN, "{method} is use");
    }
    for method in ["GET", "OPTIONS"] {
        let mut event = event("alb-program.json");
        event["httpMethod"] = json!(method);
        let refusal = ask(&led_away().await, &event).await;
        assert_eq!(header(&refusal, "x-dormouse-not-delivered"), "", "{method}");
    }
}

/// A redirect that keeps the method tells the client itself to send it again, which asked to be held for that.
#[tokio::test]
async fn a_program_that_is_held_sends_again_by_itself() {
    let world = led_away().await;
    world.tasks_start_by_themselves();
    let mut event = prefer("wait=25");
    event["httpMethod"] = json!("POST");
    let redirect = ask(&world, &event).await;
    assert_eq!(
        (
            status_of(&redirect),
            header(&redirect, "x-dormouse-not-delivered")
        ),
        (307, "")
    );
}

#[tokio::test]
async fn a_failure_that_waiting_will_not_mend_is_told_from_one_that_it_may() {
    let world = led_away().await;
    world.break_("UpdateService", Code::AccessDenied);
    let refusal = ask(&world, &event("alb-program.json")).await;
    assert_eq!(status_of(&refusal), 502);
    assert_eq!(status_json(&refusal)["errors"][0]["code"], "AccessDenied");
}
