//! More connections, and how soon there are more tasks.

use std::time::Duration;

use dormouse_core::scaling::reason::Reason;

use super::scene::{Asks, BUSY, CALM, Watched};
use super::{must_be_told_once, told};
use crate::sim::{minutes, seconds};

/// The mark to beat.
const MARK: Duration = seconds(6);

/// A spike so long after the beginning of the second minute is answered in time, and told.
fn spike(scene: Watched, after: Duration, load: u64, counts: &[(u32, u32)]) {
    let mut sim = scene.open();
    sim.load_after(minutes(1) + after, load);
    sim.run(minutes(1) + after);
    let begun = sim.account.at();
    sim.run(seconds(25));
    match sim.set_after(begun) {
        Some(took) if took <= MARK => {}
        late => sim
            .account
            .fail(&format!("a spike after {after:?} is answered after {late:?}")),
    }
    assert_eq!(sim.account.counts_set(), counts, "a spike after {after:?}");
    must_be_told_once(&sim);
    let notices = sim.account.notices.borrow();
    for notice in notices.iter() {
        let reading = notice.reading.expect("the reading that it was decided on");
        assert_eq!((reading.total, notice.event), (load, "scaled-out"));
    }
}

#[test]
fn a_spike_at_any_second_is_answered_within_six_seconds() {
    for second in 0..60 {
        spike(CALM, seconds(second), 1900, &[(2, 6), (6, 12), (12, 19)]);
    }
}

/// From one invocation to the next there is a second or two more.
#[test]
fn a_spike_around_the_minute_is_answered_within_six_seconds() {
    for tenth in (540..660).step_by(5) {
        spike(CALM, Duration::from_millis(tenth * 100), 350, &[(2, 4)]);
    }
}

#[test]
fn a_spike_over_a_table_of_steps_is_answered_within_six_seconds() {
    let scene = Watched {
        asks: Asks::Steps("50:2 100:10 300:15 500:20"),
        load: 90,
        ..CALM
    };
    for second in (0..60).step_by(7) {
        spike(scene, seconds(second), 1100, &[(2, 6), (6, 12), (12, 20)]);
    }
}

#[test]
fn slow_calls_of_aws_still_leave_enough_time() {
    for second in (0..60).step_by(4) {
        let mut sim = CALM.open();
        sim.account.latency.set(Duration::from_millis(150));
        sim.load_after(minutes(1) + seconds(second), 350);
        sim.run(minutes(1) + seconds(second));
        let begun = sim.account.at();
        sim.run(seconds(10));
        let took = sim.set_after(begun).expect("an answer");
        assert!(
            took <= MARK,
            "a spike after {second} s is answered after {took:?}"
        );
    }
}

/// One step a pass, each told, none beyond the maximum; and then nothing more, minute after minute.
#[test]
fn a_leap_goes_on_step_by_step_up_to_the_maximum_and_is_told_step_by_step() {
    let mut sim = CALM.open();
    sim.load_after(seconds(70), 1_000_000);
    sim.run(seconds(90));
    assert_eq!(sim.account.counts_set(), [(2, 6), (6, 12), (12, 20)]);
    {
        let updates = sim.account.updates.borrow();
        let pauses = updates.windows(2).map(|two| two[1].0.since(two[0].0));
        assert!(
            pauses.clone().all(|pause| pause <= seconds(4)),
            "{:?}",
            pauses.collect::<Vec<_>>()
        );
    }
    sim.run(minutes(10));
    assert_eq!(told(&sim), [(2, 6), (6, 12), (12, 20)]);
    must_be_told_once(&sim);
    sim.must_be_clean();
    let notices = sim.account.notices.borrow();
    let wanted = Reason::TargetAbove {
        total: 1_000_000,
        target: 100,
        wanted: 10_000,
    };
    assert!(
        notices.iter().all(|notice| notice.reason == wanted),
        "{notices:?}"
    );
}

/// New tasks that do not answer yet have no share in what is known, and are no reason for more of them.
#[test]
fn tasks_that_start_slowly_do_not_double_the_count() {
    for warm_up in [0, 20, 90] {
        for load in [650, 1500] {
            let mut sim = BUSY.open();
            sim.account.apps.warm_up.set(seconds(warm_up));
            sim.account.pass(seconds(60));
            sim.load_after(seconds(75), load);
            sim.run(minutes(8));
            let needed = (load / 100 + u64::from(load % 100 > 0)) as u32;
            if sim.account.desired() != needed {
                sim.account.fail("ho");
            }
            must_be_told_once(&sim);
            sim.must_be_clean();
        }
    }
}

/// A short spike: what it has started stays for the stable window.
#[test]
fn a_spike_of_one_reading_is_answered_once() {
    let mut sim = CALM.open();
    sim.load_after(seconds(70), 350);
    sim.load_after(seconds(74), 150);
    sim.run(minutes(5));
    assert_eq!(sim.account.counts_set(), [(2, 4)]);
    must_be_told_once(&sim);
}
