//! Services that wait for others.

use super::*;

#[tokio::test]
async fn the_page_and_the_status_say_what_a_service_waits_for() {
    let world = World::with(&["dev/db"], TAGS, 0).and(
        &["dev/web"],
        &[("dormouse:group", "dev"), ("dormouse:needs", "db")],
        0,
    );
    let page = answer(&world, event("http-api-browser.json")).await;
    let html = page["body"].as_str().expect("html");
    assert!(html.contains(">waits for db</span><b>web</b>"), "{html}");
    assert!(
        html.contains("db is not ready: no task"),
        "and how far that is: {html}"
    );
    let status = body(&answer(&world, event("http-api-status.json")).await);
    let stages: Vec<&Value> = (0..2)
        .map(|number| &status["services"][number]["stage"])
        .collect();
    assert_eq!(stages, ["provisioning", "waiting-for:db"]);
    assert_eq!((world.desired("dev/db"), world.desired("dev/web")), (1, 0));
    world.run_tasks();
    let status = body(&answer(&world, event("http-api-status.json")).await);
    assert_eq!(status["services"][1]["stage"], "provisioning", "it is on its way");
    assert_eq!(world.desired("dev/web"), 1);
}
