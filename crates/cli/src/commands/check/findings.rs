//! What a check found.

use dormouse_core::error::Code;
use dormouse_core::ids::{GroupName, ServiceId};
use dormouse_core::settings::Problem;
use serde::Serialize;

use crate::ports::Caller;

/// Everything that was found. Its JSON is the answer of `check --json`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Findings {
    /// Whose credentials were used.
    #[serde(flatten)]
    pub(crate) caller: Caller,
    /// The Region that was looked at.
    pub(crate) region: String,
    /// The groups that the tags make.
    pub(crate) groups: Vec<Group>,
    /// Services that have tags of Dormouse and belong to no group.
    pub(crate) strays: Vec<Service>,
    /// What keeps them out.
    pub(crate) stray_problems: Vec<Problem>,
    /// The permissions that the functions use to read.
    pub(crate) permissions: Vec<Permission>,
}

/// A group.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Group {
    /// Its name.
    pub(crate) name: GroupName,
    /// The services that name it, those with bad tags too.
    pub(crate) services: Vec<Service>,
    /// Bad tags, and listener rules that cannot lead to the wake function though they should.
    pub(crate) problems: Vec<Problem>,
}

/// A service.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Service {
    /// Which.
    pub(crate) id: ServiceId,
    /// How it is.
    #[serde(flatten)]
    pub(crate) state: State,
}

/// How a service is.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum State {
    /// It exists.
    Counts {
        /// Tasks that should run.
        desired: u32,
        /// Tasks that run.
        running: u32,
    },
    /// It does not exist, or cannot be looked at.
    Unknown {
        /// Stable code.
        code: Code,
        /// Why.
        message: String,
    },
}

/// A permission of the caller.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Permission {
    /// The action as IAM policies name it.
    pub(crate) action: &'static str,
    /// What came of trying it.
    pub(crate) outcome: Outcome,
    /// Why, in a sentence, or in AWS's words.
    pub(crate) detail: Option<String>,
}

/// What came of trying a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    /// AWS answered.
    Ok,
    /// AWS refused.
    Denied,
    /// It failed for another reason.
    Failed,
    /// Nothing could be tried without doing harm or spending money.
    Untried,
    /// The services as they are tagged now do without it.
    NotNeeded,
}

impl Outcome {
    /// As people read it.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Denied => "denied",
            Self::Failed => "failed",
            Self::Untried => "untried",
            Self::NotNeeded => "not needed",
        }
    }
}

impl Findings {
    /// How much there is to mend: bad tags, services that cannot be looked at, permissions that are missing.
    pub(crate) fn to_mend(&self) -> usize {
        let services = self
            .groups
            .iter()
            .flat_map(|group| &group.services)
            .chain(&self.strays);
        let unknown = services.filter(|service| matches!(service.state, State::Unknown { .. }));
        let problems: usize = self.groups.iter().map(|group| group.problems.len()).sum();
        let missing = self
            .permissions
            .iter()
            .filter(|permission| matches!(permission.outcome, Outcome::Denied | Outcome::Failed));
        unknown.count() + problems + self.stray_problems.len() + missing.count()
    }
}
