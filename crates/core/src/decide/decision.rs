//! What a decision is: the next record, what to do once it is saved, and why.

use jiff::Timestamp;
use serde::Serialize;

use crate::ids::{Generation, GroupName, ServiceId};
use crate::reason::Reason;
use crate::record::{Record, Would};
use crate::scalable::Suspended;

/// What to do now, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The next record, not saved yet; its version is still that of the record it was made from.
    pub record: Record,
    /// What to do once it is saved.
    pub effects: Vec<Effect>,
    /// Why.
    pub reason: Reason,
    /// Counts of an awake group that somebody else has changed since the last look. They are respected.
    pub drift: Vec<Drift>,
    /// What would be done if the group were not in observe mode, since when it would be.
    pub would: Option<Would>,
    /// Whether the intent came from a timer of an older generation.
    pub superseded: bool,
    /// Whether to ask for [`Observation::bounds`] and to decide again with them, instead of carrying this out.
    pub wants_bounds: bool,
    /// When the next look is due, if any is.
    pub look_again: Option<Timestamp>,
}

impl Decision {
    /// Whether anything is done to services or other groups.
    #[must_use]
    pub fn acts(&self) -> bool {
        let timer = |effect: &Effect| effect.subject() == Subject::Timer;
        !self.effects.iter().all(timer)
    }

    /// How many counts are set to something, and how many to 0.
    #[must_use]
    pub fn counts(&self) -> (u32, u32) {
        let (mut raised, mut lowered) = (0, 0);
        for effect in &self.effects {
            match effect {
                Effect::SetDesired { count: 0, .. } => lowered += 1,
                Effect::SetDesired { .. } => raised += 1,
                Effect::Suspend { .. } | Effect::StartTimer { .. } | Effect::WakeGroup { .. } => {}
            }
        }
        (raised, lowered)
    }

    /// The same without what changes services, which is left to a look at this moment.
    #[must_use]
    pub fn deferred(mut self, before: &Record, look_again: Timestamp) -> Self {
        for effect in &self.effects {
            if let Subject::Service(service) = effect.subject() {
                let before = before.services.get(service);
                let record = self.record.service(service);
                record.command = before.and_then(|service| service.command);
                record.bounds = before.and_then(|service| service.bounds);
            }
        }
        self.effects
            .retain(|effect| !matches!(effect.subject(), Subject::Service(_)));
        self.look_again = Some(look_again);
        self
    }
}

/// A change to the outside. Every one is idempotent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Set the desired count of a service.
    SetDesired {
        /// Which service.
        service: ServiceId,
        /// The count.
        count: u32,
    },
    /// Set what is suspended of a service's scalable target.
    Suspend {
        /// Which service.
        service: ServiceId,
        /// What is to be suspended; all else is resumed.
        suspended: Suspended,
    },
    /// Start the sleep timer of a generation.
    StartTimer {
        /// The generation that has just begun.
        generation: Generation,
        /// When the generation began.
        woken_at: Timestamp,
        /// When it should look first.
        at: Timestamp,
    },
    /// Wake a group that this one needs, or count this as use if it is awake.
    WakeGroup {
        /// Which group.
        group: GroupName,
    },
}

/// What an effect changes. Effects on the same thing follow each other, all others are independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject<'a> {
    /// The group's own sleep timer.
    Timer,
    /// Another group.
    Group(&'a GroupName),
    /// A service of the group.
    Service(&'a ServiceId),
}

impl Effect {
    /// What it changes.
    #[must_use]
    pub fn subject(&self) -> Subject<'_> {
        match self {
            Self::SetDesired { service, .. } | Self::Suspend { service, .. } => Subject::Service(service),
            Self::StartTimer { .. } => Subject::Timer,
            Self::WakeGroup { group } => Subject::Group(group),
        }
    }
}

/// A count that somebody else changed: console, CloudFormation, Terraform, or the service's own Application Auto Scaling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// The service.
    pub service: ServiceId,
    /// The desired count before.
    pub from: u32,
    /// The desired count now.
    pub to: u32,
}
