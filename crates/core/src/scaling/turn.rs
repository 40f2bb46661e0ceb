//! The tick of scaling: every service that may scale is looked at, decided on and, if need be, changed.
//!
//! The record is written first, over the version that the decision rests on; UpdateService, the start of a scale-in and
//! the notice follow. What a crash leaves undone, the next tick does.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use jiff::Timestamp;
use serde::Serialize;

use super::load::{Load, Metric, Tasks};
use super::notice::Notice;
use super::reason::{Reason, Utilization};
use super::record::{Change, Claim, Revoker, STEP_TIME, ScalingRecord};
use super::{Action, Decision, FRESH, STABLE_WINDOW, decide, tasks};
use crate::duration;
use crate::engine;
use crate::error::{Code, Error};
use crate::ids::{GroupName, ServiceId};
use crate::minutes::PERIOD;
use crate::observation::{Seen, ServiceState, TaskState};
use crate::ports::{Saved, ScalingWorld, Stored};
use crate::record::{Command, Phase, Record, ServiceRecord};
use crate::scale_in;
use crate::settings::{GroupSettings, ServiceSettings};

/// How many groups are worked on at once, as in [`engine::turn_all`].
const GROUPS_AT_ONCE: usize = 16;
/// How often a decision is made anew because somebody else wrote the record first.
const TRIES: u32 = 4;

/// What the tick did about one service, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The group.
    pub group: GroupName,
    /// The service.
    pub service: ServiceId,
    /// `scale-out`, `scale-in` or `hold`.
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
}

/// Utilizations of services, as far as their owners gave them ranges.
type Metrics = BTreeMap<(ServiceId, Utilization), Metric>;

/// Decides about every service that may scale and whose group is awake, and mends what scale-ins have left behind. One
/// service's trouble does not harm the others.
pub async fn tick<W: ScalingWorld>(world: &W, groups: BTreeMap<GroupName, Stored>) -> Vec<Report> {
    let groups: Vec<Group> = groups.into_iter().filter_map(Group::of).collect();
    let metrics = metrics(world, &groups).await;
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
            if let Err(error) = finish(world, &self.name, &id, &self.record).await {
                let mut report = self.report(&id);
                report.errors.push(error);
                reports.push(report);
            }
        }
        if self.scaled.is_empty() {
            return reports;
        }
        let seen = world
            .observe_tasks(&GroupSettings::of(&self.name, self.scaled.clone()))
            .await;
        // One after the other: they share a record.
        for settings in std::mem::take(&mut self.scaled) {
            let mut report = self.report(&settings.id);
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

    fn report(&self, service: &ServiceId) -> Report {
        Report {
            group: self.name.clone(),
            service: service.clone(),
            decision: "hold",
            from: None,
            to: None,
            reason: None,
            message: String::new(),
            errors: Vec::new(),
        }
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
            let decision = decide_now(
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
            match engine::observe_one(world, &self.name, settings).await {
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
            return forget_scale_out(world, &self.name, service).await;
        };
        if let Err(error) = world.set_desired(service, count).await {
            forget_scale_out(world, &self.name, service).await?;
            return Err(error);
        }
        self.reload(world).await?;
        if let Some(newer) = command(&self.record).filter(|newer| newer.count > count) {
            world.set_desired(service, newer.count).await?;
        }
        tell(world, &self.name, service).await
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
        revoke(world, &self.name, service, &claim.execution).await?;
        Err(error)
    }
}

impl Report {
    fn tell(&mut self, decision: &Decision, from: u32) {
        (self.decision, self.to) = match &decision.action {
            Action::Hold => ("hold", None),
            Action::ScaleOut { to, .. } => ("scale-out", Some(*to)),
            Action::ScaleIn { to, .. } => ("scale-in", Some(*to)),
        };
        self.from = Some(from);
        self.message = decision.reason.to_string();
        self.reason = Some(decision.reason.clone());
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
            )
        );
        !usual || !self.errors.is_empty()
    }
}

/// The decision, with what the record has to say: while an UpdateService may be on its way nothing is changed, and only
/// one scale-in is under way at a time.
async fn decide_now<W: ScalingWorld>(
    world: &W,
    settings: &ServiceSettings,
    state: &ServiceState,
    metrics: &Metrics,
    record: &ServiceRecord,
    now: Timestamp,
) -> Decision {
    let hold = |reason| Decision {
        action: Action::Hold,
        reason,
    };
    if let Some(command) = record
        .command
        .filter(|command| command.is_on_its_way(state.desired, now))
    {
        return hold(Reason::OnItsWay { count: command.count });
    }
    let mut load = load(settings, state, metrics);
    let history = &record.scaling.history;
    let mut decision = decide(settings, &load, history, now);
    if matches!(decision.reason, Reason::TasksUnknown { .. }) {
        load.tasks = look_at_tasks(world, settings, state, now).await;
        decision = decide(settings, &load, history, now);
    }
    match (&decision.action, &record.scaling.claim) {
        (Action::ScaleIn { .. }, Some(claim)) => hold(Reason::ScaleInUnderWay { since: claim.since }),
        _ => decision,
    }
}

/// A scale-out that did not happen is neither told nor waited for.
async fn forget_scale_out<W: ScalingWorld>(
    world: &W,
    group: &GroupName,
    service: &ServiceId,
) -> Result<(), Error> {
    engine::change(world, group, world.load(group).await?.record, |record| {
        let scaling = &mut record.service(service).scaling;
        scaling.history.scaled_out_at = None;
        scaling.untold = None;
        true
    })
    .await?;
    Ok(())
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

/// Ends what was left behind: a scale-in whose claim is taken away or whose execution is gone, and a change of which
/// nobody was told.
async fn finish<W: ScalingWorld>(
    world: &W,
    group: &GroupName,
    service: &ServiceId,
    record: &Record,
) -> Result<(), Error> {
    let Some(scaling) = record.services.get(service).map(|service| &service.scaling) else {
        return Ok(());
    };
    let now = world.now();
    let is_old = |at: Timestamp| duration::between(at, now) >= STEP_TIME;
    if scaling.untold.as_ref().is_some_and(|change| is_old(change.at)) {
        tell(world, group, service).await?;
    }
    let Some(claim) = &scaling.claim else {
        return Ok(());
    };
    if claim.is_abandoned(now) {
        scale_in::release(world, group, service, &claim.execution).await?;
    } else if claim.revoked.is_none() && is_old(claim.since) && !world.scale_in_runs(&claim.execution).await?
    {
        revoke(world, group, service, &claim.execution).await?;
    }
    Ok(())
}

async fn revoke<W: ScalingWorld>(
    world: &W,
    group: &GroupName,
    service: &ServiceId,
    execution: &str,
) -> Result<(), Error> {
    let now = world.now();
    engine::change(world, group, world.load(group).await?.record, |record| {
        let scaling = &mut record.service(service).scaling;
        let ours = scaling
            .claim
            .as_ref()
            .is_some_and(|claim| claim.execution == execution);
        if ours {
            scaling.revoke(Revoker::Orphaned, now);
        }
        ours
    })
    .await?;
    Ok(())
}

/// Remembers that a scale-in has lowered the count, and tells people, unless that was done before. `count` is the
/// desired count as it is now.
///
/// # Errors
/// Those of the table and of the topic.
pub async fn note_lowered<W: ScalingWorld>(
    world: &W,
    group: &GroupName,
    service: &ServiceId,
    execution: &str,
    count: u32,
) -> Result<(), Error> {
    let now = world.now();
    engine::change(world, group, world.load(group).await?.record, |record| {
        let scaling = &mut record.service(service).scaling;
        let claim = scaling
            .claim
            .as_ref()
            .filter(|claim| claim.execution == execution);
        let lowering = claim.and_then(|claim| claim.lowering);
        let (Some(claim), Some(lowering)) = (claim, lowering) else {
            return false;
        };
        if scaling.has_lowered(lowering) || count >= claim.from {
            return false;
        }
        scaling.untold = Some(Change {
            at: lowering.at,
            from: claim.from,
            to: count,
            reason: claim.reason.clone(),
        });
        scaling.history.scaled_in_at = Some(now.max(lowering.at));
        true
    })
    .await?;
    tell(world, group, service).await
}

/// Tells people of the last change, if nobody was told yet.
async fn tell<W: ScalingWorld>(world: &W, group: &GroupName, service: &ServiceId) -> Result<(), Error> {
    let record = world.load(group).await?.record;
    let untold = record
        .as_ref()
        .and_then(|record| record.services.get(service)?.scaling.untold.clone());
    let Some(change) = untold else { return Ok(()) };
    world.tell(&Notice::of(group, service, &change)).await?;
    engine::change(world, group, record, |record| {
        let untold = &mut record.service(service).scaling.untold;
        let same = untold.as_ref() == Some(&change);
        if same {
            *untold = None;
        }
        same
    })
    .await?;
    Ok(())
}

/// The utilizations that decide about the services, in one batch for all of them.
async fn metrics<W: ScalingWorld>(world: &W, groups: &[Group]) -> Metrics {
    let now = world.now();
    let services = groups.iter().flat_map(|group| &group.scaled);
    let wanted: Vec<(ServiceId, Utilization)> = services
        .flat_map(|settings| {
            let ranges = [
                (Utilization::Cpu, settings.scaling.cpu),
                (Utilization::Memory, settings.scaling.memory),
            ];
            let wanted = ranges.into_iter().filter(|(_, range)| range.is_some());
            wanted
                .map(|(of, _)| (settings.id.clone(), of))
                .collect::<Vec<_>>()
        })
        .collect();
    if wanted.is_empty() {
        return Metrics::new();
    }
    let window: Duration = STABLE_WINDOW + FRESH + 2 * PERIOD;
    let answers = world
        .utilizations(&wanted, duration::before(now, window), now)
        .await;
    wanted.into_iter().zip(answers).collect()
}

fn load(settings: &ServiceSettings, state: &ServiceState, metrics: &Metrics) -> Load {
    let metric = |of| {
        let found = metrics.get(&(settings.id.clone(), of)).cloned();
        found.unwrap_or_else(|| Metric::Unknown("it was not looked at".to_owned()))
    };
    Load {
        desired: state.desired,
        running: state.running,
        rollout: state.rollout_since.is_some(),
        cpu: metric(Utilization::Cpu),
        memory: metric(Utilization::Memory),
        // Sessions and protections are read only when a scale-in hangs on them alone.
        tasks: Tasks::Unknown("they were not looked at".to_owned()),
    }
}

async fn look_at_tasks<W: ScalingWorld>(
    world: &W,
    settings: &ServiceSettings,
    state: &ServiceState,
    now: Timestamp,
) -> Tasks {
    if let Some(why) = &state.tasks_unknown {
        return Tasks::Unknown(why.clone());
    }
    let tasks: Vec<&TaskState> = state.tasks.iter().collect();
    match tasks::look(world, &settings.id.cluster, &tasks, None, now).await {
        Ok(tasks) => Tasks::Known(tasks),
        Err(error) => Tasks::Unknown(error.message),
    }
}
