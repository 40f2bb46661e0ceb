//! Sessions told as stories: what came, when it happened, and what the row makes of it. Moments are seconds; the
//! looks are after `NOW`, and so are the messages.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Message, REMEMBERED, Row};

const NOW: i64 = 1_800_000_000;
const HOUR: i64 = 3600;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(NOW + second).expect("a moment")
}

fn message(second: i64, fields: Value) -> Message {
    let mut message = fields;
    message["task_arn"] = json!("arn:aws:ecs:eu-west-1:123456789012:task/dev/a");
    message["at"] = json!((NOW + second) * 1000);
    Message::parse(&message).expect("a message")
}

fn session(event: &str, second: i64) -> Message {
    message(second, json!({"session_id": "s", "event": event}))
}

fn numbered(event: &str, sequence: u64, second: i64) -> Message {
    message(
        second,
        json!({"session_id": "s", "event": event, "sequence": sequence}),
    )
}

fn short(event: &str, second: i64, ttl: u64) -> Message {
    message(
        second,
        json!({"session_id": "s", "event": event, "ttl_seconds": ttl}),
    )
}

fn count(n: u32, second: i64) -> Message {
    message(second, json!({ "active_sessions": n }))
}

fn row(messages: &[Message]) -> Row {
    let mut row = Row::default();
    for message in messages {
        row.apply(message);
    }
    row
}

#[test]
fn a_session_is_live_from_its_start_to_its_end() {
    let mut row = row(&[session("started", 0)]);
    assert_eq!((row.live(at(9999)), row.in_use(at(9999))), (1, true));
    assert_eq!(row.last_change(at(9999)), Some(at(0)));
    assert!(row.apply(&session("ended", 60)));
    assert_eq!((row.live(at(60)), row.in_use(at(60))), (0, false));
    assert_eq!(row.last_change(at(9999)), Some(at(60)));
}

#[test]
fn a_row_that_heard_nothing_knows_of_no_use() {
    let row = Row::default();
    assert!(!row.in_use(at(0)));
    assert_eq!(row.last_change(at(0)), None);
}

#[test]
fn a_late_start_does_not_raise_the_dead() {
    let mut unnumbered = row(&[session("ended", 60)]);
    assert!(!unnumbered.apply(&session("started", 0)));
    assert!(!unnumbered.in_use(at(60)));

    let mut numbers = row(&[numbered("ended", 2, 60)]);
    assert!(
        !numbers.apply(&numbered("heartbeat", 1, 90)),
        "the number decides"
    );
    assert!(!numbers.in_use(at(90)));
}

#[test]
fn a_newer_start_or_heartbeat_revives() {
    for event in ["started", "heartbeat"] {
        assert!(row(&[session("ended", 60), session(event, 61)]).in_use(at(61)));
        assert!(row(&[numbered("ended", 2, 60), numbered(event, 3, 0)]).in_use(at(60)));
    }
}

#[test]
fn an_end_wins_a_tie_and_a_number_wins_over_none() {
    for event in ["started", "heartbeat"] {
        for [one, other] in [["ended", event], [event, "ended"]] {
            assert!(!row(&[session(one, 0), session(other, 0)]).in_use(at(0)));
            assert!(!row(&[numbered(one, 1, 0), numbered(other, 1, 0)]).in_use(at(0)));
        }
    }
    assert!(row(&[numbered("started", 0, 0), session("ended", 60)]).in_use(at(60)));
}

#[test]
fn without_a_time_to_live_a_session_never_expires() {
    assert!(row(&[session("started", 0)]).in_use(Timestamp::MAX));
}

#[test]
fn a_time_to_live_runs_out_by_the_clock_and_a_heartbeat_renews_it() {
    let mut row = row(&[short("started", 0, 60)]);
    assert!(row.in_use(at(59)));
    assert_eq!(row.last_change(at(59)), Some(at(0)));
    assert!(!row.in_use(at(60)));
    assert_eq!(row.last_change(at(90)), Some(at(60)));

    assert!(row.apply(&short("heartbeat", 50, 60)));
    assert!(row.in_use(at(109)));
    assert!(!row.in_use(at(110)));
    assert!(row.apply(&session("heartbeat", 51)));
    assert!(row.in_use(at(9999)), "the newest report has no time to live");
}

#[test]
fn of_two_times_to_live_at_once_the_longer_one_counts() {
    let mut row = row(&[short("started", 0, 60)]);
    assert!(!row.apply(&short("started", 0, 30)));
    assert!(row.apply(&short("started", 0, 90)));
    assert!(row.apply(&session("started", 0)), "for ever is the longest");
    assert!(!row.apply(&short("started", 0, 31_622_400)));
}

#[test]
fn the_end_of_a_session_has_no_time_to_live() {
    assert_eq!(row(&[short("ended", 0, 60)]), row(&[session("ended", 0)]));
}

#[test]
fn a_task_is_in_use_if_either_style_says_so() {
    let ended = session("ended", 60);
    assert!(row(&[ended.clone(), count(3, 0)]).in_use(at(60)));
    assert!(row(&[session("started", 0), count(0, 60)]).in_use(at(60)));
    let row = row(&[ended, count(3, 0), count(0, 90)]);
    assert!(!row.in_use(at(90)));
    assert_eq!(row.last_change(at(100)), Some(at(90)));
}

#[test]
fn the_newest_count_stays_and_the_larger_one_in_a_tie() {
    assert!(!row(&[count(0, 60), count(3, 0)]).in_use(at(60)));
    assert!(row(&[count(0, 60), count(1, 60)]).in_use(at(60)));
}

#[test]
fn sessions_end_with_their_task() {
    let mut row = row(&[session("started", 0), count(3, 0)]);
    assert!(row.end(at(100)));
    assert_eq!(
        (row.live(at(50)), row.in_use(at(50))),
        (0, false),
        "whatever the clock"
    );
    assert_eq!(row.last_change(at(200)), Some(at(100)));

    assert!(row.apply(&session("heartbeat", 150)));
    assert!(!row.in_use(at(150)));
    assert_eq!(row.last_change(at(200)), Some(at(100)));
}

#[test]
fn a_task_stops_once() {
    let mut row = Row::default();
    assert!(row.end(at(100)));
    assert!(!row.end(at(100)));
    assert!(!row.end(at(101)));
    assert!(row.end(at(99)));
    assert_eq!(row.ended_at, Some(at(99)));
    assert_eq!(row.last_change(at(200)), None, "it was never used");
}

#[test]
fn an_app_whose_clock_is_an_hour_ahead_ends_its_sessions_all_the_same() {
    let row = row(&[session("started", HOUR), session("ended", HOUR + 60)]);
    assert!(!row.in_use(at(60)));
    assert_eq!(row.last_change(at(60)), Some(at(60)), "never after now");
}

#[test]
fn an_app_whose_clock_is_an_hour_slow_keeps_its_sessions() {
    let row = row(&[session("started", -HOUR), count(2, -HOUR)]);
    assert!(row.in_use(at(0)));
    assert_eq!(row.last_change(at(0)), Some(at(-HOUR)));
}

#[test]
fn numbers_hold_when_the_clock_jumps_by_an_hour() {
    let messages = [
        numbered("started", 1, 0),
        numbered("heartbeat", 2, HOUR),
        numbered("ended", 3, 10),
    ];
    assert!(!row(&messages).in_use(at(HOUR)));
}

#[test]
fn an_hour_of_skew_and_a_day_in_the_queue_do_not_raise_the_dead() {
    // The app's clock is an hour slow: it all happened at second 0.
    let mut row = row(&[session("ended", -HOUR)]);
    let day_later = at(24 * HOUR);
    row.prune(day_later);
    assert!(!row.apply(&session("started", -HOUR)));
    assert!(!row.in_use(day_later));
}

#[test]
fn what_is_long_over_is_dropped_and_its_quiet_still_counts() {
    let remembered = i64::try_from(REMEMBERED.as_secs()).expect("hours");
    for mut row in [row(&[session("ended", 60)]), row(&[short("started", 0, 60)])] {
        let before = row.clone();
        row.prune(at(60 + remembered));
        assert_eq!(row, before, "no longer than remembered");

        row.prune(at(61 + remembered));
        assert!(row.sessions.is_empty());
        assert_eq!(row.last_change(at(61 + remembered)), Some(at(60)));
    }
}

#[test]
fn what_is_live_is_never_dropped() {
    let year = 366 * 24 * HOUR;
    let mut row = row(&[
        session("started", 0),
        message(
            0,
            json!({"session_id": "t", "event": "started", "ttl_seconds": year}),
        ),
        count(0, 0),
    ]);
    let before = row.clone();
    row.prune(at(year - 1));
    assert_eq!(row, before);
}

#[test]
fn the_sessions_of_a_stopped_task_are_dropped_too() {
    let mut row = row(&[session("started", 0)]);
    row.end(at(60));
    row.prune(at(1000 * HOUR));
    assert!(row.sessions.is_empty());
    assert_eq!(row.ended_at, Some(at(60)));
}

#[test]
fn a_row_is_stored_as_json_and_read_back() {
    let mut row = row(&[
        numbered("started", u64::MAX, 0),
        message(
            1,
            json!({"session_id": "é\"", "event": "ended", "ttl_seconds": 9}),
        ),
        message(
            2,
            json!({"session_id": "t", "event": "started", "ttl_seconds": 60}),
        ),
        count(7, 3),
    ]);
    row.end(at(4));
    let body = serde_json::to_value(&row).expect("JSON");
    assert_eq!(
        body,
        json!({
            "sessions": {
                "s": {"order": {"sequence": u64::MAX, "at": "2027-01-15T08:00:00Z"}, "ended": false},
                "t": {
                    "order": {"at": "2027-01-15T08:00:02Z"},
                    "ended": false,
                    "expires_at": "2027-01-15T08:01:02Z",
                },
                "é\"": {"order": {"at": "2027-01-15T08:00:01Z"}, "ended": true},
            },
            "count": {"order": {"at": "2027-01-15T08:00:03Z"}, "n": 7},
            "ended_at": "2027-01-15T08:00:04Z",
        })
    );
    assert_eq!(serde_json::from_value::<Row>(body).ok(), Some(row));
}

#[test]
fn a_body_without_sessions_is_corrupt_and_not_a_row_without_use() {
    assert!(serde_json::from_str::<Row>("{}").is_err());
}

#[test]
fn a_row_of_a_busy_task_stays_small_and_forgets_no_live_session() {
    let mut row = Row::default();
    let report = |n: u32, event: &str, second: i64| {
        let message = serde_json::json!({"task_arn": "arn:aws:ecs:us-east-1:123456789012:task/dev/1",
            "session_id": format!("s{n}"), "event": event, "at": second * 1000});
        Message::parse(&message).expect("a message")
    };
    for n in 0..5000 {
        let event = if n % 100 == 0 { "started" } else { "ended" };
        row.apply(&report(n, event, i64::from(n)));
    }
    let now = Timestamp::from_second(5000).expect("a moment");
    let before = (row.live(now), row.last_change(now));
    row.prune(now);
    assert_eq!(row.sessions.len(), super::MOST);
    assert_eq!((row.live(now), row.last_change(now)), before);
    assert_eq!(row.live(now), 50);
    let size = serde_json::to_string(&row).expect("JSON").len();
    assert!(size < 300_000, "{size} bytes");
    let small = row.clone();
    row.prune(now);
    assert_eq!(row, small, "and is then left alone");
}
