use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::ids::GroupName;

const WAKE: &str = "wake";

fn forward(shares: &[(&str, u32)], sticky_seconds: Option<u32>) -> Forward {
    Forward::weighted(shares.iter().copied(), sticky_seconds)
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_share_goes_to_the_wake_function_and_its_target_group_stays_with_weight_0() {
    let original = forward(&[("app", 80), ("other", 20)], Some(60));
    let away = original.away(&set(&["app"]), WAKE);
    assert_eq!(away, forward(&[("app", 0), ("other", 20), (WAKE, 80)], None));
    assert_eq!(away.away(&set(&["app"]), WAKE), away);
    assert_eq!(away.back(&original, &set(&["app"]), WAKE), original);
}

#[test]
fn a_door_that_sends_nothing_to_the_app_is_left_alone() {
    let original = forward(&[("app", 0), ("other", 1)], None);
    assert_eq!(original.away(&set(&["app"]), WAKE), original);
}

#[test]
fn two_groups_share_a_door_and_each_takes_back_its_own_share() {
    let original = forward(&[("a", 70), ("b", 30)], None);
    let a_away = original.away(&set(&["a"]), WAKE);
    let both_away = a_away.away(&set(&["b"]), WAKE);
    assert_eq!(both_away, forward(&[("a", 0), ("b", 0), (WAKE, 100)], None));
    // The second one remembers what it found, with the first one away.
    let a_back = both_away.back(&original, &set(&["a"]), WAKE);
    assert!(a_back.is_as(&original.away(&set(&["b"]), WAKE)));
    assert!(a_back.back(&a_away, &set(&["b"]), WAKE).is_as(&original));
    let b_back = both_away.back(&a_away, &set(&["b"]), WAKE);
    assert!(b_back.is_as(&a_away));
    assert!(b_back.back(&original, &set(&["a"]), WAKE).is_as(&original));
}

fn place(priority: Option<u32>, conditions: Vec<Condition>) -> Place {
    Place {
        host: "lb.example".to_owned(),
        tls: false,
        port: 80,
        priority,
        conditions,
        authenticates: false,
    }
}

fn asked<'a>(host: &'a str, path: &'a str, header: &'a dyn Fn(&str) -> Option<String>) -> Asked<'a> {
    Asked {
        port: 80,
        method: "GET",
        host,
        path,
        query: vec![("tab", "open")],
        header,
        source: Some([10, 1, 2, 3].into()),
    }
}

fn values(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

#[test]
fn conditions_are_judged_as_the_load_balancer_does() {
    let header = |name: &str| (name.eq_ignore_ascii_case("x-team")).then(|| "Blue".to_owned());
    let asked = asked("Dev.Example.com", "/api/v1", &header);
    let query = |key: Option<&str>, value: &str| {
        Condition::Query(vec![QueryPair {
            key: key.map(str::to_owned),
            value: value.to_owned(),
        }])
    };
    let team = |value: &str| Condition::Header {
        name: "X-Team".to_owned(),
        values: values(&[value]),
    };
    for (condition, takes) in [
        (Condition::Host(values(&["x.example.com", "*.EXAMPLE.com"])), true),
        (Condition::Host(values(&["example.com"])), false),
        (Condition::Path(values(&["/api/*"])), true),
        (Condition::Path(values(&["/API/*"])), false),
        (Condition::Path(values(&["/api/v?"])), true),
        (team("bl*"), true),
        (team("red"), false),
        (Condition::Method(values(&["POST", "GET"])), true),
        (Condition::Method(values(&["POST"])), false),
        (query(Some("TAB"), "op*"), true),
        (query(None, "open"), true),
        (query(Some("other"), "open"), false),
        (Condition::Source(values(&["10.0.0.0/8"])), true),
        (Condition::Source(values(&["10.1.2.3/32"])), true),
        (Condition::Source(values(&["0.0.0.0/0"])), true),
        (Condition::Source(values(&["10.2.0.0/16", "::/0"])), false),
        (Condition::Other("regex".to_owned()), true),
    ] {
        assert_eq!(condition.takes(&asked), takes, "{condition:?}");
    }
}

#[test]
fn a_request_came_through_the_first_rule_that_takes_it() {
    let door = |name: &str, priority, conditions, wake: &str| Posted {
        door: DoorId(name.to_owned()),
        group: GroupName::parse(name).expect("a name"),
        wake: wake.to_owned(),
        place: place(priority, conditions),
        at: jiff::Timestamp::UNIX_EPOCH,
        left_at: None,
    };
    let api = || vec![Condition::Path(values(&["/api/*"]))];
    let mut doors = vec![
        door("default", None, vec![], WAKE),
        door("elsewhere", Some(1), api(), "another"),
        door("late", Some(20), api(), WAKE),
        door("early", Some(10), api(), WAKE),
    ];
    fn none(_: &str) -> Option<String> {
        None
    }
    let found = |doors: &[Posted], path: &str| {
        find(doors, WAKE, &asked("lb.example", path, &none)).map(|door| door.door.0.clone())
    };
    assert_eq!(found(&doors, "/api/x").as_deref(), Some("early"));
    assert_eq!(found(&doors, "/").as_deref(), Some("default"));
    doors[3].left_at = Some(jiff::Timestamp::UNIX_EPOCH);
    assert_eq!(
        found(&doors, "/api/x").as_deref(),
        Some("early"),
        "no rule behind it gets what it takes"
    );
    let mut moved = doors[3].clone();
    moved.group = GroupName::parse("moved").expect("a name");
    moved.at = jiff::Timestamp::MAX;
    moved.left_at = None;
    doors[3].left_at = None;
    doors.push(moved);
    let none: &dyn Fn(&str) -> Option<String> = &|_| None;
    let whose = find(&doors, WAKE, &asked("lb.example", "/api/x", none)).map(|door| door.group.as_str());
    assert_eq!(whose, Some("moved"), "of two words on a rule the last one counts");
    doors.pop();
    let other_port = Asked {
        port: 8080,
        ..asked("lb.example", "/", &none)
    };
    assert_eq!(find(&doors, WAKE, &other_port), None);
}

#[test]
fn a_sample_comes_through_its_door() {
    let door = place(
        Some(5),
        vec![
            Condition::Host(values(&["*.dev.example.com"])),
            Condition::Path(values(&["/api/v?/*"])),
            Condition::Header {
                name: "x-team".to_owned(),
                values: values(&["blue*"]),
            },
            Condition::Method(values(&["POST"])),
            Condition::Query(vec![QueryPair {
                key: Some("a".to_owned()),
                value: "b*".to_owned(),
            }]),
        ],
    );
    let sample = door.sample("word").expect("a sample");
    assert_eq!(
        (
            sample.host.as_str(),
            sample.target.as_str(),
            sample.method.as_str()
        ),
        ("word.dev.example.com", "/api/vd/word?a=bword", "POST")
    );
    let header = |name: &str| {
        sample
            .headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.clone())
    };
    let (path, query) = sample.target.split_once('?').expect("a query");
    let asked = Asked {
        method: &sample.method,
        query: vec![query.split_once('=').expect("a pair")],
        ..asked(&sample.host, path, &header)
    };
    assert!(door.takes(&asked));
    let closed = place(Some(1), vec![Condition::Source(values(&["10.0.0.0/8"]))]);
    assert!(
        closed
            .sample("word")
            .expect_err("cannot be met")
            .contains("10.0.0.0/8")
    );
}

/// The matcher in its plainest form.
fn plainly(pattern: &[char], text: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('*', rest)) => (0..=text.len()).any(|taken| plainly(rest, &text[taken..])),
        Some((wanted, rest)) => text
            .split_first()
            .is_some_and(|(found, others)| (*wanted == '?' || wanted == found) && plainly(rest, others)),
    }
}

fn forwards() -> impl Strategy<Value = Forward> {
    let shares = proptest::collection::vec(0..200_u32, 1..4);
    (shares, proptest::option::of(1..600_u32)).prop_map(|(weights, sticky_seconds)| Forward {
        shares: weights
            .iter()
            .enumerate()
            .map(|(index, weight)| Share {
                target_group: format!("tg{index}"),
                weight: *weight,
            })
            .collect(),
        sticky_seconds,
    })
}

proptest! {
    #[test]
    fn patterns_match_as_in_their_plainest_form(pattern in "[ab*?]{0,8}", text in "[ab]{0,8}") {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        prop_assert_eq!(matches_pattern(&pattern, &text), plainly(&chars(&pattern), &chars(&text)));
    }

    #[test]
    fn whatever_is_led_away_comes_back_exactly(original in forwards(), which in proptest::collection::btree_set(0..4_usize, 0..4)) {
        let mine: BTreeSet<String> = which.iter().map(|index| format!("tg{index}")).collect();
        let away = original.away(&mine, WAKE);
        prop_assert!(mine.iter().all(|target_group| !away.leads_to(target_group)));
        prop_assert!(original.shares.iter().all(|share| away.weight(&share.target_group).is_some()), "all are still checked");
        let total = |forward: &Forward| forward.shares.iter().map(|share| share.weight).sum::<u32>();
        prop_assert_eq!(total(&away), total(&original), "nobody else gets more or less");
        prop_assert_eq!(away.back(&original, &mine, WAKE), original);
    }
}

#[test]
fn an_address_is_in_a_block_by_its_first_bits() {
    let takes = |block: &str, address: &str| {
        let header = |_: &str| None;
        let asked = Asked {
            source: Some(address.parse().expect("an address")),
            ..asked("app.example.com", "/", &header)
        };
        Condition::Source(values(&[block])).takes(&asked)
    };
    for (block, address, is_in) in [
        ("10.1.2.3/32", "10.1.2.3", true),
        ("10.1.2.3/32", "10.1.2.2", false),
        ("10.0.0.0/33", "10.0.0.0", false),
        ("2001:db8::/32", "2001:db8:1::1", true),
        ("2001:db8::/32", "2001:db9::1", false),
        ("2001:db8::1/128", "2001:db8::1", true),
        ("2001:db8::1/128", "2001:db8::2", false),
        ("2001:db8::/129", "2001:db8::", false),
        ("::/0", "2001:db8::1", true),
    ] {
        assert_eq!(takes(block, address), is_in, "{block} {address}");
    }
}

#[test]
fn a_door_that_leads_only_to_the_wake_function_and_names_one_of_ours_was_led_away() {
    let ours = set(&["app"]);
    let away = forward(&[("app", 0), (WAKE, 80)], None);
    assert_eq!(away.orphaned(&ours, WAKE), Some(forward(&[("app", 80)], None)));
    let still = forward(&[("app", 0), ("other", 1), (WAKE, 80)], None);
    assert_eq!(still.orphaned(&ours, WAKE), None, "it leads elsewhere too");
    let unused = forward(&[("app", 0), (WAKE, 0)], None);
    assert_eq!(unused.orphaned(&ours, WAKE), None, "it leads nowhere");
    assert_eq!(
        forward(&[("other", 0), (WAKE, 1)], None).orphaned(&ours, WAKE),
        None
    );
}

#[test]
fn what_others_did_to_a_door_is_told_with_its_name() {
    let change = DoorChange {
        door: DoorId("the-rule".to_owned()),
        what: What::Removed,
    };
    assert_eq!(change.to_string(), "the-rule: somebody removed it");
}
