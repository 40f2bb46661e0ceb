//! Fewer tasks, and why not.

use super::*;

/// A service with this many free tasks and five low minutes of CPU that end at second 300.
fn quiet(count: u32) -> Timeline {
    let mut t = Timeline::new(count);
    t.cpu(0, &[10.0; 5]);
    t
}

fn stable(since: i64) -> Reason {
    Reason::BelowForStableWindow { since: at(since) }
}

#[test]
fn five_low_minutes_remove_what_is_free() {
    let t = quiet(3);
    let decision = t.look(300);
    assert_eq!(
        decision,
        Decision {
            action: Action::ScaleIn {
                from: 3,
                to: 1,
                candidates: vec!["t1".into(), "t2".into()],
            },
            reason: stable(0),
        }
    );
}

#[test]
fn four_low_minutes_and_one_that_still_fills_are_not_five() {
    let t = quiet(3);
    assert_eq!(t.look(299), hold(Reason::NotStableYet { since: at(0) }));
}

#[test]
fn the_window_begins_after_the_last_minute_that_was_not_low() {
    let mut t = Timeline::new(3);
    t.cpu(0, &[10.0, 30.0, 10.0, 10.0, 10.0, 10.0, 10.0]);
    assert_eq!(
        t.look(419),
        hold(Reason::NotStableYet { since: at(120) }),
        "30 % is not below 30 %"
    );
    assert_eq!(t.look(420).reason, stable(120));
}

#[test]
fn a_newest_minute_that_is_not_low_ends_the_window_even_while_it_fills() {
    let mut t = Timeline::new(3);
    t.cpu(0, &[10.0, 10.0, 10.0, 10.0, 10.0, 35.0]);
    assert_eq!(t.look(301), hold(Reason::WithinRange));
}

#[test]
fn a_missing_minute_begins_the_window_anew() {
    let mut t = Timeline::new(3);
    t.cpu(0, &[10.0, 10.0, 10.0, f64::NAN, 10.0, 10.0, 10.0]);
    assert_eq!(t.look(420), hold(Reason::NotStableYet { since: at(240) }));
    let Metric::Known(points) = &mut t.load.cpu else {
        panic!("known")
    };
    points.remove(3);
    assert_eq!(t.look(420), hold(Reason::NotStableYet { since: at(240) }));
}

#[test]
fn the_order_in_which_minutes_are_listed_does_not_matter() {
    let mut t = Timeline::new(3);
    t.cpu(0, &[90.0, 10.0, 10.0, 10.0, 10.0, 10.0]);
    let Metric::Known(points) = &mut t.load.cpu else {
        panic!("known")
    };
    points.reverse();
    assert_eq!(t.look(360).reason, stable(60));
}

#[test]
fn no_minute_at_all_is_unknown_and_not_low() {
    let mut t = quiet(3);
    let unknown = |why: &str| Reason::MetricsUnknown {
        utilization: Utilization::Cpu,
        why: why.into(),
    };
    assert_eq!(
        t.cpu(0, &[]).look(300),
        hold(unknown("CloudWatch has no CPUUtilization"))
    );
    t.load.cpu = Metric::Unknown("throttled".into());
    assert_eq!(t.look(300), hold(unknown("throttled")));
}

#[test]
fn minutes_that_ended_say_nothing_about_now() {
    let t = quiet(3);
    assert_eq!(t.look(480).reason, stable(0));
    assert_eq!(t.look(481).reason.code(), "metrics-unknown");
}

#[test]
fn every_utilization_with_a_range_must_be_low() {
    let mut t = quiet(3).and_memory("20-80");
    assert_eq!(
        t.look(300).reason.code(),
        "metrics-unknown",
        "nothing is known of memory"
    );
    assert_eq!(t.memory(0, &[20.0; 5]).look(300), hold(Reason::WithinRange));
    t.memory(2, &[10.0; 3]);
    assert_eq!(t.look(300), hold(Reason::NotStableYet { since: at(120) }));
    assert_eq!(t.memory(0, &[10.0; 5]).look(300).reason, stable(0));
}

#[test]
fn only_those_that_run_unused_and_unprotected_may_go() {
    let mut t = quiet(6);
    t.sessions("t1", Sessions::InUse)
        .sessions("t2", Sessions::Unknown("throttled".into()))
        .task("t3", |task| task.protected = true)
        .task("t4", |task| task.running = false);
    assert_eq!(candidates(&t.look(300)), ["t5", "t6"]);
}

#[test]
fn nobody_goes_while_all_are_or_may_be_used() {
    let mut t = quiet(4);
    t.sessions("t1", Sessions::InUse)
        .sessions("t2", Sessions::Unknown("throttled".into()))
        .task("t3", |task| task.protected = true)
        .sessions("t4", Sessions::InUse);
    assert_eq!(
        t.look(300),
        hold(Reason::NoFreeTask {
            in_use: 2,
            protected: 1,
            unknown: 1
        })
    );
    t.load.tasks = Tasks::Unknown("throttled".into());
    assert_eq!(
        t.look(300),
        hold(Reason::TasksUnknown {
            why: "throttled".into()
        })
    );
}

#[test]
fn the_minimum_stays() {
    let mut t = quiet(4);
    t.scaling(|scaling| scaling.min = 3);
    assert_eq!(candidates(&t.look(300)), ["t1"]);
    assert_eq!(
        t.scaling(|scaling| scaling.min = 4).look(300),
        hold(Reason::AtMinimum { min: 4 })
    );
}

#[test]
fn more_than_the_maximum_are_removed_like_any_others() {
    let mut t = quiet(4);
    t.scaling(|scaling| scaling.max = Some(2));
    t.sessions("t1", Sessions::InUse).sessions("t2", Sessions::InUse);
    assert_eq!(candidates(&t.look(300)), ["t3", "t4"]);
    assert_eq!(t.cpu(0, &[50.0; 5]).look(300), hold(Reason::WithinRange));
}

#[test]
fn so_many_stay_that_they_can_bear_the_load() {
    let mut t = quiet(10);
    t.cpu(0, &[29.0; 5]);
    assert_eq!(
        candidates(&t.look(300)).len(),
        5,
        "10 × 29 / 5 is 58, and 10 × 29 / 4 would be 72.5"
    );
    t.cpu(0, &[28.0; 5]);
    assert_eq!(
        candidates(&t.look(300)).len(),
        5,
        "10 × 28 / 4 would be 70, which is not below 70"
    );
}

#[test]
fn the_busiest_minute_of_the_window_tells_what_the_others_must_bear() {
    let mut t = quiet(10);
    t.cpu(0, &[29.0, 5.0, 5.0, 5.0, 5.0]);
    assert_eq!(candidates(&t.look(300)).len(), 5);
    t.cpu(-1, &[29.0, 5.0, 5.0, 5.0, 5.0, 5.0]);
    assert_eq!(candidates(&t.look(300)).len(), 9, "older ones do not");
}

#[test]
fn no_task_goes_whose_work_the_others_could_not_take() {
    let mut t = quiet(2).and_memory("40-50");
    t.memory(0, &[39.5; 5]);
    assert_eq!(
        t.look(300),
        hold(Reason::TooBusyForFewer {
            utilization: Utilization::Memory,
            percent: 79,
            limit: 50
        })
    );
}

#[test]
fn an_owner_who_wants_no_scale_in_gets_none() {
    let mut t = quiet(3);
    t.scaling(|scaling| scaling.scale_in = false);
    assert_eq!(t.look(300), hold(Reason::ScaleInOff));
}

#[test]
fn nothing_is_removed_during_a_rollout_or_while_tasks_are_on_their_way() {
    let mut t = quiet(3);
    t.load.rollout = true;
    assert_eq!(t.look(300), hold(Reason::RolloutUnderWay));
    t.load.rollout = false;
    for running in [2, 4] {
        t.load.running = running;
        assert_eq!(t.look(300), hold(Reason::TasksOnTheirWay { desired: 3, running }));
    }
}

#[test]
fn a_scale_in_waits_for_the_cooldown_after_a_change_or_one_that_changed_nothing() {
    for (scaled_out_at, scaled_in_at, gave_up_at) in [
        (Some(60), None, None),
        (None, Some(60), None),
        (None, None, Some(60)),
        (Some(-90), Some(60), Some(-30)),
    ] {
        let mut t = quiet(3);
        t.history = History {
            scaled_out_at: scaled_out_at.map(at),
            scaled_in_at: scaled_in_at.map(at),
            gave_up_at: gave_up_at.map(at),
        };
        assert_eq!(t.look(359), hold(Reason::Cooldown { until: at(360) }));
        assert_eq!(t.look(360).reason, stable(0));
    }
}

#[test]
fn without_a_low_bound_above_zero_nothing_is_low() {
    let mut t = quiet(3);
    t.scaling(|scaling| scaling.cpu = Range::parse("0-70"));
    assert_eq!(t.cpu(0, &[0.0; 5]).look(300), hold(Reason::WithinRange));
}
