//! How far a service may scale, and what asks for it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::connections::mode::Mode;
use crate::tags::MAX_COUNT;

/// Scaling as the owner of a service wants it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Scaling {
    /// Fewest tasks while awake.
    pub min: u32,
    /// Most tasks; none: as many as it woke with, so no autoscaling while awake.
    pub max: Option<u32>,
    /// CPU utilization below which it scales in and above which it scales out.
    pub cpu: Option<Range>,
    /// The same for memory utilization.
    pub memory: Option<Range>,
    /// What its connections ask for, read every few seconds; none: they do not matter.
    pub connections: Option<Mode>,
    /// Whether tasks may be removed while awake.
    pub scale_in: bool,
}

impl Default for Scaling {
    fn default() -> Self {
        Self {
            min: 1,
            max: None,
            cpu: None,
            memory: None,
            connections: None,
            scale_in: true,
        }
    }
}

/// Settings that are good one by one and contradict each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Name of the tag that breaks the rule, without the prefix.
    pub tag: &'static str,
    /// The rule, with the other tag's value.
    pub rule: String,
}

impl Scaling {
    /// The rule for counts of tasks, for error messages.
    pub const COUNT_RULE: &str = "must be a whole number from 1 to 5000";
    /// The rule for `dormouse:scale-in`, for error messages.
    pub const SCALE_IN_RULE: &str = "must be `on` or `off`";

    /// Parses a count of tasks; `None` breaks [`Scaling::COUNT_RULE`].
    #[must_use]
    pub fn parse_count(text: &str) -> Option<u32> {
        let count = text.trim().parse().ok()?;
        (1..=MAX_COUNT).contains(&count).then_some(count)
    }

    /// Parses `on` or `off`; `None` breaks [`Scaling::SCALE_IN_RULE`].
    #[must_use]
    pub fn parse_scale_in(text: &str) -> Option<bool> {
        match text.trim() {
            "on" => Some(true),
            "off" => Some(false),
            _ => None,
        }
    }

    /// What contradicts what: `min` is at most `max`, and the wake count, if there is one, lies between them.
    #[must_use]
    pub fn conflict(&self, wake_count: Option<u32>) -> Option<Conflict> {
        let conflict = |tag, rule| Some(Conflict { tag, rule });
        let min = self.min;
        match (self.max, wake_count) {
            (Some(max), _) if max < min => {
                conflict("max", format!("must be at least `dormouse:min`, which is {min}"))
            }
            (_, Some(count)) if count < min => conflict(
                "wake-count",
                format!("must be at least `dormouse:min`, which is {min}"),
            ),
            (Some(max), Some(count)) if count > max => conflict(
                "wake-count",
                format!("must be at most `dormouse:max`, which is {max}"),
            ),
            _ => None,
        }
    }
}

/// A range of utilization in whole percent: scale in below `low`, out above `high`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Range {
    low: u32,
    high: u32,
}

impl Range {
    /// The rule that [`Range::parse`] applies, for error messages.
    pub const RULE: &str = "must be two whole percents from 0 to 100, the lower first, such as 30-70";

    /// Parses `30-70`; `None` breaks [`Range::RULE`]. `0-70` never asks for scale-in.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let percent = |text: &str| {
            let whole = text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<u32>().ok().filter(|n| whole && *n <= 100)
        };
        let (low, high) = text.trim().split_once('-')?;
        let (low, high) = (percent(low)?, percent(high)?);
        (low < high).then_some(Self { low, high })
    }

    /// Percent below which fewer tasks would do.
    #[must_use]
    pub fn low(self) -> u32 {
        self.low
    }

    /// Percent above which more tasks are needed; at least 1.
    #[must_use]
    pub fn high(self) -> u32 {
        self.high
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.low, self.high)
    }
}

impl TryFrom<String> for Range {
    type Error = String;
    fn try_from(value: String) -> Result<Self, String> {
        Self::parse(&value).ok_or_else(|| format!("range `{value}`: {}", Self::RULE))
    }
}

impl From<Range> for String {
    fn from(range: Range) -> Self {
        range.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_two_percents_with_the_lower_first() {
        for good in ["30-70", "0-1", "0-100", "99-100"] {
            assert_eq!(
                Range::parse(good).map(|range| range.to_string()),
                Some(good.into())
            );
        }
        assert_eq!(Range::parse(" 30-70 "), Range::parse("30-70"));
        for bad in [
            "", "-", "70", "30-", "-70", "70-30", "30-30", "30-101", "-5-70", "+3-70", "30 - 70", "30-70%",
            "0.3-0.7", "30..70", "30-70-90",
        ] {
            assert_eq!(Range::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn scale_in_is_on_or_off_and_nothing_else() {
        assert_eq!(Scaling::parse_scale_in("on"), Some(true));
        assert_eq!(Scaling::parse_scale_in(" off "), Some(false));
        for bad in ["", "true", "On", "on off"] {
            assert_eq!(Scaling::parse_scale_in(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn bounds_are_stored_as_people_write_them_and_what_is_missing_has_its_default() {
        let scaling = Scaling {
            max: Some(5),
            cpu: Range::parse("30-70"),
            ..Scaling::default()
        };
        let json = serde_json::to_value(&scaling).expect("JSON");
        assert_eq!(json["cpu"], "30-70");
        assert_eq!(serde_json::from_value::<Scaling>(json).expect("scaling"), scaling);
        assert_eq!(
            serde_json::from_str::<Scaling>("{}").expect("scaling"),
            Scaling::default()
        );
        assert!(serde_json::from_str::<Scaling>(r#"{"cpu":"70-30"}"#).is_err());
    }
}
