//! A service whose address wakes it sleeps and wakes, while clients ask for the address twenty times a second, and something
//! goes wrong at every call. Whoever asks is answered by the app or by the wake function, and by nobody else.

use dormouse_core::front::{DoorId, Forward};
use dormouse_core::intent::Action;
use dormouse_core::record::Phase;
use fargate_sim::model::{Action as Does, ActionKind, Condition, CreateRule, CreateTargetGroup, RequestLine};

use crate::account::{Account, Act, Call, When};
use crate::scene::{BALANCED, Scene};
use crate::sim::seconds;

const COUNT: u32 = 3;

/// An awake group behind a listener's default action and a rule, both of which its owner made sticky.
fn fronted() -> Account {
    let scene = Scene {
        tasks: COUNT,
        ..BALANCED
    };
    let account = scene.account();
    let doors = account.all_doors();
    let (listener, door) = doors.first_key_value().expect("the listener");
    let app = door.forward.shares[0].target_group.clone();
    {
        let mut clock = account.clock.borrow_mut();
        let now = clock.now;
        let world = &mut clock.world;
        world.config.rule_propagation = seconds(2);
        world.config.stick_to_weight_zero = true;
        let input = CreateTargetGroup {
            name: "dormouse-wake".into(),
            target_type: Some("lambda".into()),
            ..CreateTargetGroup::default()
        };
        let wake = world
            .create_target_group(input)
            .expect("a target group")
            .arn
            .clone();
        let function = "arn:aws:lambda:eu-west-1:123456789012:function:wake";
        world.register_function(&wake, function).expect("a function");
        *account.front.wake.borrow_mut() = wake;
        let mut action = Does::forward(app);
        if let ActionKind::Forward(forward) = &mut action.kind {
            forward.sticky_seconds = Some(3600);
        }
        world
            .modify_listener(now, &listener.0, vec![action.clone()])
            .expect("ModifyListener");
        let rule = CreateRule {
            listener: listener.0.clone(),
            priority: 10,
            conditions: vec![
                Condition::Host(vec!["*.example.com".into()]),
                Condition::Path(vec!["/reports/*".into()]),
            ],
            actions: vec![action],
            tags: Vec::new(),
        };
        world.create_rule(now, rule).expect("a rule");
    }
    let request = |host: &str, path: &str| {
        let request = RequestLine {
            host: host.into(),
            path: path.into(),
            ..RequestLine::default()
        };
        (listener.0.clone(), request)
    };
    let clients = [request("anything", "/"), request("dev.example.com", "/reports/7")];
    account.front.clients.borrow_mut().extend(clients);
    account.set_settings(|settings| settings.front = true);
    account.pass(seconds(5));
    account.trace.borrow_mut().clear();
    account
}

fn forwards(account: &Account) -> Vec<(DoorId, Forward)> {
    let doors = account.all_doors().into_iter();
    doors.map(|(id, door)| (id, door.forward)).collect()
}

/// Lets time pass, with a tick each minute, until something is so, for ten minutes at most.
fn ticks_until(account: &Account, done: impl Fn(&Account) -> bool) {
    for _ in 0..10 {
        if done(account) {
            return;
        }
        account.pass(seconds(60));
        account.disturbed_intent(Action::Tick);
    }
    if !done(account) {
        account.fail(&format!("{:?} for ever", account.record().phase));
    }
}

fn sleep(account: &Account) {
    for _ in 0..5 {
        // Whoever asked and has no answer, or sees that it came to nothing, asks again.
        if account.record().phase == Phase::Awake {
            account.disturbed_intent(Action::Sleep);
            account.pass(seconds(5));
        }
        ticks_until(account, |account| {
            matches!(account.record().phase, Phase::Asleep | Phase::Awake)
        });
    }
    ticks_until(account, |account| {
        account.record().phase == Phase::Asleep && account.desired() == 0
    });
}

fn wake(account: &Account) {
    for _ in 0..5 {
        if account.record().phase == Phase::Asleep {
            account.disturbed_intent(Action::wake());
        }
    }
    // The page asks every few seconds.
    for _ in 0..60 {
        account.pass(seconds(5));
        account.disturbed_intent(Action::Look);
        if account.record().phase == Phase::Awake {
            break;
        }
    }
    ticks_until(account, |account| account.record().phase == Phase::Awake);
}

fn sleep_and_wake(account: &Account) {
    sleep(account);
    wake(account);
}

fn must_be_as_before(account: &Account, owners: &[(DoorId, Forward)]) {
    let (now, record) = (forwards(account), account.record());
    if now != owners || !record.front.doors.is_empty() || account.desired() != COUNT {
        account.fail(&format!(
            "{} tasks, {now:?}, {:?}",
            account.desired(),
            record.front
        ));
    }
}

/// The calls of a sleep and a wake that nothing disturbs.
fn moments() -> Vec<Call> {
    let account = fronted();
    let owners = forwards(&account);
    sleep_and_wake(&account);
    must_be_as_before(&account, &owners);
    account.calls()
}

/// The issue's own number.
#[test]
fn two_hundred_times_it_sleeps_and_wakes_and_every_client_is_answered() {
    let account = fronted();
    let owners = forwards(&account);
    for cycle in 0..200 {
        account.trace.borrow_mut().clear();
        account.note(&format!("-- cycle {cycle}"));
        sleep(&account);
        let (_, before) = account.front.answered.get();
        account.pass(seconds(30));
        let (_, after) = account.front.answered.get();
        assert!(
            after - before >= 2 * 20 * 30,
            "asleep the wake function answers: {}",
            after - before
        );
        wake(&account);
        must_be_as_before(&account, &owners);
        account.pass(seconds(30));
    }
    let (app, wake) = account.front.answered.get();
    println!("200 cycles, {app} answers of the app, {wake} of the wake function");
    assert!(app > 200 * 20 * 30 && wake > 200 * 20 * 30);
}

/// The function dies at each of its calls in turn, and the ticks heal it.
#[test]
fn the_function_may_die_at_any_call() {
    for moment in moments() {
        let account = fronted();
        let owners = forwards(&account);
        account.note(&format!("-- dies at {moment:?}"));
        account.plan_for(move |call| *call == moment, Act::Die);
        sleep_and_wake(&account);
        assert!(!account.is_planned(), "until then, every run is the same");
        must_be_as_before(&account, &owners);
        // And once more, with nothing in its way.
        sleep_and_wake(&account);
        must_be_as_before(&account, &owners);
    }
}

/// Each call in turn fails, or works and seems to have failed.
#[test]
fn any_call_may_fail() {
    for moment in moments() {
        let account = fronted();
        let owners = forwards(&account);
        account.note(&format!("-- fails at {moment:?}"));
        account.plan_for(move |call| *call == moment, Act::Fail);
        sleep_and_wake(&account);
        must_be_as_before(&account, &owners);
    }
}

/// The function dies at one call, and at the next one like it.
#[test]
fn a_function_may_die_again_where_it_died() {
    for port in ["doors", "lead", "prove", "post", "save_record", "set_desired"] {
        for when in [When::Before, When::After] {
            let account = fronted();
            let owners = forwards(&account);
            for _ in 0..3 {
                account.plan_for(move |call| call.port == port && call.when == when, Act::Die);
            }
            for _ in 0..3 {
                sleep_and_wake(&account);
            }
            must_be_as_before(&account, &owners);
        }
    }
}

/// A visitor comes at each call of a sleep in turn.
#[test]
fn a_wake_may_come_at_any_moment_of_a_sleep() {
    let account = fronted();
    sleep(&account);
    for moment in account.calls() {
        let account = fronted();
        let owners = forwards(&account);
        account.note(&format!("-- a wake at {moment:?}"));
        account.plan_for(
            move |call| *call == moment,
            Act::run(|account| account.wake(None)),
        );
        account.disturbed_intent(Action::Sleep);
        for _ in 0..6 {
            account.pass(seconds(5));
            account.disturbed_intent(Action::Look);
        }
        account.wake(None);
        ticks_until(&account, |account| {
            account.record().phase == Phase::Awake && account.desired() == COUNT
        });
        ticks_until(&account, |account| account.record().front.doors.is_empty());
        must_be_as_before(&account, &owners);
    }
}

/// Somebody asks for sleep at each call of a wake in turn.
#[test]
fn a_sleep_may_come_at_any_moment_of_a_wake() {
    let begin = || {
        let account = fronted();
        let owners = forwards(&account);
        sleep(&account);
        (account, owners)
    };
    let (account, _) = begin();
    let before = account.calls().len();
    wake(&account);
    for moment in account.calls().split_off(before) {
        let (account, owners) = begin();
        account.note(&format!("-- a sleep at {moment:?}"));
        let sleep =
            |account: &Account| drop(account.intent(Action::Sleep, dormouse_core::intent::Cause::Direct));
        account.plan_for(move |call| *call == moment, Act::run(sleep));
        account.disturbed_intent(Action::wake());
        for _ in 0..30 {
            account.pass(seconds(5));
            account.disturbed_intent(Action::Look);
        }
        wake(&account);
        ticks_until(&account, |account| account.record().front.doors.is_empty());
        must_be_as_before(&account, &owners);
    }
}

/// Its owner takes the tag away at whatever moment: the rules end as they were.
#[test]
fn without_its_tag_every_rule_ends_as_its_owner_made_it() {
    for moment in moments() {
        let account = fronted();
        let owners = forwards(&account);
        account.note(&format!("-- loses its tag at {moment:?}"));
        let untag = |account: &Account| {
            // Who takes the address away from a sleeping app is answered by nobody.
            account.front.clients.borrow_mut().clear();
            account.set_settings(|settings| settings.front = false);
        };
        account.plan_for(move |call| *call == moment, Act::run(untag));
        sleep_and_wake(&account);
        ticks_until(&account, |account| account.record().front.doors.is_empty());
        assert_eq!(forwards(&account), owners);
    }
}

/// The test would notice: a rule that leads to an app that sleeps is answered by nobody.
#[test]
#[should_panic(expected = "is answered by NoTarget")]
fn a_rule_that_somebody_puts_back_is_a_hole_until_the_next_tick() {
    let account = fronted();
    let owners = forwards(&account);
    sleep(&account);
    for (door, forward) in &owners {
        account.owner_leads(door, forward);
    }
    account.pass(seconds(5));
}

/// And the next tick closes it.
#[test]
fn a_rule_that_somebody_puts_back_is_led_away_at_the_next_tick() {
    let account = fronted();
    let owners = forwards(&account);
    sleep(&account);
    account.pass(seconds(60));
    account.disturbed_intent(Action::Tick);
    let clients = account.front.clients.take();
    for (door, forward) in &owners {
        account.owner_leads(door, forward);
    }
    account.pass(seconds(50));
    account.disturbed_intent(Action::Tick);
    account.pass(seconds(3));
    account.front.clients.replace(clients);
    account.pass(seconds(60));
    wake(&account);
    must_be_as_before(&account, &owners);
}
