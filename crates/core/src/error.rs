//! One error type for what a port can fail with, with stable codes that logs, the status JSON and state
//! machines share.

use serde::{Deserialize, Serialize};

/// What went wrong with a call to the outside, in the words of who failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{code}: {message}")]
pub struct Error {
    /// Stable code.
    pub code: Code,
    /// Names the thing, and says what AWS said.
    pub message: String,
}

impl Error {
    /// An error with its code.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }
}

/// Stable error codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Code {
    /// AWS refused the call: the function's role lacks a permission.
    AccessDenied,
    /// AWS asked to slow down, and the SDK's retries did not help; or we slowed down by ourselves, for calls that are
    /// more urgent.
    Throttled,
    /// The cluster does not exist.
    ClusterNotFound,
    /// The service does not exist, or is being deleted.
    ServiceNotFound,
    /// The table does not exist.
    TableNotFound,
    /// No answer in time, no connection, or a server error.
    Unavailable,
    /// AWS refused the call's content.
    Rejected,
    /// What is stored in the table cannot be read.
    CorruptRecord,
    /// Too many writers at once; try again.
    Contention,
    /// An environment variable is missing or breaks its rule.
    InvalidConfig,
    /// A tag breaks its rule.
    InvalidTag,
    /// An event or request cannot be understood.
    InvalidRequest,
    /// The request needs a credential or a signed link, and the one that it has is no good, or this stack was given none.
    Forbidden,
    /// The request needs a credential, and has none or a wrong one.
    Unauthorized,
    /// The group was woken over HTTP as often as it may be in a day: not woken.
    WakeBudgetSpent,
    /// Groups need each other in a longer chain than one turn follows; the next look goes on with it.
    NeedsTooDeep,
    /// What arrived is larger than this function unpacks.
    TooLarge,
    /// An alarm that is not in state ALARM, or counts errors of the app itself: not a reason to wake.
    NotAWake,
    /// The group is in observe mode: what was asked for was not done.
    Observing,
    /// Somebody keeps the group asleep for now: not woken.
    KeptAsleep,
    /// No service is tagged with this group.
    UnknownGroup,
    /// The sleep timer did not start; the tick watches alone.
    TimerNotStarted,
    /// The log group is not that of any service.
    UnknownLogGroup,
    /// The function found a bug in itself.
    Internal,
    /// The scale-in has lost its claim, or the service is not what it was when it began: it undoes itself.
    ScaleInRevoked,
    /// The scale-in found no task that nobody uses.
    NoFreeTask,
    /// A task that must stay is not protected from scale-in (any more).
    NotProtected,
    /// A task that is to leave takes new connections (again).
    TargetRegistered,
    /// A task that is to leave is in use.
    TaskInUse,
    /// A task or service cannot become ready.
    NotBecomingReady,
    /// The app's tasks have no address that a visitor can reach.
    NoPublicAddress,
    /// A listener rule or default action cannot be led to the wake function, or back.
    FrontNotLed,
    /// The wake function was not found to answer where a listener rule leads to it.
    FrontUnproven,
}

impl Code {
    /// Whether the same call may work later without anybody mending anything.
    #[must_use]
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Throttled | Self::Unavailable | Self::Contention)
    }

    /// Whether what was asked about does not exist any more.
    #[must_use]
    pub fn is_gone(self) -> bool {
        matches!(self, Self::ServiceNotFound | Self::ClusterNotFound)
    }

    /// Whether what arrived is at fault, so that trying it again is useless.
    #[must_use]
    pub fn is_refusal(self) -> bool {
        matches!(
            self,
            Self::InvalidRequest
                | Self::TooLarge
                | Self::NotAWake
                | Self::Forbidden
                | Self::Unauthorized
                | Self::UnknownGroup
                | Self::UnknownLogGroup
        )
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_arrived_is_at_fault_or_it_is_not() {
        assert!(Code::InvalidRequest.is_refusal() && Code::NotAWake.is_refusal());
        assert!(!Code::Unavailable.is_refusal() && !Code::Throttled.is_refusal());
    }
}
