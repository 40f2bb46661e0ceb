//! The tick of scaling: every service that may scale is looked at, decided on and, if need be, changed.
//!
//! The record is written first, over the version that the decision rests on; UpdateService, the start of a scale-in and
//! the notice follow. What a crash leaves undone, the next tick does.

pub(super) mod act;
pub(super) mod look;
mod mend;
mod report;

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt};
use jiff::Timestamp;

use super::connections::Policy;
use super::record::ScalingRecord;
use crate::duration;
use crate::ids::{GroupName, ServiceId};
use crate::ports::{ScalingWorld, Stored};
use crate::quota::PATIENCE;
use crate::record::{Phase, Record};
use crate::settings::ServiceSettings;
use act::Acting;
use look::{Evidence, Metrics};

pub use report::Report;

/// How many groups are worked on at once, as in [`crate::engine::turn_all`].
const GROUPS_AT_ONCE: usize = 16;

/// Decides about every service that may scale and whose group is awake, except those that are
/// [watched](crate::scaling::watch), and mends what scale-ins have left behind. One service's trouble does not harm the
/// others.
pub async fn tick<W: ScalingWorld>(world: &W, groups: BTreeMap<GroupName, Stored>) -> Vec<Report> {
    let groups: Vec<Group> = groups.into_iter().filter_map(Group::of).collect();
    let services = groups.iter().flat_map(|group| &group.scaled);
    let metrics = look::metrics(world, services).await;
    // All of them together: no tick waits for longer.
    let patience_ends = duration::after(world.now(), PATIENCE);
    let turns = groups
        .into_iter()
        .map(|group| group.turn(world, &metrics, patience_ends));
    let reports: Vec<Vec<Report>> = stream::iter(turns).buffered(GROUPS_AT_ONCE).collect().await;
    reports.into_iter().flatten().collect()
}

/// A group with something to decide or mend.
struct Group {
    name: GroupName,
    record: Record,
    /// Its services that may scale; none unless it is awake.
    scaled: Vec<ServiceSettings>,
    /// Its services with a scale-in, or a change of which nobody was told.
    unfinished: Vec<ServiceId>,
}

impl Group {
    fn of((name, stored): (GroupName, Stored)) -> Option<Self> {
        let record = stored.record?;
        let may_scale = |service: &ServiceSettings| {
            record.phase == Phase::Awake && service.scaling.max.is_some() && Policy::of(service).is_none()
        };
        let unfinished = record.services.iter().filter(|(_, service)| {
            let ScalingRecord { claim, untold, .. } = &service.scaling;
            claim.is_some() || !untold.is_empty()
        });
        let unfinished: Vec<ServiceId> = unfinished.map(|(id, _)| id.clone()).collect();
        // A group that lost its tags may have a scale-in to end.
        let services = stored
            .settings
            .map(|settings| settings.services)
            .unwrap_or_default();
        let scaled: Vec<ServiceSettings> = services.into_iter().filter(may_scale).collect();
        (!scaled.is_empty() || !unfinished.is_empty()).then_some(Self {
            name,
            record,
            scaled,
            unfinished,
        })
    }

    async fn turn<W: ScalingWorld>(
        self,
        world: &W,
        metrics: &Metrics,
        patience_ends: Timestamp,
    ) -> Vec<Report> {
        let mut reports = Vec::new();
        for id in self.unfinished {
            if let Err(error) = mend::finish(world, &self.name, &id, &self.record).await {
                let mut report = Report::of(&self.name, &id);
                report.errors.push(error);
                reports.push(report);
            }
        }
        if self.scaled.is_empty() {
            return reports;
        }
        let seen = world.observe_tasks(&self.scaled.iter().collect::<Vec<_>>()).await;
        let evidence = Evidence {
            metrics,
            window: None,
            reading: None,
        };
        let mut acting = Acting {
            name: self.name,
            record: self.record,
            tokens: 0,
            patience_ends,
        };
        for settings in &self.scaled {
            let seen = seen.get(&settings.id);
            reports.push(acting.report(world, settings, seen, &evidence).await);
        }
        reports
    }
}
