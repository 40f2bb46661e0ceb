//! More tasks, and why not.

use super::*;

#[test]
fn one_reading_above_a_step_asks_for_its_tasks() {
    let mut t = Timeline::settled(table(), 2, 90);
    assert_eq!(
        t.pass(600),
        out(6, step_above(300, 100, 10)),
        "at most 4 more, or as many again"
    );
    assert_eq!(
        t.pass(600),
        out(10, step_above(300, 100, 10)),
        "the rest three seconds later"
    );
    let on_their_way = Reason::EnoughOnTheirWay {
        needed: 6,
        desired: 10,
        running: 2,
    };
    assert_eq!(
        t.pass(600),
        hold(on_their_way),
        "100 for each of six is not above 100"
    );
}

#[test]
fn one_reading_above_the_target_asks_for_as_many_as_it_needs() {
    let mut t = Timeline::settled(target("100"), 4, 400);
    assert_eq!(t.pass(401), out(5, target_above(401, 5)));
    let mut t = Timeline::settled(target("100"), 4, 400);
    assert_eq!(t.pass(1950), out(8, target_above(1950, 20)));
    assert_eq!(t.pass(1950), out(16, target_above(1950, 20)));
    assert_eq!(t.pass(1950), out(20, target_above(1950, 20)));
}

#[test]
fn the_very_first_reading_of_a_service_is_enough() {
    let mut t = Timeline::new(target("100"), 1);
    assert_eq!(t.pass(130), out(2, target_above(130, 2)));
}

#[test]
fn a_mean_at_a_threshold_or_at_the_target_asks_for_nothing() {
    let mut t = Timeline::new(table(), 2);
    assert_eq!(
        t.pass(200),
        hold(Reason::Enough {
            total: 200,
            needed: 2
        })
    );
    let mut t = Timeline::new(target("100"), 2);
    assert_eq!(
        t.pass(200),
        hold(Reason::Enough {
            total: 200,
            needed: 2
        })
    );
}

#[test]
fn a_spike_is_answered_once_while_its_tasks_start() {
    for mode in [table(), target("50")] {
        let mut t = Timeline::settled(mode, 2, 90);
        assert_eq!(t.changes(60, |_| 490).last().map(|change| change.1), Some(10));
        assert_eq!(
            t.changes(120, |_| 490),
            [],
            "neither while they start nor after that"
        );
        assert_eq!(t.counts.running, 10);
    }
}

#[test]
fn a_higher_spike_is_answered_at_once_and_counts_what_is_on_its_way() {
    let mut t = Timeline::settled(target("100"), 2, 150);
    assert_eq!(t.pass(600), out(6, target_above(600, 6)));
    assert_eq!(t.pass(600).wish, Wish::Hold);
    assert_eq!(
        t.pass(700),
        out(7, target_above(700, 7)),
        "one more, with four on their way"
    );

    let mut t = Timeline::settled(table(), 1, 40);
    assert_eq!(t.changes(30, |_| 120), [(300, 5), (303, 10)]);
    assert_eq!(
        t.pass(3000).reason.code(),
        "enough-on-their-way",
        "300 for each of ten"
    );
    assert_eq!(t.pass(3001), out(15, step_above(301, 300, 15)));
}

#[test]
fn a_single_wrong_reading_starts_few_tasks_and_only_once() {
    for mode in [table(), target("100")] {
        let mut t = Timeline::settled(mode, 2, 90);
        assert_eq!(
            t.answers(&[Some(45), Some(1_000_000)]).wish,
            Wish::ScaleOut { to: 6 }
        );
        assert_eq!(t.pass(90).wish, Wish::Hold);
        assert_eq!(t.counts.desired, 6);
    }
}

#[test]
fn a_spike_that_nobody_watched_is_judged_by_what_was_asked_for_meanwhile() {
    let mut t = Timeline::settled(table(), 1, 40);
    assert_eq!(t.pass(120), out(5, step_above(120, 100, 10)));
    t.nobody_looks(13);
    assert_eq!(
        t.pass(120).reason.code(),
        "enough-on-their-way",
        "24 for each of five"
    );
}

#[test]
fn a_task_that_dies_is_replaced_and_not_doubled() {
    let mut t = Timeline::settled(table(), 10, 2900);
    t.counts.running = 9;
    let on_their_way = Reason::EnoughOnTheirWay {
        needed: 10,
        desired: 10,
        running: 9,
    };
    assert_eq!(
        t.pass(2900),
        hold(on_their_way),
        "322 each, but 290 once the tenth is back"
    );
}

#[test]
fn no_more_than_the_maximum_however_many_connections() {
    for mode in [table(), target("100")] {
        let mut t = Timeline::settled(mode, 4, 150);
        t.policy.max = 5;
        assert_eq!(t.pass(5000).wish, Wish::ScaleOut { to: 5 });
        assert_eq!(t.passes(30, 5000), hold(Reason::AtMaximum { max: 5 }));
        t.counts.desired = 7;
        assert_eq!(
            t.pass(5000),
            hold(Reason::AtMaximum { max: 5 }),
            "somebody else gave it more"
        );
    }
}

#[test]
fn a_table_that_asks_for_more_than_the_maximum_is_content_with_what_the_mean_needs() {
    let mut t = Timeline::settled(table(), 1, 40);
    t.policy.max = 4;
    assert_eq!(t.pass(120), out(4, step_above(120, 100, 10)));
    assert_eq!(
        t.pass(120).reason.code(),
        "enough-on-their-way",
        "30 for each of four"
    );
}

#[test]
fn those_that_answer_speak_for_those_that_do_not() {
    let mut t = Timeline::settled(target("100"), 4, 300);
    let decision = t.answers(&[Some(150), None, None, Some(150)]);
    assert_eq!(decision, out(6, target_above(600, 6)));
}

#[test]
fn if_nobody_answers_nothing_is_added() {
    let mut t = Timeline::settled(target("100"), 4, 300);
    assert_eq!(t.silence().wish, Wish::Hold);
}

#[test]
fn a_reading_of_the_panic_window_still_asks_when_the_next_pass_fails() {
    let mut t = Timeline::settled(target("100"), 1, 50);
    t.acts = false;
    assert_eq!(t.pass(500), out(5, target_above(500, 5)));
    assert_eq!(t.silence(), out(5, target_above(500, 5)), "3 s later");
    assert_eq!(t.silence(), out(5, target_above(500, 5)), "6 s later");
    assert_eq!(t.silence().reason.code(), "connections-unknown", "9 s later");
}

#[test]
fn neither_rollout_nor_cooldown_nor_scale_in_off_delays_a_scale_out() {
    let mut t = Timeline::settled(target("100"), 4, 300);
    t.counts.rollout = true;
    t.policy.scale_in = false;
    t.history.scaled_out_at = Some(at(299));
    t.history.scaled_in_at = Some(at(299));
    assert_eq!(t.pass(500), out(5, target_above(500, 5)));
}

#[test]
fn fewer_than_the_minimum_are_made_up_at_once_whatever_is_known() {
    let mut t = Timeline::new(target("100"), 1);
    t.policy.min = 9;
    t.acts = false;
    assert_eq!(t.silence(), out(9, Reason::BelowMinimum { min: 9 }));
    assert_eq!(
        t.pass(5000),
        out(9, Reason::BelowMinimum { min: 9 }),
        "the next reading asks for the rest"
    );
    t.policy.max = 5;
    assert_eq!(
        t.silence(),
        out(5, Reason::BelowMinimum { min: 5 }),
        "and never more than the maximum"
    );
}

#[test]
fn nobody_is_woken_by_scaling() {
    let mut t = Timeline::new(target("100"), 0);
    t.policy.min = 5;
    assert_eq!(t.silence(), hold(Reason::Asleep));
}

#[test]
fn new_tasks_that_do_not_answer_yet_ask_for_no_more() {
    let mut t = Timeline::settled(target("100"), 2, 200);
    t.counts = Counts {
        desired: 4,
        running: 4,
        rollout: false,
    };
    let ready = Reading::of(2, &[Ok(190), Ok(190)]).map(|reading| reading.and_starting(2));
    assert_eq!(
        t.look(&ready),
        hold(Reason::Enough {
            total: 380,
            needed: 4
        })
    );
}
