//! CodePipeline jobs: the pipeline is always told.

use dormouse_core::pipeline::{FailureKind, JobResult};

use super::*;

fn job(parameters: &str) -> Value {
    let mut event = event("codepipeline-job.json");
    event["CodePipeline.job"]["data"]["actionConfiguration"]["configuration"]["UserParameters"] =
        json!(parameters);
    event
}

/// The same job again, with the token that the pipeline was given last.
fn continued(world: &World, mut event: Value) -> Value {
    match last(world) {
        JobResult::Continues { token, .. } => {
            event["CodePipeline.job"]["data"]["continuationToken"] = json!(token);
            event
        }
        other => panic!("{other:?}"),
    }
}

fn last(world: &World) -> JobResult {
    world.job_results().last().expect("a result").clone()
}

fn failure(world: &World) -> (FailureKind, String) {
    match last(world) {
        JobResult::Failed { kind, message } => (kind, message),
        other => panic!("{other:?}"),
    }
}

fn trouble(world: &World, message: &str) {
    let at = world.now();
    let message = message.to_owned();
    world.change("dev/web", |state| state.troubles.push(Trouble { at, message }));
}

#[tokio::test]
async fn a_job_wakes_its_group_and_succeeds() {
    let world = asleep();
    let result = answer(&world, event("codepipeline-job.json")).await;
    assert_eq!(result["result"], "succeeded");
    assert_eq!(
        (&result["answer"]["cause"], &result["answer"]["generation"]),
        (&json!("pipeline"), &json!(1))
    );
    assert_eq!(
        world.changes(),
        ["StartExecution dev g1", "UpdateService dev/web=1"]
    );
    assert_eq!(world.job_results().len(), 1);
}

#[tokio::test]
async fn a_job_that_waits_stays_open_until_the_group_is_ready() {
    let world = asleep();
    let waits = event("codepipeline-job-waits.json");
    assert_eq!(answer(&world, waits.clone()).await["result"], "continues");
    assert_eq!(world.desired("dev/web"), 2);
    world.advance(30);
    assert_eq!(
        answer(&world, continued(&world, waits.clone())).await["result"],
        "continues"
    );
    world.run_tasks();
    let now = world.now();
    world.change("dev/web", |state| state.rollout_since = Some(now));
    assert_eq!(
        answer(&world, continued(&world, waits.clone())).await["result"],
        "continues",
        "the version before is not to be tested"
    );
    world.change("dev/web", |state| state.rollout_since = None);
    assert_eq!(
        answer(&world, continued(&world, waits)).await["result"],
        "succeeded"
    );
    assert_eq!(
        world.changes(),
        ["StartExecution dev g1", "UpdateService dev/web=2"]
    );
}

#[tokio::test]
async fn a_group_that_cannot_become_ready_fails_its_job_in_ecs_words() {
    let world = asleep();
    let waits = event("codepipeline-job-waits.json");
    answer(&world, waits.clone()).await;
    world.advance(30);
    trouble(
        &world,
        "CannotPullContainerError: pull image manifest has been retried",
    );
    assert_eq!(
        answer(&world, continued(&world, waits.clone())).await["result"],
        "continues",
        "once may be bad luck"
    );
    world.advance(30);
    trouble(
        &world,
        "CannotPullContainerError: pull image manifest has been retried",
    );
    assert_eq!(answer(&world, continued(&world, waits)).await["result"], "failed");
    let (kind, message) = failure(&world);
    assert_eq!(kind, FailureKind::Job);
    assert!(message.contains("dev/web: CannotPullContainerError"), "{message}");
}

#[tokio::test]
async fn a_job_does_not_wait_for_ever() {
    let world = asleep();
    let waits = event("codepipeline-job-waits.json");
    answer(&world, waits.clone()).await;
    world.advance(300);
    answer(&world, continued(&world, waits)).await;
    let (_, message) = failure(&world);
    assert!(message.starts_with("not ready within 5m: dev/web: "), "{message}");
}

#[tokio::test]
async fn a_denied_wake_fails_the_job_and_a_throttled_one_goes_on() {
    for parameters in ["dev", "{\"group\":\"dev\",\"wait\":true}"] {
        let world = asleep();
        world.break_("UpdateService", Code::AccessDenied);
        answer(&world, job(parameters)).await;
        assert_eq!(failure(&world).0, FailureKind::Permission);

        let world = asleep();
        world.break_("UpdateService", Code::Throttled);
        assert_eq!(answer(&world, job(parameters)).await["result"], "continues");
        world.mend("UpdateService");
        world.advance(30);
        answer(&world, continued(&world, job(parameters))).await;
        assert_eq!(world.desired("dev/web"), 1);
    }
}

#[tokio::test]
async fn a_service_that_could_not_be_looked_at_was_not_woken_so_the_job_goes_on() {
    let world = asleep();
    world.break_("DescribeServices", Code::Throttled);
    assert_eq!(answer(&world, job("dev")).await["result"], "continues");
    assert_eq!(world.desired("dev/web"), 0);
    world.mend("DescribeServices");
    assert_eq!(
        answer(&world, continued(&world, job("dev"))).await["result"],
        "succeeded"
    );
    assert_eq!(world.desired("dev/web"), 1);
}

#[tokio::test]
async fn whatever_goes_wrong_the_pipeline_is_told() {
    let world = asleep();
    for (event, kind) in [
        (job("no/group"), FailureKind::Configuration),
        (
            job("{\"group\":\"dev\",\"desired_count\":-1}"),
            FailureKind::Configuration,
        ),
        (job(&"\u{1f4a3}".repeat(500)), FailureKind::Configuration),
        (job("nosuchgroup"), FailureKind::Configuration),
        (event("sam-codepipeline-job.json"), FailureKind::Configuration),
    ] {
        answer(&world, event).await;
        assert_eq!(failure(&world).0, kind);
    }
    world.break_("table", Code::AccessDenied);
    answer(&world, job("dev")).await;
    assert_eq!(failure(&world).0, FailureKind::Permission);
    world.break_("table", Code::Throttled);
    let goes_on = answer(&world, job("dev")).await;
    assert_eq!(goes_on["result"], "continues");
    world.advance(300);
    answer(&world, continued(&world, job("dev"))).await;
    assert_eq!(failure(&world).0, FailureKind::Unavailable);
    world.mend("table");
    world.panic_at("table");
    answer(&world, job("dev")).await;
    assert!(failure(&world).1.contains("panicked"));
    assert_eq!(world.changes(), [""; 0]);
}

#[tokio::test]
async fn a_job_whose_work_hangs_goes_on_before_the_function_is_cut() {
    let world = asleep();
    world.hang("DescribeServices");
    let begun = world.now();
    let result = answer(&world, job("dev")).await;
    assert_eq!(result["result"], "continues");
    assert_eq!(world.now().duration_since(begun).as_secs(), 18);
}

#[tokio::test]
async fn a_retried_job_is_not_an_error_and_one_that_cannot_be_reported_comes_again() {
    let world = asleep();
    answer(&world, event("codepipeline-job.json")).await;
    world.jobs_have_ended();
    let again = answer(&world, event("codepipeline-job.json")).await;
    assert_eq!(
        (&again["result"], &again["ended_before"]),
        (&json!("succeeded"), &json!(true))
    );
    world.break_("PutJobResult", Code::Throttled);
    let failed = wake::handle(&world, &config(&[]), event("codepipeline-job.json"), "r").await;
    assert_eq!(failed.expect_err("it comes again").code, Code::Throttled);
}

#[tokio::test]
async fn a_job_raises_and_lowers_only_if_exactly_that_is_asked() {
    let world = awake().await;
    answer(&world, job("{\"group\":\"dev\",\"desired_count\":3}")).await;
    world.run_tasks();
    answer(&world, job("{\"group\":\"dev\",\"desired_count\":2}")).await;
    assert_eq!(world.desired("dev/web"), 3);
    answer(
        &world,
        job("{\"group\":\"dev\",\"desired_count\":2,\"exact\":true}"),
    )
    .await;
    assert_eq!(world.desired("dev/web"), 2);
}

#[tokio::test]
async fn a_deployment_resets_the_sleep_timer() {
    let world = World::with(
        &["dev/web"],
        &[
            ("dormouse:group", "dev"),
            ("dormouse:signals", "none"),
            ("dormouse:grace", "0s"),
        ],
        0,
    );
    world.tasks_start_by_themselves();
    answer(&world, event("http-api-program.json")).await;
    world.advance(20 * 60);
    answer(&world, job("dev")).await;
    world.advance(29 * 60);
    let tick = answer(&world, event("direct-tick.json")).await;
    assert_eq!(
        (&tick["phase"], &tick["decision_reason"]),
        (&json!("awake"), &json!("asked-recently"))
    );
    world.advance(60);
    let old = event("direct-tick.json");
    assert_eq!(answer(&world, old).await["decision"], "sleep");
}
