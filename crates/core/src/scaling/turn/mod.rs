//! The tick of scaling: every service that may scale is looked at, decided on and, if need be, changed.
//!
//! The record is written first, over the version that the decision rests on; UpdateService, the start of a scale-in and
//! the notice follow. What a crash leaves undone, the next tick does.

mod look;
mod mend;
mod report;

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt};
use jiff::Timestamp;

use super::Action;
use super::changes;
use super::reason::Reason;
use super::record::{Change, Claim, Revoker, ScalingRecord};
use crate::engine;
use crate::error::{Code, Error};
use crate::ids::{GroupName, ServiceId};
use crate::observation::{Seen, ServiceState};
use crate::ports::{Saved, ScalingWorld, Stored};
use crate::record::{Command, Phase, Record};
use crate::settings::ServiceSettings;
use look::Metrics;

pub use report::Report;

/// How many groups are worked on at once, as in [`engine::turn_all`].
const GROUPS_AT_ONCE: usize = 16;
/// How often a decision is made anew because somebody else wrote the record first.
const TRIES: u32 = 4;

/// Decides about every service that may scale and whose group is awake, and mends what scale-ins have left behind. One
/// service's trouble does not harm the others.
pub async fn tick<W: ScalingWorld>(world: &W, groups: BTreeMap<GroupName, Stored>) -> Vec<Report> {
    let groups: Vec<Group> = groups.into_iter().filter_map(Group::of).collect();
    let services = groups.iter().flat_map(|group| &group.scaled);
    let metrics = look::metrics(world, services).await;
    let turns = groups.into_iter().map(|group| group.turn(world, &metrics));
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
        let may_scale =
            |service: &ServiceSettings| record.phase == Phase::Awake && service.scaling.max.is_some();
        let unfinished = record.services.iter().filter(|(_, service)| {
            let ScalingRecord { claim, untold, .. } = &service.scaling;
            claim.is_some() || untold.is_some()
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

    async fn turn<W: ScalingWorld>(mut self, world: &W, metrics: &Metrics) -> Vec<Report> {
        let mut reports = Vec::new();
        for id in std::mem::take(&mut self.unfinished) {
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
        // One after the other: they share a record.
        for settings in std::mem::take(&mut self.scaled) {
            let mut report = Report::of(&self.name, &settings.id);
            let outcome = match seen.get(&settings.id) {
                Some(Seen::Known(state)) => self.service(world, &settings, state, metrics, &mut report).await,
                Some(Seen::Unknown(error)) => Err(error.clone()),
                None => Err(Error::new(
                    Code::Unavailable,
                    format!("{} was not looked at", settings.id),
                )),
            };
            report.errors.extend(outcome.err());
            reports.push(report);
        }
        reports
    }

    /// Decides about one service until the record takes it, and acts. Who loses the race looks again: others may have
    /// changed the count.
    async fn service<W: ScalingWorld>(
        &mut self,
        world: &W,
        settings: &ServiceSettings,
        state: &ServiceState,
        metrics: &Metrics,
        report: &mut Report,
    ) -> Result<(), Error> {
        let mut state = state.clone();
        for _ in 0..TRIES {
            let now = world.now();
            if self.record.phase != Phase::Awake {
                // It has fallen asleep meanwhile.
                return Ok(());
            }
            let mut record = self.record.clone();
            let decision = look::decide_now(
                world,
                settings,
                &state,
                metrics,
                record.service(&settings.id),
                now,
            )
            .await;
            report.tell(&decision, state.desired);
            let scaling = &mut record.service(&settings.id).scaling;
            let begun = match &decision.action {
                Action::Hold => return Ok(()),
                Action::ScaleOut { from, to } => {
                    scale_out(&mut record, &settings.id, *from, *to, &decision.reason, now);
                    None
                }
                Action::ScaleIn { from, to, .. } => {
                    let reason = decision.reason.clone();
                    Some(
                        scaling
                            .begin_scale_in(&settings.id, *from, *to, reason, now)
                            .clone(),
                    )
                }
            };
            if world.save_record(&self.name, &record).await? == Saved::Yes {
                record.version += 1;
                self.record = record;
                return match begun {
                    None => self.raise(world, &settings.id).await,
                    Some(claim) => self.start(world, &settings.id, &claim).await,
                };
            }
            let newer = world.load(&self.name).await?.record;
            self.record = newer.unwrap_or_else(|| Record::unseen(now));
            match engine::observe_one(world, settings).await {
                Seen::Known(newer) => state = newer,
                Seen::Unknown(error) => return Err(error),
            }
        }
        Err(engine::contention(&self.name))
    }

    /// Raises the count as the record says, and tells people. A wake that asks for more at the same moment must not be
    /// lowered by it: the last command in the record wins. A call that fails is decided on anew by the next tick.
    async fn raise<W: ScalingWorld>(&mut self, world: &W, service: &ServiceId) -> Result<(), Error> {
        let command = |record: &Record| record.services.get(service).and_then(|service| service.command);
        let ours = command(&self.record);
        self.reload(world).await?;
        let Some(Command { count, .. }) = ours.filter(|_| command(&self.record) == ours) else {
            return changes::forget_scale_out(world, &self.name, service).await;
        };
        if let Err(error) = changes::set_desired(world, &self.name, service, count).await {
            changes::forget_scale_out(world, &self.name, service).await?;
            return Err(error);
        }
        changes::tell(world, &self.name, service).await
    }

    async fn reload<W: ScalingWorld>(&mut self, world: &W) -> Result<(), Error> {
        if let Some(newer) = world.load(&self.name).await?.record {
            self.record = newer;
        }
        Ok(())
    }

    /// Starts the scale-in that was given the claim.
    async fn start<W: ScalingWorld>(
        &self,
        world: &W,
        service: &ServiceId,
        claim: &Claim,
    ) -> Result<(), Error> {
        let Err(error) = world.start_scale_in(&claim.execution, &self.name, service).await else {
            return Ok(());
        };
        // It may have started all the same: its steps find the claim taken away.
        changes::orphan(world, &self.name, service, &claim.execution).await?;
        Err(error)
    }
}

fn scale_out(record: &mut Record, service: &ServiceId, from: u32, to: u32, reason: &Reason, now: Timestamp) {
    let of_service = record.service(service);
    of_service.command = Some(Command { count: to, at: now });
    let scaling = &mut of_service.scaling;
    scaling.revoke(Revoker::ScaleOut, now);
    scaling.history.scaled_out_at = Some(now);
    scaling.untold = Some(Change {
        at: now,
        from,
        to,
        reason: reason.clone(),
    });
}
