use std::time::Duration;

use super::*;
use crate::error::Code;
use crate::intent::{Cause, Wake};

/// So many milliseconds after everything began.
fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(1_772_442_000_000 + millis).expect("a moment")
}

fn record(phase: Phase, asked: Option<Timestamp>) -> Record {
    let mut record = Record::unseen(at(0));
    (record.version, record.phase, record.last_wake_at) = (3, phase, asked);
    record
}

fn turn(phase: Phase) -> Turn {
    Turn::made(phase, at(0))
}

/// A look that began at the beginning and took 200 ms, at a group that wakes.
fn look() -> Look {
    Look::of(&turn(Phase::Waking), &looking(), None, at(0), at(200))
}

fn ready(mut look: Look) -> Look {
    look.status.as_mut().expect("a status").ready = true;
    look
}

fn looking() -> Intent {
    Intent::of(Action::Look, Cause::Http)
}

fn waking() -> Intent {
    Intent::of(Action::wake(), Cause::Http)
}

#[test]
fn a_look_may_be_claimed_a_second_after_the_last_one_and_after_five_if_that_was_never_shared() {
    let mut shared = Shared::default();
    assert!(shared.is_free(at(0)), "nobody looks");
    shared.claimed_at = Some(at(0));
    assert!(!shared.is_free(at(4_999)) && shared.is_free(at(5_000)));
    shared.look = Some(look());
    assert!(!shared.is_free(at(999)) && shared.is_free(at(1_000)));
    // One of before ends no claim.
    shared.claimed_at = Some(at(1));
    assert!(!shared.is_free(at(5_000)) && shared.is_free(at(5_001)));
}

#[test]
fn a_wake_is_claimed_once_a_second_and_a_claim_far_ahead_is_a_wrong_clock() {
    assert_eq!(wakes_claimed(at(0)), (at(-999), at(1_000)));
}

#[test]
fn a_wish_to_wake_is_written_unless_the_record_shows_one_of_the_last_fifteen_seconds() {
    let now = at(15_000);
    let is_to_be_written = |phase, asked| is_to_be_written(&waking(), Some(&record(phase, asked)), now);
    for phase in [Phase::Waking, Phase::Awake] {
        assert!(!is_to_be_written(phase, Some(at(1))));
        assert!(is_to_be_written(phase, Some(at(0))));
        assert!(is_to_be_written(phase, None));
    }
    for phase in [Phase::Asleep, Phase::FallingAsleep] {
        assert!(is_to_be_written(phase, Some(now)));
    }
    assert!(super::is_to_be_written(&waking(), None, now));
    assert!(!super::is_to_be_written(&looking(), None, now));
}

#[test]
fn a_look_answers_for_a_second_after_it_ended_and_those_who_came_before_it_began() {
    let record = record(Phase::Waking, None);
    let answers = |came, now| look().answers(Some(&record), &looking(), came, now);
    assert!(answers(at(1), at(1_199)), "it is new");
    assert!(!answers(at(1), at(1_200)));
    assert!(answers(at(0), at(60_000)), "it began when they came");
    let other = Record {
        version: 4,
        ..record.clone()
    };
    assert!(!look().answers(Some(&other), &looking(), at(0), at(200)));
    assert!(!look().answers(None, &looking(), at(0), at(200)));
    let unwritten = Look { version: 0, ..look() };
    assert!(unwritten.answers(None, &looking(), at(0), at(200)));
}

#[test]
fn a_look_tells_nobody_what_was_refused_to_somebody_else() {
    let record = record(Phase::Waking, None);
    let mut refused = look();
    refused.refusal = Some(Error::new(Code::Rejected, "too often today"));
    assert!(!refused.answers(Some(&record), &looking(), at(0), at(200)));
    refused.asked = true;
    assert!(refused.answers(Some(&record), &waking(), at(0), at(200)));
}

#[test]
fn who_wakes_is_answered_by_a_wake_or_where_one_is_written_and_holds() {
    let now = at(200);
    let answers = |look: &Look, phase, asked, intent: &Intent| {
        look.answers(Some(&record(phase, asked)), intent, at(0), now)
    };
    let asked = Look {
        asked: true,
        ..look()
    };
    assert!(
        answers(&asked, Phase::Asleep, None, &waking()),
        "it was asked for with it"
    );
    assert!(answers(&look(), Phase::Waking, Some(now), &waking()));
    assert!(!answers(&look(), Phase::Waking, None, &waking()));
    assert!(
        !answers(&look(), Phase::Waking, Some(at(-14_800)), &waking()),
        "15 s ago"
    );
    assert!(answers(&look(), Phase::Waking, Some(at(-14_799)), &waking()));
    assert!(
        !answers(&look(), Phase::Awake, Some(now), &waking()),
        "it does not answer"
    );
    assert!(answers(&ready(look()), Phase::Awake, Some(now), &waking()));
    assert!(!answers(&ready(look()), Phase::Asleep, Some(now), &waking()));
    assert!(!answers(
        &ready(look()),
        Phase::FallingAsleep,
        Some(now),
        &waking()
    ));
    // Who says how many tasks, or for how long, says more than others did; and so does who asks for something else.
    for wake in [
        Wake {
            desired_count: Some(2),
            ..Wake::default()
        },
        Wake {
            idle_after: Some(Duration::from_secs(60)),
            ..Wake::default()
        },
    ] {
        let more = Intent::of(Action::Wake(wake), Cause::Http);
        assert!(!answers(&asked, Phase::Waking, Some(now), &more));
    }
    let tick = Intent::of(Action::Tick, Cause::Tick);
    assert!(!answers(&asked, Phase::Waking, Some(now), &tick));
}

#[test]
fn an_old_look_will_do_for_half_a_minute_but_leads_nobody_into_the_app() {
    let waiting = record(Phase::Waking, Some(at(20_000)));
    let will_do = |look: Look, record: &Record, intent: &Intent, now| look.will_do(Some(record), intent, now);
    assert!(will_do(look(), &waiting, &looking(), at(30_199)));
    assert!(!will_do(look(), &waiting, &looking(), at(30_200)));
    assert!(!will_do(ready(look()), &waiting, &looking(), at(300)));
    assert!(will_do(look(), &waiting, &waking(), at(30_000)));
    let unasked = record(Phase::Waking, None);
    assert!(!will_do(look(), &unasked, &waking(), at(300)));
    let newer = Record {
        version: 4,
        ..waiting.clone()
    };
    assert!(!will_do(look(), &newer, &looking(), at(300)));
    let error = Error::new(Code::Unavailable, "nobody knows");
    let failed = Look::failed(&error, Some(&waiting), &looking(), None, at(0), at(200));
    assert!(!will_do(failed, &waiting, &looking(), at(300)));
}

#[test]
fn a_later_look_is_shared_again_only_if_it_tells_something_else() {
    let later = Look {
        at: at(300),
        ended_at: at(400),
        ..look()
    };
    assert!(look().tells_the_same(&later));
    assert!(!look().tells_the_same(&ready(look())));
    let newer = Look { version: 4, ..look() };
    assert!(!look().tells_the_same(&newer));
}

#[test]
fn progress_that_was_shown_of_a_wake_never_goes_back_and_is_whole_only_when_ready() {
    let of = |phase, shown: Option<(Generation, f64)>| {
        let earlier = Look { shown, ..look() };
        Look::of(&turn(phase), &waking(), Some(&earlier), at(0), at(200))
    };
    let progress = |look: &Look| look.status.as_ref().expect("a status").progress;
    let this = turn(Phase::Waking).record.generation;
    let half = of(Phase::Waking, Some((this, 0.5)));
    assert_eq!((progress(&half), half.shown), (0.5, Some((this, 0.5))));
    assert!(half.asked && !look().asked);
    assert_eq!(progress(&of(Phase::Waking, Some((this, 1.0)))), 0.99);
    let another = Generation(this.0 + 1);
    assert_eq!(
        progress(&of(Phase::Waking, Some((another, 0.5)))),
        progress(&look())
    );
    let asleep = of(Phase::Asleep, Some((this, 0.5)));
    assert_eq!(
        (progress(&asleep), asleep.shown),
        (progress(&of(Phase::Asleep, None)), None)
    );
}
