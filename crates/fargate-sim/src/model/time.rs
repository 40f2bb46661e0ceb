//! The clock of the model: a moment is a number that the caller passes in.

use std::ops::{Add, Sub};
use std::time::Duration;

use serde::Serialize;

/// A moment, in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Millis(pub u64);

impl Millis {
    /// Seconds since the epoch with fraction, as the AWS JSON protocol writes timestamps.
    pub fn epoch_seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// How long ago `earlier` was; zero if it lies ahead.
    pub fn since(self, earlier: Millis) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// `2025-01-31T08:09:10.123Z`, as the AWS Query protocols write timestamps.
    pub fn iso8601(self) -> String {
        let (days, ms) = (self.0 / 86_400_000, self.0 % 86_400_000);
        // Civil date from a day count: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
        let z = days + 719_468;
        let (era, doe) = (z / 146_097, z % 146_097);
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let (day, month) = (
            doy - (153 * mp + 2) / 5 + 1,
            if mp < 10 { mp + 3 } else { mp - 9 },
        );
        let year = yoe + era * 400 + u64::from(month <= 2);
        let (h, m, s, f) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000);
        format!("{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}.{f:03}Z")
    }
}

impl Add<Duration> for Millis {
    type Output = Millis;

    fn add(self, length: Duration) -> Millis {
        Millis(self.0 + length.as_millis() as u64)
    }
}

impl Sub<Duration> for Millis {
    type Output = Millis;

    fn sub(self, length: Duration) -> Millis {
        Millis(self.0.saturating_sub(length.as_millis() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_read_as_aws_writes_them() {
        assert_eq!(Millis(0).iso8601(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Millis(1_709_210_096_789).iso8601(), "2024-02-29T12:34:56.789Z");
        assert_eq!(Millis(1_767_225_599_000).iso8601(), "2025-12-31T23:59:59.000Z");
        assert_eq!(Millis(1_500).epoch_seconds(), 1.5);
    }
}
