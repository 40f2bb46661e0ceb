//! A [`Window`] as it is stored: times as milliseconds before the last pass, lists without names.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::window::{Mark, Run, Window};

/// About 600 bytes of JSON with a reading each 3 s, and 4 KB at its very longest.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Stored {
    /// Milliseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<i64>,
    /// The ages of its beginning and its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<(i64, i64)>,
    /// Age, desired count, total.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    readings: Vec<(i64, u32, u64)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    highs: Vec<u64>,
    newest: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    doubt: Option<String>,
}

impl From<Window> for Stored {
    fn from(window: Window) -> Self {
        let last = window.at.map_or(0, Timestamp::as_millisecond);
        let age = |at: Timestamp| last - at.as_millisecond();
        let reading = |mark: &Mark| (age(mark.at), mark.desired, mark.total);
        Self {
            at: window.at.map(Timestamp::as_millisecond),
            run: window.run.map(|run| (age(run.since), age(run.until))),
            readings: window.marks.iter().map(reading).collect(),
            highs: window.highs,
            newest: window.newest,
            doubt: window.doubt,
        }
    }
}

/// What no window can be, because somebody changed it, becomes one that can, with the next pass at the latest.
impl From<Stored> for Window {
    fn from(stored: Stored) -> Self {
        let moment = |ms: i64| Timestamp::from_millisecond(ms).ok();
        let Some(last) = stored.at.and_then(moment) else {
            return Self::default();
        };
        let at = |age: i64| moment(last.as_millisecond().saturating_sub(age.max(0))).unwrap_or(last);
        let mut highs = stored.highs;
        if highs.is_empty() {
            highs.push(0);
        }
        let mark = |&(age, desired, total): &(i64, u32, u64)| Mark {
            at: at(age),
            desired,
            total,
        };
        Self {
            at: Some(last),
            run: stored.run.map(|(since, until)| Run {
                since: at(since),
                until: at(until),
            }),
            marks: stored.readings.iter().map(mark).collect(),
            highs,
            newest: stored.newest,
            doubt: stored.doubt,
        }
    }
}
