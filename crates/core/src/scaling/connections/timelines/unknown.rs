//! What is unknown, in part or as a whole, and how it keeps tasks.

use super::*;

fn unknown(why: &str) -> Decision {
    hold(Reason::ConnectionsUnknown { why: why.into() })
}

#[test]
fn an_unknown_pass_is_bridged_for_fifteen_seconds_and_no_longer() {
    let mut t = Timeline::settled(target("100"), 8, 100);
    t.acts = false;
    let nobody = "none of 8 tasks answered: timed out";
    assert_eq!(t.pass(100), inn(1, 100, 1), "second 300");
    for _ in 0..4 {
        assert_eq!(t.silence(), unknown(nobody), "it begins no scale-in itself");
    }
    assert_eq!(t.pass(100), inn(1, 100, 1), "15 s after the last reading");
    for _ in 0..5 {
        assert_eq!(t.silence(), unknown(nobody));
    }
    assert_eq!(t.pass(100), not_stable(333), "18 s: the window begins anew");
}

#[test]
fn what_was_enough_before_an_unknown_pass_is_not_said_to_be_enough() {
    let mut t = Timeline::settled(target("100"), 2, 200);
    assert_eq!(t.pass(200).reason.code(), "enough");
    assert_eq!(t.silence(), unknown("none of 2 tasks answered: timed out"));
    let partly = Reason::Enough {
        total: 200,
        needed: 2,
    };
    assert_eq!(t.answers(&[Some(100), None]), hold(partly), "as far as is known");
}

#[test]
fn who_did_not_answer_may_be_the_busiest() {
    let mut t = Timeline::new(target("100"), 3);
    t.acts = false;
    for _ in 0..150 {
        t.answers(&[Some(1), None, Some(1)]);
    }
    assert_eq!(
        t.answers(&[Some(1), None, Some(1)]),
        unknown("1 of 3 tasks did not answer")
    );
    assert_eq!(t.pass(3), not_stable(453));

    let mut t = Timeline::settled(target("100"), 3, 3);
    t.acts = false;
    assert_eq!(t.pass(3), inn(1, 3, 1));
    for _ in 0..5 {
        assert_eq!(
            t.answers(&[Some(1), None, Some(1)]),
            unknown("1 of 3 tasks did not answer")
        );
    }
    assert_eq!(t.pass(3), not_stable(318), "18 s without the whole truth");
}

#[test]
fn a_high_estimate_is_a_peak_though_it_proves_nothing() {
    let mut t = Timeline::settled(target("100"), 8, 100);
    t.acts = false;
    t.answers(&[Some(75), None, None, None, None, None, None, None]);
    assert_eq!(t.passes(50, 100), inn(6, 600, 6));
}

#[test]
fn a_sample_reckons_with_its_error() {
    let sample: Vec<Result<u64, String>> = (0..100).map(|task| Ok(40 + task % 21)).collect();
    let mut t = Timeline::new(target("100"), 400);
    (t.policy.max, t.acts) = (1000, false);
    let reading = Reading::of(400, &sample);
    let upper = reading
        .as_ref()
        .ok()
        .and_then(Reading::upper_total)
        .expect("a total");
    assert!(
        (20_100..20_700).contains(&upper),
        "{upper} is 2 errors above 19,900 or so"
    );
    for _ in 0..100 {
        t.look(&reading);
    }
    let needed = upper.div_ceil(100) as u32;
    assert_eq!(t.look(&reading), inn(needed, upper, needed));
}

#[test]
fn nobody_looking_for_longer_than_a_gap_begins_the_window_anew() {
    let mut t = Timeline::settled(target("100"), 8, 100);
    t.acts = false;
    t.nobody_looks(12);
    assert_eq!(t.pass(100), inn(1, 100, 1), "15 s");
    t.nobody_looks(13);
    assert_eq!(t.pass(100), not_stable(328), "16 s");
    let mut t = Timeline::settled(target("100"), 8, 100);
    let later = decide(&t.policy, t.counts, &t.window, &t.history, at(313));
    assert_eq!(
        later,
        unknown("the last reading was at 2027-01-15T08:04:57Z"),
        "it ended"
    );
    t.window = Window::default();
    let empty = decide(&t.policy, t.counts, &t.window, &t.history, at(300));
    assert_eq!(empty, unknown("there is no reading yet"));
}
