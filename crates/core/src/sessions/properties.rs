//! What holds for all messages, however they are delivered.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::{Message, REMEMBERED, Report, Row, TaskKey};
use crate::duration;

const NOW: i64 = 1_800_000_000;

fn moment(second: i64) -> Timestamp {
    Timestamp::from_second(NOW + second).expect("a moment")
}

/// Few tasks, sessions, sequences and moments, so that they collide; now and then an app whose clock is an hour off.
fn message() -> impl Strategy<Value = Message> {
    let task = prop_oneof![Just("a"), Just("b")];
    let session = (
        prop_oneof![Just("s"), Just("t")],
        prop_oneof![Just("started"), Just("heartbeat"), Just("ended")],
        proptest::option::of(1u64..4),
    )
        .prop_map(|(id, event, ttl)| json!({"session_id": id, "event": event, "ttl_seconds": ttl}));
    let count = (0u32..3).prop_map(|n| json!({ "active_sessions": n }));
    let report = prop_oneof![3 => session, 1 => count];
    let skew = prop_oneof![8 => Just(0i64), 1 => Just(3600), 1 => Just(-3600)];
    let sequence = proptest::option::of(0u64..3);
    (task, report, 0i64..4, skew, sequence).prop_map(|(task, report, second, skew, sequence)| {
        let mut message: Value = report;
        message["task_arn"] = json!(format!("arn:aws:ecs:eu-west-1:123456789012:task/dev/{task}"));
        message["at"] = json!(moment(second + skew).to_string());
        message["sequence"] = json!(sequence);
        Message::parse(&message).expect("a message")
    })
}

fn messages() -> impl Strategy<Value = Vec<Message>> {
    proptest::collection::vec(message(), 0..16)
}

/// All of these messages, some more than once, in any order.
fn delivery(messages: &[Message]) -> impl Strategy<Value = Vec<Message>> + use<> {
    let messages = messages.to_vec();
    proptest::collection::vec(any::<Index>(), 0..8)
        .prop_map(move |again| {
            let again = again.iter().filter(|_| !messages.is_empty());
            let again: Vec<Message> = again.map(|index| index.get(&messages).clone()).collect();
            [messages.clone(), again].concat()
        })
        .prop_shuffle()
}

/// The same messages, delivered twice.
fn two_deliveries() -> impl Strategy<Value = (Vec<Message>, Vec<Message>)> {
    messages().prop_flat_map(|messages| (delivery(&messages), delivery(&messages)))
}

fn rows(messages: &[Message]) -> BTreeMap<TaskKey, Row> {
    let mut rows: BTreeMap<TaskKey, Row> = BTreeMap::new();
    for message in messages {
        rows.entry(message.task.clone()).or_default().apply(message);
    }
    rows
}

/// One row from all the messages, as if they were about one task.
fn row(messages: &[Message]) -> Row {
    let mut row = Row::default();
    for message in messages {
        row.apply(message);
    }
    row
}

fn sight(row: &Row, now: Timestamp) -> (usize, bool, Option<Timestamp>) {
    (row.live(now), row.in_use(now), row.last_change(now))
}

proptest! {
    #[test]
    fn every_order_and_repetition_makes_the_same_rows((one, other) in two_deliveries()) {
        prop_assert_eq!(rows(&one), rows(&other));
    }

    #[test]
    fn the_stop_of_a_task_may_come_at_any_time(
        (one, other) in two_deliveries(),
        stops in proptest::collection::vec((0i64..4, any::<Index>(), any::<Index>()), 1..4),
    ) {
        let with_stops = |messages: &[Message], place: fn(&(i64, Index, Index)) -> &Index| {
            let mut row = Row::default();
            for n in 0..=messages.len() {
                for stop in stops.iter().filter(|stop| place(stop).index(messages.len() + 1) == n) {
                    row.end(moment(stop.0));
                }
                if let Some(message) = messages.get(n) {
                    row.apply(message);
                }
            }
            row
        };
        let row = with_stops(&one, |stop| &stop.1);
        prop_assert_eq!(&row, &with_stops(&other, |stop| &stop.2));
        prop_assert!(!row.in_use(moment(0)) && row.live(moment(0)) == 0);
    }

    #[test]
    fn a_message_is_news_once_if_ever(messages in messages(), message in message()) {
        let mut row = row(&messages);
        let before = row.clone();
        prop_assert_eq!(row.apply(&message), row != before);
        prop_assert!(!row.apply(&message));
    }

    #[test]
    fn the_newest_report_about_each_session_decides(messages in messages(), look in -1i64..9) {
        let row = row(&messages);
        for (id, session) in &row.sessions {
            let about = |message: &&Message| matches!(&message.report, Report::Session { id: about, .. } if about == id);
            let newest = messages.iter().filter(about).map(|message| message.order).max();
            prop_assert_eq!(Some(session.order), newest);
        }
        let now = moment(look);
        let counted = row.count.is_some_and(|count| count.n > 0);
        prop_assert_eq!(row.in_use(now), row.live(now) > 0 || counted);
        prop_assert!(row.last_change(now).is_none_or(|last| last <= now));
        prop_assert_eq!(row.last_change(now).is_none(), messages.is_empty());
    }

    #[test]
    fn use_is_never_known_to_be_earlier_than_it_was(messages in messages(), first in -1i64..9, later in 0i64..9) {
        let row = row(&messages);
        prop_assert!(row.last_change(moment(first)) <= row.last_change(moment(first + later)));
    }

    #[test]
    fn dropping_what_is_over_changes_nothing_that_is_said(
        messages in messages(),
        stop in proptest::option::of(0i64..4),
        look in -3700i64..3700,
        later in 0i64..9,
    ) {
        let mut row = row(&messages);
        if let Some(stop) = stop {
            row.end(moment(stop));
        }
        let now = duration::after(moment(look), REMEMBERED);
        let mut pruned = row.clone();
        pruned.prune(now);
        for look in [now, duration::after(now, std::time::Duration::from_secs(later.unsigned_abs()))] {
            prop_assert_eq!(sight(&pruned, look), sight(&row, look));
        }
        let once = pruned.clone();
        pruned.prune(now);
        prop_assert_eq!(pruned, once);
    }

    #[test]
    fn dropping_what_is_over_spares_what_may_still_come(old in messages(), new in messages(), look in 0i64..4) {
        let now = duration::after(moment(look), REMEMBERED);
        let by_clock = |message: Message, from: Timestamp| {
            let mut message = message;
            message.order.sequence = None;
            message.order.at = message.order.at.max(from);
            message
        };
        let (horizon, past) = (duration::before(now, REMEMBERED), Timestamp::MIN);
        let old: Vec<Message> = old.into_iter().map(|message| by_clock(message, past)).collect();
        let new: Vec<Message> = new.into_iter().map(|message| by_clock(message, horizon)).collect();
        let mut pruned = row(&old);
        pruned.prune(now);
        let mut whole = row(&old);
        for message in &new {
            pruned.apply(message);
            whole.apply(message);
        }
        prop_assert_eq!(sight(&pruned, now), sight(&whole, now));
    }

    #[test]
    fn a_row_is_read_back_as_it_was_stored(messages in messages()) {
        let row = row(&messages);
        let body = serde_json::to_string(&row).expect("JSON");
        prop_assert_eq!(serde_json::from_str::<Row>(&body).ok(), Some(row));
    }
}
