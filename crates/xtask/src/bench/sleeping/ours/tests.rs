//! When Dormouse would have slept, computed by hand.

use super::super::policy::tests::bounds;
use super::*;

const HALF_AN_HOUR: Duration = Duration::from_secs(1800);

fn spans(visits: &[u32]) -> Vec<(u32, u32)> {
    bounds(&intervals(HALF_AN_HOUR, visits, 100_000))
}

#[test]
fn it_sleeps_once_the_metrics_show_half_an_hour_without_requests() {
    // Served at 645 s, in the minute that ends at 660 s. Silence until 2460 s is known from the minute that begins
    // then, which is shown 120 s after its end.
    assert_eq!(spans(&[600]), [(600, 2640)]);
    assert_eq!(spans(&[600, 2000]), [(600, 2040 + 1800 + 180)]);
}

#[test]
fn requests_that_the_metrics_do_not_show_yet_do_not_keep_it_awake() {
    assert_eq!(
        spans(&[600, 2519]),
        [(600, 2520 + 1800 + 180)],
        "shown at the tick at 2640 s"
    );
    assert_eq!(spans(&[600, 2520]), [(600, 2640)], "shown at 2700 s");
}

#[test]
fn it_wakes_again_even_while_it_falls_asleep() {
    // Served at 2690 s.
    assert_eq!(spans(&[600, 2645]), [(600, 2640), (2645, 2700 + 1800 + 180)]);
    assert_eq!(
        spans(&[600, 2641, 2700]),
        [(600, 2640), (2641, 2760 + 1800 + 180)]
    );
}

#[test]
fn what_is_awake_at_the_end_is_paid_for_until_the_end() {
    assert_eq!(
        intervals(HALF_AN_HOUR, &[600], 1000)
            .last()
            .map(|last| last.until),
        Some(1000)
    );
}
