//! Bugs that are put in on purpose, to see that each check can fail.

/// A bug, in what a function does or sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// No session is ever seen.
    SeesNoSessions,
    /// A count is never raised from 0, and nobody is told.
    NeverStarts,
    /// Every task looks as if it answered.
    SeesTasksReady,
    /// What is not known counts as quiet.
    UnknownIsQuiet,
    /// The count that sleep takes is not remembered.
    ForgetsCounts,
    /// A sleep timer of an older generation is taken for one of the present.
    TrustsOldTimers,
    /// Every other report of a session is dropped.
    DropsReports,
    /// A service without our tag is taken for one of ours.
    AdoptsStrangers,
    /// Nobody is told whose door leads to the wake function, and nobody checks.
    ForgetsDoors,
    /// The plan of a scale-in is never removed.
    KeepsPlans,
}

impl Sabotage {
    /// Each, with the invariant that it breaks.
    pub const ALL: [(Self, u8); 10] = [
        (Self::SeesNoSessions, 1),
        (Self::NeverStarts, 2),
        (Self::SeesTasksReady, 3),
        (Self::UnknownIsQuiet, 4),
        (Self::ForgetsCounts, 5),
        (Self::TrustsOldTimers, 6),
        (Self::DropsReports, 7),
        (Self::AdoptsStrangers, 8),
        (Self::ForgetsDoors, 9),
        (Self::KeepsPlans, 10),
    ];
}
