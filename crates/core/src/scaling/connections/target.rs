//! The tag `dormouse:target`: connections per task.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How many connections each task should have at most, on average.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Target(u32);

impl Target {
    /// The rule that [`Target::parse`] applies, for error messages.
    pub const RULE: &str = "must be a whole number of connections per task from 1 to 1000000";

    /// Parses `100`; `None` breaks [`Target::RULE`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let whole = text.bytes().all(|byte| byte.is_ascii_digit());
        Self::try_from(text.parse::<u32>().ok().filter(|_| whole)?).ok()
    }

    /// Connections per task; at least 1.
    #[must_use]
    pub fn connections(self) -> u32 {
        self.0
    }

    /// The fewest tasks of which each has at most the target, on average.
    #[must_use]
    pub fn needed(self, total: u64) -> u32 {
        u32::try_from(total.div_ceil(u64::from(self.0))).unwrap_or(u32::MAX)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<u32> for Target {
    type Error = String;
    fn try_from(value: u32) -> Result<Self, String> {
        let legal = (1..=1_000_000).contains(&value);
        legal
            .then_some(Self(value))
            .ok_or_else(|| format!("target `{value}`: {}", Self::RULE))
    }
}

impl From<Target> for u32 {
    fn from(target: Target) -> Self {
        target.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_whole_number_above_zero() {
        for good in ["1", "100", "1000000"] {
            assert_eq!(
                Target::parse(good).map(|target| target.to_string()),
                Some(good.into())
            );
        }
        assert_eq!(Target::parse(" 100 "), Target::parse("100"));
        for bad in ["", "0", "1000001", "-1", "+1", "1.5", "100 per task", "٣"] {
            assert_eq!(Target::parse(bad), None, "{bad:?}");
        }
        let target = Target::parse("100").expect("a target");
        assert_eq!(serde_json::to_value(target).expect("JSON"), 100);
        assert_eq!(serde_json::from_str::<Target>("100").expect("a target"), target);
        assert!(serde_json::from_str::<Target>("0").is_err());
    }

    #[test]
    fn what_is_needed_is_rounded_up() {
        let target = Target::parse("100").expect("a target");
        assert_eq!(
            [0, 1, 100, 101, 1000].map(|total| target.needed(total)),
            [0, 1, 1, 2, 10]
        );
        assert_eq!(target.needed(u64::MAX), u32::MAX);
    }
}
