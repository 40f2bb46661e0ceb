//! Reads the text of hours, and says what is wrong with it.

use std::fmt::Display;
use std::iter::Peekable;

use super::{Dates, Hours, On, Times, Weekdays, Window, Zone};

/// What is wrong with a text, with the word that is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Nothing would ever be kept awake.
    #[error("there is no window, such as `Mon-Fri 08:00-18:00`")]
    NoWindow,
    /// Days or dates that are followed by something else.
    #[error("`{0}` must be followed by its times, such as `{0} 08:00-18:00`")]
    NoTimes(String),
    /// Times after those of other days, or after a holiday.
    #[error(
        "`{0}` has no days of its own: join it with `+` to the times of the same days, or write `Daily {0}`"
    )]
    NoDays(String),
    /// A word with a `:` that is no times.
    #[error("`{0}` must be times such as `08:00-18:00` or `08:00-12:00+13:00-24:00`")]
    Times(String),
    /// Another word that begins with a digit or a `-`.
    #[error(
        "`{0}` must be dates of the years 2000 to 2199, such as `2026-12-19` or `2026-12-24/2027-01-01`, with a `-` \
         before them for holidays, and with a `+` between them otherwise"
    )]
    Dates(String),
    /// Any other word before the last.
    #[error("`{0}` must be days such as `Mon-Fri`, `Mon+Wed+Fri` or `Daily`")]
    Days(String),
    /// The last word, if it begins with a letter and is no days.
    #[error("`{0}` must be a time zone of the IANA database, such as `Europe/Warsaw`")]
    Zone(String),
    /// A good time zone before the last word.
    #[error("`{0}` must be the last word: all times have the same time zone")]
    ZoneNotLast(String),
}

/// Parses hours.
pub(super) fn parse(text: &str) -> Result<Hours, Flaw> {
    let mut words = text.split_whitespace().peekable();
    let (mut windows, mut holidays, mut zone) = (Vec::new(), Vec::new(), None);
    while let Some(word) = words.next_if(|word| is_times(word)) {
        windows.push(Window {
            on: On::Weekdays(Weekdays::DAILY),
            times: times(word)?,
        });
    }
    while let Some(word) = words.next() {
        if is_times(word) {
            return Err(Flaw::NoDays(word.to_owned()));
        }
        if let Some(range) = word.strip_prefix('-') {
            holidays.push(Dates::parse(range).ok_or_else(|| Flaw::Dates(word.to_owned()))?);
        } else if begins_with_digit(word) {
            let dates = sorted(word, Dates::parse).ok_or_else(|| Flaw::Dates(word.to_owned()))?;
            windows.push(window(On::Dates(dates), word, &mut words)?);
        } else if let Some(days) = Weekdays::parse(word) {
            windows.push(window(On::Weekdays(days), word, &mut words)?);
        } else {
            let last = words.peek().is_none();
            zone = Some(match Zone::parse(word) {
                Some(zone) if last => zone,
                Some(_) => return Err(Flaw::ZoneNotLast(word.to_owned())),
                None if last => return Err(Flaw::Zone(word.to_owned())),
                None => return Err(Flaw::Days(word.to_owned())),
            });
        }
    }
    if windows.is_empty() {
        return Err(Flaw::NoWindow);
    }
    holidays.sort_unstable();
    holidays.dedup();
    Ok(Hours {
        windows,
        holidays,
        zone: zone.unwrap_or_else(Zone::utc),
    })
}

/// The window of days or dates, whose times are the next word.
fn window<'a>(
    on: On,
    days: &str,
    words: &mut Peekable<impl Iterator<Item = &'a str>>,
) -> Result<Window, Flaw> {
    let next = words.next_if(|next| is_times(next));
    let times = times(next.ok_or_else(|| Flaw::NoTimes(days.to_owned()))?)?;
    Ok(Window { on, times })
}

/// Of the words that begin with a digit, those with a `:` are times, or were meant to be.
fn is_times(word: &str) -> bool {
    begins_with_digit(word) && word.contains(':')
}

fn begins_with_digit(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
}

fn times(word: &str) -> Result<Vec<Times>, Flaw> {
    sorted(word, Times::parse).ok_or_else(|| Flaw::Times(word.to_owned()))
}

/// The parts of a word, in order and each once.
fn sorted<T: Ord>(word: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    let mut parts: Vec<T> = word.split('+').map(parse).collect::<Option<_>>()?;
    parts.sort_unstable();
    parts.dedup();
    Some(parts)
}

/// The word of some parts.
pub(super) fn joined(parts: &[impl Display]) -> String {
    parts
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("+")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_have_a_canonical_form() {
        for (text, canonical) in [
            (
                "Mon-Fri 08:00-18:00 Europe/Warsaw",
                "Mon-Fri 08:00-18:00 Europe/Warsaw",
            ),
            (
                "  mon-fri   08:00-18:00  europe/warsaw ",
                "Mon-Fri 08:00-18:00 Europe/Warsaw",
            ),
            ("08:00-18:00", "Daily 08:00-18:00 UTC"),
            (
                "08:00-12:00 13:00-18:00",
                "Daily 08:00-12:00 Daily 13:00-18:00 UTC",
            ),
            (
                "22:00-06:00 Sat 10:00-14:00",
                "Daily 22:00-06:00 Sat 10:00-14:00 UTC",
            ),
            (
                "Mon-Fri 13:00-17:00+08:00-12:00+13:00-17:00",
                "Mon-Fri 08:00-12:00+13:00-17:00 UTC",
            ),
            ("Mon+Tue+Wed+Sat 08:00-00:00 UTC", "Mon-Wed+Sat 08:00-24:00 UTC"),
            (
                "Mon-Fri 08:00-18:00 -2026-12-25 -2026-11-11 Sat 10:00-14:00 -2026-12-25",
                "Mon-Fri 08:00-18:00 Sat 10:00-14:00 -2026-11-11 -2026-12-25 UTC",
            ),
            (
                "-2026-12-24/2027-01-01 2026-12-29+2026-12-28 10:00-14:00 Daily 08:00-18:00 Asia/Kolkata",
                "2026-12-28+2026-12-29 10:00-14:00 Daily 08:00-18:00 -2026-12-24/2027-01-01 Asia/Kolkata",
            ),
            ("2026-12-19 10:00-14:00", "2026-12-19 10:00-14:00 UTC"),
        ] {
            let hours: Hours = text.parse().unwrap_or_else(|flaw| panic!("{text}: {flaw}"));
            assert_eq!(hours.to_string(), canonical);
            assert_eq!(Hours::parse(canonical), Some(hours));
        }
    }

    #[test]
    fn the_word_that_is_wrong_is_named() {
        let of = |flaw: fn(String) -> Flaw, word: &str| flaw(word.to_owned());
        for (text, flaw) in [
            ("", Flaw::NoWindow),
            (" ", Flaw::NoWindow),
            ("Europe/Warsaw", Flaw::NoWindow),
            ("-2026-12-25", Flaw::NoWindow),
            ("Mon-Fri", of(Flaw::NoTimes, "Mon-Fri")),
            ("Mon-Fri Europe/Warsaw", of(Flaw::NoTimes, "Mon-Fri")),
            ("Mon Wed 08:00-18:00", of(Flaw::NoTimes, "Mon")),
            ("Mon -2026-12-25 08:00-18:00", of(Flaw::NoTimes, "Mon")),
            ("2026-12-19 UTC", of(Flaw::NoTimes, "2026-12-19")),
            ("Mon-Fri 08:00-12:00 13:00-17:00", of(Flaw::NoDays, "13:00-17:00")),
            ("-2026-12-25 08:00-12:00", of(Flaw::NoDays, "08:00-12:00")),
            (
                "Mon-Fri 08:00-18:00 UTC 10:00-12:00",
                of(Flaw::ZoneNotLast, "UTC"),
            ),
            ("UTC Mon-Fri 08:00-18:00", of(Flaw::ZoneNotLast, "UTC")),
            ("Mon 08:00-18:00 UTC Europe/Warsaw", of(Flaw::ZoneNotLast, "UTC")),
            ("Mon-Fri 8:00-18:00", of(Flaw::Times, "8:00-18:00")),
            ("Mon-Fri 08:00-25:00", of(Flaw::Times, "08:00-25:00")),
            ("Mon-Fri 08:00-12:00+", of(Flaw::Times, "08:00-12:00+")),
            ("08:00 - 18:00", of(Flaw::Times, "08:00")),
            ("Mon-Fri 08:00-18:00 -2026-02-30", of(Flaw::Dates, "-2026-02-30")),
            ("Mon-Fri 08:00-18:00 --12-25", of(Flaw::Dates, "--12-25")),
            (
                "Mon-Fri 08:00-18:00 -2026-12-25+2026-12-26",
                of(Flaw::Dates, "-2026-12-25+2026-12-26"),
            ),
            ("Mon-Fri 0800-1800", of(Flaw::NoTimes, "Mon-Fri")),
            ("20261219 10:00-14:00", of(Flaw::Dates, "20261219")),
            ("Weekdays 08:00-18:00", of(Flaw::Days, "Weekdays")),
            ("Mon,Fri 08:00-18:00", of(Flaw::Days, "Mon,Fri")),
            ("Mo-Fr 08:00-18:00", of(Flaw::Days, "Mo-Fr")),
            ("Mon-Fri 08:00-18:00 Warsaw", of(Flaw::Zone, "Warsaw")),
            ("Mon-Fri 08:00-18:00 Etc/Unknown", of(Flaw::Zone, "Etc/Unknown")),
            ("Mon-Fri 08:00-18:00 +02:00", of(Flaw::Zone, "+02:00")),
            ("always", of(Flaw::Zone, "always")),
            ("٠٨:00-18:00", of(Flaw::Zone, "٠٨:00-18:00")),
        ] {
            assert_eq!(text.parse::<Hours>(), Err(flaw), "{text:?}");
            assert_eq!(Hours::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_flaw_tells_what_to_write() {
        let flaw = "Mon-Fri 08:00-12:00 13:00-17:00"
            .parse::<Hours>()
            .expect_err("no hours");
        assert_eq!(
            flaw.to_string(),
            "`13:00-17:00` has no days of its own: join it with `+` to the times of the same days, or write `Daily \
             13:00-17:00`"
        );
    }

    #[test]
    fn hours_are_stored_as_people_write_them() {
        let hours = Hours::parse("Mon-Fri 08:00-18:00 -2026-12-25 Europe/Warsaw").expect("hours");
        let json = serde_json::to_value(&hours).expect("JSON");
        assert_eq!(json, "Mon-Fri 08:00-18:00 -2026-12-25 Europe/Warsaw");
        assert_eq!(serde_json::from_value::<Hours>(json).expect("hours"), hours);
        let error = serde_json::from_str::<Hours>("\"Mo 08:00-18:00\"")
            .expect_err("no hours")
            .to_string();
        assert!(
            error.contains("hours `Mo 08:00-18:00`: `Mo` must be days such as")
                && error.contains(Hours::RULE),
            "{error}"
        );
    }

    #[test]
    fn the_examples_of_the_rule_are_good() {
        let mut parts = Hours::RULE.split('`').skip(1).step_by(2);
        let [a, b, c, d, e, f] = std::array::from_fn(|_| parts.next().expect("an example"));
        assert!(Hours::parse(&[a, b, c, d, e, f].join(" ")).is_some());
        assert_eq!(parts.next(), None);
    }
}
