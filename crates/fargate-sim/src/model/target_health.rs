//! Health and draining of targets.
//!
//! "Health checks for Application Load Balancer target groups" and "Deregistration delay" in the user guide;
//! reasons and their wording: "TargetHealth" in the API reference
//! (<https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html>).

use std::time::Duration;

use super::effects::{Effect, ProbeOutcome};
use super::service::ServiceKey;
use super::target_group::TargetKey;
use super::task::{Stage, TaskId};
use super::time::Millis;
use super::world::World;

/// State of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetState {
    /// No load balancer uses the group.
    Unused,
    /// Registered, not decided yet.
    Initial,
    /// Takes requests.
    Healthy,
    /// Fails its checks; the last one went like this.
    Unhealthy(ProbeOutcome),
    /// Deregistered; takes no new requests.
    Draining,
}

/// A registered target.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its state.
    pub state: TargetState,
    probed: bool,
    passed: u32,
    failed: u32,
    pub(crate) next_probe: Option<Millis>,
    pub(crate) drained_at: Option<Millis>,
}

impl Target {
    fn new(used: bool, first_probe: Millis) -> Target {
        Target {
            state: if used {
                TargetState::Initial
            } else {
                TargetState::Unused
            },
            probed: false,
            passed: 0,
            failed: 0,
            next_probe: used.then_some(first_probe),
            drained_at: None,
        }
    }

    /// State, reason and description as DescribeTargetHealth gives them.
    pub fn describe(&self) -> (&'static str, Option<&'static str>, Option<String>) {
        let told = |state, reason, text: &str| (state, Some(reason), Some(text.to_string()));
        match self.state {
            TargetState::Healthy => ("healthy", None, None),
            TargetState::Unused => told(
                "unused",
                "Target.NotInUse",
                "Target group is not configured to receive traffic from the load balancer",
            ),
            TargetState::Initial if self.probed => told(
                "initial",
                "Elb.InitialHealthChecking",
                "Initial health checks in progress",
            ),
            TargetState::Initial => told(
                "initial",
                "Elb.RegistrationInProgress",
                "Target registration is in progress",
            ),
            TargetState::Draining => told(
                "draining",
                "Target.DeregistrationInProgress",
                "Target deregistration is in progress",
            ),
            TargetState::Unhealthy(ProbeOutcome::Status(code)) => {
                let text = format!("Health checks failed with these codes: [{code}]");
                ("unhealthy", Some("Target.ResponseCodeMismatch"), Some(text))
            }
            TargetState::Unhealthy(ProbeOutcome::TimedOut) => {
                told("unhealthy", "Target.Timeout", "Request timed out")
            }
            TargetState::Unhealthy(ProbeOutcome::Failed) => {
                told("unhealthy", "Target.FailedHealthChecks", "Health checks failed")
            }
        }
    }
}

/// From registration to the first check: our estimate.
const REGISTRATION: Duration = Duration::from_secs(2);

impl World {
    pub(crate) fn target(&self, group: &str, key: TargetKey) -> Option<&Target> {
        self.target_groups.get(group)?.targets.get(&key)
    }

    /// Registers a target, or takes a draining one back.
    pub(crate) fn put_target(&mut self, group: &str, key: TargetKey, now: Millis) {
        let (used, first) = (self.is_used(group), now + self.config.timing.scaled(REGISTRATION));
        let Some(found) = self.target_groups.get_mut(group) else {
            return;
        };
        let there = found
            .targets
            .get(&key)
            .is_some_and(|t| t.state != TargetState::Draining);
        if !there {
            found.targets.insert(key, Target::new(used, first));
            self.poke_users(group, now);
        }
    }

    /// Deregisters a target; whether it was there and not draining. Nothing drains where no load balancer leads.
    pub(crate) fn drop_target(&mut self, group: &str, key: TargetKey, now: Millis) -> bool {
        let (used, timing) = (self.is_used(group), &self.config.timing);
        let Some(found) = self.target_groups.get_mut(group) else {
            return false;
        };
        let delay = timing.scaled(found.deregistration_delay());
        let Some(target) = found
            .targets
            .get_mut(&key)
            .filter(|t| t.state != TargetState::Draining)
        else {
            return false;
        };
        if used && !delay.is_zero() {
            target.state = TargetState::Draining;
            target.next_probe = None;
            target.drained_at = Some(now + delay);
        } else {
            found.targets.remove(&key);
        }
        self.poke_users(group, now);
        true
    }

    /// A target's deregistration delay is over.
    pub(crate) fn drained(&mut self, group: &str, key: TargetKey, now: Millis) {
        if let Some(found) = self.target_groups.get_mut(group) {
            found.targets.remove(&key);
        }
        self.poke_users(group, now);
    }

    /// Whether a target of this task is still draining.
    pub(crate) fn is_draining(&self, id: &TaskId) -> bool {
        let draining = |(group, key): &(String, TargetKey)| {
            self.target(group, *key)
                .is_some_and(|t| t.state == TargetState::Draining)
        };
        self.targets_of(id).iter().any(draining)
    }

    /// A group came into use or out of it: its targets begin anew.
    pub(crate) fn use_changed(&mut self, group: &str, now: Millis) {
        let (used, first) = (self.is_used(group), now + self.config.timing.scaled(REGISTRATION));
        let Some(found) = self.target_groups.get_mut(group) else {
            return;
        };
        if found.used == used {
            return;
        }
        found.used = used;
        for target in found.targets.values_mut() {
            if target.state != TargetState::Draining && used == (target.state == TargetState::Unused) {
                *target = Target::new(used, first);
            }
        }
        self.poke_users(group, now);
    }

    /// A target's check is due.
    pub(crate) fn probe_target(&mut self, group: &str, key: TargetKey) {
        let timing = self.config.timing.clone();
        let Some(found) = self.target_groups.get_mut(group) else {
            return;
        };
        let Some(target) = found.targets.get_mut(&key) else {
            return;
        };
        target.next_probe = None;
        target.probed = true;
        self.effects.push(Effect::ProbeTarget {
            target_group: group.into(),
            target: key,
            port: found.health_check.port.parse().unwrap_or(key.port),
            path: found.health_check.path.clone(),
            timeout: timing.seconds(found.health_check.timeout_seconds),
        });
    }

    /// A target was checked. One pass makes a new target healthy; an unhealthy one needs the threshold.
    pub(crate) fn target_probed(&mut self, group: &str, key: TargetKey, outcome: ProbeOutcome, now: Millis) {
        let timing = self.config.timing.clone();
        let Some(found) = self.target_groups.get_mut(group) else {
            return;
        };
        let check = found.health_check.clone();
        let Some(target) = found.targets.get_mut(&key) else {
            return;
        };
        if target.next_probe.is_some() || matches!(target.state, TargetState::Draining | TargetState::Unused)
        {
            return;
        }
        let passed = matches!(outcome, ProbeOutcome::Status(code) if check.matches(code));
        (target.passed, target.failed) = if passed {
            (target.passed + 1, 0)
        } else {
            (0, target.failed + 1)
        };
        let before = target.state;
        target.state = match target.state {
            TargetState::Initial if passed => TargetState::Healthy,
            TargetState::Unhealthy(_) if target.passed >= check.healthy_threshold => TargetState::Healthy,
            _ if target.failed >= check.unhealthy_threshold => TargetState::Unhealthy(outcome),
            other => other,
        };
        target.next_probe = Some(now + timing.seconds(check.interval_seconds));
        if target.state != before {
            self.poke_users(group, now);
        }
    }

    /// Somebody took a target out by hand; see [`super::Config::reregister_after`].
    pub(crate) fn note_taken_out(&mut self, group: &str, key: TargetKey, now: Millis) {
        let Some(after) = self.config.reregister_after else {
            return;
        };
        let at = now + self.config.timing.scaled(after);
        let of_task = |id: &&TaskId| self.targets_of(id).contains(&(group.to_string(), key));
        let running = self
            .tasks
            .values()
            .filter(|t| t.stage == Stage::Running && t.is_alive())
            .map(|t| &t.id);
        if let Some(id) = running.into_iter().find(of_task).cloned() {
            self.taken_out.push((at, id));
        }
    }

    /// Makes the scheduler look at the services that use a group.
    pub(crate) fn poke_users(&mut self, group: &str, now: Millis) {
        let uses = |s: &&super::Service| s.load_balancers.iter().any(|b| b.target_group_arn == group);
        let users: Vec<ServiceKey> = self
            .services
            .values()
            .filter(uses)
            .map(|s| s.key.clone())
            .collect();
        for key in users {
            self.poke(&key, now);
        }
    }
}
