//! More tasks, and why not.

use super::*;

#[test]
fn a_busy_minute_adds_so_many_tasks_that_each_would_be_at_the_limit() {
    let mut t = Timeline::new(4);
    t.cpu(0, &[50.0, 50.0, 90.0]);
    assert_eq!(t.look(180), out(4, 6, cpu_above(90)), "4 × 90 / 70 is 5.1");
}

#[test]
fn a_utilization_at_its_limit_is_not_above_it_and_a_little_above_adds_one() {
    let mut t = Timeline::new(4);
    assert_eq!(t.cpu(0, &[70.0]).look(60), hold(Reason::WithinRange));
    assert_eq!(t.cpu(0, &[70.01]).look(60), out(4, 5, cpu_above(71)));
}

#[test]
fn one_decision_at_most_doubles() {
    let mut t = Timeline::new(2);
    assert_eq!(t.cpu(0, &[700.0]).look(60), out(2, 4, cpu_above(700)));
    t.has(1);
    assert_eq!(t.look(60), out(1, 2, cpu_above(700)));
}

#[test]
fn no_more_than_the_maximum_however_busy() {
    let mut t = Timeline::new(8);
    t.cpu(0, &[100.0]);
    assert_eq!(t.look(60), out(8, 10, cpu_above(100)), "it asks for 12");
    assert_eq!(t.has(10).look(60), hold(Reason::AtMaximum { max: 10 }));
    assert_eq!(
        t.has(12).look(60),
        hold(Reason::AtMaximum { max: 10 }),
        "somebody else gave it more"
    );
}

#[test]
fn a_minute_is_enough_and_the_newest_decides() {
    let mut t = Timeline::new(2);
    assert_eq!(
        t.cpu(0, &[10.0, 10.0, 10.0, 10.0, 90.0]).look(300),
        out(2, 3, cpu_above(90))
    );
    assert_eq!(
        t.cpu(0, &[90.0, 90.0, 90.0, 90.0, 50.0]).look(300),
        hold(Reason::WithinRange)
    );
    assert_eq!(
        t.cpu(0, &[10.0, 90.0]).look(75),
        out(2, 3, cpu_above(90)),
        "even while it fills"
    );
}

#[test]
fn either_utilization_asks_and_the_one_that_needs_more_decides() {
    let mut t = Timeline::new(4).and_memory("20-80");
    let memory_above = Reason::MemoryAbove {
        percent: 96,
        limit: 80,
    };
    t.cpu(0, &[50.0]).memory(0, &[96.0]);
    assert_eq!(t.look(60), out(4, 5, memory_above.clone()));
    assert_eq!(t.cpu(0, &[100.0]).look(60), out(4, 6, cpu_above(100)));
    assert_eq!(
        t.cpu(0, &[71.0]).look(60),
        out(4, 5, cpu_above(71)),
        "both ask for 5"
    );
    t.memory(0, &[150.0]);
    assert_eq!(t.look(60).action, Action::ScaleOut { from: 4, to: 8 });
}

#[test]
fn an_unknown_utilization_does_not_stop_what_the_other_asks_for() {
    let mut t = Timeline::new(2).and_memory("20-80");
    t.load.memory = Metric::Unknown("throttled".into());
    assert_eq!(t.cpu(0, &[90.0]).look(60), out(2, 3, cpu_above(90)));
    t.memory(0, &[10.0]);
    t.load.cpu = Metric::Unknown("throttled".into());
    assert_eq!(t.look(60).reason.code(), "metrics-unknown");
}

#[test]
fn a_minute_that_ended_more_than_three_minutes_ago_says_nothing() {
    let mut t = Timeline::new(2);
    t.cpu(0, &[90.0]);
    assert_eq!(t.look(240), out(2, 3, cpu_above(90)));
    assert_eq!(
        t.look(241),
        hold(Reason::MetricsUnknown {
            utilization: Utilization::Cpu,
            why: "CloudWatch's CPUUtilization ends at 2027-01-15T08:01:00Z".into()
        })
    );
}

#[test]
fn no_number_and_no_minute_of_the_future_adds_a_task() {
    let mut t = Timeline::new(2);
    for nonsense in [f64::NAN, f64::INFINITY, -90.0] {
        t.cpu(0, &[nonsense]);
        assert_eq!(t.reason(60).code(), "metrics-unknown", "{nonsense}");
        t.cpu(0, &[90.0, nonsense]);
        assert_eq!(t.look(120), out(2, 3, cpu_above(90)), "{nonsense}");
    }
    t.cpu(1, &[90.0]);
    assert_eq!(t.reason(59).code(), "metrics-unknown");
}

#[test]
fn the_next_scale_out_waits_for_the_cooldown() {
    let mut t = Timeline::new(2);
    t.cpu(0, &[90.0, 90.0, 90.0]);
    assert_eq!(t.act(60), out(2, 3, cpu_above(90)));
    assert_eq!(t.act(119), hold(Reason::Cooldown { until: at(120) }));
    assert_eq!(t.act(120), out(3, 4, cpu_above(90)));
    t.scaling(|scaling| scaling.max = Some(4));
    assert_eq!(
        t.reason(121).code(),
        "at-maximum",
        "said rather than the cooldown"
    );
}

#[test]
fn a_scale_in_does_not_delay_a_scale_out() {
    let mut t = Timeline::new(2);
    t.history.scaled_in_at = Some(at(59));
    assert_eq!(t.cpu(0, &[90.0]).look(60), out(2, 3, cpu_above(90)));
}

#[test]
fn neither_a_rollout_nor_tasks_on_their_way_nor_sessions_stop_a_scale_out() {
    let mut t = Timeline::new(4);
    t.load.rollout = true;
    t.load.running = 3;
    t.load.tasks = Tasks::Unknown("throttled".into());
    t.scaling(|scaling| scaling.scale_in = false);
    assert_eq!(t.cpu(0, &[90.0]).look(60), out(4, 6, cpu_above(90)));
}

#[test]
fn fewer_than_the_minimum_are_made_up_at_once() {
    let mut t = Timeline::new(1);
    t.scaling(|scaling| scaling.min = 5);
    t.history.scaled_out_at = Some(at(0));
    t.load.rollout = true;
    t.load.cpu = Metric::Unknown("throttled".into());
    assert_eq!(t.act(1), out(1, 5, Reason::BelowMinimum { min: 5 }));
    assert_eq!(t.reason(2).code(), "metrics-unknown", "at the minimum");
}

#[test]
fn nobody_is_woken_by_scaling() {
    let mut t = Timeline::new(0);
    t.scaling(|scaling| scaling.min = 5);
    assert_eq!(t.cpu(0, &[90.0]).look(60), hold(Reason::Asleep));
}

#[test]
fn without_a_maximum_nothing_is_ever_scaled() {
    let mut t = Timeline::new(2);
    t.scaling(|scaling| {
        scaling.min = 5;
        scaling.max = None;
    });
    assert_eq!(t.cpu(0, &[90.0]).look(60), hold(Reason::NotAutoscaled));
    assert_eq!(t.cpu(0, &[1.0; 6]).look(360), hold(Reason::NotAutoscaled));
}

#[test]
fn without_a_range_only_the_minimum_is_kept() {
    let mut t = Timeline::new(1);
    t.scaling(|scaling| {
        scaling.min = 2;
        scaling.cpu = None;
    });
    t.cpu(0, &[90.0]);
    assert_eq!(t.act(60), out(1, 2, Reason::BelowMinimum { min: 2 }));
    assert_eq!(t.act(600), hold(Reason::NoMetric));
}
