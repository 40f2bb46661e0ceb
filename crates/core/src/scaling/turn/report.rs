//! What a tick of scaling says.

use serde::Serialize;

use crate::error::Error;
use crate::ids::{GroupName, ServiceId};
use crate::scaling::reason::Reason;
use crate::scaling::{Action, Decision};

/// What the tick did about one service, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The group.
    pub group: GroupName,
    /// The service.
    pub service: ServiceId,
    /// `scale-out`, `scale-in` or `hold`; in observe mode `would-scale-out` or `would-scale-in`.
    pub decision: &'static str,
    /// The desired count that was seen, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<u32>,
    /// The count that is to be reached, if it changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<u32>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Why, as a sentence.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// What went wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Error>,
    /// Whether the same was said before.
    #[serde(skip)]
    pub is_known: bool,
}

impl Report {
    pub(super) fn of(group: &GroupName, service: &ServiceId) -> Self {
        Self {
            group: group.clone(),
            service: service.clone(),
            decision: "hold",
            from: None,
            to: None,
            reason: None,
            message: String::new(),
            errors: Vec::new(),
            is_known: false,
        }
    }

    /// A turn that came to nothing.
    pub(in crate::scaling) fn failed(group: &GroupName, service: &ServiceId, error: Error) -> Self {
        Self {
            errors: vec![error],
            ..Self::of(group, service)
        }
    }

    pub(super) fn tell(&mut self, decision: &Decision, from: u32) {
        (self.decision, self.to) = match &decision.action {
            Action::Hold => ("hold", None),
            Action::ScaleOut { to, .. } => ("scale-out", Some(*to)),
            Action::ScaleIn { to, .. } => ("scale-in", Some(*to)),
        };
        self.from = Some(from);
        self.message = decision.reason.to_string();
        self.reason = Some(decision.reason.clone());
    }

    /// The group is in observe mode: what was decided is not done.
    pub(super) fn only_observed(&mut self, is_known: bool) {
        self.is_known = is_known;
        self.decision = match self.decision {
            "scale-out" => "would-scale-out",
            "scale-in" => "would-scale-in",
            other => other,
        };
    }

    /// Whether people would want to find it in the log: something changed, went wrong, or would be done if it could.
    #[must_use]
    pub fn is_news(&self) -> bool {
        let usual = matches!(
            self.reason,
            None | Some(
                Reason::WithinRange
                    | Reason::AtMinimum { .. }
                    | Reason::NotStableYet { .. }
                    | Reason::Cooldown { .. }
                    | Reason::Asleep
                    | Reason::Enough { .. }
                    | Reason::EnoughOnTheirWay { .. }
                    | Reason::Panicking { .. }
            )
        );
        !(usual || self.is_known) || !self.errors.is_empty()
    }
}
