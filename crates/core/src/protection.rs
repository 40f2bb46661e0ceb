//! The signal `protection`: a task that the app itself protects from scale-in is in use.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::reading::Reading;
use crate::scale_in::plan::Plan;

/// What the protections of the tasks that run say, each with its expiry if it has one. Those that a scale-in of ours set
/// tell nothing; `plan` is the one under way.
#[must_use]
pub fn judge(
    protections: &BTreeMap<String, Option<Timestamp>>,
    plan: Option<&Plan>,
    now: Timestamp,
) -> Reading {
    let by_app = |(task, until): (&String, &Option<Timestamp>)| {
        let until = until.filter(|until| *until > now);
        until.is_some_and(|until| !plan.is_some_and(|plan| plan.is_ours(task, until)))
    };
    if protections.iter().any(by_app) {
        Reading::Active(now)
    } else {
        Reading::Quiet {
            since: now,
            until: now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_apps_own_protection_is_use_and_an_expired_one_or_one_of_ours_is_not() {
        let at = |second| Timestamp::from_second(second).expect("a moment");
        let judge = |until: Option<i64>, plan: Option<&Plan>| {
            let protections = BTreeMap::from([("a".to_owned(), until.map(at)), ("b".to_owned(), None)]);
            judge(&protections, plan, at(1000))
        };
        let mut plan = Plan::new("e", BTreeMap::new(), std::time::Duration::ZERO);
        plan.will_protect(&["a".to_owned()], 30, at(900));
        let quiet = Reading::Quiet {
            since: at(1000),
            until: at(1000),
        };
        assert_eq!(judge(Some(4600), None), Reading::Active(at(1000)));
        assert_eq!(judge(Some(4600), Some(&plan)), Reading::Active(at(1000)));
        assert_eq!(judge(Some(2700), Some(&plan)), quiet);
        assert_eq!(judge(Some(1000), None), quiet);
        assert_eq!(judge(None, None), quiet);
    }
}
