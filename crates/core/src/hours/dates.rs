//! Dates of one tag: `2026-12-25`, `2026-12-24/2027-01-01`.

use std::fmt;
use std::ops::RangeInclusive;

use jiff::civil::Date;

/// Years that a date may have; others are typing errors. Our choice.
const YEARS: RangeInclusive<i16> = 2000..=2199;

/// One date or all from one to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dates {
    /// The first of them.
    pub first: Date,
    /// The last of them.
    pub last: Date,
}

impl Dates {
    /// Parses `2026-12-25` or, as ISO 8601-1 writes an interval, `2026-12-24/2027-01-01`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.split_once('/').unwrap_or((text, text));
        let dates = Self {
            first: date(first)?,
            last: date(last)?,
        };
        (dates.first <= dates.last).then_some(dates)
    }

    /// Whether a date is among them.
    #[must_use]
    pub fn contains(self, date: Date) -> bool {
        (self.first..=self.last).contains(&date)
    }
}

/// `YYYY-MM-DD`.
fn date(text: &str) -> Option<Date> {
    let mut parts = text.split('-');
    let mut number = |digits: usize| {
        let part = parts.next()?;
        let legal = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<i16>().ok().filter(|_| legal)
    };
    let (year, month, day) = (number(4)?, number(2)?, number(2)?);
    let whole = parts.next().is_none() && YEARS.contains(&year);
    let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    whole.then_some(date)
}

impl fmt::Display for Dates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first)?;
        if self.first < self.last {
            write!(f, "/{}", self.last)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_days_of_the_calendar_in_order() {
        for (text, canonical) in [
            ("2026-12-25", "2026-12-25"),
            ("2028-02-29", "2028-02-29"),
            ("2026-12-24/2027-01-01", "2026-12-24/2027-01-01"),
            ("2026-12-24/2026-12-24", "2026-12-24"),
        ] {
            let dates = Dates::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(dates.to_string(), canonical);
            assert_eq!(Dates::parse(canonical), Some(dates));
        }
        for bad in [
            "",
            "/",
            "2026",
            "2026-12",
            "12-25",
            "2026-12-32",
            "2026-02-29",
            "2026-13-01",
            "2026-00-01",
            "2026-12-00",
            "1999-12-31",
            "2200-01-01",
            "26-12-25",
            "2026-1-1",
            "20261225",
            "2026-12-25-",
            "2026-12-25/",
            "/2026-12-25",
            "2027-01-01/2026-12-24",
            "2026-12-24/2026-12-25/2026-12-26",
            "2026-12-24-2026-12-26",
            "2026-12-+5",
            "٢٠٢٦-12-25",
            "2026.12.25",
        ] {
            assert_eq!(Dates::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn both_ends_are_among_them() {
        let dates = Dates::parse("2026-12-24/2026-12-26").expect("dates");
        let among = |text: &str| dates.contains(text.parse().expect("a date"));
        assert!(among("2026-12-24") && among("2026-12-25") && among("2026-12-26"));
        assert!(!among("2026-12-23") && !among("2026-12-27"));
    }
}
