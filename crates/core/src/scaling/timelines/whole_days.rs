//! Whole stories, minute after minute: the service's utilization follows from its work and its tasks.

use super::*;

/// Work in percent of one task's CPU per minute, shared by the tasks of that minute, decided on when the minute is
/// over and done at once. Gives the count after each minute.
fn counts(t: &mut Timeline, work: impl IntoIterator<Item = f64>) -> Vec<u32> {
    let mut minutes = Vec::new();
    let mut counts = Vec::new();
    for (minute, work) in work.into_iter().enumerate() {
        minutes.push(work / f64::from(t.load.running));
        t.cpu(0, &minutes).act((minute as i64 + 1) * 60);
        counts.push(t.load.desired);
    }
    counts
}

#[test]
fn a_morning_adds_tasks_and_an_evening_takes_them_away() {
    let mut t = Timeline::new(1);
    let work = [50.0, 150.0, 400.0, 400.0, 400.0, 400.0]
        .into_iter()
        .chain([150.0; 7])
        .chain([60.0; 6]);
    assert_eq!(
        counts(&mut t, work),
        [
            1, 2, 4, 6, 6, 6, // 150 % doubles 1, 200 % doubles 2, 100 % makes 4 × 100 / 70
            6, 6, 6, 6, 3, 3, 3, // five minutes at 25 %: three can bear 150 % together, two could not
            3, 3, 3, 3, 1, 1 // and one can bear 60 %
        ]
    );
}

#[test]
fn a_task_with_a_session_outlives_the_others_and_goes_when_it_is_free() {
    let mut t = Timeline::new(3);
    t.sessions("t2", Sessions::InUse);
    assert_eq!(counts(&mut t, [15.0; 5]), [3, 3, 3, 3, 1]);
    assert_eq!(t.tasks()[0].id, "t2");

    let mut t = Timeline::new(2);
    t.sessions("t1", Sessions::InUse).sessions("t2", Sessions::InUse);
    assert_eq!(counts(&mut t, [15.0; 8]), [2; 8]);
    t.sessions("t2", Sessions::Free);
    assert_eq!(candidates(&t.look(480)), ["t2"]);
}

#[test]
fn a_load_that_swings_within_the_window_does_not_make_the_count_swing() {
    let mut t = Timeline::new(4);
    let swinging = (0..60).map(|minute| if minute % 4 == 0 { 200.0 } else { 40.0 });
    assert_eq!(counts(&mut t, swinging), [4; 60]);
}
