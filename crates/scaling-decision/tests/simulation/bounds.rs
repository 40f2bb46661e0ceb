//! A service that Application Auto Scaling scales sleeps and wakes, with something going wrong at every call.

use dormouse_core::intent::Action;
use dormouse_core::record::Phase;
use dormouse_core::scalable::{Bounds, Suspended};

use crate::account::{Account, Act, Call, When, web};
use crate::scene::{ALONE, Scene};
use crate::sim::{minutes, seconds};

/// The count of the service, within its bounds.
const COUNT: u32 = 4;

/// What an owner may have suspended: nothing, something or everything.
fn owners() -> Vec<Suspended> {
    let state = |n: u8| Suspended {
        dynamic_in: n & 1 != 0,
        dynamic_out: n & 2 != 0,
        scheduled: n & 4 != 0,
    };
    (0..8).map(state).collect()
}

fn bounds(suspended: Suspended) -> Bounds {
    Bounds {
        min: 2,
        max: 6,
        suspended,
    }
}

/// Awake, without sessions.
fn scaled(suspended: Suspended) -> Account {
    let scene = Scene {
        tasks: COUNT,
        ..ALONE
    };
    let account = scene.account();
    account.scale_by_policy(&web(), bounds(suspended));
    account.trace.borrow_mut().clear();
    account
}

/// Lets time pass, with a tick each minute. At no moment the service has a count that nobody asked for.
fn ticks(account: &Account, n: u32) {
    for _ in 0..n {
        for _ in 0..12 {
            account.pass(seconds(5));
            if ![0, COUNT].contains(&account.desired()) {
                account.fail(&format!("a count of {}", account.desired()));
            }
        }
        account.disturbed_intent(Action::Tick);
    }
}

fn sleep(account: &Account) {
    account.disturbed_intent(Action::Sleep);
    ticks(account, 2);
    if account.record().phase == Phase::Awake {
        // Whoever asked has no answer, and asks again.
        account.disturbed_intent(Action::Sleep);
    }
    ticks(account, 3);
}

fn wake(account: &Account) {
    account.disturbed_intent(Action::wake());
    if account.record().phase == Phase::Asleep {
        account.disturbed_intent(Action::wake());
    }
    ticks(account, 5);
}

fn must_sleep(account: &Account) {
    let is_held = account.target(&web()).is_some_and(|target| target.is_held());
    let phase = account.record().phase;
    if (phase, account.desired(), is_held) != (Phase::Asleep, 0, true) {
        account.fail(&format!("{phase:?}, suspended: {is_held}"));
    }
    // However long it sleeps.
    account.pass(minutes(600));
    if account.desired() > 0 {
        account.fail("it was scaled out while it slept");
    }
}

fn must_be_as_before(account: &Account, suspended: Suspended) {
    let (target, saved) = (account.target(&web()), account.record().services[&web()].bounds);
    if target != Some(bounds(suspended)) || saved.is_some() || account.desired() != COUNT {
        account.fail(&format!("{} tasks, {target:?}, {saved:?}", account.desired()));
    }
}

/// The calls of a sleep and a wake that nothing disturbs.
fn moments(suspended: Suspended, run: impl Fn(&Account)) -> Vec<Call> {
    let account = scaled(suspended);
    run(&account);
    must_be_as_before(&account, suspended);
    account.calls()
}

fn sleep_and_wake(account: &Account) {
    sleep(account);
    must_sleep(account);
    wake(account);
}

#[test]
fn a_service_sleeps_and_is_scaled_again_as_before() {
    for suspended in owners() {
        let calls = moments(suspended, sleep_and_wake);
        let suspends = calls.iter().filter(|call| call.port == "suspend");
        let changes = if suspended == Suspended::ALL { 0 } else { 2 };
        assert_eq!(
            suspends.filter(|call| call.when == When::Before).count(),
            changes,
            "{suspended:?}"
        );
        let asked = calls
            .iter()
            .filter(|call| call.port == "bounds" && call.when == When::Before);
        assert!(asked.count() <= 3, "most looks do not ask: {suspended:?}");
    }
}

/// The function dies at each of its calls in turn, and the ticks heal it.
#[test]
fn the_function_may_die_at_any_call() {
    for suspended in owners() {
        for moment in moments(suspended, sleep_and_wake) {
            let account = scaled(suspended);
            account.note(&format!("-- dies at {moment:?}"));
            account.plan_for(move |call| *call == moment, Act::Die);
            sleep_and_wake(&account);
            assert!(!account.is_planned(), "until then, every run is the same");
            must_be_as_before(&account, suspended);
        }
    }
}

/// Each call in turn fails, or works and seems to have failed.
#[test]
fn any_call_may_fail() {
    let suspended = Suspended::default();
    for moment in moments(suspended, sleep_and_wake) {
        let account = scaled(suspended);
        account.note(&format!("-- fails at {moment:?}"));
        account.plan_for(move |call| *call == moment, Act::Fail);
        sleep_and_wake(&account);
        must_be_as_before(&account, suspended);
    }
}

/// The function dies twice: at one call, and at the next one like it.
#[test]
fn a_function_may_die_again_where_it_died() {
    let suspended = Suspended {
        dynamic_in: true,
        ..Suspended::default()
    };
    for (port, when) in [
        ("bounds", When::After),
        ("save_record", When::After),
        ("suspend", When::Before),
        ("suspend", When::After),
        ("set_desired", When::Before),
        ("set_desired", When::After),
    ] {
        let account = scaled(suspended);
        for _ in 0..2 {
            account.plan_for(move |call| call.port == port && call.when == when, Act::Die);
        }
        sleep(&account);
        sleep(&account);
        must_sleep(&account);
        wake(&account);
        must_be_as_before(&account, suspended);
    }
}

/// A wake comes at each call of a sleep in turn, and is looked at before the sleep goes on: what lands late is given back.
#[test]
fn a_wake_may_come_at_any_moment_of_a_sleep() {
    let suspended = Suspended::default();
    let sleep = |account: &Account| account.disturbed_intent(Action::Sleep);
    let account = scaled(suspended);
    sleep(&account);
    for moment in account.calls() {
        let account = scaled(suspended);
        account.note(&format!("-- a wake at {moment:?}"));
        let wake = |account: &Account| {
            account.wake(None);
            for _ in 0..2 {
                account.pass(seconds(5));
                account.idle_tick();
            }
        };
        account.plan_for(move |call| *call == moment, Act::run(wake));
        sleep(&account);
        assert!(!account.is_planned(), "until then, every run is the same");
        account.wake(None);
        ticks(&account, 6);
        must_be_as_before(&account, suspended);
    }
}

/// A sleep comes at each call of a wake and the ticks after it.
#[test]
fn a_sleep_may_come_at_any_moment_of_a_wake() {
    let suspended = Suspended::default();
    let begin = || {
        let account = scaled(suspended);
        sleep(&account);
        must_sleep(&account);
        account
    };
    let account = begin();
    let before = account.calls().len();
    wake(&account);
    for moment in account.calls().split_off(before) {
        let account = begin();
        account.note(&format!("-- a sleep at {moment:?}"));
        let sleep =
            |account: &Account| drop(account.intent(Action::Sleep, dormouse_core::intent::Cause::Direct));
        account.plan_for(move |call| *call == moment, Act::run(sleep));
        wake(&account);
        assert!(!account.is_planned(), "until then, every run is the same");
        account.wake(None);
        ticks(&account, 6);
        must_be_as_before(&account, suspended);
    }
}

/// What an owner changes while the service sleeps is theirs.
#[test]
fn limits_that_change_during_the_sleep_stay_changed() {
    let account = scaled(Suspended::default());
    sleep(&account);
    let theirs = Bounds {
        min: 0,
        max: 9,
        suspended: Suspended::ALL,
    };
    account.scale_by_policy(&web(), theirs);
    wake(&account);
    let resumed = Bounds {
        suspended: Suspended::default(),
        ..theirs
    };
    assert_eq!(
        (account.target(&web()), account.desired()),
        (Some(resumed), COUNT)
    );
}
