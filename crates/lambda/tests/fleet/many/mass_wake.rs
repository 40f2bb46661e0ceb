//! All groups are woken at once: their calls stand in line for the one bucket that all of them share.

use std::collections::BTreeMap;
use std::time::Duration;

use dormouse_core::duration;
use dormouse_core::ids::ServiceId;
use dormouse_core::ports::Clock;
use dormouse_core::quota::{PATIENCE, Priority, Tokens};
use dormouse_core::record::Phase;
use fargate_sim::model::Millis;
use futures_util::future::{join, join_all, join3};
use serde_json::json;

use crate::calls;
use crate::fleet::{Fleet, Invocation, MINUTE, Shape};

use super::{THOUSAND, assert_all_is_well, lengths};

/// Without optimizations fewer must do.
const GROUPS: usize = if cfg!(debug_assertions) { 300 } else { 1_000 };

const ASLEEP: Shape = Shape {
    services: 3 * GROUPS,
    ..THOUSAND
};

/// What ECS's bucket allows: 50 calls at once, and then one every 200 ms.
fn allowed(calls: usize) -> Duration {
    Duration::from_millis(200) * u32::try_from(calls.saturating_sub(50)).expect("a count")
}

/// Calls wait for 20 s; what the bucket gives from then on until it is full is taken by the next tick, and what it would have
/// given until that one comes is lost once, however many groups there are. 5 % of what 1,000 groups of three take.
const LATER: Duration = Duration::from_millis(29_500);

/// So many groups a tick can find awake: whether their tasks answer takes closer looks, within half of ECS's read bucket.
const FOUND_AWAKE: usize = 90;

/// The ticks that it takes to begin all wakes, and then to find all awake.
fn minutes() -> u32 {
    let begin = allowed(ASLEEP.services).as_secs() / 60 + 3;
    u32::try_from(begin).expect("minutes") + u32::try_from(GROUPS / FOUND_AWAKE).expect("minutes")
}

/// How long after a moment the last service was started, and what it took.
fn assert_as_fast_as_the_bucket(
    fleet: &Fleet,
    title: &str,
    begun: Millis,
    ticks: &[Invocation],
    later: Duration,
) {
    println!("{}", calls::table(title, &fleet.calls_of(ticks)));
    let shared = fleet.cloud.shared();
    let last = shared.updates.iter().map(|(at, _)| *at).max().expect("a call");
    let (took, allowed) = (
        last.since(begun).as_secs_f64(),
        allowed(fleet.shape.services).as_secs_f64(),
    );
    println!(
        "{title}: {} services are started after {took:.1} s, where the bucket allows {allowed:.1} s ({:+.1} %); ticks of \
         {:?} s; {} calls are throttled, {:?}",
        fleet.shape.services,
        100.0 * (took / allowed - 1.0),
        lengths(ticks),
        shared.calls.throttled(),
        shared.calls.throttled_operations(),
    );
    assert!(took < allowed + later.as_secs_f64(), "{took}");
    assert_eq!(shared.calls.throttled_operations().get("UpdateService"), None);
    let mut updates = BTreeMap::new();
    for (_, body) in &shared.updates {
        let count = body["desiredCount"].as_u64();
        *updates.entry(body["service"].to_string()).or_insert(0) += 1;
        assert_eq!(count, Some(1), "{body}");
    }
    assert_eq!(updates.len(), fleet.shape.services, "each is started");
    assert!(updates.values().all(|calls| *calls == 1), "once");
    drop(shared);
    for number in 0..fleet.groups() {
        let record = fleet.stored(number).record.expect("a record");
        assert_eq!(record.phase, Phase::Awake, "group {number}");
        assert!(record.services.values().all(|service| service.failure.is_none()));
    }
}

#[test]
fn hours_that_begin_for_all_groups_start_them_as_fast_as_the_bucket_allows() {
    let fleet = Fleet::open(Shape {
        tags: &[("awake", "00:00-24:00 UTC")],
        ..ASLEEP
    });
    let begun = fleet.cloud.time.now();
    let ticks = fleet.run(fleet.ticks(minutes()));
    assert_all_is_well(&ticks);
    assert_eq!(fleet.cloud.shared().calls.throttled(), 0);
    assert_as_fast_as_the_bucket(
        &fleet,
        "hours begin for all groups",
        begun,
        &ticks,
        allowed(ASLEEP.services) / 20,
    );
}

impl Fleet {
    /// A direct call that wakes a group.
    async fn wake(&self, number: usize) -> Invocation {
        let group = self.shape.group(number * self.shape.together);
        let event = json!({"action": "wake", "group": group});
        self.invocation(async |id| wake::handle(self, &self.config, event, id).await)
            .await
    }

    /// Somebody wakes all groups at the same moment, so long after a tick.
    async fn woken(&self, after: Duration) -> (Millis, Vec<Invocation>, Vec<Invocation>) {
        let begun = self.cloud.time.now() + after;
        let wakes = async {
            self.cloud.time.until(begun).await;
            join_all((0..self.groups()).map(|number| self.wake(number))).await
        };
        let (wakes, ticks) = join(wakes, self.ticks(minutes() + 1)).await;
        (begun, wakes, ticks)
    }
}

/// All are called at the same moment.
fn all_at_once(title: &str, after: Duration) {
    let fleet = Fleet::open(ASLEEP);
    let (begun, wakes, ticks) = fleet.run(fleet.woken(after));
    let mut unseen = 0;
    for wake in &wakes {
        assert!(wake.length() < Duration::from_secs(29), "{:?}", wake.length());
        assert_eq!(wake.answer["outcome"], "waking", "{}", wake.answer);
        let errors = wake.answer["errors"].to_string();
        assert!(!errors.contains("UpdateService"), "{errors}");
        unseen += usize::from(errors.contains("DescribeServices"));
    }
    // The wake is written down all the same.
    println!(
        "{title}: ECS lets {unseen} of {} calls not look, of which each says so",
        wakes.len()
    );
    assert_all_is_well(&ticks);
    assert_as_fast_as_the_bucket(&fleet, title, begun, &ticks, LATER);
}

#[test]
fn calls_for_all_groups_just_after_a_tick_start_them_as_fast_as_the_bucket_allows() {
    all_at_once("all are called just after a tick", Duration::from_secs(3));
}

#[test]
fn calls_for_all_groups_long_after_a_tick_start_them_as_fast_as_the_bucket_allows() {
    all_at_once("all are called 40 s after a tick", Duration::from_secs(40));
}

#[test]
fn others_get_their_turn_while_all_groups_are_woken() {
    let fleet = Fleet::open(Shape {
        tags: &[("awake", "00:00-24:00 UTC")],
        ..ASLEEP
    });
    let begun = fleet.cloud.time.now();
    let last = fleet.groups() - 1;
    let person = async {
        fleet.cloud.time.until(begun + Duration::from_secs(15)).await;
        let asked = fleet.cloud.time.now();
        fleet.wake(last).await;
        asked
    };
    let scale_out = async {
        fleet.cloud.time.until(begun + Duration::from_secs(20)).await;
        let began = fleet.now();
        let mut tokens = Tokens::none(duration::after(began, PATIENCE));
        let what = ServiceId::new("cluster", "other");
        let held = tokens.hold(&fleet, Priority::ScaleOut, 1, &what).await;
        (held, duration::between(began, fleet.now()))
    };
    let (ticks, asked, (held, waited)) = fleet.run(join3(fleet.ticks(1), person, scale_out));
    assert_all_is_well(&ticks);
    held.expect("a token");
    println!(
        "a scale-out waits {:.1} s while all groups are woken",
        waited.as_secs_f64()
    );
    assert!(waited < Duration::from_secs(25), "{waited:?}");
    let shared = fleet.cloud.shared();
    let theirs =
        (last * fleet.shape.together..fleet.shape.services).map(|number| fleet.shape.key(number).name);
    for name in theirs {
        let update = shared
            .updates
            .iter()
            .find(|(_, body)| body["service"] == name.as_str());
        let (at, _) = update.unwrap_or_else(|| panic!("{name} is not started"));
        println!(
            "{name} is started {:.1} s after somebody asked for it",
            at.since(asked).as_secs_f64()
        );
        assert!(at.since(asked) < Duration::from_secs(25), "{at:?}");
    }
    assert_eq!(shared.calls.throttled(), 0);
    assert!(shared.calls.within(begun..begun + MINUTE).count("UpdateService") > 200);
}
