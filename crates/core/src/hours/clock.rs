//! A time zone, and the moments at which its clocks show a time.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};

/// A time zone of the IANA database that is compiled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// As the database spells it.
    name: String,
    zone: TimeZone,
}

impl Zone {
    /// `UTC`.
    #[must_use]
    pub fn utc() -> Self {
        Self {
            name: "UTC".to_owned(),
            zone: TimeZone::UTC,
        }
    }

    /// Parses a name of the database, such as `Europe/Warsaw`, in any case; `None` is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // The database of the system, if there is one, may be another: never that one.
        let zone = TimeZoneDatabase::bundled().get(text).ok()?;
        // `Etc/Unknown` is jiff's word for no zone at all.
        let name = zone.iana_name().filter(|_| !zone.is_unknown())?.to_owned();
        Some(Self { name, zone })
    }

    /// The date that a calendar on the wall shows.
    pub(super) fn date(&self, moment: Timestamp) -> Date {
        self.zone.to_datetime(moment).date()
    }

    /// The first moment at which a clock shows `time`; if that is skipped, the moment of the jump. None lies beyond
    /// the end of time.
    pub(super) fn first(&self, time: DateTime) -> Option<Timestamp> {
        match self.zone.to_ambiguous_timestamp(time).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(time).ok(),
            AmbiguousOffset::Fold { before, .. } => before.to_timestamp(time).ok(),
            AmbiguousOffset::Gap { after, .. } => self.jump(after.to_timestamp(time).ok()?),
        }
    }

    /// The last moment at which a clock shows `time`; if that is skipped, the moment of the jump. None lies beyond
    /// the end of time.
    pub(super) fn last(&self, time: DateTime) -> Option<Timestamp> {
        match self.zone.to_ambiguous_timestamp(time).offset() {
            AmbiguousOffset::Fold { after, .. } => after.to_timestamp(time).ok(),
            AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Gap { .. } => self.first(time),
        }
    }

    /// The jump that skips a time. With the offset after it, that time lies before it by less than what is skipped.
    fn jump(&self, before: Timestamp) -> Option<Timestamp> {
        Some(self.zone.following(before).next()?.timestamp())
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_those_of_the_database_in_its_own_spelling() {
        for (text, name) in [
            ("Europe/Warsaw", "Europe/Warsaw"),
            ("europe/warsaw", "Europe/Warsaw"),
            ("AMERICA/ARGENTINA/BUENOS_AIRES", "America/Argentina/Buenos_Aires"),
            ("utc", "UTC"),
            ("etc/gmt+5", "Etc/GMT+5"),
            ("EST5EDT", "EST5EDT"),
        ] {
            assert_eq!(
                Zone::parse(text).map(|zone| zone.to_string()),
                Some(name.to_owned())
            );
        }
        for bad in [
            "",
            "Warsaw",
            "Europe/",
            "Etc/Unknown",
            "local",
            "+02:00",
            "Mon",
            "Daily",
        ] {
            assert_eq!(Zone::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn every_name_of_the_database_is_a_word_of_the_tag() {
        let mut count = 0;
        for name in TimeZoneDatabase::bundled().available() {
            let name = name.as_str();
            let legal = |c: char| c.is_ascii_alphanumeric() || "+-=._:/@".contains(c);
            assert!(name.chars().all(legal) && name.starts_with(|c: char| c.is_ascii_alphabetic()));
            assert!(
                Zone::parse(name).is_some_and(|zone| zone.to_string() == name),
                "{name}"
            );
            assert_eq!(super::super::Weekdays::parse(name), None, "{name}");
            count += 1;
        }
        assert!(count > 400, "{count} zones are compiled in");
    }

    #[test]
    fn a_time_is_shown_once_twice_or_in_the_moment_of_a_jump() {
        let warsaw = Zone::parse("Europe/Warsaw").expect("a zone");
        let moment = |text: &str| Some(text.parse::<Timestamp>().expect("a moment"));
        let time = |text: &str| text.parse::<DateTime>().expect("a time");
        for (shown, first, last) in [
            ("2026-07-01T12:00", "2026-07-01T10:00Z", "2026-07-01T10:00Z"),
            ("2026-03-29T01:59", "2026-03-29T00:59Z", "2026-03-29T00:59Z"),
            ("2026-03-29T02:00", "2026-03-29T01:00Z", "2026-03-29T01:00Z"),
            ("2026-03-29T02:59", "2026-03-29T01:00Z", "2026-03-29T01:00Z"),
            ("2026-03-29T03:00", "2026-03-29T01:00Z", "2026-03-29T01:00Z"),
            ("2026-10-25T01:59", "2026-10-24T23:59Z", "2026-10-24T23:59Z"),
            ("2026-10-25T02:00", "2026-10-25T00:00Z", "2026-10-25T01:00Z"),
            ("2026-10-25T02:59", "2026-10-25T00:59Z", "2026-10-25T01:59Z"),
            ("2026-10-25T03:00", "2026-10-25T02:00Z", "2026-10-25T02:00Z"),
        ] {
            assert_eq!(warsaw.first(time(shown)), moment(first), "first {shown}");
            assert_eq!(warsaw.last(time(shown)), moment(last), "last {shown}");
        }
    }
}
