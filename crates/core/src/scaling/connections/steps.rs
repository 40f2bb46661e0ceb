//! The tag `dormouse:steps`: mean connections per task : tasks.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::tags::MAX_COUNT;

/// One step of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The mean of connections per task above which it holds.
    pub above: u32,
    /// The tasks that there should be then, at least.
    pub tasks: u32,
}

/// A table such as `50:2 100:10 300:15 500:20`: with a mean above 50 at least 2 tasks, above 100 at least 10, and so
/// on; up to 50 the minimum. It gives a count for the mean at the *present* count. More tasks have a lower mean, at
/// which it asks for fewer, and so it only ever raises a count. How far a count may be lowered follows from it all
/// the same: [`Steps::needed`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Steps(Vec<Step>);

impl Steps {
    /// The rule that [`Steps::parse`] applies, for error messages.
    pub const RULE: &str = "must be 1 to 20 steps `mean connections per task:tasks` with spaces between them, such \
         as 50:2 100:10, both numbers higher from step to step, means from 0 to 1000000 and tasks from 1 to 5000";
    /// Most steps.
    pub const MOST: usize = 20;
    /// Highest mean: more connections than a task can have.
    pub const HIGHEST_MEAN: u32 = 1_000_000;

    /// Parses `50:2 100:10`; `None` breaks [`Steps::RULE`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let steps: Vec<Step> = text.split_whitespace().map(step).collect::<Option<_>>()?;
        let rises = |pair: &[Step]| pair[0].above < pair[1].above && pair[0].tasks < pair[1].tasks;
        let legal = (1..=Self::MOST).contains(&steps.len()) && steps.windows(2).all(rises);
        legal.then_some(Self(steps))
    }

    /// The steps, from the lowest to the highest.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The highest step that `total` connections are above if `tasks` share them; none: the minimum will do.
    #[must_use]
    pub fn at(&self, total: u64, tasks: u32) -> Option<Step> {
        let is_above = |step: &&Step| total > u64::from(step.above) * u64::from(tasks);
        self.0.iter().rev().find(is_above).copied()
    }

    /// The fewest tasks over which `total` connections ask for no more than there are: the least `n` for which the
    /// table gives at most `n` at the mean `total / n`. Every higher count asks for no more either, because its mean
    /// is lower. A step asks more of `n` tasks while `n < tasks` and `n * above < total`, hence the formula.
    #[must_use]
    pub fn needed(&self, total: u64) -> u32 {
        let enough = |step: &Step| {
            let by_mean = match u64::from(step.above) {
                // No mean is low enough, unless there is no connection at all.
                0 if total > 0 => u64::MAX,
                0 => 0,
                above => total.div_ceil(above),
            };
            step.tasks.min(u32::try_from(by_mean).unwrap_or(u32::MAX))
        };
        self.0.iter().map(enough).max().unwrap_or(0)
    }
}

fn step(text: &str) -> Option<Step> {
    let number = |text: &str| {
        let whole = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u32>().ok().filter(|_| whole)
    };
    let (above, tasks) = text.split_once(':')?;
    let (above, tasks) = (number(above)?, number(tasks)?);
    let legal = above <= Steps::HIGHEST_MEAN && (1..=MAX_COUNT).contains(&tasks);
    legal.then_some(Step { above, tasks })
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, Step { above, tasks }) in self.0.iter().enumerate() {
            let space = if number == 0 { "" } else { " " };
            write!(f, "{space}{above}:{tasks}")?;
        }
        Ok(())
    }
}

impl TryFrom<String> for Steps {
    type Error = String;
    fn try_from(value: String) -> Result<Self, String> {
        Self::parse(&value).ok_or_else(|| format!("steps `{value}`: {}", Self::RULE))
    }
}

impl From<Steps> for String {
    fn from(steps: Steps) -> Self {
        steps.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn table() -> Steps {
        Steps::parse("50:2 100:10 300:15 500:20").expect("steps")
    }

    #[test]
    fn steps_are_pairs_of_which_both_numbers_rise() {
        for good in ["50:2 100:10 300:15 500:20", "0:1", "1000000:5000"] {
            assert_eq!(
                Steps::parse(good).map(|steps| steps.to_string()),
                Some(good.into())
            );
        }
        assert_eq!(Steps::parse("  50:2   100:10 "), Steps::parse("50:2 100:10"));
        for bad in [
            "",
            " ",
            "50",
            "50:",
            ":2",
            "50:2:3",
            "50 : 2",
            "50:2,100:10",
            "50-2",
            "+50:2",
            "-50:2",
            "50:+2",
            "5.5:2",
            "50:0",
            "50:5001",
            "1000001:2",
            "99999999999:2",
            "50:2 50:3",
            "100:2 50:3",
            "50:3 100:3",
            "50:3 100:2",
            "50:2 100:x",
            "٣:2",
        ] {
            assert_eq!(Steps::parse(bad), None, "{bad:?}");
        }
        let many = |n: u32| (1..=n).map(|i| format!("{i}:{i} ")).collect::<String>();
        assert!(Steps::parse(&many(20)).is_some() && Steps::parse(&many(21)).is_none());
    }

    #[test]
    fn steps_are_stored_as_people_write_them() {
        let json = serde_json::to_value(table()).expect("JSON");
        assert_eq!(json, "50:2 100:10 300:15 500:20");
        assert_eq!(serde_json::from_value::<Steps>(json).expect("steps"), table());
        let error = serde_json::from_str::<Steps>("\"50:0\"")
            .expect_err("no steps")
            .to_string();
        assert!(error.contains("steps `50:0`: must be 1 to 20 steps"), "{error}");
    }

    #[test]
    fn a_mean_at_a_threshold_is_not_above_it() {
        let asked = |total, tasks| table().at(total, tasks).map(|step| step.tasks);
        assert_eq!(
            (asked(50, 1), asked(51, 1), asked(100, 1), asked(101, 1)),
            (None, Some(2), Some(2), Some(10))
        );
        assert_eq!((asked(300, 3), asked(301, 3)), (Some(2), Some(10)));
        assert_eq!(asked(u64::MAX, u32::MAX), Some(20));
    }

    #[test]
    fn what_is_needed_is_not_what_is_asked_for_at_fewer() {
        // One task with 120 connections asks for 10; two with 60 each ask for two.
        assert_eq!(table().at(120, 1).map(|step| step.tasks), Some(10));
        assert_eq!(table().needed(120), 2);
        // Above 100 each, nine ask for ten.
        assert_eq!(
            (table().needed(900), table().needed(901), table().needed(1000)),
            (9, 10, 10)
        );
        assert_eq!(
            (table().needed(0), table().needed(50), table().needed(51)),
            (0, 1, 2)
        );
        assert_eq!(table().needed(u64::MAX), 20);
    }

    #[test]
    fn a_step_above_nothing_holds_from_the_first_connection_on() {
        let steps = Steps::parse("0:3 100:5").expect("steps");
        assert_eq!((steps.needed(0), steps.needed(1)), (0, 3));
        assert_eq!(
            (steps.at(0, 1), steps.at(1, 9).map(|step| step.tasks)),
            (None, Some(3))
        );
    }

    /// Steps as a person might write them.
    fn any_steps() -> impl Strategy<Value = Steps> {
        proptest::collection::vec((1u32..200, 1u32..20), 1..8).prop_map(|rises| {
            let mut last = Step { above: 0, tasks: 0 };
            let rise = rises.iter().map(|(above, tasks)| {
                last = Step {
                    above: last.above + above - 1,
                    tasks: last.tasks + tasks,
                };
                let step = last;
                last.above += 1;
                step
            });
            Steps(rise.collect())
        })
    }

    proptest! {
        #[test]
        fn what_is_needed_is_the_least_count_that_asks_for_no_more(steps in any_steps(), total in 0u64..5000) {
            prop_assert_eq!(Steps::parse(&steps.to_string()), Some(steps.clone()));
            let asks_for_more = |n: u32| steps.at(total, n).is_some_and(|step| step.tasks > n);
            let least = (1..=200).find(|n| !asks_for_more(*n)).expect("a count");
            prop_assert_eq!(steps.needed(total).max(1), least);
            prop_assert!((least..=200).all(|n| !asks_for_more(n)));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[0-9: ]{0,20}|.*") {
            let _ = Steps::parse(&text);
        }
    }
}
