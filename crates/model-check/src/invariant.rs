//! What must hold, by the numbers of docs/RELIABILITY.md.

use std::fmt;

/// An invariant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invariant {
    /// No task with a live session is stopped, left deregistered, or left unprotected while its service scales in.
    Sessions,
    /// A wake is never lost.
    Wake,
    /// Unknown never removes capacity.
    Unknown,
    /// Sleeping then waking restores counts and bounds.
    Restored,
    /// A stale generation changes nothing.
    Stale,
    /// Eventual quiet: nothing stays claimed, protected, deregistered or half asleep.
    Rest,
}

impl Invariant {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Sessions,
        Self::Wake,
        Self::Unknown,
        Self::Restored,
        Self::Stale,
        Self::Rest,
    ];

    /// Its number and name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sessions => {
                "1 no task with a live session is stopped, left deregistered or left unprotected"
            }
            Self::Wake => "2 a wake is never lost",
            Self::Unknown => "4 unknown never removes capacity",
            Self::Restored => "5 sleeping then waking restores counts and bounds",
            Self::Stale => "6 a stale generation changes nothing",
            Self::Rest => "- in the end nothing is claimed, protected, deregistered or half asleep",
        }
    }
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
