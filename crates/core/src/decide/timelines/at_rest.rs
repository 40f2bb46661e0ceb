//! What a tick need not look at.

use super::*;

#[test]
fn a_group_that_is_kept_awake_rests_once_no_late_sleep_can_land() {
    let mut t = Timeline::awake(&["web"], 1);
    let rests = |t: &Timeline, seconds| is_at_rest(&t.group, &t.record, at(seconds));
    assert!(!rests(&t, 1000), "nothing keeps it awake");
    t.record.override_until = Some(at(5000));
    // It was woken at 0 s; a sleep that was on its way then may land for 120 s, and the next tick finds it.
    let rest: Vec<bool> = [40, 100, 179, 180, 181, 4999, 5000].map(|s| rests(&t, s)).into();
    assert_eq!(rest, [false, false, false, true, true, true, false]);
}
