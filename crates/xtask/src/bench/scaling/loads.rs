//! Loads: open connections of all tasks, for each second.

use crate::bench::random::Random;
use crate::bench::trace::{BIN, DAY, Trace};

/// Seconds for which a request of the real trace keeps its connection open. nginx closes an idle one after 75 s
/// (`keepalive_timeout`, nginx documentation, "Module ngx_http_core_module"), some browsers earlier; our assumption.
pub(super) const KEPT_OPEN: u32 = 60;
/// Connections at the highest second of the real trace: 14 tasks at their capacity, 20 at the target of most tables.
pub(super) const PEAK: u32 = 1400;

/// A load with its name.
pub(super) struct Load {
    pub(super) name: &'static str,
    /// What happens, in a few words.
    pub(super) what: String,
    /// Connections.
    pub(super) seconds: Vec<u32>,
    /// When a sudden rise comes, if that is what it is about.
    pub(super) spike_at: Option<usize>,
}

/// The loads that the project makes: two hours each.
pub(super) fn made() -> Vec<Load> {
    let minutes = |second: u32| f64::from(second) / 60.0;
    vec![
        make("steady", "650 connections", None, |_| 650.0),
        make(
            "ramp",
            "130 up to 1300 in 30 min, there for 20 min, down in 30 min",
            None,
            |second| {
                let (up, down) = ((minutes(second) - 20.0) / 30.0, (minutes(second) - 70.0) / 30.0);
                130.0 + 1170.0 * (up.clamp(0.0, 1.0) - down.clamp(0.0, 1.0))
            },
        ),
        make(
            "spike",
            "130, and 900 from one second to the next for 10 min",
            Some(3600),
            |second| {
                if (3600..4200).contains(&second) {
                    900.0
                } else {
                    130.0
                }
            },
        ),
        make(
            "sawtooth",
            "130 up to 1300 in 20 min, then down at once, again and again",
            None,
            |second| 130.0 + 1170.0 * f64::from(second % 1200) / 1200.0,
        ),
        make(
            "silent",
            "650 connections for 20 min, then none",
            None,
            |second| {
                if second < 1200 { 650.0 } else { 0.0 }
            },
        ),
    ]
}

/// Two hours of a load that wavers by 3 % at most, anew each 10 s.
fn make(name: &'static str, what: &str, spike_at: Option<usize>, load: impl Fn(u32) -> f64) -> Load {
    let mut random = Random::new(name.len() as u64);
    let mut waver = 1.0;
    let seconds = (0..7200).map(|second| {
        if second % 10 == 0 {
            waver = 0.97 + 0.06 * random.unit();
        }
        (load(second) * waver).round() as u32
    });
    Load {
        name,
        what: what.to_owned(),
        seconds: seconds.collect(),
        spike_at,
    }
}

/// Two parts of the real trace: the launch day, and a weekend on the same scale.
pub(super) fn real(trace: &Trace) -> Vec<Load> {
    // The trace begins on Saturday, 1995-07-01; the launch was on Thursday, 1995-07-13.
    let parts = [
        ("launch day", 12..13, "1995-07-13"),
        ("weekend", 7..9, "1995-07-08 and 09"),
    ];
    let open = open_connections(trace.bins());
    let highest = open.iter().copied().fold(1.0, f64::max);
    let scale = f64::from(PEAK) / highest;
    let parts = parts.into_iter().filter_map(|(name, days, date)| {
        let seconds = open.get((days.start * DAY) as usize..(days.end * DAY) as usize)?;
        Some(Load {
            name,
            what: format!("{date}, all connections times {scale:.2}"),
            seconds: seconds.iter().map(|open| (open * scale).round() as u32).collect(),
            spike_at: None,
        })
    });
    parts.collect()
}

/// The connections that are open at each second if each request keeps one for [`KEPT_OPEN`] seconds: by Little's law
/// the rate of requests times that time on average, and exactly the requests of the last [`KEPT_OPEN`] seconds. The
/// requests of ten seconds are spread evenly.
fn open_connections(bins: &[u32]) -> Vec<f64> {
    let mut before = vec![0.0];
    for requests in bins {
        for _ in 0..BIN {
            let last = before.last().copied().unwrap_or(0.0);
            before.push(last + f64::from(*requests) / f64::from(BIN));
        }
    }
    let open = |second: usize| before[second + 1] - before[(second + 1).saturating_sub(KEPT_OPEN as usize)];
    (0..before.len() - 1).map(open).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn littles_law_holds() {
        // 20 requests in ten seconds, each open for 60 s: 120 open at once.
        let open = open_connections(&[20; 12]);
        assert_eq!(open.len(), 120);
        assert!((open[0] - 2.0).abs() < 1e-9 && (open[29] - 60.0).abs() < 1e-9);
        assert!(open[59..].iter().all(|open| (open - 120.0).abs() < 1e-9));
        let mean = open_connections(&[0, 30, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
            .iter()
            .sum::<f64>()
            / 120.0;
        assert!(
            (mean - 30.0 / 120.0 * 60.0).abs() < 1e-9,
            "rate times time: {mean}"
        );
    }

    #[test]
    fn the_made_loads_are_what_their_names_say_and_always_the_same() {
        let loads = made();
        let load = |name: &str| {
            &loads
                .iter()
                .find(|load| load.name == name)
                .expect("a load")
                .seconds
        };
        assert!(loads.iter().all(|load| load.seconds.len() == 7200));
        assert!(load("steady").iter().all(|load| (630..=670).contains(load)));
        assert!(load("spike")[3599] < 135 && load("spike")[3600] > 872 && load("spike")[4200] < 135);
        assert!(load("silent")[1200..].iter().all(|load| *load == 0));
        assert!(load("ramp")[1200] < 135 && load("ramp")[3000..4200].iter().all(|load| *load > 1260));
        assert!(load("ramp")[6000..].iter().all(|load| *load < 135));
        assert!(load("sawtooth")[1199] > 1250 && load("sawtooth")[1200] < 135);
        assert!(made().iter().zip(&loads).all(|(a, b)| a.seconds == b.seconds));
    }
}
