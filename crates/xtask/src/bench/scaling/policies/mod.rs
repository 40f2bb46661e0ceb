//! The policies that are compared: ours, and models of others from their documentation.

mod keda;
mod knative;
mod ours;
mod target_tracking;

use super::fleet::{Policy, Setup};

/// A policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `dormouse_core::scaling::connections::decide`.
    Ours,
    /// AWS target tracking on metrics of 60 s.
    Aws60,
    /// AWS target tracking on metrics of 20 s.
    Aws20,
    /// KEDA with its defaults: each look of the Kubernetes autoscaler asks the source.
    Keda,
    /// KEDA with `useCachedMetrics`: the source is asked at each `pollingInterval` only.
    KedaCached,
    /// Knative's own autoscaler.
    Knative,
}

impl Kind {
    /// All, in the order of the tables.
    pub(super) const ALL: [Self; 6] = [
        Self::Ours,
        Self::Aws60,
        Self::Aws20,
        Self::Keda,
        Self::KedaCached,
        Self::Knative,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ours => "Dormouse",
            Self::Aws60 => "AWS 60 s",
            Self::Aws20 => "AWS 20 s",
            Self::Keda => "KEDA",
            Self::KedaCached => "KEDA cached",
            Self::Knative => "Knative",
        }
    }

    /// A policy that has seen nothing yet.
    pub(super) fn begin(self, setup: Setup) -> Box<dyn Policy> {
        match self {
            Self::Ours => Box::new(ours::Ours::new(setup)),
            Self::Aws60 => Box::new(target_tracking::TargetTracking::of_60_seconds(setup)),
            Self::Aws20 => Box::new(target_tracking::TargetTracking::of_20_seconds(setup)),
            Self::Keda => Box::new(keda::Keda::new(setup, false)),
            Self::KedaCached => Box::new(keda::Keda::new(setup, true)),
            Self::Knative => Box::new(knative::Knative::new(setup)),
        }
    }
}
