//! What a decision is: the next record, what to do once it is saved, and why.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

use crate::error::Error;
use crate::front::{DoorChange, DoorId, Forward, Posted};
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
    /// What somebody else did to doors that were led away.
    pub door_changes: Vec<DoorChange>,
    /// Why the doors cannot be looked at or led, if they cannot.
    pub front_error: Option<Error>,
    /// What to ask for, to decide again with it instead of carrying this out.
    pub wants: Wants,
    /// When the next look is due, if any is.
    pub look_again: Option<Timestamp>,
}

/// What a decision hangs on that was not asked for yet, because most decisions do not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// [`Observation::bounds`](crate::observation::Observation::bounds).
    pub bounds: bool,
    /// [`Observation::doors`](crate::observation::Observation::doors).
    pub doors: bool,
    /// [`Observation::proofs`](crate::observation::Observation::proofs) of these.
    pub proofs: BTreeSet<DoorId>,
}

impl Wants {
    /// Whether nothing is.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        !self.bounds && !self.doors && self.proofs.is_empty()
    }
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
                Effect::Suspend { .. }
                | Effect::StartTimer { .. }
                | Effect::WakeGroup { .. }
                | Effect::Lead(_)
                | Effect::Post(_) => {}
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
    /// Lead a door elsewhere, if it still leads where it was seen to.
    Lead(Box<Lead>),
    /// Let the wake function know of a door.
    Post(Box<Posted>),
    /// Wake a group that this one needs, or count this as use if it is awake.
    WakeGroup {
        /// Which group.
        group: GroupName,
    },
}

/// A door that is to be led elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lead {
    /// Which.
    pub door: DoorId,
    /// Where it was seen to lead.
    pub from: Forward,
    /// Where it is to lead.
    pub to: Forward,
    /// When that was decided.
    pub at: Timestamp,
    /// What the wake function must know of it.
    pub posted: Posted,
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
    /// A door of its load balancer.
    Door(&'a DoorId),
}

impl Effect {
    /// What it changes.
    #[must_use]
    pub fn subject(&self) -> Subject<'_> {
        match self {
            Self::SetDesired { service, .. } | Self::Suspend { service, .. } => Subject::Service(service),
            Self::StartTimer { .. } => Subject::Timer,
            Self::WakeGroup { group } => Subject::Group(group),
            Self::Lead(lead) => Subject::Door(&lead.door),
            Self::Post(posted) => Subject::Door(&posted.door),
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
