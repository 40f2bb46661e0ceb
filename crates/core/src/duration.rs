//! Durations as people write them in tags, parameters and requests: `30s`, `5m`, `1h30m`, `2d`.

use std::time::Duration;

use jiff::Timestamp;

/// Longest duration that is accepted: a year. Longer ones are typing errors.
pub const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// The rule that [`parse`] applies, for error messages.
pub const RULE: &str =
    "must be whole numbers with a unit s, m, h or d, such as 30s, 5m or 1h30m, at most 366d";

/// Parses `30s`, `5m`, `1h30m`, `2d`; `None` breaks [`RULE`].
#[must_use]
pub fn parse(text: &str) -> Option<Duration> {
    let mut seconds: u64 = 0;
    let mut number: Option<u64> = None;
    for c in text.trim().chars() {
        if let Some(digit) = c.to_digit(10) {
            number = Some(
                number
                    .unwrap_or(0)
                    .checked_mul(10)?
                    .checked_add(u64::from(digit))?,
            );
        } else {
            let unit = match c {
                's' => 1,
                'm' => 60,
                'h' => 3600,
                'd' => 86_400,
                _ => return None,
            };
            seconds = seconds.checked_add(number.take()?.checked_mul(unit)?)?;
        }
    }
    let whole = number.is_none() && !text.trim().is_empty();
    let duration = Duration::from_secs(seconds);
    (whole && duration <= LONGEST).then_some(duration)
}

/// Writes a duration as [`parse`] reads it, in whole seconds.
#[must_use]
pub fn format(duration: Duration) -> String {
    let mut left = duration.as_secs();
    if left == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, size) in [('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)] {
        if left >= size {
            text.push_str(&format!("{}{unit}", left / size));
            left %= size;
        }
    }
    text
}

/// The moment `duration` after `moment`; the end of time if that lies beyond it.
#[must_use]
pub fn after(moment: Timestamp, duration: Duration) -> Timestamp {
    moment.checked_add(duration).unwrap_or(Timestamp::MAX)
}

/// The moment `duration` before `moment`.
#[must_use]
pub fn before(moment: Timestamp, duration: Duration) -> Timestamp {
    moment.checked_sub(duration).unwrap_or(Timestamp::MIN)
}

/// How long after `earlier` `later` is; zero if it is not later (clocks of two functions may differ).
#[must_use]
pub fn between(earlier: Timestamp, later: Timestamp) -> Duration {
    Duration::try_from(later.duration_since(earlier)).unwrap_or(Duration::ZERO)
}

/// `serde(with = "duration::text")`: a duration as its text.
pub mod text {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes the text form.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::format(*duration))
    }

    /// Reads the text form.
    ///
    /// # Errors
    /// Names the value and the rule.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer)?;
        super::parse(&text).ok_or_else(|| D::Error::custom(format!("duration `{text}`: {}", super::RULE)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, seconds) in [
            ("0s", 0),
            ("30s", 30),
            ("5m", 300),
            ("1h30m", 5400),
            ("2d", 172_800),
            (" 7m ", 420),
        ] {
            assert_eq!(parse(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for bad in [
            "",
            " ",
            "5",
            "m",
            "5x",
            "-5m",
            "5 m",
            "1h30",
            "1.5h",
            "367d",
            "99999999999999999999s",
            "٣m",
        ] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn an_earlier_moment_is_no_time_later() {
        let moment = Timestamp::UNIX_EPOCH;
        assert_eq!(
            between(after(moment, Duration::from_secs(3)), moment),
            Duration::ZERO
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(seconds in 0u64..=366 * 86_400) {
            let duration = Duration::from_secs(seconds);
            prop_assert_eq!(parse(&format(duration)), Some(duration));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".*") {
            let _ = parse(&text);
        }
    }
}
