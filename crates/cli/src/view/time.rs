//! Moments and how long ago they are.

use std::time::Duration;

use dormouse_core::duration;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

/// Now, and the zone of the person who reads.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    /// Now.
    pub(crate) now: Timestamp,
    /// The zone.
    pub(crate) zone: TimeZone,
}

impl Reader {
    /// A moment by the reader's clock, and how far away it is: `09:48 (12 min ago)`, with the date unless it is today.
    pub(crate) fn moment(&self, at: Timestamp) -> String {
        let local = self.zone.to_datetime(at);
        let today = self.zone.to_datetime(self.now).date() == local.date();
        let form = if today { "%H:%M" } else { "%Y-%m-%d %H:%M" };
        format!("{} ({})", local.strftime(form), self.away(at))
    }

    /// The moment in a field; none if there is none, and as it stands if it is no moment.
    pub(crate) fn field(&self, object: &Value, field: &str) -> Option<String> {
        let text = super::text(object, field)?;
        Some(
            text.parse()
                .map_or_else(|_| text.to_owned(), |at| self.moment(at)),
        )
    }

    fn away(&self, at: Timestamp) -> String {
        if at > self.now {
            format!("in {}", rough(duration::between(self.now, at)))
        } else {
            format!("{} ago", rough(duration::between(at, self.now)))
        }
    }
}

/// A duration in its largest fitting unit, rounded down.
pub(crate) fn rough(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

/// Seconds that tasks did not run, as hours of one task.
pub(crate) fn task_hours(seconds: f64) -> String {
    let hours = seconds / 3600.0;
    if hours < 10.0 {
        format!("{hours:.1} task-hours")
    } else {
        format!("{hours:.0} task-hours")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_by_the_readers_clock_and_by_its_distance() {
        let reader = Reader {
            now: "2027-01-15T11:00:00Z".parse().expect("now"),
            zone: TimeZone::get("Europe/Warsaw").expect("a zone"),
        };
        for (at, expected) in [
            ("2027-01-15T11:00:00Z", "12:00 (0 s ago)"),
            ("2027-01-15T10:48:00Z", "11:48 (12 min ago)"),
            ("2027-01-15T12:59:00Z", "13:59 (in 119 min)"),
            ("2027-01-14T23:30:00Z", "00:30 (11 h ago)"),
            ("2027-01-14T22:30:00Z", "2027-01-14 23:30 (12 h ago)"),
            ("2027-02-01T11:00:00Z", "2027-02-01 12:00 (in 17 days)"),
        ] {
            assert_eq!(reader.moment(at.parse().expect("a moment")), expected);
        }
    }

    #[test]
    fn savings_are_hours_of_tasks() {
        assert_eq!(task_hours(1800.0), "0.5 task-hours");
        assert_eq!(task_hours(360_000.0), "100 task-hours");
    }
}
