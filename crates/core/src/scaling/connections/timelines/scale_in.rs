//! Fewer tasks, and why not.

use super::*;

#[test]
fn five_minutes_of_few_connections_remove_what_is_not_needed() {
    let mut t = Timeline::new(target("100"), 8);
    assert_eq!(t.passes(100, 250), not_stable(0), "297 s");
    assert_eq!(t.pass(250), inn(3, 250, 3));
}

#[test]
fn a_table_lowers_to_the_fewest_tasks_that_ask_for_no_more() {
    let mut t = Timeline::settled(table(), 10, 120);
    assert_eq!(
        t.pass(120),
        inn(2, 120, 2),
        "60 for each of two; one would have 120 and ask for 10"
    );
    let mut t = Timeline::settled(table(), 12, 1000);
    assert_eq!(
        t.pass(1000),
        inn(10, 1000, 10),
        "nine would have 111 and ask for 10"
    );
    let mut t = Timeline::settled(table(), 9, 800);
    assert_eq!(
        t.pass(800),
        inn(8, 800, 8),
        "a count that the table does not name"
    );
}

#[test]
fn the_busiest_reading_of_the_window_decides_how_many_stay() {
    let mut t = Timeline::new(target("100"), 8);
    t.acts = false;
    t.passes(50, 100);
    t.pass(620);
    t.passes(49, 100);
    assert_eq!(t.passes(50, 100), inn(7, 620, 7), "second 447");
    assert_eq!(t.pass(100), inn(7, 620, 7), "second 450");
    t.passes(49, 100);
    assert_eq!(
        t.passes(4, 100),
        inn(1, 100, 1),
        "the peak of second 150 is forgotten with its ten seconds"
    );
}

#[test]
fn a_reading_that_needs_them_all_begins_the_window_anew() {
    let mut t = Timeline::settled(target("100"), 8, 100);
    t.acts = false;
    assert_eq!(
        t.pass(701),
        hold(Reason::Enough {
            total: 701,
            needed: 8
        })
    );
    assert_eq!(t.pass(100), not_stable(303), "which is the first that does not");
    assert_eq!(t.pass(100), not_stable(305), "known by slots of five seconds");
    assert_eq!(t.passes(99, 100), not_stable(305), "second 603");
    assert_eq!(t.pass(100).wish, Wish::ScaleIn { to: 1 });
}

#[test]
fn a_change_or_a_try_cools_down_first() {
    let mut t = Timeline::settled(target("100"), 8, 100);
    let cooling = hold(Reason::Cooldown { until: at(301) });
    for cause in 0..3 {
        t.history = History::default();
        let History {
            scaled_out_at,
            scaled_in_at,
            gave_up_at,
        } = &mut t.history;
        *[scaled_out_at, scaled_in_at, gave_up_at][cause] = Some(at(1));
        t.acts = false;
        assert_eq!(decide_again(&mut t), cooling);
        t.history = History::default();
    }
    t.history.gave_up_at = Some(at(0));
    assert_eq!(decide_again(&mut t), inn(1, 100, 1));
}

/// At second 300, with another pass.
fn decide_again(t: &mut Timeline) -> Decision {
    t.second = 300;
    t.pass(100)
}

#[test]
fn a_leap_is_panic_for_a_minute_even_if_somebody_else_added_the_tasks() {
    let mut t = Timeline::settled(target("100"), 1, 100);
    t.acts = false;
    assert_eq!(t.pass(150), out(2, target_above(150, 2)), "second 300");
    (t.counts.desired, t.counts.running) = (4, 4);
    assert_eq!(
        t.passes(19, 150),
        hold(Reason::Panicking { until: at(360) }),
        "second 357"
    );
    assert_eq!(t.pass(150), inn(2, 150, 2), "second 360");
}

#[test]
fn each_reading_above_the_threshold_prolongs_the_panic() {
    let mut t = Timeline::settled(target("100"), 2, 100);
    t.acts = false;
    t.passes(1, 399);
    assert_eq!(
        t.pass(100),
        hold(Reason::Panicking { until: at(360) }),
        "twice as many at second 300"
    );
    t.passes(3, 100);
    t.pass(301);
    assert_eq!(t.pass(100), hold(Reason::Panicking { until: at(375) }));
    t.passes(5, 201);
    assert_eq!(
        t.pass(100),
        hold(Reason::Panicking { until: at(375) }),
        "three for two are no leap"
    );
}

#[test]
fn what_keeps_tasks_is_said() {
    let change = |change: fn(&mut Timeline)| {
        let mut t = Timeline::settled(target("100"), 8, 100);
        change(&mut t);
        t.pass(100)
    };
    assert_eq!(change(|t| t.policy.scale_in = false), hold(Reason::ScaleInOff));
    assert_eq!(change(|t| t.policy.min = 8), hold(Reason::AtMinimum { min: 8 }));
    assert_eq!(change(|t| t.policy.min = 5), inn(5, 100, 1));
    assert_eq!(change(|t| t.counts.rollout = true), hold(Reason::RolloutUnderWay));
    let (desired, running) = (8, 7);
    assert_eq!(
        change(|t| t.counts.running = 7),
        hold(Reason::TasksOnTheirWay { desired, running })
    );
}

#[test]
fn no_connection_at_all_still_leaves_the_minimum() {
    let mut t = Timeline::settled(target("100"), 3, 0);
    t.policy.min = 0;
    assert_eq!(t.pass(0), inn(1, 0, 0), "to have no task is sleep");
}

#[test]
fn more_than_the_maximum_go_only_if_the_maximum_is_enough() {
    let mut t = Timeline::settled(target("100"), 8, 650);
    (t.policy.max, t.acts) = (6, false);
    assert_eq!(t.pass(650), hold(Reason::AtMaximum { max: 6 }));
    let mut t = Timeline::settled(target("100"), 8, 550);
    t.policy.max = 6;
    assert_eq!(t.pass(550), inn(6, 550, 6));
}
