//! What is kept of decisions, and what is not.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::decide::{Effect, decide};
use crate::error::{Code, Error};
use crate::intent::{Action, Intent, Wake};
use crate::observation::{Health, TaskAddress};
use crate::observation::{Observation, Seen, ServiceState, TaskStage, TaskState};
use crate::reading::Reading;
use crate::record::Record;
use crate::scaling::connections::reading::Sample;
use crate::scaling::reason::Reason;
use crate::scaling::record::Change;
use crate::settings::{Defaults, GroupSettings, ServiceSettings, Signals};

/// A group of one service that remembers its record between decisions. Idle after 10 minutes, grace 5 minutes.
struct Story {
    settings: GroupSettings,
    record: Record,
    seen: Observation,
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).expect("a moment")
}

fn web() -> ServiceId {
    ServiceId::new("dev", "web")
}

fn dev() -> GroupName {
    GroupName::parse("dev").expect("a name")
}

fn running(count: u32) -> Seen {
    let task = |number: u32| TaskState {
        id: number.to_string(),
        stage: TaskStage::Running,
        health: Some(Health::Healthy),
        targets: Vec::new(),
        probe: None,
        address: TaskAddress::Unknown,
        private: None,
        times: Default::default(),
    };
    Seen::Known(ServiceState {
        desired: count,
        running: count,
        tasks: (0..count).map(task).collect(),
        ..ServiceState::default()
    })
}

impl Story {
    fn asleep(signals: Signals) -> Self {
        let defaults = Defaults {
            idle_after: Duration::from_secs(600),
            signals,
            ..Defaults::default()
        };
        let settings = GroupSettings {
            wake_timeout: defaults.wake_timeout,
            ..GroupSettings::of(&dev(), vec![ServiceSettings::of(web(), &defaults)])
        };
        let record = Record::unseen(at(0));
        let seen = Observation {
            bounds: Some(BTreeMap::from([(web(), Ok(None))])),
            ..Observation::default()
        };
        let mut story = Self {
            settings,
            record,
            seen,
        };
        story.sees(running(0));
        story
    }

    /// Woken at 0, awake since 30.
    fn awake(signals: Signals, count: u32) -> Self {
        let mut story = Self::asleep(signals);
        story.takes(0, Action::wake(), Cause::Http, None);
        story.sees(running(count));
        story.takes(30, Action::Look, Cause::Http, None);
        assert_eq!(story.record.phase, Phase::Awake);
        story
    }

    fn sees(&mut self, seen: Seen) {
        self.seen.services.insert(web(), seen);
    }

    fn reads(&mut self, signal: Signal, reading: Reading) {
        self.seen.readings = vec![(web(), signal, reading)];
    }

    fn takes(&mut self, second: i64, action: Action, cause: Cause, by: Option<&str>) -> Option<Entry> {
        let intent = Intent::of(action, cause).by(by.map(str::to_owned));
        let mut decision = decide(&self.settings, &self.record, &self.seen, &intent, at(second));
        let entry = note(
            &dev(),
            &self.record,
            &mut decision,
            &self.seen,
            &intent,
            at(second),
        );
        assert!(
            entry.is_none() || decision.record != self.record,
            "what is kept is written with a record that changed"
        );
        self.record = decision.record;
        entry
    }

    fn tick(&mut self, second: i64) -> Option<Entry> {
        self.takes(second, Action::Tick, Cause::Tick, None)
    }
}

fn phase(from: Phase, to: Phase) -> What {
    What::Phase { from, to }
}

fn code(entry: Option<Entry>) -> Option<String> {
    entry.map(|entry| entry.reason)
}

#[test]
fn a_wake_is_kept_with_who_asked_and_the_counts_that_it_sets() {
    let mut story = Story::asleep(Signals::FixedTimer);
    let entry = story.takes(0, Action::wake(), Cause::Http, Some("198.51.100.23"));
    let entry = entry.expect("an entry");
    assert_eq!(
        serde_json::to_value(&entry).expect("JSON"),
        json!({
            "at": "2027-01-15T08:00:00Z", "group": "dev", "generation": 1, "cause": "http", "by": "198.51.100.23",
            "what": "phase", "from": "asleep", "to": "waking",
            "reason": "wake-asked", "detail": "somebody asked for it",
            "counts": [{"service": "dev/web", "from": 0, "to": 1}],
        })
    );
    let again: Entry = serde_json::from_value(serde_json::to_value(&entry).expect("JSON")).expect("an entry");
    assert_eq!(again, entry);
}

#[test]
fn becoming_ready_has_the_cause_of_the_wake_and_not_of_whoever_saw_it() {
    let mut story = Story::asleep(Signals::FixedTimer);
    story.takes(0, Action::wake(), Cause::Alarm, Some("alarm"));
    story.sees(running(1));
    let entry = story.takes(30, Action::wake(), Cause::Http, Some("198.51.100.23"));
    let entry = entry.expect("an entry");
    assert_eq!(
        (entry.what, entry.reason.as_str(), entry.cause, entry.by),
        (
            phase(Phase::Waking, Phase::Awake),
            "became-ready",
            Cause::Alarm,
            None
        )
    );
}

#[test]
fn a_sleep_is_kept_with_what_the_signals_said_and_its_end_with_its_reason() {
    let mut story = Story::awake(Signals::Listed([Signal::Cpu].into()), 2);
    story.reads(
        Signal::Cpu,
        Reading::Quiet {
            since: at(0),
            until: at(3600),
        },
    );
    let entry = story.tick(3600).expect("an entry");
    assert_eq!(entry.what, phase(Phase::Awake, Phase::FallingAsleep));
    assert_eq!((entry.reason.as_str(), entry.cause), ("idle", Cause::Tick));
    let said = &entry.readings[0];
    assert_eq!(
        (said.signal, said.service.clone(), said.reading.as_str()),
        (
            Signal::Cpu,
            web(),
            "quiet from 2027-01-15T08:00:00Z to 2027-01-15T09:00:00Z"
        )
    );
    assert_eq!((entry.counts[0].from, entry.counts[0].to), (Some(2), 0));
    story.sees(running(0));
    let entry = story.takes(3660, Action::Look, Cause::Http, Some("198.51.100.23"));
    let entry = entry.expect("an entry");
    assert_eq!(
        (entry.what, entry.reason.as_str(), entry.cause, entry.by),
        (
            phase(Phase::FallingAsleep, Phase::Asleep),
            "idle",
            Cause::Tick,
            None
        )
    );
}

#[test]
fn what_others_did_is_theirs_whoever_found_out() {
    let mut story = Story::awake(Signals::FixedTimer, 2);
    story.sees(running(0));
    let entry = story.takes(1000, Action::Tick, Cause::Tick, Some("nobody"));
    let entry = entry.expect("an entry");
    assert_eq!(
        (entry.what, entry.reason.as_str(), entry.cause, entry.by),
        (
            phase(Phase::Awake, Phase::Asleep),
            "put-to-sleep-outside",
            Cause::Outside,
            None
        )
    );
    story.sees(running(3));
    let entry = story.takes(2000, Action::wake(), Cause::Http, Some("198.51.100.23"));
    let entry = entry.expect("an entry");
    assert_eq!(
        (entry.what, entry.reason.as_str(), entry.cause, entry.by),
        (
            phase(Phase::Asleep, Phase::Awake),
            "woken-outside",
            Cause::Outside,
            None
        )
    );
}

#[test]
fn a_refusal_is_told_once_for_each_kind_and_again_after_a_change() {
    let mut story = Story::awake(Signals::Listed([Signal::Cpu].into()), 1);
    assert_eq!(code(story.tick(60)).as_deref(), Some("grace"));
    assert_eq!(story.tick(120), None, "the same kind");
    let entry = story.tick(400).expect("another kind");
    assert_eq!(
        (entry.reason.as_str(), entry.what),
        ("asked-recently", What::Refused { phase: Phase::Awake })
    );
    story.reads(Signal::Cpu, Reading::Active(at(900)));
    let entry = story.tick(960).expect("another kind");
    assert_eq!(
        (entry.reason.as_str(), entry.readings[0].reading.as_str()),
        ("in-use", "use at 2027-01-15T08:15:00Z")
    );
    assert_eq!(story.tick(1020), None);
    story.takes(1100, Action::Sleep, Cause::Direct, Some("Ada"));
    story.sees(running(0));
    story.tick(1160);
    story.takes(1200, Action::wake(), Cause::Http, None);
    story.sees(running(1));
    story.tick(1230);
    assert_eq!(
        code(story.tick(1290)).as_deref(),
        Some("grace"),
        "the phase has changed"
    );
}

#[test]
fn use_by_another_signal_is_another_kind() {
    let mut story = Story::awake(Signals::Listed([Signal::Cpu, Signal::Requests].into()), 1);
    let quiet = Reading::Quiet {
        since: at(0),
        until: at(960),
    };
    let used = Reading::Active(at(900));
    story.seen.readings = vec![
        (web(), Signal::Requests, used.clone()),
        (web(), Signal::Cpu, quiet.clone()),
    ];
    assert_eq!(code(story.tick(960)).as_deref(), Some("in-use"));
    story.seen.readings = vec![(web(), Signal::Requests, quiet), (web(), Signal::Cpu, used)];
    assert_eq!(code(story.tick(961)).as_deref(), Some("in-use"));
    assert_eq!(story.tick(962), None);
}

#[test]
fn a_sleep_that_somebody_asked_for_and_did_not_get_is_kept_with_who_asked() {
    let mut story = Story::awake(Signals::FixedTimer, 1);
    story.sees(Seen::Unknown(Error::new(Code::Throttled, "slow down")));
    let entry = story.takes(60, Action::Sleep, Cause::Direct, Some("Ada"));
    let entry = entry.expect("an entry");
    assert_eq!(
        (entry.reason.as_str(), entry.by.as_deref(), entry.what),
        ("unobserved", Some("Ada"), What::Refused { phase: Phase::Awake })
    );
}

#[test]
fn finding_a_group_where_it_should_be_is_not_worth_an_entry() {
    let mut story = Story::asleep(Signals::FixedTimer);
    assert_eq!(story.tick(0), None);
    assert_eq!(story.takes(1, Action::Sleep, Cause::Direct, Some("Ada")), None);
    story.takes(2, Action::wake(), Cause::Http, None);
    assert_eq!(story.takes(4, Action::wake(), Cause::Http, None), None);
    assert_eq!(story.tick(6), None);
    story.sees(running(1));
    story.tick(30);
    assert_eq!(story.takes(31, Action::wake(), Cause::Http, None), None);
    let timer = Action::Timer {
        generation: Generation(7),
    };
    assert_eq!(
        story.takes(1000, timer, Cause::SleepTimer, None),
        None,
        "superseded"
    );
}

#[test]
fn an_update_that_is_repeated_changes_nothing_and_another_count_does() {
    let mut story = Story::asleep(Signals::FixedTimer);
    story.takes(0, Action::wake(), Cause::Http, None);
    let intent = Intent::of(Action::wake(), Cause::Http);
    let again = decide(&story.settings, &story.record, &story.seen, &intent, at(20));
    assert!(
        matches!(again.effects[..], [Effect::SetDesired { .. }]),
        "{again:?}"
    );
    assert_eq!(story.takes(20, Action::wake(), Cause::Http, None), None);
    story.sees(running(1));
    story.takes(30, Action::Look, Cause::Http, None);
    let three = Action::Wake(Wake {
        desired_count: Some(3),
        ..Wake::default()
    });
    let entry = story.takes(60, three, Cause::Pipeline, Some("job"));
    let entry = entry.expect("an entry");
    assert_eq!(entry.what, phase(Phase::Awake, Phase::Awake));
    assert_eq!(
        (entry.counts[0].from, entry.counts[0].to, entry.by.as_deref()),
        (Some(1), 3, Some("job"))
    );
}

#[test]
fn keeping_it_awake_is_kept_with_its_end() {
    let mut story = Story::awake(Signals::FixedTimer, 1);
    let until = at(7200);
    let entry = story.takes(60, Action::KeepAwake { until }, Cause::Direct, Some("Ada"));
    let entry = entry.expect("an entry");
    assert_eq!(
        (entry.what, entry.override_until),
        (phase(Phase::Awake, Phase::Awake), Some(until))
    );
    assert_eq!(code(story.tick(3600)).as_deref(), Some("kept-awake"));
}

#[test]
fn an_entry_stays_small_whatever_it_is_told() {
    let mut story = Story::awake(Signals::FixedTimer, 1);
    let unknown = Reading::Unknown("x".repeat(100_000));
    story.seen.readings = vec![(web(), Signal::Cpu, unknown); 600];
    let name = "y".repeat(100_000);
    let entry = story.takes(60, Action::Sleep, Cause::Alarm, Some(&name));
    let size = serde_json::to_string(&entry).expect("JSON").len();
    assert!(size < 100_000, "{size}");
}

fn change(second: i64) -> Change {
    Change {
        at: at(second),
        from: 2,
        to: 4,
        reason: Reason::TargetAbove {
            total: 310,
            target: 100,
            wanted: 4,
        },
        reading: Some(Sample {
            total: 310,
            sampled_tasks: 2,
            total_tasks: 2,
            avg: 155.0,
            standard_error: Some(0.0),
        }),
    }
}

#[test]
fn a_change_by_scaling_has_its_counts_reason_and_reading() {
    let entry = Entry::of_change(&dev(), Generation(3), &web(), &change(0));
    assert_eq!(
        serde_json::to_value(&entry).expect("JSON"),
        json!({
            "at": "2027-01-15T08:00:00Z", "group": "dev", "generation": 3, "cause": "scaling",
            "what": "count", "service": "dev/web", "from": 2, "to": 4,
            "reason": "target-above",
            "detail": "310 connections: with at most 100 per task they need 4 tasks",
            "readings": [{
                "signal": "connections", "service": "dev/web",
                "reading": "310 connections, 155 per task; 2 of 2 tasks answered",
            }],
        })
    );
    let again: Entry = serde_json::from_value(serde_json::to_value(&entry).expect("JSON")).expect("an entry");
    assert_eq!(again, entry);
}

#[test]
fn entries_are_kept_in_the_order_of_their_moments_for_thirty_days() {
    let mut entry = Entry::of_change(&dev(), Generation(3), &web(), &change(0));
    assert_eq!(
        entry.key(7),
        "2027-01-15T08:00:00.000Z#dev/web",
        "the same each time"
    );
    entry.what = What::Refused { phase: Phase::Awake };
    assert_eq!(entry.key(7), "2027-01-15T08:00:00.000Z#00000000000000000007");
    assert!(entry.key(9) < entry.key(10));
    let (at_7, delete_at) = (entry.key(7), entry.delete_at());
    assert_eq!(delete_at.to_string(), "2027-02-14T08:00:00Z");
    entry.at = Timestamp::from_millisecond(1_800_000_000_250).expect("a moment");
    assert!(at_7 < entry.key(1));
}

#[test]
fn a_page_says_where_the_next_one_begins_until_there_is_none() {
    let row = |second: i64| {
        let entry = Entry::of_change(&dev(), Generation(3), &web(), &change(second));
        let key = entry.key(0);
        Row { key, entry }
    };
    let page = Page::of(vec![row(9), row(5), row(1)], 2);
    assert_eq!(page.entries.len(), 2);
    let next = page.next.expect("there are more");
    assert_eq!(next, "2027-01-15T08:00:05.000Z~dev/web");
    let cursor = Cursor::parse(&next).expect("a cursor");
    assert_eq!(cursor.to_string(), next);
    let (oldest, end) = Cursor::range(Some(&cursor), at(9)).expect("a range");
    assert_eq!(end, row(5).key);
    assert!(oldest < row(1).key && row(1).key < end);
    assert_eq!(Page::of(vec![row(1)], 1).next, None);
    let a_month_later = at(30 * 24 * 3600 + 6);
    assert_eq!(Cursor::range(Some(&cursor), a_month_later), None);
    let (oldest, end) = Cursor::range(None, a_month_later).expect("a range");
    assert!(oldest > row(5).key && end > row(30 * 24 * 3600).key);
}

#[test]
fn a_cursor_is_what_a_page_said_and_nothing_else() {
    for bad in [
        "",
        "~",
        "yesterday~1",
        "2027-01-15T08:00:00Z",
        "2027-01-15T08:00:00Z~",
        "2027-01-15T08:00:00Z~\n",
    ] {
        assert_eq!(Cursor::parse(bad), None, "{bad:?}");
    }
}

#[test]
fn what_would_be_done_in_observe_mode_is_kept_once_for_as_long_as_it_would_be() {
    let mut story = Story::awake(Signals::FixedTimer, 2);
    story.settings.services[0].mode = crate::settings::Mode::Observe;
    let entry = story.tick(700).expect("an entry");
    let would = What::Would {
        from: Phase::Awake,
        to: Phase::FallingAsleep,
    };
    assert_eq!((entry.what, entry.reason.as_str()), (would, "fixed-time-over"));
    assert_eq!(
        entry.counts,
        [Count {
            service: web(),
            from: Some(2),
            to: 0
        }]
    );
    assert_eq!((story.tick(760), story.tick(820)), (None, None));
}

#[test]
fn overrides_are_kept_with_their_end_and_the_refusals_that_follow() {
    let mut story = Story::awake(Signals::FixedTimer, 1);
    let kept = story.takes(
        100,
        Action::KeepAsleep { until: at(7200) },
        Cause::Direct,
        Some("Ada"),
    );
    let kept = kept.expect("an entry");
    assert_eq!(
        (kept.override_until, kept.by.as_deref()),
        (Some(at(7200)), Some("Ada"))
    );
    story.sees(running(0));
    story.tick(160);
    let refused = story
        .takes(200, Action::wake(), Cause::Http, Some("198.51.100.23"))
        .expect("an entry");
    assert_eq!(refused.what, What::Refused { phase: Phase::Asleep });
    assert_eq!(
        (refused.reason.as_str(), refused.by.as_deref()),
        ("kept-asleep", Some("198.51.100.23"))
    );
    assert_eq!(
        story.takes(210, Action::wake(), Cause::Http, None),
        None,
        "the first of its kind"
    );
}

#[test]
fn a_count_that_somebody_else_changed_is_kept_as_theirs() {
    let mut story = Story::awake(Signals::Listed([Signal::Requests].into()), 2);
    story.sees(running(5));
    let entry = story.tick(60).expect("an entry");
    assert_eq!(
        (entry.cause, entry.reason.as_str()),
        (Cause::Outside, "counts-changed-outside")
    );
    assert_eq!(
        entry.counts,
        [Count {
            service: web(),
            from: Some(2),
            to: 5
        }]
    );
}
