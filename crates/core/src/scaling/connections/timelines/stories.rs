//! Whole stories: second and count of each change.

use super::*;

#[test]
fn a_ramp_is_followed_and_after_its_end_the_surplus_goes_once() {
    let mut t = Timeline::new(target("100"), 1);
    let ramp = |second: i64| (second.clamp(0, 600) * 2) as u64;
    let changes = t.changes(900, ramp);
    let counts: Vec<u32> = changes.iter().map(|change| change.1).collect();
    assert_eq!(
        counts,
        (2..=12).collect::<Vec<u32>>(),
        "one more each 50 s, and none too many"
    );
    for (second, count) in changes {
        let due = i64::from(count - 1) * 50;
        assert!((1..=PASS).contains(&(second - due)), "{count} at {second} s");
    }
}

#[test]
fn a_spike_is_met_in_two_passes_and_let_go_after_the_stable_window() {
    let mut t = Timeline::new(target("100"), 2);
    let spike = |second: i64| if (60..240).contains(&second) { 1000 } else { 150 };
    let changes = t.changes(1200, spike);
    assert_eq!(
        changes,
        [(60, 6), (63, 10), (546, 2)],
        "300 s after second 240, and its slot of 5 s"
    );

    let mut t = Timeline::new(table(), 1);
    let spike = |second: i64| if (60..240).contains(&second) { 150 } else { 40 };
    assert_eq!(
        t.changes(1200, spike),
        [(60, 5), (63, 10), (363, 2), (663, 1)],
        "two share 150 in peace"
    );
}

#[test]
fn a_sawtooth_shorter_than_the_window_does_not_move_the_count() {
    let mut t = Timeline::new(target("100"), 2);
    let sawtooth = |second: i64| (second % 240 * 4) as u64;
    let changes = t.changes(4 * 3600, sawtooth);
    assert_eq!(changes.last().map(|change| change.1), Some(10));
    assert!(changes.iter().all(|(second, _)| *second < 240), "{changes:?}");
}

#[test]
fn swinging_around_a_step_changes_the_count_twice_at_most() {
    // 99 and 101 for each of two tasks: the table asks for ten. Three would share 202 in peace.
    let mut t = Timeline::new(table(), 2);
    let swing = |second: i64| if second / 30 % 2 == 0 { 198 } else { 202 };
    assert_eq!(t.changes(4 * 3600, swing), [(30, 6), (33, 10), (333, 3)]);
}

#[test]
fn readings_that_come_and_go_move_nothing() {
    let mut t = Timeline::settled(target("100"), 4, 350);
    for second in 0..1200 {
        if second % 7 == 0 {
            t.pass(90 + second % 20);
        } else {
            t.silence();
        }
    }
    assert_eq!(t.counts.desired, 4, "18 s between readings are no window");
}

#[test]
fn no_call_is_repeated_at_the_maximum_under_a_load_that_stays() {
    let mut t = Timeline::new(target("100"), 2);
    t.policy.max = 5;
    assert_eq!(t.changes(3600, |_| 5000), [(0, 5)]);
}

#[test]
fn with_scale_in_off_nothing_leaves() {
    let mut t = Timeline::new(target("100"), 2);
    t.policy.scale_in = false;
    let spike = |second: i64| if second == 60 { 1000 } else { 10 };
    assert_eq!(t.changes(3600, spike), [(60, 6)]);
}

#[test]
fn after_a_scale_in_the_next_waits_for_the_cooldown_and_a_spike_does_not() {
    let mut t = Timeline::new(target("100"), 8);
    let load = |second: i64| match second {
        ..120 => 500,
        120..600 => 100,
        _ => 900,
    };
    // The peak is forgotten at 420 s, the cooldown of the first scale-in ends at 600 s, and then comes the spike.
    assert_eq!(t.changes(700, load), [(300, 5), (600, 9)]);
}

#[test]
fn a_lull_between_two_invocations_removes_nothing_at_once() {
    let mut t = Timeline::settled(target("100"), 8, 700);
    t.nobody_looks(3600);
    assert_eq!(t.pass(10).reason, Reason::NotStableYet { since: at(3900) });
    assert_eq!(t.changes(400, |_| 10), [(4200, 1)]);
}
