//! Where a door forwards requests to, and in which shares.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Target groups in one forward (Elastic Load Balancing API reference, ForwardActionConfig; "Quotas for your Application
/// Load Balancers": target groups per action).
pub const MOST_TARGET_GROUPS: usize = 5;
/// The largest weight (Elastic Load Balancing API reference, TargetGroupTuple).
const HEAVIEST: u32 = 999;

/// A forward action, reduced to what decides where requests go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forward {
    /// Its target groups, in their order.
    pub shares: Vec<Share>,
    /// For how many seconds a client stays with its target group; none: it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sticky_seconds: Option<u32>,
}

/// A target group's part in a forward.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Share {
    /// Its ARN.
    pub target_group: String,
    /// Its weight among the others; 0: no request goes there.
    pub weight: u32,
}

impl Forward {
    /// A forward to one target group.
    #[must_use]
    pub fn to(target_group: &str) -> Self {
        Self::weighted([(target_group, 1)], None)
    }

    /// A forward to target groups with these weights, with which clients stay for so many seconds, if they do.
    #[must_use]
    pub fn weighted<'a>(
        shares: impl IntoIterator<Item = (&'a str, u32)>,
        sticky_seconds: Option<u32>,
    ) -> Self {
        let shares = shares.into_iter().map(|(target_group, weight)| Share {
            target_group: target_group.to_owned(),
            weight,
        });
        Self {
            shares: shares.collect(),
            sticky_seconds,
        }
    }

    /// Whether both send requests the same way; the order of target groups says nothing.
    #[must_use]
    pub fn is_as(&self, other: &Self) -> bool {
        let sorted = |forward: &Self| {
            let mut shares = forward.shares.clone();
            shares.sort();
            shares
        };
        self.sticky_seconds == other.sticky_seconds && sorted(self) == sorted(other)
    }

    /// The weight of a target group; none if it is not named.
    #[must_use]
    pub fn weight(&self, target_group: &str) -> Option<u32> {
        let share = self
            .shares
            .iter()
            .find(|share| share.target_group == target_group);
        share.map(|share| share.weight)
    }

    /// Whether requests go to this target group.
    #[must_use]
    pub fn leads_to(&self, target_group: &str) -> bool {
        self.weight(target_group).is_some_and(|weight| weight > 0)
    }

    /// Whether requests go to one of these target groups.
    #[must_use]
    pub fn leads_to_any(&self, target_groups: &BTreeSet<String>) -> bool {
        target_groups
            .iter()
            .any(|target_group| self.leads_to(target_group))
    }

    /// The same with the shares of these target groups given to `wake`. Nobody stays with a target group by a cookie
    /// meanwhile: a cookie would lead to one that is empty.
    #[must_use]
    pub fn away(&self, target_groups: &BTreeSet<String>, wake: &str) -> Self {
        let mut shares = self.shares.clone();
        let mut given = 0;
        for share in &mut shares {
            if target_groups.contains(&share.target_group) {
                given += std::mem::take(&mut share.weight);
            }
        }
        if given == 0 {
            return self.clone();
        }
        match shares.iter_mut().find(|share| share.target_group == wake) {
            Some(share) => share.weight = (share.weight + given).min(HEAVIEST),
            None => shares.push(Share {
                target_group: wake.to_owned(),
                weight: given.min(HEAVIEST),
            }),
        }
        Self {
            shares,
            sticky_seconds: None,
        }
    }

    /// The same with the shares given back that these target groups have in `original`: what this would have been if they
    /// had never been led away. A share that somebody has raised from 0 stays as it is.
    #[must_use]
    pub fn back(&self, original: &Self, target_groups: &BTreeSet<String>, wake: &str) -> Self {
        let mut shares = self.shares.clone();
        let mut given = 0;
        for share in &mut shares {
            let theirs = original.weight(&share.target_group).unwrap_or(0);
            if target_groups.contains(&share.target_group) && share.weight == 0 {
                share.weight = theirs;
                given += theirs;
            }
        }
        if let Some(share) = shares.iter_mut().find(|share| share.target_group == wake) {
            share.weight = share.weight.saturating_sub(given);
        }
        shares.retain(|share| share.target_group != wake || share.weight > 0);
        let goes_on = shares.iter().any(|share| share.target_group == wake);
        Self {
            shares,
            sticky_seconds: self
                .sticky_seconds
                .or(original.sticky_seconds.filter(|_| !goes_on)),
        }
    }

    /// Where it led before it was led away by a call of ours that nobody remembers, if that is what it looks like: all that
    /// leads anywhere is `wake`, and one of ours is still named.
    #[must_use]
    pub fn orphaned(&self, ours: &BTreeSet<String>, wake: &str) -> Option<Self> {
        let given = self.weight(wake).filter(|weight| *weight > 0)?;
        let mut shares: Vec<Share> = self.shares.clone();
        shares.retain(|share| share.target_group != wake);
        if shares.iter().any(|share| share.weight > 0) {
            return None;
        }
        let mut lost = shares
            .iter_mut()
            .filter(|share| ours.contains(&share.target_group));
        lost.next()?.weight = given;
        Some(Self {
            shares,
            sticky_seconds: None,
        })
    }
}
