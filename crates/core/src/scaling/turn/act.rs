//! Deciding about one service and doing it.

use jiff::Timestamp;

use crate::engine;
use crate::error::{Code, Error};
use crate::ids::{GroupName, ServiceId};
use crate::observation::{Seen, ServiceState};
use crate::ports::{Saved, ScalingWorld};
use crate::quota::{Held, Priority, Tokens};
use crate::record::{Command, Phase, Record};
use crate::scaling::changes;
use crate::scaling::connections::reading::Sample;
use crate::scaling::record::{Change, Claim, Revoker, STEP_TIME};
use crate::scaling::turn::look::{self, Evidence};
use crate::scaling::turn::report::Report;
use crate::scaling::{Action, Decision};
use crate::settings::{Mode, ServiceSettings};

/// How often a decision is made anew because somebody else wrote the record first.
const TRIES: u32 = 4;

/// A group whose services are decided about, one after the other, because they share a record.
pub(in crate::scaling) struct Acting {
    pub(in crate::scaling) name: GroupName,
    pub(in crate::scaling) record: Record,
    /// Tokens for UpdateService that were waited for, and not needed in the end.
    pub(in crate::scaling) tokens: u32,
    /// Up to when its services wait for more of them, all in all.
    pub(in crate::scaling) patience_ends: Timestamp,
}

impl Acting {
    /// Decides about one service that was seen, does it, and says what came of it.
    pub(in crate::scaling) async fn report<W: ScalingWorld>(
        &mut self,
        world: &W,
        settings: &ServiceSettings,
        seen: Option<&Seen>,
        evidence: &Evidence<'_>,
    ) -> Report {
        let mut report = Report::of(&self.name, &settings.id);
        let outcome = match seen {
            Some(Seen::Known(state)) => {
                let turn = self.service(world, settings, state, evidence, &mut report);
                world.within(STEP_TIME, turn).await.unwrap_or_else(late)
            }
            Some(Seen::Unknown(error)) => Err(error.clone()),
            None => Err(Error::new(
                Code::Unavailable,
                format!("{} was not looked at", settings.id),
            )),
        };
        report.errors.extend(outcome.err());
        report
    }

    /// Decides about one service until the record takes it, and acts. Who loses the race looks again: others may have
    /// changed the count.
    async fn service<W: ScalingWorld>(
        &mut self,
        world: &W,
        settings: &ServiceSettings,
        state: &ServiceState,
        evidence: &Evidence<'_>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let mut state = state.clone();
        let mut tokens = Tokens::kept(self.tokens, self.patience_ends);
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
                evidence,
                record.service(&settings.id),
                now,
            )
            .await;
            report.tell(&decision, state.desired);
            if settings.mode == Mode::Observe {
                return self.observe(world, &settings.id, &decision, report).await;
            }
            let raises = matches!(decision.action, Action::ScaleOut { .. });
            let held = match raises {
                true => tokens.hold(world, Priority::ScaleOut, 1, &settings.id).await?,
                false => Held::AtOnce,
            };
            self.tokens = tokens.held();
            if held == Held::Later {
                // What asked for more tasks a while ago may ask for other ones now.
                state = self.look_again(world, settings).await?;
                continue;
            }
            let Some(begun) = write(&mut record, &settings.id, &decision, evidence.reading, now) else {
                return Ok(());
            };
            if world.save_record(&self.name, &record, None).await? == Saved::Yes {
                record.version += 1;
                self.record = record;
                return match begun {
                    Begun::Raise => {
                        self.tokens = self.tokens.saturating_sub(1);
                        self.raise(world, settings).await
                    }
                    Begun::ScaleIn(claim) => self.start(world, &settings.id, &claim).await,
                };
            }
            state = self.look_again(world, settings).await?;
        }
        Err(engine::contention(&self.name))
    }

    /// Remembers what would be done, so that it is told once and not each time.
    async fn observe<W: ScalingWorld>(
        &mut self,
        world: &W,
        service: &ServiceId,
        decision: &Decision,
        report: &mut Report,
    ) -> Result<(), Error> {
        let mut record = self.record.clone();
        let would = &mut record.service(service).scaling.would;
        let known = would.take();
        *would = match decision.action {
            Action::ScaleOut { from, to } | Action::ScaleIn { from, to, .. } => Some((from, to)),
            Action::Hold => None,
        };
        report.only_observed(*would == known);
        if *would == known {
            return Ok(());
        }
        if world.save_record(&self.name, &record, None).await? == Saved::Yes {
            record.version += 1;
            self.record = record;
        }
        Ok(())
    }

    /// The record and the service as they are now.
    async fn look_again<W: ScalingWorld>(
        &mut self,
        world: &W,
        settings: &ServiceSettings,
    ) -> Result<ServiceState, Error> {
        let newer = world.load(&self.name).await?.record;
        self.record = newer.unwrap_or_else(|| Record::unseen(world.now()));
        match engine::observe_one(world, settings).await {
            Seen::Known(newer) => Ok(newer),
            Seen::Unknown(error) => Err(error),
        }
    }

    /// Raises the count as the record says, and tells people. A wake that asks for more at the same moment must not be
    /// lowered by it: the last command in the record wins. A call that fails is decided on anew by the next tick, unless
    /// only its answer was lost.
    async fn raise<W: ScalingWorld>(&mut self, world: &W, settings: &ServiceSettings) -> Result<(), Error> {
        let service = &settings.id;
        let command = |record: &Record| record.services.get(service).and_then(|service| service.command);
        let ours = command(&self.record);
        self.reload(world).await?;
        let Some(ours) = ours else { return Ok(()) };
        if command(&self.record) != Some(ours) {
            return changes::forget_scale_out(world, &self.name, service, ours.at).await;
        }
        if let Err(error) = changes::set_desired(world, &self.name, service, ours.count).await
            && !has_landed(world, settings, ours.count).await
        {
            changes::forget_scale_out(world, &self.name, service, ours.at).await?;
            return Err(error);
        }
        changes::tell(world, &self.name, service, ours.at).await
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

fn late() -> Result<(), Error> {
    let message = format!("no end within {} s", STEP_TIME.as_secs());
    Err(Error::new(Code::Unavailable, message))
}

/// Whether a count is what it was set to.
async fn has_landed<W: ScalingWorld>(world: &W, settings: &ServiceSettings, count: u32) -> bool {
    let seen = world.observe_counts(&[settings]).await;
    matches!(seen.get(&settings.id), Some(Seen::Known(state)) if state.desired >= count)
}

/// What follows once the record is saved.
enum Begun {
    /// The count is raised.
    Raise,
    /// The scale-in with this claim starts.
    ScaleIn(Claim),
}

/// Writes a decision into the record; none if it changes nothing.
fn write(
    record: &mut Record,
    service: &ServiceId,
    decision: &Decision,
    reading: Option<Sample>,
    now: Timestamp,
) -> Option<Begun> {
    let of_service = record.service(service);
    let scaling = &mut of_service.scaling;
    let reason = decision.reason.clone();
    match decision.action {
        Action::Hold => None,
        Action::ScaleOut { from, to } => {
            of_service.command = Some(Command { count: to, at: now });
            scaling.revoke(Revoker::ScaleOut, now);
            scaling.history.scaled_out_at = Some(now);
            scaling.note(Change {
                at: now,
                from,
                to,
                reason,
                reading,
            });
            Some(Begun::Raise)
        }
        Action::ScaleIn { from, to, .. } => {
            let claim = scaling.begin_scale_in(service, from, to, reason, now);
            claim.reading = reading;
            Some(Begun::ScaleIn(claim.clone()))
        }
    }
}
