//! Days of the week: `Mon-Fri`, `Mon+Wed+Fri`, `Daily`.

use std::fmt;

use jiff::civil::Weekday;

/// The names, as tags write them.
const NAMES: [(Weekday, &str); 7] = [
    (Weekday::Monday, "Mon"),
    (Weekday::Tuesday, "Tue"),
    (Weekday::Wednesday, "Wed"),
    (Weekday::Thursday, "Thu"),
    (Weekday::Friday, "Fri"),
    (Weekday::Saturday, "Sat"),
    (Weekday::Sunday, "Sun"),
];

/// Some days of the week, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weekdays {
    /// From Monday to Sunday.
    days: [bool; 7],
}

impl Weekdays {
    /// All of them: `Daily`.
    pub const DAILY: Self = Self { days: [true; 7] };

    /// Parses `Mon-Fri`, `Fri-Mon`, `Mon+Wed+Fri`, `Sat-Sun+Wed` or `Daily`, in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("Daily") {
            return Some(Self::DAILY);
        }
        let mut days = [false; 7];
        for part in text.split('+') {
            let (first, last) = match part.split_once('-') {
                // From Monday to Monday: one day or eight? Whoever writes it meant something else.
                Some((first, last)) if index(first)? == index(last)? => return None,
                Some((first, last)) => (index(first)?, index(last)?),
                None => (index(part)?, index(part)?),
            };
            let length = (last + 7 - first) % 7;
            (first..=first + length).for_each(|day| days[day % 7] = true);
        }
        Some(Self { days })
    }

    /// Whether a day is one of them.
    #[must_use]
    pub fn contains(self, day: Weekday) -> bool {
        NAMES
            .iter()
            .zip(self.days)
            .any(|((name, _), among)| among && *name == day)
    }
}

fn index(name: &str) -> Option<usize> {
    NAMES
        .iter()
        .position(|(_, known)| known.eq_ignore_ascii_case(name))
}

impl fmt::Display for Weekdays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::DAILY {
            return f.write_str("Daily");
        }
        let among = |day: usize| self.days[day % 7];
        let mut plus = "";
        for first in (0..7).filter(|day| among(*day) && !among(day + 6)) {
            let length = (0..7).take_while(|more| among(first + more)).count();
            write!(f, "{plus}{}", NAMES[first].1)?;
            if length > 1 {
                write!(f, "-{}", NAMES[(first + length - 1) % 7].1)?;
            }
            plus = "+";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_names_ranges_and_lists() {
        for (text, canonical) in [
            ("Mon", "Mon"),
            ("mon-FRI", "Mon-Fri"),
            ("Fri-Mon", "Fri-Mon"),
            ("Sun-Mon", "Sun-Mon"),
            ("Mon+Wed+Fri", "Mon+Wed+Fri"),
            ("Fri+Mon+Wed+Mon", "Mon+Wed+Fri"),
            ("Mon+Tue+Wed", "Mon-Wed"),
            ("Sun+Mon+Wed", "Wed+Sun-Mon"),
            ("Mon-Wed+Tue-Thu", "Mon-Thu"),
            ("Mon-Sun", "Daily"),
            ("Thu-Wed", "Daily"),
            ("daily", "Daily"),
        ] {
            let days = Weekdays::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(days.to_string(), canonical);
            assert_eq!(Weekdays::parse(canonical), Some(days));
        }
        for bad in [
            "",
            "+",
            "-",
            "Mo",
            "Monday",
            "Mon-",
            "-Fri",
            "Mon+",
            "+Mon",
            "Mon++Fri",
            "Mon-Wed-Fri",
            "Mon-Mon",
            "Mon/Fri",
            "Mon-Daily",
            "Daily+Mon",
            "Daily-Mon",
            "Mon,Fri",
            "Mоn",
            "Weekdays",
        ] {
            assert_eq!(Weekdays::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_range_may_go_over_the_end_of_the_week() {
        let days = Weekdays::parse("Fri-Mon").expect("days");
        let among: Vec<_> = NAMES.iter().map(|(day, _)| days.contains(*day)).collect();
        assert_eq!(among, [true, false, false, false, true, true, true]);
    }

    #[test]
    fn every_set_of_days_can_be_written_and_read_back() {
        for bits in 1u8..128 {
            let days = Weekdays {
                days: std::array::from_fn(|day| bits >> day & 1 == 1),
            };
            assert_eq!(Weekdays::parse(&days.to_string()), Some(days), "{days}");
        }
    }
}
