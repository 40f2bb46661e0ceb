//! The memory of readings is bounded, and stored as it is.

use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_window_is_stored_short_and_read_back_as_it_was(scene in scene(), hurry in 1i64..3000) {
        let mut scene = scene;
        scene.passes.iter_mut().for_each(|pass| pass.after = pass.after.min(hurry));
        let mut window = scene.window();
        let json = serde_json::to_string(&window).expect("JSON");
        prop_assert!(json.len() < 2500, "{}", json.len());
        prop_assert!(window.marks.len() <= MOST_READINGS && window.highs.len() <= MOST_SLOTS);
        let mut read: Window = serde_json::from_str(&json).expect("a window");
        prop_assert_eq!(&read, &window);
        // And goes on as it would have.
        for step in 1..200 {
            let pass = Reading::of(1, &[Ok(step % 50)]);
            let moment = duration::after(scene.now(), Duration::from_secs(step));
            read.record(&pass, 1, moment);
            window.record(&pass, 1, moment);
        }
        prop_assert_eq!(read, window);
    }

    #[test]
    fn no_text_that_is_a_window_makes_it_panic(
        at in any::<Option<i64>>(), run in any::<Option<(i64, i64)>>(),
        readings in proptest::collection::vec(any::<(i64, u32, u64)>(), 0..90),
        highs in proptest::collection::vec(any::<u64>(), 0..90), newest in any::<u64>(), mode in mode(),
    ) {
        let json = serde_json::json!({"at": at, "run": run, "readings": readings, "highs": highs, "newest": newest});
        let mut window: Window = serde_json::from_value(json).expect("a window");
        let policy = Policy { min: 1, max: 10, scale_in: true, mode };
        let counts = Counts { desired: 5, running: 5, rollout: false };
        for ms in [0, 3000] {
            let _ = decide(&policy, counts, &window, &History::default(), super::at(ms));
            window.record(&Reading::of(1, &[Ok(3)]), 5, super::at(ms));
            prop_assert!(window.marks.len() <= MOST_READINGS && window.highs.len() <= MOST_SLOTS);
        }
    }
}

/// The longest that is recorded is as long as it is said to be.
#[test]
fn a_window_of_a_pass_each_three_seconds_is_a_few_hundred_bytes() {
    let mut window = Window::default();
    for pass in 0..1000 {
        window.record(
            &Reading::of(3, &[Ok(1000 + pass), Ok(1200), Ok(1111)]),
            12,
            at(pass as i64 * 3000),
        );
    }
    let json = serde_json::to_string(&window).expect("JSON");
    assert!((500..800).contains(&json.len()), "{} {json}", json.len());
    assert_eq!(window.marks.len(), 20);
    assert!(window.highs.len() <= 300 / SLOT_SECONDS as usize + 1);
}

#[test]
fn a_clock_that_goes_back_loses_no_peak() {
    let mut window = Window::default();
    let connections = |n: u64| Reading::of(1, &[Ok(n)]);
    window.record(&connections(5), 1, at(0));
    window.record(&connections(70), 1, at(50_000));
    window.record(&connections(5), 1, at(58_000));
    for ms in [12_000, 30_000, 300_000] {
        window.record(&connections(5), 1, at(ms));
        assert_eq!(window.highest(), 70, "{ms}");
        assert!(window.marks.iter().all(|mark| mark.at <= at(ms)));
    }
    window.record(&connections(5), 1, at(320_000));
    assert_eq!(
        window.highest(),
        5,
        "five minutes after the moment that the clock went back to"
    );
}
