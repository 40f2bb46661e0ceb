//! What holds for all hours.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;

/// Both ways to change clocks at the usual hours, by half an hour, at midnight, and none.
const ZONES: [&str; 6] = [
    "Europe/Warsaw",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Asia/Kolkata",
    "UTC",
];
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/// 2026, on the clocks of every zone, has these minutes and some more.
const YEAR: [&str; 2] = ["2025-12-28T00:00Z", "2027-01-05T00:00Z"];

fn moment(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

/// Times, often ones that clocks skip or show twice.
fn any_time() -> impl Strategy<Value = String> {
    let minutes = prop_oneof![0..24 * 60, (0..5 * 4).prop_map(|quarter| quarter * 15)];
    minutes.prop_map(|minutes| format!("{:02}:{:02}", minutes / 60, minutes % 60))
}

fn any_times() -> impl Strategy<Value = String> {
    let end = prop_oneof![4 => any_time(), 1 => Just("24:00".to_owned())];
    let one = (any_time(), end).prop_map(|(from, to)| format!("{from}-{to}"));
    proptest::collection::vec(one, 1..4).prop_map(|times| times.join("+"))
}

/// A date or some, often on the days on which clocks change.
fn any_dates() -> impl Strategy<Value = String> {
    let changes = vec![
        "2026-03-08",
        "2026-03-28",
        "2026-03-29",
        "2026-04-05",
        "2026-10-04",
        "2026-10-25",
        "2026-11-01",
    ];
    let date = (1..13, 1..29).prop_map(|(month, day)| format!("2026-{month:02}-{day:02}"));
    let range = (1..12, 1..29, 1..29)
        .prop_map(|(month, a, b)| format!("2026-{month:02}-{a:02}/2026-{:02}-{b:02}", month + 1));
    prop_oneof![select(changes).prop_map(str::to_owned), date, range]
}

/// Texts as people might write them.
fn any_text() -> impl Strategy<Value = String> {
    let range = (select(&DAYS[..]), select(&DAYS[..]))
        .prop_filter("two days", |(first, last)| first != last)
        .prop_map(|(first, last)| format!("{first}-{last}"));
    let days = prop_oneof![
        subsequence(&DAYS[..], 1..5).prop_map(|days| days.join("+")),
        range,
        Just("Daily".to_owned()),
        any_dates(),
    ];
    let window = (days, any_times()).prop_map(|(days, times)| format!("{days} {times}"));
    let windows = proptest::collection::vec(window, 1..4);
    let holidays = proptest::collection::vec(any_dates().prop_map(|dates| format!("-{dates}")), 0..4);
    (windows, holidays, select(&ZONES[..])).prop_map(|(windows, holidays, zone)| {
        let words: Vec<_> = windows
            .into_iter()
            .chain(holidays)
            .chain([zone.to_owned()])
            .collect();
        words.join(" ")
    })
}

fn any_hours() -> impl Strategy<Value = Hours> {
    any_text().prop_map(|text| text.parse().unwrap_or_else(|flaw| panic!("{text}: {flaw}")))
}

fn any_moment() -> impl Strategy<Value = Timestamp> {
    (0..366 * 86_400i64).prop_map(|seconds| moment(YEAR[0]) + SignedDuration::from_secs(seconds))
}

fn any_lead() -> impl Strategy<Value = Duration> {
    prop_oneof![Just(0), 0..900u64, 0..100_000u64].prop_map(Duration::from_secs)
}

/// For each minute that the clocks of a zone may show, from a day before the year on: the minutes of the year in which
/// they show it for the first and for the last time, by looking at a clock all the year.
type Clock = Vec<Option<(usize, usize)>>;

static CLOCKS: LazyLock<BTreeMap<&str, Clock>> = LazyLock::new(|| {
    let clock = |name| {
        let zone = TimeZoneDatabase::bundled().get(name).expect("a zone");
        let minutes = minutes_until(moment(YEAR[1]));
        let mut clock: Clock = vec![None; minutes + 2 * 1440];
        // Clocks are put forward and back at quarters of an hour only, and looking takes time.
        for quarter in (0..minutes).step_by(15) {
            let ahead = zone.to_offset(minute_of_year(quarter)).seconds() / 60;
            let ahead = usize::try_from(ahead + 1440).expect("less than a day from UTC");
            for minute in quarter..quarter + 15 {
                clock[minute + ahead].get_or_insert((minute, minute)).1 = minute;
            }
        }
        (name, clock)
    };
    ZONES.into_iter().map(clock).collect()
});

fn minute_of_year(minute: usize) -> Timestamp {
    moment(YEAR[0]) + Duration::from_secs(60) * u32::try_from(minute).expect("a minute")
}

fn minutes_until(end: Timestamp) -> usize {
    usize::try_from(end.duration_since(moment(YEAR[0])).as_secs() / 60).expect("minutes")
}

/// Which minutes are awake, as the clocks that were looked at show it.
fn minute_by_minute(hours: &Hours) -> Vec<bool> {
    let clock = &CLOCKS[hours.zone().to_string().as_str()];
    let mut awake = vec![false; minutes_until(moment(YEAR[1]))];
    let first = moment(YEAR[0]).to_zoned(TimeZone::UTC).datetime();
    let place = |time: DateTime| {
        let minutes = time.duration_since(first).as_secs() / 60 + 1440;
        usize::try_from(minutes).expect("a minute")
    };
    // A time that is not shown passes when the next one is.
    let next_shown = |time| clock[place(time)..].iter().flatten().next().expect("a minute");
    let mut date = first.date().tomorrow().expect("a day");
    while date.year() < 2027 {
        let next = date.tomorrow().expect("a day");
        for times in hours.starting_on(date) {
            let text = times.to_string();
            let (start, end) = text.split_once('-').expect("times");
            let time = |date: Date, text: &str| format!("{date}T{text}").parse::<DateTime>().expect("a time");
            let from = time(date, start);
            let to = match end {
                "24:00" => time(next, "00:00"),
                end if end > start => time(date, end),
                end => time(next, end),
            };
            let begin = next_shown(from).0;
            let mut over = clock[place(to)].map_or(next_shown(to).0, |(_, last)| last);
            if over <= begin {
                over = begin + place(to) - place(from);
            }
            awake[begin..over].fill(true);
        }
        date = next;
    }
    awake
}

proptest! {
    // A year has half a million minutes.
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.div_ceil(16)))]

    #[test]
    fn a_year_is_as_long_awake_as_clocks_say_minute_by_minute(hours in any_hours()) {
        let naive = minute_by_minute(&hours);
        // Beside the margins, of which the naive way does not see all windows.
        let (from, to) = (3 * 1440, naive.len() - 6 * 1440);
        let (mut now, mut awake) = (from, hours.is_awake(minute_of_year(from)));
        let mut minutes = 0;
        while now < to {
            let change = hours.next_change(minute_of_year(now));
            let next = change.map_or(to, |change| minutes_until(change.at).min(to));
            let other = (now..next).find(|minute| naive[*minute] != awake);
            prop_assert!(other.is_none(), "{hours}: {awake} at {:?}", other.map(minute_of_year));
            minutes += if awake { next - now } else { 0 };
            (now, awake) = (next, !awake);
        }
        prop_assert_eq!(minutes, naive[from..to].iter().filter(|awake| **awake).count());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_next_change_is_later_and_a_change_and_there_is_none_before_it(
        hours in any_hours(),
        now in any_moment(),
        lead in any_lead(),
        samples in proptest::collection::vec(0.0..1.0f64, 8),
    ) {
        let Outlook { awake, change } = hours.outlook(now, lead);
        let is_awake = |at| hours.outlook(at, lead).awake;
        let end = change.map_or(now + SignedDuration::from_hours(24 * 400), |change| change.at);
        if let Some(change) = change {
            prop_assert!(change.at > now && change.awake != awake);
            prop_assert_eq!(is_awake(change.at), change.awake);
            prop_assert_eq!(is_awake(change.at - SignedDuration::from_nanos(1)), awake);
        }
        for sample in samples {
            let between = now + end.duration_since(now).mul_f64(sample);
            prop_assert_eq!(is_awake(between), awake, "{} at {}", hours, between);
        }
    }

    #[test]
    fn with_a_lead_it_is_awake_if_a_window_is_open_or_opens_within_it(
        hours in any_hours(),
        now in any_moment(),
        lead in any_lead(),
    ) {
        let lead = lead.min(LONGEST_LEAD);
        let opens = hours.next_change(now).is_some_and(|change| change.at <= now + lead);
        prop_assert_eq!(hours.outlook(now, lead).awake, hours.is_awake(now) || opens);
        prop_assert_eq!(hours.outlook(now, Duration::ZERO).awake, hours.is_awake(now));
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(text in any_text()) {
        let hours: Hours = text.parse().expect("hours");
        let canonical = hours.to_string();
        prop_assert_eq!(Hours::parse(&canonical), Some(hours));
        prop_assert!(canonical.chars().all(|c| c.is_ascii_alphanumeric() || " +-=._:/@".contains(c)));
    }

    #[test]
    fn no_text_makes_it_panic(
        text in prop_oneof![
            ".*",
            "[0-9MonFriDaily:+/ -]{0,40}",
            proptest::collection::vec(select(&[
                "Mon", "Mon-Fri", "Fri-Mon", "Daily", "08:00-18:00", "22:00-06:00+24:00-24:00", "-2026-12-25",
                "2026-12-24/2027-01-01", "2026-02-29", "UTC", "europe/warsaw", "+", "-", "/", ":", "Ω", "0é:",
            ][..]), 0..8).prop_map(|words| words.join(" ")),
        ],
        now in any_moment(),
    ) {
        match text.parse::<Hours>() {
            Ok(hours) => {
                let canonical = hours.to_string();
                prop_assert_eq!(Hours::parse(&canonical).map(|again| again.to_string()), Some(canonical));
                let _ = hours.next_change(now);
            }
            Err(flaw) => prop_assert!(!flaw.to_string().is_empty()),
        }
    }
}
