//! What can happen to a call.

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The service says that there were too many calls, in the shape and with the code of its protocol.
    Throttled,
    /// The service says that it failed: 500.
    Failed,
    /// The service says that it is not there: 503.
    Unavailable,
    /// What is in front of the service answers with a page of HTML that has no code.
    Page,
    /// The connection is reset before the service sees the call.
    ResetBefore,
    /// The connection is reset when the service has answered: the caller cannot know what became of the call.
    ResetAfter,
    /// The answer comes late, sometimes later than anybody waits for it.
    Slow,
    /// The answer ends in its middle.
    CutOff,
}

impl Fault {
    /// All of them, equally likely.
    pub const ALL: [Fault; 8] = [
        Fault::Throttled,
        Fault::Failed,
        Fault::Unavailable,
        Fault::Page,
        Fault::ResetBefore,
        Fault::ResetAfter,
        Fault::Slow,
        Fault::CutOff,
    ];

    /// Its name in counts.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Fault::Throttled => "throttled",
            Fault::Failed => "failed",
            Fault::Unavailable => "unavailable",
            Fault::Page => "page",
            Fault::ResetBefore => "reset-before",
            Fault::ResetAfter => "reset-after",
            Fault::Slow => "slow",
            Fault::CutOff => "cut-off",
        }
    }
}
