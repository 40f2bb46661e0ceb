//! Which wishes there are, and after which readings.

use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_wish_passes_minimum_or_maximum_and_a_scale_out_has_its_bound(scene in scene()) {
        let (desired, policy) = (scene.desired, &scene.policy);
        match scene.decide().wish {
            Wish::ScaleOut { to } => {
                prop_assert!(desired > 0 && to > desired && to <= policy.max.max(1));
                prop_assert!(to <= (2 * desired).max(desired + 4) || to == policy.min);
            }
            Wish::ScaleIn { to } => {
                prop_assert!(to < desired && to >= policy.min.max(1) && to <= policy.max.max(1));
            }
            Wish::Hold => {}
        }
    }

    #[test]
    fn one_reading_is_enough_for_a_scale_out_whatever_went_before(scene in scene(), load in 0u64..2000) {
        let mut scene = scene;
        scene.later = 0;
        let answers = vec![Ok(load)];
        scene.passes.push(Pass { after: 3000, desired: scene.desired, starting: 0, answers });
        let short = scene.desired < least(&scene.policy.mode, load).min(scene.policy.max.max(1));
        let wish = scene.decide().wish;
        prop_assert!(!short || scene.desired == 0 || matches!(wish, Wish::ScaleOut { .. }), "{wish:?}");
    }

    #[test]
    fn a_scale_in_is_allowed_by_every_reading_of_a_window_without_gaps(scene in scene()) {
        if let Wish::ScaleIn { to } = scene.decide().wish {
            let now = scene.now();
            let mut proof = Vec::new();
            // The newest first. A clock that went back makes a reading no younger than the pass after it.
            for (at, reading) in scene.readings().into_iter().rev() {
                let Ok(reading) = reading else { continue };
                if duration::between(at, now) < STABLE_WINDOW {
                    prop_assert!(least(&scene.policy.mode, reading.total()) <= to.max(1));
                }
                if reading.doubt().is_none() {
                    proof.push(at);
                }
            }
            proof.insert(0, now);
            let covered = proof.windows(2).take_while(|pair| duration::between(pair[1], pair[0]) <= LONGEST_GAP);
            let begin = covered.last().expect("a reading")[1];
            prop_assert!(duration::between(begin, now) >= STABLE_WINDOW);
        }
    }

    #[test]
    fn a_scale_in_is_wanted_and_nothing_is_on_its_way(scene in scene()) {
        if let Wish::ScaleIn { .. } = scene.decide().wish {
            prop_assert!(scene.policy.scale_in && !scene.rollout && scene.desired == scene.running);
            let History { scaled_out_at, scaled_in_at, gave_up_at } = scene.history;
            for at in [scaled_out_at, scaled_in_at, gave_up_at].into_iter().flatten() {
                prop_assert!(scene.now() >= duration::after(at, SCALE_IN_COOLDOWN));
            }
        }
    }

    #[test]
    fn after_a_scale_in_the_same_load_asks_for_no_more(scene in scene(), passes in 1usize..30) {
        if let Wish::ScaleIn { to } = scene.decide().wish {
            let Some(Ok(last)) = scene.readings().into_iter().map(|(_, reading)| reading).rfind(Result::is_ok)
            else { panic!("no reading") };
            let (mut window, mut now) = (scene.window(), scene.now());
            let counts = Counts { desired: to, running: to, rollout: false };
            let history = History { scaled_in_at: Some(now), ..scene.history.clone() };
            let share = |task: u64| last.total() / u64::from(to) + u64::from(task < last.total() % u64::from(to));
            let answers: Vec<_> = (0..u64::from(to)).map(|task| Ok(share(task))).collect();
            let reading = Reading::of(to, &answers);
            for _ in 0..passes {
                now = duration::after(now, Duration::from_secs(3));
                window.record(&reading, to, now);
                prop_assert_eq!(decide(&scene.policy, counts, &window, &history, now).wish, Wish::Hold);
            }
        }
    }

    #[test]
    fn a_pass_that_fails_in_part_or_as_a_whole_begins_no_scale_in(scene in scene(), failing in 1usize..16) {
        let mut less = scene;
        if let Some(last) = less.passes.last_mut() {
            last.answers.iter_mut().take(failing).for_each(|answer| *answer = Err("timed out".to_owned()));
        }
        let lowers = matches!(less.decide().wish, Wish::ScaleIn { .. });
        prop_assert!(!lowers);
    }

    #[test]
    fn passes_that_fail_in_part_or_as_a_whole_are_no_window(scene in scene(), failing in 1usize..16) {
        let mut less = scene;
        let known = less.passes.last().cloned();
        for pass in &mut less.passes {
            pass.answers.iter_mut().take(failing).for_each(|answer| *answer = Err("timed out".to_owned()));
        }
        less.passes.extend(known);
        let lowers = matches!(less.decide().wish, Wish::ScaleIn { .. });
        prop_assert!(!lowers);
    }

    #[test]
    fn a_gap_never_lowers(scene in scene(), gap in 16i64..400, passes in 0usize..90) {
        let mut gappy = scene;
        let answers = vec![Ok(0); gappy.running as usize];
        for number in 0..=passes {
            let after = if number == 0 { gap * 1000 } else { 3000 };
            gappy.passes.push(Pass { after, desired: gappy.desired, starting: 0, answers: answers.clone() });
        }
        let lowers = matches!(gappy.decide().wish, Wish::ScaleIn { .. });
        prop_assert!(!lowers);
    }
}

/// A property of scale-ins says nothing if hardly any scene has one.
#[test]
fn the_scenes_have_plenty_of_both_changes() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let (mut ins, mut outs) = (0, 0);
    for _ in 0..200 {
        let scene = scene().new_tree(&mut runner).expect("a scene").current();
        match scene.decide().wish {
            Wish::ScaleIn { .. } => ins += 1,
            Wish::ScaleOut { .. } => outs += 1,
            Wish::Hold => {}
        }
    }
    assert!(ins >= 20 && outs >= 20, "{ins} in, {outs} out");
}
