//! The times of a window: `08:00-18:00`.

use std::fmt;

use jiff::civil::{Date, DateTime, Time};
use jiff::{SignedDuration, Timestamp};

use super::clock::Zone;

/// Minutes of a day on the wall, whichever way clocks change on it.
const DAY: u16 = 24 * 60;

/// From a time of a day to one after it, at most 24 hours later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Times {
    /// Minutes after midnight, less than a day's.
    start: u16,
    /// Minutes after the same midnight, so more than a day's if it is on the next one.
    end: u16,
}

impl Times {
    /// Parses `08:00-18:00`. An end that is not after the start is on the next day.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (start, end) = text.split_once('-')?;
        let (start, end) = (minutes(start)?, minutes(end)?);
        let end = if end <= start { end + DAY } else { end };
        (start < DAY).then_some(Self { start, end })
    }

    /// The moments of the window that starts on a date, the second no longer in it. None lies beyond the end of time.
    pub(super) fn on(self, date: Date, zone: &Zone) -> Option<(Timestamp, Timestamp)> {
        let start = zone.first(at(date, self.start)?)?;
        let end = zone.last(at(date, self.end)?)?;
        if end > start {
            return Some((start, end));
        }
        // All of it is skipped: it takes place after the jump.
        let length = SignedDuration::from_mins(i64::from(self.end - self.start));
        Some((start, start.checked_add(length).ok()?))
    }
}

fn at(date: Date, minutes: u16) -> Option<DateTime> {
    let midnight = date.to_datetime(Time::midnight());
    midnight
        .checked_add(SignedDuration::from_mins(i64::from(minutes)))
        .ok()
}

/// `HH:MM`, as far as `24:00`.
fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str| {
        let legal = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u16>().ok().filter(|_| legal)
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let whole = hours * 60 + minutes;
    (minutes < 60 && whole <= DAY).then_some(whole)
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = if self.end > DAY { self.end - DAY } else { self.end };
        let (from, to) = ((self.start / 60, self.start % 60), (end / 60, end % 60));
        write!(f, "{:02}:{:02}-{:02}:{:02}", from.0, from.1, to.0, to.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_two_times_of_a_day() {
        for (text, canonical) in [
            ("08:00-18:00", "08:00-18:00"),
            ("00:00-24:00", "00:00-24:00"),
            ("00:00-00:00", "00:00-24:00"),
            ("18:30-00:00", "18:30-24:00"),
            ("23:59-24:00", "23:59-24:00"),
            ("22:00-06:00", "22:00-06:00"),
            ("08:00-08:00", "08:00-08:00"),
            ("00:00-00:01", "00:00-00:01"),
        ] {
            let times = Times::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(times.to_string(), canonical);
            assert_eq!(Times::parse(canonical), Some(times));
        }
        for bad in [
            "",
            "-",
            "08:00",
            "08:00-",
            "-18:00",
            "8:00-18:00",
            "08:00-18",
            "0800-1800",
            "24:00-08:00",
            "08:00-24:01",
            "08:60-18:00",
            "08:00-25:00",
            "08:00-18:00-20:00",
            "08:00:00-18:00:00",
            "08.00-18.00",
            "+8:00-18:00",
            "٠٨:00-18:00",
            "08:00–18:00",
            "08:00 - 18:00",
        ] {
            assert_eq!(Times::parse(bad), None, "{bad:?}");
        }
    }
}
