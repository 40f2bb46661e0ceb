//! What is told of the time that is left.

use dormouse_core::duration::after;
use dormouse_core::observation::{TaskStage, TaskTimes};
use jiff::Timestamp;

use super::*;

/// The only task of a service as it is so many seconds after a wake: made after 1, provisioned for 10, pulled for `pull`, started
/// after 2 more, answering after 5 more.
fn as_it_is(world: &World, id: &str, woken_at: Timestamp, pull: u64) {
    let mark = |seconds: u64| after(woken_at, std::time::Duration::from_secs(seconds));
    let now = world.now();
    let over = |seconds: u64| Some(mark(seconds)).filter(|at| *at <= now);
    world.run_tasks();
    world.change(id, |state| {
        let task = &mut state.tasks[0];
        task.times = TaskTimes {
            created: over(1),
            connected: over(11),
            pull_started: over(11),
            pull_stopped: over(11 + pull),
            started: over(13 + pull),
        };
        (task.stage, task.probe) = match &task.times {
            times if times.created.is_none() => {
                state.tasks.clear();
                return;
            }
            times if times.pull_started.is_none() => (TaskStage::Provisioning, None),
            times if times.pull_stopped.is_none() => (TaskStage::Pending, None),
            times if times.started.is_none() => (TaskStage::Activating, None),
            _ if now < mark(18 + pull) => (TaskStage::Running, Some(Probe::Status(503))),
            _ => (TaskStage::Running, Some(Probe::Status(200))),
        };
    });
}

/// Wakes, asks every second what the status is until it is ready, and sleeps again; the statuses.
async fn wake_once(world: &World, pull: u64) -> Vec<Value> {
    let woken_at = world.now();
    answer(world, event("http-api-browser.json")).await;
    let mut statuses: Vec<Value> = Vec::new();
    while statuses.last().is_none_or(|status| status["ready"] == false) {
        assert!(statuses.len() < 500, "{:?}", statuses.last());
        as_it_is(world, "dev/web", woken_at, pull);
        statuses.push(body(&answer(world, event("http-api-status.json")).await));
        world.advance(1);
    }
    answer(world, event("direct-sleep.json")).await;
    world.run_tasks();
    world.advance(60);
    let asleep = body(&answer(world, event("http-api-status.json")).await);
    assert_eq!(
        (&asleep["phase"], &asleep["eta_seconds"], &asleep["wakes_known"]),
        (&json!("asleep"), &json!(null), &json!(0))
    );
    statuses
}

#[tokio::test]
async fn of_the_first_wake_ever_no_time_is_told_and_the_bar_moves_all_the_same() {
    let world = asleep();
    let statuses = wake_once(&world, 20).await;
    for status in &statuses {
        assert_eq!(
            (
                &status["eta_seconds"],
                &status["eta_at_most_seconds"],
                &status["wakes_known"]
            ),
            (&json!(null), &json!(null), &json!(0)),
            "{status}"
        );
    }
    let first = &statuses[0]["services"][0];
    assert_eq!(first["eta_seconds"], json!(null));
    assert_eq!(
        first["steps"][0],
        json!({"step": "needs", "state": "now", "seconds": 0, "usual_seconds": null, "at_most_seconds": null})
    );
    assert_eq!(first["steps"][4]["state"], "ahead");
    let progress: Vec<f64> = statuses.iter().filter_map(|s| s["progress"].as_f64()).collect();
    assert!(progress.is_sorted() && progress[20] > progress[5], "{progress:?}");
    let (last, before) = progress.split_last().expect("progress");
    assert!(*last == 1.0 && before.iter().all(|p| *p <= 0.99), "{progress:?}");
}

#[tokio::test]
async fn later_wakes_tell_the_median_of_what_earlier_ones_had_left_and_the_p90_of_it() {
    let world = asleep();
    // Eleven wakes with pulls of 20 to 120 s: 38 to 138 s in all.
    for n in 0..11 {
        wake_once(&world, 20 + 10 * (n * 7 % 11)).await;
    }
    let statuses = wake_once(&world, 300).await;
    let told = |second: usize| {
        let status = &statuses[second];
        let of = |value: &Value| {
            (
                value["eta_seconds"].as_u64(),
                value["eta_at_most_seconds"].as_u64(),
            )
        };
        assert_eq!(of(status), of(&status["services"][0]), "the only service");
        assert_eq!(status["wakes_known"], 11);
        of(status)
    };
    // The 6th and the 10th of eleven are 88 and 128 s.
    assert_eq!(told(0), (Some(88), Some(128)));
    assert_eq!(told(11), (Some(77), Some(117)));
    // 55 s into the pull those of 60 s and more are left: five past the 4th; their median is 90 s, their p90 120.
    assert_eq!(told(11 + 55), (Some(90 - 55 + 7), Some(120 - 55 + 7)));
    // It is over the longest of them, and after far more than that nothing is told.
    assert_eq!(told(11 + 130), (Some(7), Some(7)));
    assert_eq!(told(11 + 260), (None, None));
    let steps = &statuses[11 + 55]["services"][0]["steps"];
    assert_eq!(
        (&steps[1], &steps[2]),
        (
            &json!({"step": "provisioning", "state": "done", "seconds": 10, "usual_seconds": 10, "at_most_seconds": 10}),
            &json!({"step": "pulling", "state": "now", "seconds": 55, "usual_seconds": 70, "at_most_seconds": 110}),
        )
    );
}

#[tokio::test]
async fn the_page_asks_seldom_while_it_is_certainly_not_ready_and_often_near_the_end() {
    let world = asleep();
    wake_once(&world, 60).await;
    let statuses = wake_once(&world, 60).await;
    let polls = |second: usize| statuses[second]["retry_after_seconds"].as_u64();
    assert_eq!((polls(1), polls(40)), (Some(5), Some(5)));
    assert!(
        (70..78).all(|second| polls(second) == Some(2)),
        "from 8 s before the end"
    );
}
