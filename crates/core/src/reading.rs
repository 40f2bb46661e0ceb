//! Signals and what they say.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A source of evidence of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signal {
    /// Requests that the load balancer passed to the service's target groups.
    Requests,
    /// Lines of a log group that match a pattern.
    Logs,
    /// Open connections to the service's tasks.
    Connections,
    /// CPU utilization of the service's tasks.
    Cpu,
    /// Live sessions that the app reports.
    Sessions,
    /// Tasks that the app itself protects from scale-in.
    Protection,
}

impl Signal {
    /// All signals.
    pub const ALL: [Self; 6] = [
        Self::Requests,
        Self::Logs,
        Self::Connections,
        Self::Cpu,
        Self::Sessions,
        Self::Protection,
    ];

    /// The signal as tags and parameters write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Logs => "logs",
            Self::Connections => "connections",
            Self::Cpu => "cpu",
            Self::Sessions => "sessions",
            Self::Protection => "protection",
        }
    }

    /// Whether it tells only of the moment in which it is read, so that quiet is known only from one look to the
    /// next. The others tell of the whole idle time at once.
    #[must_use]
    pub fn is_momentary(self) -> bool {
        matches!(self, Self::Connections | Self::Protection)
    }

    /// Whether it is asked of the service's tasks, one by one.
    #[must_use]
    pub fn is_of_tasks(self) -> bool {
        matches!(self, Self::Connections | Self::Protection | Self::Sessions)
    }

    /// Whether reading it costs money each time, so that it is read last and only if all others are quiet.
    #[must_use]
    pub fn is_costly(self) -> bool {
        self == Self::Logs
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a signal says now. `Unknown` is never zero: it puts nothing to sleep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// In use, last at this moment.
    Active(Timestamp),
    /// Unused from `since` to `until`. What happened after `until` is not known yet (metric lag), so
    /// only the time between the two counts as quiet.
    Quiet {
        /// Beginning of the quiet that is known of.
        since: Timestamp,
        /// End of what is known.
        until: Timestamp,
    },
    /// Nothing can be said, and why.
    Unknown(String),
}

/// In words.
impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Active(at) => write!(f, "use at {at:.0}"),
            Self::Quiet { since, until } => write!(f, "quiet from {since:.0} to {until:.0}"),
            Self::Unknown(why) => write!(f, "unknown: {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_signals_are_asked_of_tasks() {
        let of_tasks = Signal::ALL.into_iter().filter(|signal| signal.is_of_tasks());
        let names: Vec<&str> = of_tasks.map(Signal::as_str).collect();
        assert_eq!(names.len(), 3, "{names:?}");
        assert!(
            ["connections", "protection", "sessions"]
                .iter()
                .all(|name| names.contains(name))
        );
    }
}
