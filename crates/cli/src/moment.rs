//! Moments as people give them: RFC 3339, `YYYY-MM-DD HH:MM` and `HH:MM` of their own clock.

use std::str::FromStr;

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::failure::Failure;

/// The rule that parsing a [`Moment`] applies, for error messages.
const RULE: &str =
    "must be HH:MM or YYYY-MM-DD HH:MM of your clock, or RFC 3339 such as 2027-01-15T18:00:00Z";

/// A moment that was given, not placed in time yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    text: String,
    form: Form,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    Exact(Timestamp),
    Local(DateTime),
    /// The next time that clocks show it.
    Clock(Time),
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = if let Ok(at) = text.parse() {
            Form::Exact(at)
        } else if let Ok(time) = Time::strptime("%H:%M", text) {
            Form::Clock(time)
        } else if let Ok(local) = DateTime::strptime("%Y-%m-%d %H:%M", text) {
            Form::Local(local)
        } else {
            return Err(RULE.to_owned());
        };
        let text = text.to_owned();
        Ok(Self { text, form })
    }
}

impl Moment {
    /// The moment in time, by the clocks of this zone. A time that clocks skip is as much later, one that they show twice
    /// is the first.
    ///
    /// # Errors
    /// [`Failure::Usage`] if it is not later than `now`.
    pub(crate) fn after(&self, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, Failure> {
        let of_zone = |local: DateTime| zone.to_ambiguous_timestamp(local).compatible().ok();
        let at = match self.form {
            Form::Exact(at) => Some(at),
            Form::Local(local) => of_zone(local),
            Form::Clock(time) => {
                let today = zone.to_datetime(now).date();
                let tomorrow = today.checked_add(Span::new().days(1)).unwrap_or(today);
                let mut next = [today, tomorrow]
                    .map(|day| of_zone(day.to_datetime(time)))
                    .into_iter();
                next.find(|at| at.is_some_and(|at| at > now)).flatten()
            }
        };
        at.filter(|at| *at > now).ok_or_else(|| {
            let now = zone.to_datetime(now).strftime("%Y-%m-%d %H:%M");
            Failure::Usage(format!(
                "--until, value `{}`: must be later than now, which is {now}",
                self.text
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(text: &str, now: &str) -> Result<String, String> {
        let zone = TimeZone::get("Europe/Warsaw").expect("a zone");
        let now = now.parse().expect("now");
        let moment: Moment = text.parse()?;
        let at = moment.after(now, &zone).map_err(|failure| failure.to_string())?;
        Ok(at.to_string())
    }

    #[test]
    fn moments_are_those_of_the_callers_clock_unless_they_say_more() {
        let noon = "2027-01-15T11:00:00Z";
        for (text, expected) in [
            ("18:00", "2027-01-15T17:00:00Z"),
            ("12:00", "2027-01-16T11:00:00Z"),
            ("09:30", "2027-01-16T08:30:00Z"),
            ("2027-07-01 08:00", "2027-07-01T06:00:00Z"),
            ("2027-01-15T18:00:00Z", "2027-01-15T18:00:00Z"),
            ("2027-01-15T18:00:00-05:00", "2027-01-15T23:00:00Z"),
        ] {
            assert_eq!(after(text, noon), Ok(expected.to_owned()), "{text}");
        }
        assert_eq!(
            after("02:30", "2027-03-27T22:00:00Z"),
            Ok("2027-03-28T01:30:00Z".to_owned()),
            "clocks skip it that night"
        );
    }

    #[test]
    fn a_moment_that_is_none_or_is_over_is_refused() {
        for text in ["", "soon", "25:00", "2027-02-30 08:00", "2027-01-15", "18"] {
            assert_eq!(
                after(text, "2027-01-15T11:00:00Z"),
                Err(RULE.to_owned()),
                "{text}"
            );
        }
        assert_eq!(
            after("2027-01-15 09:00", "2027-01-15T11:00:00Z"),
            Err(
                "--until, value `2027-01-15 09:00`: must be later than now, which is 2027-01-15 12:00"
                    .to_owned()
            )
        );
    }
}
