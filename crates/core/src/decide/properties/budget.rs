//! The wake budget, over days of visitors and others.

use super::*;

/// The doors of a day.
fn cause() -> impl Strategy<Value = Cause> {
    prop_oneof![6 => Just(Cause::Http), 1 => Just(Cause::Direct), 1 => Just(Cause::Alarm)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_day_never_has_more_wakes_over_http_than_it_may_and_other_doors_always_wake(
        limit in 1u32..4,
        events in proptest::collection::vec((cause(), 1i64..20_000, any::<bool>()), 1..40),
    ) {
        let mut group = group(Signals::FixedTimer);
        group.services[0].wakes_per_day = Some(limit);
        let none = |name| (ServiceId::new("dev", name), Seen::Known(ServiceState::default()));
        let seen = Observation {
            services: BTreeMap::from(["api", "web"].map(none)),
            bounds: Some(["api", "web"].map(|name| (ServiceId::new("dev", name), Ok(None))).into()),
            ..Observation::default()
        };
        let mut record = Record::unseen(now());
        let mut wakes: BTreeMap<i64, u32> = BTreeMap::new();
        let mut second = NOW;
        for (cause, pause, falls) in events {
            second += pause;
            let at = Timestamp::from_second(second).expect("a moment");
            let decision = decide(&group, &record, &seen, &Intent::of(Action::wake(), cause), at);
            let woke = decision.record.generation != record.generation;
            let spent = matches!(decision.reason, Reason::WakeBudgetSpent { .. });
            prop_assert!(woke != spent, "it slept, so it wakes or says why not");
            prop_assert!(cause == Cause::Http || woke, "other doors are not limited");
            let of_day = wakes.entry(second.div_euclid(86_400)).or_default();
            if let Reason::WakeBudgetSpent { until, .. } = decision.reason {
                prop_assert_eq!(until.as_second(), (second.div_euclid(86_400) + 1) * 86_400);
                prop_assert!(decision.effects.is_empty());
                prop_assert_eq!(*of_day, limit, "not before they are spent");
            }
            *of_day += u32::from(woke && cause == Cause::Http);
            prop_assert!(*of_day <= limit);
            record = decision.record;
            let phase = if falls { Phase::FallingAsleep } else { Phase::Asleep };
            record.enter(phase, Reason::SleepAsked, Cause::Direct, at);
            for service in record.services.values_mut() {
                service.command = None;
            }
        }
    }
}
