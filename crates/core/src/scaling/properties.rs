//! What holds for every load, session and metric.

use proptest::prelude::*;

use super::bounds::{Range, Scaling};
use super::connections::{self, Wish};
use super::load::{Metric, Sessions, Task, Tasks};
use super::*;
use crate::ids::ServiceId;
use crate::minutes::Point;
use crate::settings::Defaults;

const NOW: i64 = 1_800_000_000;

fn now() -> Timestamp {
    Timestamp::from_second(NOW).expect("a moment")
}

fn moment() -> impl Strategy<Value = Option<Timestamp>> {
    proptest::option::weighted(
        0.1,
        (-900i64..60).prop_map(|s| Timestamp::from_second(NOW + s).expect("a moment")),
    )
}

/// Minutes that end around now: low, mixed or wild, perhaps with a gap, perhaps old.
fn minutes() -> impl Strategy<Value = Vec<Point>> {
    let value = || {
        prop_oneof![
            8 => 0.0..30.0f64, 2 => 0.0..400.0f64,
            1 => Just(f64::NAN), 1 => Just(f64::INFINITY), 1 => Just(-1.0)
        ]
    };
    let values = prop_oneof![
        4 => proptest::collection::vec(0.0..15.0f64, 5..9),
        1 => proptest::collection::vec(60.0..200.0f64, 1..3),
        2 => proptest::collection::vec(value(), 0..9),
    ];
    let end = prop_oneof![8 => -90i64..30, 1 => -400i64..200];
    (values, end, proptest::option::weighted(0.1, 0usize..9)).prop_map(|(values, end, gap)| {
        let newest = NOW + end - 60;
        let count = values.len() as i64;
        let point = |(minute, value): (i64, f64)| Point {
            at: Timestamp::from_second(newest - 60 * (count - 1 - minute)).expect("a moment"),
            value,
        };
        let mut points: Vec<Point> = (0..).zip(values).map(point).collect();
        if let Some(gap) = gap.filter(|gap| *gap < points.len()) {
            points.remove(gap);
        }
        points
    })
}

fn metric() -> impl Strategy<Value = Metric> {
    prop_oneof![
        8 => minutes().prop_map(Metric::Known),
        1 => Just(Metric::Unknown("x".into())),
    ]
}

fn sessions() -> impl Strategy<Value = Sessions> {
    prop_oneof![
        3 => Just(Sessions::Free),
        1 => Just(Sessions::InUse),
        1 => Just(Sessions::Unknown("x".into())),
    ]
}

fn often(probability: f64) -> impl Strategy<Value = bool> {
    proptest::bool::weighted(probability)
}

fn tasks(count: usize) -> impl Strategy<Value = Tasks> {
    let task = (often(0.9), often(0.2), sessions());
    let known = proptest::collection::vec(task, count).prop_map(|tasks| {
        let task = |(number, (running, protected, sessions)): (usize, (bool, bool, Sessions))| Task {
            id: number.to_string(),
            running,
            protected,
            sessions,
        };
        Tasks::Known(tasks.into_iter().enumerate().map(task).collect())
    });
    prop_oneof![9 => known, 1 => Just(Tasks::Unknown("x".into()))]
}

fn range() -> impl Strategy<Value = Option<Range>> {
    let range = (0u32..60, 10u32..=41)
        .prop_map(|(low, width)| Range::parse(&format!("{low}-{}", low + width)).expect("a range"));
    proptest::option::weighted(0.8, range)
}

/// What connections ask for; what [`connections::decide`] can answer has its own properties.
fn connections() -> impl Strategy<Value = Option<connections::Decision>> {
    let wish = prop_oneof![
        3 => (0u32..16).prop_map(|to| Wish::ScaleIn { to }),
        1 => (1u32..40).prop_map(|to| Wish::ScaleOut { to }),
        1 => Just(Wish::Hold),
    ];
    let reason = Reason::Enough { total: 1, needed: 1 };
    let decision = wish.prop_map(move |wish| connections::Decision {
        wish,
        reason: reason.clone(),
    });
    proptest::option::weighted(0.4, decision)
}

prop_compose! {
    fn settings()(
        min in 1u32..5, above in proptest::option::weighted(0.9, 0u32..10),
        cpu in range(), memory in range(), scale_in in often(0.9),
    ) -> ServiceSettings {
        let mut settings = ServiceSettings::of(ServiceId::new("dev", "web"), &Defaults::default());
        settings.scaling = Scaling { min, max: above.map(|above| min + above), cpu, memory, connections: None, scale_in };
        settings
    }
}

prop_compose! {
    fn scene()(desired in 0u32..16)(
        desired in Just(desired),
        elsewhere in proptest::option::weighted(0.1, 0u32..16),
        rollout in often(0.1),
        cpu in metric(), memory in metric(),
        connections in connections(),
        tasks in tasks(desired as usize),
        settings in settings(),
        scaled_out_at in moment(), scaled_in_at in moment(), gave_up_at in moment(),
    ) -> (ServiceSettings, Load, History) {
        let running = elsewhere.unwrap_or(desired);
        let load = Load { desired, running, rollout, cpu, memory, connections, tasks };
        (settings, load, History { scaled_out_at, scaled_in_at, gave_up_at })
    }
}

/// Whether connections ask for as many, or for more, which the maximum cut.
fn asks_for(wish: Wish, count: u32) -> bool {
    matches!(wish, Wish::ScaleOut { to } if to >= count)
}

/// The metrics that decide, with their ranges.
fn deciding<'a>(settings: &ServiceSettings, load: &'a Load) -> Vec<(Range, &'a Metric)> {
    let scaling = &settings.scaling;
    let cpu = scaling.cpu.map(|range| (range, &load.cpu));
    let memory = scaling.memory.map(|range| (range, &load.memory));
    cpu.into_iter().chain(memory).collect()
}

/// Whether a fresh minute tells of every 20 seconds of the stable window before some moment of the last four
/// minutes, and all of them are below `low`. Looks for the window in another way than the code does.
fn known_and_low(metric: &Metric, low: f64) -> bool {
    let Metric::Known(points) = metric else {
        return false;
    };
    let told = |moment: i64| {
        points.iter().any(|point| {
            let begin = point.at.as_second();
            begin <= moment && moment < begin + 60 && point.value < low && point.value >= 0.0
        })
    };
    (NOW - FRESH.as_secs() as i64 - 60..=NOW).any(|end| {
        let begin = end - STABLE_WINDOW.as_secs() as i64;
        (begin..end).step_by(20).all(told)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn a_scale_out_adds_at_most_as_many_again_and_never_passes_the_maximum((settings, load, history) in scene()) {
        if let Action::ScaleOut { from, to } = decide(&settings, &load, &history, now()).action {
            prop_assert_eq!(from, load.desired);
            prop_assert!(from > 0 && to > from);
            prop_assert!(to <= settings.scaling.max.expect("no maximum, no autoscaling"));
            let asked = load.connections.is_some_and(|asked| asks_for(asked.wish, to));
            prop_assert!(to <= from * 2 || to == settings.scaling.min || asked);
        }
    }

    #[test]
    fn a_scale_in_never_passes_the_minimum_and_takes_only_free_tasks((settings, load, history) in scene()) {
        if let Action::ScaleIn { from, to, candidates } = decide(&settings, &load, &history, now()).action {
            prop_assert_eq!(from, load.desired);
            prop_assert!(to < from && to >= settings.scaling.min && to >= 1);
            prop_assert_eq!(candidates.len(), (from - to) as usize);
            let Tasks::Known(tasks) = &load.tasks else { panic!("unknown tasks") };
            for id in &candidates {
                let task = tasks.iter().find(|task| task.id == *id).expect("a task");
                prop_assert!(task.running && !task.protected && task.sessions == Sessions::Free);
            }
        }
    }

    #[test]
    fn a_scale_in_is_wanted_and_nothing_is_on_its_way((settings, load, history) in scene()) {
        if matches!(decide(&settings, &load, &history, now()).action, Action::ScaleIn { .. }) {
            prop_assert!(settings.scaling.scale_in && settings.scaling.max.is_some());
            prop_assert!(!load.rollout && load.desired == load.running);
            for at in [history.scaled_out_at, history.scaled_in_at, history.gave_up_at].into_iter().flatten() {
                prop_assert!(now().duration_since(at) >= SCALE_IN_COOLDOWN.try_into().expect("seconds"));
            }
        }
    }

    #[test]
    fn what_is_unknown_or_not_low_for_the_whole_window_never_scales_in((settings, load, history) in scene()) {
        if matches!(decide(&settings, &load, &history, now()).action, Action::ScaleIn { .. }) {
            let deciding = deciding(&settings, &load);
            prop_assert!(!deciding.is_empty() || load.connections.is_some());
            for (range, metric) in deciding {
                prop_assert!(known_and_low(metric, f64::from(range.low())));
            }
        }
    }

    #[test]
    fn out_if_connections_ask_for_it_and_in_only_if_they_agree((settings, load, history) in scene()) {
        let decision = decide(&settings, &load, &history, now());
        let (Some(asked), Some(max)) = (&load.connections, settings.scaling.max) else { return Ok(()) };
        match (asked.wish, decision.action) {
            (Wish::ScaleOut { to: wanted }, action) if load.desired > 0 && wanted.min(max) > load.desired => {
                let Action::ScaleOut { to, .. } = action else { panic!("{action:?}") };
                prop_assert!(to >= wanted.min(max) || to == settings.scaling.min);
            }
            (Wish::ScaleIn { to: fewest }, Action::ScaleIn { to, .. }) => prop_assert!(to >= fewest),
            (_, Action::ScaleIn { .. }) => panic!("connections do not agree"),
            _ => {}
        }
    }

    #[test]
    fn those_that_stay_can_bear_the_newest_minute((settings, load, history) in scene()) {
        if let Action::ScaleIn { from, to, .. } = decide(&settings, &load, &history, now()).action {
            for (range, metric) in deciding(&settings, &load) {
                let Metric::Known(points) = metric else { panic!("unknown metric") };
                let newest = points.iter().rfind(|p| p.at <= now() && p.value >= 0.0 && p.value.is_finite());
                let value = newest.expect("a minute").value;
                prop_assert!(value * f64::from(from) / f64::from(to) < f64::from(range.high()));
            }
        }
    }

    #[test]
    fn forgetting_a_metric_never_turns_a_decision_into_a_scale_in((settings, load, history) in scene()) {
        for forget in [|load: &mut Load| load.cpu = Metric::Unknown("x".into()),
            |load: &mut Load| load.memory = Metric::Unknown("x".into())]
        {
            let mut less = load.clone();
            forget(&mut less);
            let scales_in = |load: &Load| {
                matches!(decide(&settings, load, &history, now()).action, Action::ScaleIn { .. })
            };
            prop_assert!(!scales_in(&less) || scales_in(&load));
        }
    }
}

/// A property of scale-ins says nothing if hardly any scene has one.
#[test]
fn the_scenes_have_plenty_of_both_changes() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let (mut ins, mut outs) = (0, 0);
    for _ in 0..400 {
        let (settings, load, history) = scene().new_tree(&mut runner).expect("a scene").current();
        match decide(&settings, &load, &history, now()).action {
            Action::ScaleIn { .. } => ins += 1,
            Action::ScaleOut { .. } => outs += 1,
            Action::Hold => {}
        }
    }
    assert!(ins >= 20 && outs >= 20, "{ins} in, {outs} out");
}
