//! What the rows of a service's tasks say about use.

use std::time::Duration;

use jiff::Timestamp;

use super::row::Row;
use crate::duration;
use crate::reading::Reading;

/// One reading of the rows of all tasks that run. A live session is use; without any, quiet counts from the last one's
/// end. A task of which nothing was reported has no session.
#[must_use]
pub fn judge<'a>(rows: impl Iterator<Item = &'a Row>, idle_after: Duration, now: Timestamp) -> Reading {
    let mut since = duration::before(now, idle_after);
    for row in rows {
        if row.in_use(now) {
            return Reading::Active(now);
        }
        since = since.max(row.last_change(now).unwrap_or(since));
    }
    Reading::Quiet { since, until: now }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::message::Message;
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a moment")
    }

    fn row(reports: &[(&str, i64)]) -> Row {
        let mut row = Row::default();
        for (event, second) in reports {
            let message = json!({"task_arn": "arn:aws:ecs:us-east-1:123456789012:task/dev/1", "session_id": "s",
                "event": event, "at": second * 1000});
            row.apply(&Message::parse(&message).expect("a message"));
        }
        row
    }

    #[test]
    fn a_live_session_of_any_task_is_use_and_its_end_begins_the_quiet() {
        let judge = |rows: &[Row]| judge(rows.iter(), Duration::from_secs(600), at(6000));
        let quiet = |since| Reading::Quiet {
            since: at(since),
            until: at(6000),
        };
        let ended = row(&[("started", 100), ("ended", 5900)]);
        assert_eq!(
            judge(&[ended.clone(), row(&[("started", 200)])]),
            Reading::Active(at(6000))
        );
        assert_eq!(judge(std::slice::from_ref(&ended)), quiet(5900));
        assert_eq!(judge(&[row(&[("ended", 100)])]), quiet(5400));
        assert_eq!(judge(&[]), quiet(5400), "nothing was reported");
    }
}
