//! Hours on the days that matter: nights, holidays, ends of weeks, and changes of clocks.

use std::time::Duration;

use jiff::Timestamp;

use super::*;

/// Moments as tests write them: `2026-03-29T01:00Z`.
fn at(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn hours(text: &str) -> Hours {
    text.parse().unwrap_or_else(|flaw| panic!("{text}: {flaw}"))
}

/// The times awake that begin after `from`, until `to`.
fn awake_with(hours: &Hours, lead: Duration, from: &str, to: &str) -> Vec<(Timestamp, Timestamp)> {
    let (mut now, mut spans, mut begun) = (at(from), Vec::new(), None);
    while let Some(change) = hours
        .outlook(now, lead)
        .change
        .filter(|change| change.at <= at(to))
    {
        now = change.at;
        match begun.take() {
            _ if change.awake => begun = Some(now),
            Some(begun) => spans.push((begun, now)),
            None => {}
        }
    }
    spans
}

#[track_caller]
fn assert_awake(text: &str, between: (&str, &str), expected: &[(&str, &str)]) {
    let spans = awake_with(&hours(text), Duration::ZERO, between.0, between.1);
    let expected: Vec<_> = expected.iter().map(|(from, to)| (at(from), at(to))).collect();
    assert_eq!(spans, expected, "{text}");
}

#[test]
fn working_days_have_their_hours_and_the_weekend_has_none() {
    assert_awake(
        "Mon-Fri 08:00-18:00 Europe/Warsaw",
        ("2026-07-02T20:00Z", "2026-07-06T20:00Z"),
        &[
            ("2026-07-03T06:00Z", "2026-07-03T16:00Z"),
            ("2026-07-06T06:00Z", "2026-07-06T16:00Z"),
        ],
    );
    let week = hours("Mon-Fri 08:00-18:00 Europe/Warsaw");
    assert!(!week.is_awake(at("2026-07-03T05:59:59.999999999Z")));
    assert!(week.is_awake(at("2026-07-03T06:00Z")));
    assert!(week.is_awake(at("2026-07-03T15:59:59.999999999Z")));
    assert!(!week.is_awake(at("2026-07-03T16:00Z")));
}

#[test]
fn days_without_change_of_clocks_are_alike_everywhere() {
    let march = ("2026-03-28T00:00Z", "2026-03-30T12:00Z");
    assert_awake(
        "Sat-Sun 02:30-03:30",
        march,
        &[
            ("2026-03-28T02:30Z", "2026-03-28T03:30Z"),
            ("2026-03-29T02:30Z", "2026-03-29T03:30Z"),
        ],
    );
    // UTC+5:30 all year; UTC-7 all year, in a country most of which changes its clocks.
    assert_awake(
        "Sun 02:30-03:30 Asia/Kolkata",
        march,
        &[("2026-03-28T21:00Z", "2026-03-28T22:00Z")],
    );
    assert_awake(
        "Sun 02:30-03:30 America/Phoenix",
        ("2026-03-07T00:00Z", "2026-03-09T12:00Z"),
        &[("2026-03-08T09:30Z", "2026-03-08T10:30Z")],
    );
}

#[test]
fn a_night_belongs_to_the_day_on_which_it_starts() {
    assert_awake(
        "Fri 22:00-06:00",
        ("2026-07-01T00:00Z", "2026-07-08T00:00Z"),
        &[("2026-07-03T22:00Z", "2026-07-04T06:00Z")],
    );
    assert_awake(
        "Sun 18:00-18:00",
        ("2026-07-01T00:00Z", "2026-07-08T00:00Z"),
        &[("2026-07-05T18:00Z", "2026-07-06T18:00Z")],
    );
}

#[test]
fn a_range_of_days_goes_over_the_end_of_the_week() {
    assert_awake(
        "Sat-Mon 10:00-11:00",
        ("2026-07-01T00:00Z", "2026-07-08T00:00Z"),
        &[
            ("2026-07-04T10:00Z", "2026-07-04T11:00Z"),
            ("2026-07-05T10:00Z", "2026-07-05T11:00Z"),
            ("2026-07-06T10:00Z", "2026-07-06T11:00Z"),
        ],
    );
}

#[test]
fn windows_that_touch_or_overlap_are_one() {
    assert_awake(
        "Wed 08:00-12:00+12:00-14:00+13:00-15:00+16:00-17:00 Wed 09:00-10:00 Wed 23:00-01:00 Thu 00:30-02:00",
        ("2026-07-01T00:00Z", "2026-07-03T00:00Z"),
        &[
            ("2026-07-01T08:00Z", "2026-07-01T15:00Z"),
            ("2026-07-01T16:00Z", "2026-07-01T17:00Z"),
            ("2026-07-01T23:00Z", "2026-07-02T02:00Z"),
        ],
    );
}

#[test]
fn no_window_starts_on_a_holiday_and_the_night_before_it_goes_on() {
    assert_awake(
        "Daily 22:00-06:00 -2026-12-24/2026-12-25 UTC",
        ("2026-12-23T12:00Z", "2026-12-27T12:00Z"),
        &[
            ("2026-12-23T22:00Z", "2026-12-24T06:00Z"),
            ("2026-12-26T22:00Z", "2026-12-27T06:00Z"),
        ],
    );
}

#[test]
fn a_holiday_is_one_in_its_zone() {
    // In Auckland the 25th begins at 11:00 UTC on the 24th.
    assert_awake(
        "Daily 08:00-10:00 -2026-12-25 Pacific/Auckland",
        ("2026-12-23T00:00Z", "2026-12-26T00:00Z"),
        &[
            ("2026-12-23T19:00Z", "2026-12-23T21:00Z"),
            ("2026-12-25T19:00Z", "2026-12-25T21:00Z"),
        ],
    );
}

#[test]
fn a_named_day_has_its_own_hours_even_if_it_is_a_holiday() {
    assert_awake(
        "Mon-Fri 08:00-18:00 -2026-12-24/2026-12-27 2026-12-24+2026-12-26 10:00-12:00",
        ("2026-12-23T20:00Z", "2026-12-28T20:00Z"),
        &[
            ("2026-12-24T10:00Z", "2026-12-24T12:00Z"),
            ("2026-12-26T10:00Z", "2026-12-26T12:00Z"),
            ("2026-12-28T08:00Z", "2026-12-28T18:00Z"),
        ],
    );
}

#[test]
fn what_never_changes_has_no_next_change() {
    let now = at("2026-07-01T12:00Z");
    let lead = Duration::from_secs(300);
    for (text, awake) in [
        ("Daily 00:00-24:00 Europe/Warsaw", true),
        ("Daily 08:00-08:00 Australia/Lord_Howe", true),
        ("Mon-Sun 02:30-14:00+14:00-02:30 America/New_York", true),
        ("Daily 00:00-24:00 -2026-06-01", true),
        ("2020-01-01/2026-06-30 10:00-14:00", false),
    ] {
        let outlook = Outlook { awake, change: None };
        assert_eq!(hours(text).outlook(now, Duration::ZERO), outlook, "{text}");
        assert_eq!(hours(text).outlook(now, lead), outlook, "{text}");
    }
}

#[test]
fn a_change_is_found_however_far_away_it_is() {
    let change = |text: &str| hours(text).next_change(at("2026-07-01T12:00Z"));
    let (asleep, awake) = (
        |at| Some(Change { at, awake: false }),
        |at| Some(Change { at, awake: true }),
    );
    assert_eq!(
        change("Daily 00:00-24:00 -2199-12-30 Europe/Warsaw"),
        asleep(at("2199-12-29T23:00Z"))
    );
    assert_eq!(
        change("Daily 08:00-08:00 -2100-01-01 -2150-01-01"),
        asleep(at("2100-01-01T08:00Z"))
    );
    assert_eq!(change("2199-12-31 23:00-01:00"), awake(at("2199-12-31T23:00Z")));
    assert_eq!(
        change("Sun 10:00-11:00 -2026-01-01/2100-06-30"),
        awake(at("2100-07-04T10:00Z"))
    );
}

#[test]
fn no_moment_is_too_early_or_too_late() {
    let daily = hours("Daily 08:00-18:00 Pacific/Kiritimati");
    for now in [Timestamp::MIN, Timestamp::MAX] {
        let outlook = daily.outlook(now, LONGEST_LEAD);
        assert!(outlook.change.is_none_or(|change| change.at > now));
    }
}

/// Each text and zone has one time awake on the Sunday that begins at `midnight`: from so many minutes after that to so
/// many. They are minutes that pass, whatever clocks show.
#[track_caller]
fn assert_minutes(zone: &str, midnight: &str, cases: &[(&str, i64, i64)]) {
    let midnight = at(midnight);
    let after = |minutes: i64| midnight + jiff::SignedDuration::from_mins(minutes);
    for (text, from, to) in cases {
        let text = format!("{text} {zone}");
        let sunday = |minutes| after(minutes).to_string();
        assert_eq!(
            awake_with(&hours(&text), Duration::ZERO, &sunday(-4 * 60), &sunday(30 * 60)),
            [(after(*from), after(*to))],
            "{text}"
        );
    }
}

#[test]
fn when_an_hour_is_skipped_its_times_pass_in_the_moment_of_the_jump() {
    for (zone, midnight) in [
        ("Europe/Warsaw", "2026-03-28T23:00Z"),
        ("America/New_York", "2026-03-08T05:00Z"),
    ] {
        assert_minutes(
            zone,
            midnight,
            &[
                // 23 hours.
                ("Sun 00:00-24:00", 0, 23 * 60),
                ("Sun 08:00-18:00", 7 * 60, 17 * 60),
                ("Sun 01:00-04:00", 60, 180),
                ("Sun 02:30-06:00", 120, 5 * 60),
                ("Sun 03:00-06:00", 120, 5 * 60),
                ("Sun 01:00-02:30", 60, 120),
                ("Sun 01:00-02:00", 60, 120),
                // Skipped as a whole: it takes place after the jump.
                ("Sun 02:00-03:00", 120, 180),
                ("Sun 02:15-02:45", 120, 150),
                // Nights that end on that day.
                ("Sat 22:00-06:00", -120, 5 * 60),
                ("Sat 22:00-02:30", -120, 120),
                // A night of 24 hours on the wall that begins on it.
                ("Sun 02:30-02:30", 120, 25 * 60 + 30),
                // What touches goes on touching.
                ("Sun 01:00-02:30+02:30-04:00", 60, 180),
            ],
        );
    }
}

#[test]
fn when_an_hour_comes_twice_a_window_has_both() {
    for (zone, midnight, first, second) in [
        // 03:00 is followed by 02:00.
        ("Europe/Warsaw", "2026-10-24T22:00Z", 120, 180),
        // 02:00 is followed by 01:00, so the same cases are an hour earlier.
        ("America/New_York", "2026-11-01T04:00Z", 60, 120),
    ] {
        let hour = first / 60;
        let text = |days: &str, from: &str, to: &str| format!("{days} {from}-{to}");
        let time = |hour: i64, minute: i64| format!("{hour:02}:{minute:02}");
        let cases = [
            // 25 hours.
            (text("Sun", "00:00", "24:00"), 0, 25 * 60),
            (text("Sun", "08:00", "18:00"), 9 * 60, 19 * 60),
            // The start is the first, the end the second.
            (text("Sun", &time(hour, 30), "06:00"), first + 30, 7 * 60),
            (text("Sun", "00:10", &time(hour, 30)), 10, second + 30),
            (
                text("Sun", &time(hour, 15), &time(hour, 45)),
                first + 15,
                second + 45,
            ),
            (
                text("Sun", &time(hour, 0), &time(hour + 1, 0)),
                first,
                second + 60,
            ),
            (text("Sun", "00:10", &time(hour, 0)), 10, second),
            (text("Sun", &time(hour + 1, 0), "06:00"), second + 60, 7 * 60),
            (text("Sat", "22:00", "06:00"), -120, 7 * 60),
            (text("Sat", "22:00", &time(hour, 30)), -120, second + 30),
        ];
        for (text, from, to) in cases {
            assert_minutes(zone, midnight, &[(&text, from, to)]);
        }
    }
}

#[test]
fn clocks_may_change_by_half_an_hour() {
    // 02:00 is followed by 02:30: 23.5 hours.
    assert_minutes(
        "Australia/Lord_Howe",
        "2026-10-03T13:30Z",
        &[
            ("Sun 00:00-24:00", 0, 23 * 60 + 30),
            ("Sun 08:00-18:00", 7 * 60 + 30, 17 * 60 + 30),
            ("Sun 02:15-06:00", 120, 5 * 60 + 30),
            ("Sun 01:00-02:15", 60, 120),
            ("Sun 02:00-02:30", 120, 150),
            ("Sun 02:00-02:45", 120, 135),
            ("Sat 22:00-06:00", -120, 5 * 60 + 30),
        ],
    );
    // 02:00 is followed by 01:30: 24.5 hours.
    assert_minutes(
        "Australia/Lord_Howe",
        "2026-04-04T13:00Z",
        &[
            ("Sun 00:00-24:00", 0, 24 * 60 + 30),
            ("Sun 08:00-18:00", 8 * 60 + 30, 18 * 60 + 30),
            ("Sun 01:45-06:00", 105, 6 * 60 + 30),
            ("Sun 01:00-01:45", 60, 135),
            ("Sun 01:00-02:00", 60, 150),
            ("Sun 01:00-01:29", 60, 89),
            ("Sat 22:00-06:00", -120, 6 * 60 + 30),
        ],
    );
}

#[test]
fn clocks_may_change_at_midnight() {
    // In Santiago 24:00 of the Saturday is 01:00 of the Sunday: the day begins an hour late.
    let spring = ("2026-09-05T12:00Z", "2026-09-07T12:00Z");
    assert_awake(
        "Sun 00:00-08:00 America/Santiago",
        spring,
        &[("2026-09-06T04:00Z", "2026-09-06T11:00Z")],
    );
    assert_awake(
        "Sat 20:00-24:00 America/Santiago",
        spring,
        &[("2026-09-06T00:00Z", "2026-09-06T04:00Z")],
    );
    // And in autumn its Saturday goes back to 23:00.
    let autumn = ("2026-04-04T12:00Z", "2026-04-06T12:00Z");
    assert_awake(
        "Sat 20:00-24:00 America/Santiago",
        autumn,
        &[("2026-04-04T23:00Z", "2026-04-05T04:00Z")],
    );
    assert_awake(
        "Sun 00:00-08:00 America/Santiago",
        autumn,
        &[("2026-04-05T04:00Z", "2026-04-05T12:00Z")],
    );
}

#[test]
fn a_group_is_woken_ahead_of_a_window_by_the_time_that_it_takes() {
    let hours = hours("Mon-Fri 08:00-18:00 Europe/Warsaw");
    let lead = Duration::from_secs(150);
    let monday = at("2026-07-06T05:57:30Z");
    assert_eq!(
        hours.outlook(at("2026-07-03T16:00Z"), lead),
        Outlook {
            awake: false,
            change: Some(Change {
                at: monday,
                awake: true
            })
        }
    );
    assert_eq!(
        hours.outlook(monday, lead),
        Outlook {
            awake: true,
            change: Some(Change {
                at: at("2026-07-06T16:00Z"),
                awake: false
            })
        }
    );
    assert!(!hours.is_awake(monday));
}

#[test]
fn it_stays_awake_when_there_is_no_time_to_sleep() {
    let hours = hours("Wed 08:00-12:00+12:30-13:00+14:00-15:00");
    let spans = awake_with(
        &hours,
        Duration::from_secs(45 * 60),
        "2026-07-01T00:00Z",
        "2026-07-02T00:00Z",
    );
    assert_eq!(
        spans,
        [
            (at("2026-07-01T07:15Z"), at("2026-07-01T13:00Z")),
            (at("2026-07-01T13:15Z"), at("2026-07-01T15:00Z")),
        ]
    );
}

#[test]
fn the_time_that_a_wake_takes_is_real_time_when_clocks_change() {
    // The window starts at 03:00, and one hour before that it was 01:00 in spring and 02:00, for the second time, in
    // autumn.
    let lead = Duration::from_secs(3600);
    let hours = hours("Sun 03:00-05:00 Europe/Warsaw");
    assert_eq!(
        awake_with(&hours, lead, "2026-03-28T12:00Z", "2026-03-30T00:00Z"),
        [(at("2026-03-29T00:00Z"), at("2026-03-29T03:00Z"))]
    );
    assert_eq!(
        awake_with(&hours, lead, "2026-10-24T12:00Z", "2026-10-26T00:00Z"),
        [(at("2026-10-25T01:00Z"), at("2026-10-25T04:00Z"))]
    );
}

#[test]
fn a_pause_that_only_a_long_day_has_room_for_is_found() {
    // Two hours are too few to sleep, but on the day in autumn there are three.
    let hours = hours("Daily 03:00-01:00 Europe/Warsaw");
    let outlook = hours.outlook(at("2026-11-01T12:00Z"), Duration::from_secs(2 * 3600));
    assert_eq!(
        outlook,
        Outlook {
            awake: true,
            change: Some(Change {
                at: at("2027-10-30T23:00Z"),
                awake: false
            })
        }
    );
}

#[test]
fn no_wake_takes_more_than_a_day() {
    let hours = hours("2026-07-10 08:00-09:00");
    let outlook = hours.outlook(at("2026-07-01T00:00Z"), Duration::MAX);
    assert_eq!(
        outlook.change,
        Some(Change {
            at: at("2026-07-09T08:00Z"),
            awake: true
        })
    );
}

#[test]
fn the_longest_lead_begins_two_days_before_over_a_day_of_23_hours() {
    let hours = hours("Mon 00:00-01:00 Europe/Warsaw");
    assert_eq!(
        awake_with(&hours, LONGEST_LEAD, "2026-03-27T12:00Z", "2026-03-30T12:00Z"),
        [(at("2026-03-28T22:00Z"), at("2026-03-29T23:00Z"))]
    );
    assert!(hours.outlook(at("2026-03-28T22:30Z"), LONGEST_LEAD).awake);
}

#[test]
fn the_windows_of_a_day_that_a_zone_skipped_take_place_after_it() {
    // Apia went from the 29th of December 2011 to the 31st.
    assert_awake(
        "2011-12-30 08:00-08:00 Pacific/Apia",
        ("2011-12-29T00:00Z", "2012-01-02T00:00Z"),
        &[("2011-12-30T10:00Z", "2011-12-30T18:00Z")],
    );
    assert_awake(
        "2011-12-30 00:00-24:00 Pacific/Apia",
        ("2011-12-29T00:00Z", "2012-01-02T00:00Z"),
        &[("2011-12-30T10:00Z", "2011-12-31T10:00Z")],
    );
}
