//! The wake function from event to answer, over a world in memory. Every event of `events/` that this function
//! understands goes through the whole handler.

use std::collections::HashMap;
use std::path::Path;

use dormouse_core::config::Config;
use dormouse_core::error::{Code, Error};
use dormouse_core::observation::{Probe, TaskAddress, Trouble};
use dormouse_core::ports::Clock;
use dormouse_core::record::Phase;
use dormouse_testkit::World;
use serde_json::{Value, json};

const TAGS: &[(&str, &str)] = &[("dormouse:group", "dev")];

fn config() -> Config {
    Config::from_env(&HashMap::from([("TABLE_NAME".to_owned(), "t".to_owned())])).expect("a configuration")
}

fn event(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../events")
        .join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).expect("JSON")
}

fn get(path: &str, accept: &str) -> Value {
    let mut event = event("http-api-program.json");
    event["rawPath"] = json!(path);
    event["rawQueryString"] = json!("");
    event["headers"]["accept"] = json!(accept);
    event
}

async fn answer(world: &World, event: Value) -> Value {
    wake::handle(world, &config(), event, "11111111-2222-3333-4444-555555555555")
        .await
        .expect("an answer")
}

fn status_of(answer: &Value) -> u64 {
    answer["statusCode"].as_u64().expect("a status")
}

fn body(answer: &Value) -> Value {
    serde_json::from_str(answer["body"].as_str().expect("a body")).expect("JSON")
}

fn asleep() -> World {
    World::with(&["dev/web"], TAGS, 0)
}

async fn awake() -> World {
    let world = asleep();
    answer(&world, event("http-api-program.json")).await;
    world.run_tasks();
    answer(&world, event("http-api-status.json")).await;
    world.forget_changes();
    world
}

#[tokio::test]
async fn a_browser_that_opens_a_sleeping_group_gets_the_page_and_wakes_it() {
    let world = asleep();
    let page = answer(&world, event("http-api-browser.json")).await;
    assert_eq!(status_of(&page), 200);
    assert_eq!(page["headers"]["content-type"], "text/html; charset=utf-8");
    assert_eq!(page["headers"]["cache-control"], "no-store");
    let html = page["body"].as_str().expect("html");
    assert!(
        html.contains("role=\"progressbar\"") && html.contains("data-status=\"../-/status\""),
        "{html}"
    );
    assert!(html.len() < 20_000, "{} bytes", html.len());
    assert_eq!(
        world.changes(),
        ["StartExecution dev g1", "UpdateService dev/web=1"]
    );
}

#[tokio::test]
async fn when_ready_the_browser_is_sent_on_with_path_and_query() {
    let world = awake().await;
    let redirect = answer(&world, event("http-api-browser.json")).await;
    assert_eq!(status_of(&redirect), 307);
    assert_eq!(
        redirect["headers"]["location"],
        "http://198.51.100.1:8080/reports/42?tab=open&q=a%20b"
    );
    assert_eq!(world.changes(), [""; 0], "nothing is woken twice");
}

#[tokio::test]
async fn a_program_gets_503_with_retry_after_and_then_the_redirect() {
    let world = asleep();
    let refusal = answer(&world, event("http-api-program.json")).await;
    assert_eq!(status_of(&refusal), 503);
    assert_eq!(refusal["headers"]["retry-after"], "2");
    let status = body(&refusal);
    assert_eq!(
        (&status["phase"], &status["generation"], &status["ready"]),
        (&json!("waking"), &json!(1), &json!(false))
    );
    assert_eq!(status["services"][0]["cluster"], "dev");
    world.run_tasks();
    let redirect = answer(&world, event("http-api-program.json")).await;
    assert_eq!(status_of(&redirect), 307);
    assert_eq!(
        redirect["headers"]["location"],
        "http://198.51.100.1:8080/api/v1/items?page=2"
    );
}

#[tokio::test]
async fn a_program_that_waits_is_answered_as_soon_as_it_is_ready() {
    let world = asleep();
    world.tasks_start_by_themselves();
    let began = world.now();
    let redirect = answer(&world, event("http-api-program-waits.json")).await;
    assert_eq!(status_of(&redirect), 307);
    assert_eq!(world.now().duration_since(began).as_secs(), 1);
}

#[tokio::test]
async fn a_wait_ends_before_the_api_gives_up() {
    let world = asleep();
    let mut event = event("http-api-program-waits.json");
    event["queryStringParameters"]["wait"] = json!("9999");
    let began = world.now();
    assert_eq!(status_of(&answer(&world, event.clone()).await), 503);
    assert_eq!(world.now().duration_since(began).as_secs(), 25);
    event["queryStringParameters"]["wait"] = json!("long");
    let refusal = answer(&world, event).await;
    assert_eq!(status_of(&refusal), 400);
    assert!(
        body(&refusal)["errors"][0]["message"]
            .as_str()
            .expect("text")
            .contains("`long`")
    );
}

#[tokio::test]
async fn two_hundred_tabs_at_once_set_the_count_once() {
    let world = asleep();
    let (world, config) = (&world, &config());
    let tabs: Vec<_> = (0..200)
        .map(|tab| async move {
            wake::handle(world, config, event("http-api-browser.json"), &tab.to_string()).await
        })
        .collect();
    let answers = futures_util::future::join_all(tabs).await;
    for answer in answers {
        assert_eq!(status_of(&answer.expect("an answer")), 200);
    }
    assert_eq!(
        world.changes(),
        ["StartExecution dev g1", "UpdateService dev/web=1"]
    );
}

#[tokio::test]
async fn a_group_at_three_is_not_lowered() {
    let world = World::with(&["dev/web"], TAGS, 3);
    for event_ in ["http-api-program.json", "http-api-wake.json", "direct-wake.json"] {
        answer(&world, event(event_)).await;
    }
    assert_eq!(
        (world.changes(), world.desired("dev/web")),
        (vec!["StartExecution dev g1".to_owned()], 3)
    );
}

#[tokio::test]
async fn running_but_not_answering_is_never_redirected_to() {
    let world = asleep();
    answer(&world, event("http-api-browser.json")).await;
    world.run_tasks();
    world.change("dev/web", |state| state.tasks[0].probe = Some(Probe::Status(503)));
    assert_eq!(
        status_of(&answer(&world, event("http-api-browser.json")).await),
        200
    );
    let refusal = answer(&world, event("http-api-program.json")).await;
    assert_eq!(
        (status_of(&refusal), &body(&refusal)["services"][0]["stage"]),
        (503, &json!("starting"))
    );
}

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
async fn heads_prefetches_and_checkers_look_but_do_not_wake() {
    let world = asleep();
    let mut prefetch = event("http-api-browser.json");
    prefetch["headers"]["sec-purpose"] = json!("prefetch");
    let mut checker = event("http-api-program.json");
    checker["headers"]["user-agent"] = json!("ELB-HealthChecker/2.0");
    for event in [
        event("http-api-head.json"),
        prefetch,
        checker,
        event("http-api-status.json"),
    ] {
        let answer = answer(&world, event).await;
        assert!(matches!(status_of(&answer), 200 | 503));
        assert_eq!(body(&answer)["phase"], "asleep");
    }
    assert_eq!(world.changes(), [""; 0]);
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
        state.tasks[0].address = TaskAddress::PrivateOnly([10, 0, 0, 9].into());
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
async fn an_unknown_group_is_404_for_people_and_programs() {
    let world = asleep();
    for path in ["/nosuch", "/", "/.env", "/favicon.ico", "/dev/-/nosuch"] {
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
        json!({"Records": []}),
        json!({"action": "explode"}),
    ] {
        let error = wake::handle(&world, &config(), event.clone(), "r")
            .await
            .expect_err("no answer");
        assert_eq!(error.code, Code::InvalidRequest, "{event}");
    }
}

#[tokio::test]
async fn a_bad_tag_is_shown_and_harms_nobody_else() {
    let world = awake().await;
    world.retag(&[("dormouse:group", "dev"), ("dormouse:idle-after", "soon")]);
    let config = config();
    let groups = dormouse_core::engine::discover(&world, &config.listed, &config.defaults)
        .await
        .expect("groups");
    assert_eq!(groups.len(), 1);
    let redirect = answer(&world, event("http-api-program.json")).await;
    assert_eq!(status_of(&redirect), 307, "its last good settings still hold");
    let status = body(&answer(&world, event("http-api-status.json")).await);
    assert_eq!(status["errors"][0]["code"], "InvalidTag");
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
    let env = [("TABLE_NAME", "t"), ("CLUSTER", "dev"), ("SERVICES", "web")];
    let env: HashMap<String, String> = env
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    let config = Config::from_env(&env).expect("a configuration");
    let woken = wake::handle(&world, &config, get("/default/", "*/*"), "request")
        .await
        .expect("an answer");
    assert_eq!((status_of(&woken), world.desired("dev/web")), (503, 1));
}
