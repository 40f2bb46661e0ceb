//! The status of a group, as JSON and pages show it.

mod needs;
mod wake;

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::duration;
use crate::engine::Turn;
use crate::error::{Code, Error};
use crate::ids::{Generation, GroupName};
use crate::needs::Need;
use crate::observation::{Seen, ServiceState, TaskAddress, TaskStage};
use crate::readiness::{self, Destination, Readiness};
use crate::reason::Reason;
use crate::record::{Phase, ServiceRecord};
use crate::settings::{AppUrl, Mode, Problem, ServiceSettings};
use wake::Wake;

/// The status JSON: what `GET /status` answers (docs/openapi.json).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The group's name.
    pub group: GroupName,
    /// Where it is.
    pub phase: Phase,
    /// How often it left sleep.
    pub generation: Generation,
    /// Whether a visitor is sent to the app now.
    pub ready: bool,
    /// Where the app is, once that is known.
    pub url: Option<String>,
    /// Seconds since this wake began; none unless waking.
    pub elapsed_seconds: Option<u64>,
    /// Who began this generation, if it is known: a source address, an alarm, a job, a log group, or the name that a caller
    /// gave.
    pub woken_by: Option<String>,
    /// Seconds that are probably left, by the median of earlier wakes; none without a history to tell from, and once a step
    /// takes far longer than it ever did.
    pub eta_seconds: Option<u64>,
    /// Seconds that are usually left at most, by their 90th percentile.
    pub eta_at_most_seconds: Option<u64>,
    /// How many earlier wakes these are from; 0 unless waking.
    pub wakes_known: usize,
    /// How far the wake is, from 0 to 1: that of the service that is least far, by the usual lengths of its steps. 1 only when
    /// ready. Never falls within a wake, unless a task does or cannot be looked at.
    pub progress: f64,
    /// When to ask again, in seconds.
    pub retry_after_seconds: u64,
    /// Stable code of why the group is where it is.
    pub reason: String,
    /// The same in a sentence.
    pub detail: String,
    /// Through which door its cause came.
    pub cause: String,
    /// Whether what is decided is done.
    pub mode: Mode,
    /// End of the override that keeps it awake, or asleep.
    pub override_until: Option<Timestamp>,
    /// Its services.
    pub services: Vec<ServiceStatus>,
    /// What somebody should mend.
    pub errors: Vec<Problem>,
}

/// The status of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceStatus {
    /// Its cluster.
    pub cluster: String,
    /// Its name.
    pub name: String,
    /// Tasks that should run; none if it could not be looked at.
    pub desired: Option<u32>,
    /// Tasks that run.
    pub running: Option<u32>,
    /// Tasks on their way.
    pub pending: Option<u32>,
    /// Whether a task answers.
    pub ready: bool,
    /// How far it is.
    pub stage: Stage,
    /// What it waits for, or what is wrong, in a sentence.
    pub detail: Option<String>,
    /// As those of the group.
    pub eta_seconds: Option<u64>,
    /// As those of the group.
    pub eta_at_most_seconds: Option<u64>,
    /// The steps of its wake, in their order; empty unless the group is waking.
    pub steps: Vec<Step>,
}

/// A step of a service's wake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Which.
    pub step: StepName,
    /// Whether it is over.
    pub state: StepState,
    /// How long it took, or takes so far; none if it did not begin, or if that is not known.
    pub seconds: Option<u64>,
    /// How long it usually takes: the median of earlier wakes.
    pub usual_seconds: Option<u64>,
    /// How long it usually takes at most: their 90th percentile.
    pub at_most_seconds: Option<u64>,
}

/// The steps of a service's wake, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepName {
    /// What it needs is started, and then it is.
    Needs,
    /// Capacity and a network interface are found.
    Provisioning,
    /// The image is pulled.
    Pulling,
    /// Containers start.
    Starting,
    /// Health checks pass.
    Checking,
}

/// Whether a step is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepState {
    /// It has not begun.
    Ahead,
    /// It is under way.
    Now,
    /// It is over.
    Done,
}

/// How far a service is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// No task is wanted.
    Asleep,
    /// It is not started yet, because this is not ready.
    WaitingFor(Need),
    /// Capacity and a network interface are being found.
    Provisioning,
    /// The image is being pulled.
    Pending,
    /// Containers start, or run without answering yet.
    Starting,
    /// A task answers.
    Ready,
    /// Something is wrong; `detail` says what.
    Failing,
}

/// The stage as the status JSON writes it.
impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asleep => f.write_str("asleep"),
            Self::WaitingFor(need) => write!(f, "waiting-for:{need}"),
            Self::Provisioning => f.write_str("provisioning"),
            Self::Pending => f.write_str("pending"),
            Self::Starting => f.write_str("starting"),
            Self::Ready => f.write_str("ready"),
            Self::Failing => f.write_str("failing"),
        }
    }
}

impl Serialize for Stage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Stage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(match text.as_str() {
            "asleep" => Self::Asleep,
            "provisioning" => Self::Provisioning,
            "pending" => Self::Pending,
            "starting" => Self::Starting,
            "ready" => Self::Ready,
            "failing" => Self::Failing,
            other => {
                let need = other.strip_prefix("waiting-for:").and_then(Need::parse);
                Self::WaitingFor(need.ok_or_else(|| de::Error::custom(format!("stage `{other}`: unknown")))?)
            }
        })
    }
}

/// The status that a turn leaves behind.
#[must_use]
pub fn of(turn: &Turn) -> Status {
    let record = &turn.record;
    let waking = record.phase == Phase::Waking;
    let mut services: Vec<ServiceStatus> = turn
        .settings
        .services
        .iter()
        .map(|s| service_status(turn, s))
        .collect();
    let wake = Wake::of(turn);
    wake.fill(&mut services);
    let entry = entry(turn);
    let destination = entry.map_or(Destination::Unknown, |s| {
        readiness::destination(s, state(turn, s))
    });
    let entry_ready = entry.is_some_and(|s| {
        state(turn, s).is_some_and(|state| readiness::of_service(state) == Readiness::Ready)
    });
    let all_ready = !services.is_empty() && services.iter().all(|s| s.ready);
    let answers = match record.phase {
        Phase::Awake => entry_ready,
        Phase::Waking => all_ready,
        Phase::Asleep | Phase::FallingAsleep => false,
    };
    let url = match &destination {
        Destination::At(url) => Some(url.as_str().to_owned()),
        Destination::Nowhere(_) | Destination::Unknown => None,
    };
    // Whoever came before its doors lead back would find the wait page again.
    let ready = answers && url.is_some() && record.front.doors.is_empty();
    let elapsed = record
        .woken_at
        .map(|at| duration::between(at, turn.now).as_secs());
    Status {
        group: turn.settings.name.clone(),
        phase: record.phase,
        generation: record.generation,
        ready,
        progress: if ready { 1.0 } else { wake.progress() },
        url,
        elapsed_seconds: elapsed.filter(|_| waking),
        woken_by: record.woken_by.clone(),
        eta_seconds: wake.left().usual(),
        eta_at_most_seconds: wake.left().at_most(),
        wakes_known: wake.wakes_known(),
        retry_after_seconds: match record.phase {
            Phase::Waking => wake.retry_after(),
            Phase::Awake => {
                if ready {
                    0
                } else {
                    5
                }
            }
            Phase::FallingAsleep | Phase::Asleep => record
                .kept_until(turn.now)
                .or(budget_renewed_at(&turn.reason))
                .map_or(5, |until| duration::between(turn.now, until).as_secs().max(1)),
        },
        reason: record.reason.code().to_owned(),
        detail: record.reason.to_string(),
        cause: record.cause.to_string(),
        mode: turn.settings.mode(),
        override_until: record.kept_until(turn.now),
        errors: errors(turn, &destination),
        services,
    }
}

/// When a group that was just refused for its budget has one again.
fn budget_renewed_at(reason: &Reason) -> Option<Timestamp> {
    match reason {
        Reason::WakeBudgetSpent { until, .. } => Some(*until),
        _ => None,
    }
}

/// The service that a visitor is sent to: the first with an address of its own, else with a load balancer,
/// else the first with a task that can be reached, else the first.
fn entry(turn: &Turn) -> Option<&ServiceSettings> {
    let services = &turn.settings.services;
    let balanced = |s: &&ServiceSettings| state(turn, s).is_some_and(|state| state.load_balancer.is_some());
    let public = |s: &&ServiceSettings| {
        state(turn, s).is_some_and(|state| {
            state
                .tasks
                .iter()
                .any(|task| matches!(task.address, TaskAddress::Public(..)))
        })
    };
    services
        .iter()
        .find(|s| s.url.is_some())
        .or_else(|| services.iter().find(balanced))
        .or_else(|| services.iter().find(public))
        .or_else(|| services.first())
}

fn state<'a>(turn: &'a Turn, settings: &ServiceSettings) -> Option<&'a ServiceState> {
    match turn.seen.services.get(&settings.id) {
        Some(Seen::Known(state)) => Some(state),
        Some(Seen::Unknown(_)) | None => None,
    }
}

fn service_status(turn: &Turn, settings: &ServiceSettings) -> ServiceStatus {
    let record = turn.record.services.get(&settings.id).map(Box::as_ref);
    let state = state(turn, settings);
    let (stage, detail) = stage(turn, settings, state, record);
    ServiceStatus {
        cluster: settings.id.cluster.clone(),
        name: settings.id.name.clone(),
        desired: state.map(|s| s.desired),
        running: state.map(|s| s.running),
        pending: state.map(|s| s.pending),
        ready: stage == Stage::Ready,
        stage,
        detail,
        eta_seconds: None,
        eta_at_most_seconds: None,
        steps: Vec::new(),
    }
}

fn stage(
    turn: &Turn,
    settings: &ServiceSettings,
    state: Option<&ServiceState>,
    record: Option<&ServiceRecord>,
) -> (Stage, Option<String>) {
    let Some(state) = state else {
        let why = match turn.seen.services.get(&settings.id) {
            Some(Seen::Unknown(error)) => error.to_string(),
            _ => "it was not looked at".to_owned(),
        };
        return (Stage::Failing, Some(why));
    };
    if let Some(failure) = record.and_then(|r| r.failure.as_ref()) {
        return (Stage::Failing, Some(failure.error.to_string()));
    }
    let waking = matches!(turn.record.phase, Phase::Waking | Phase::Awake);
    let readiness = readiness::of_service(state);
    let why = match readiness {
        Readiness::Ready => return (Stage::Ready, None),
        Readiness::NotReady(why) | Readiness::Unknown(why) => why,
    };
    if state.desired == 0 && !(waking && record.is_some_and(|r| r.wanted.is_some())) {
        return (
            Stage::Asleep,
            (state.running > 0).then(|| "its tasks are stopping".to_owned()),
        );
    }
    if state.desired == 0
        && let Some(waiting) = needs::waits_for(turn, settings)
    {
        let detail = format!("{} is not ready: {}", waiting.need, waiting.why);
        return (Stage::WaitingFor(waiting.need), Some(detail));
    }
    if waking && state.desired == 0 && record.is_none_or(|record| record.command.is_none()) {
        let why = "waits for its turn: ECS takes few changes of services a second";
        return (Stage::Provisioning, Some(why.to_owned()));
    }
    if waking && let Some(trouble) = trouble(turn, state) {
        return (Stage::Failing, Some(trouble.to_owned()));
    }
    if waking && is_late(turn) {
        return (Stage::Failing, Some(too_late(turn, &why)));
    }
    let furthest = state
        .tasks
        .iter()
        .map(|t| t.stage)
        .filter(|s| *s != TaskStage::Stopping)
        .max();
    let stage = match furthest {
        None if state.running > 0 => Stage::Starting,
        None | Some(TaskStage::Provisioning | TaskStage::Stopping) => Stage::Provisioning,
        Some(TaskStage::Pending) => Stage::Pending,
        Some(TaskStage::Activating | TaskStage::Running) => Stage::Starting,
    };
    (stage, Some(why))
}

/// ECS's own latest words about what keeps this generation's tasks from running.
fn trouble<'a>(turn: &Turn, state: &'a ServiceState) -> Option<&'a str> {
    let woken_at = turn.record.woken_at?;
    state
        .troubles
        .iter()
        .find(|trouble| trouble.at >= woken_at)
        .map(|trouble| trouble.message.as_str())
}

/// Whether the wake took longer than it may.
fn is_late(turn: &Turn) -> bool {
    turn.record.phase == Phase::Waking
        && turn
            .record
            .woken_at
            .is_some_and(|at| duration::between(at, turn.now) >= turn.settings.wake_timeout)
}

fn too_late(turn: &Turn, why: &str) -> String {
    let limit = duration::format(turn.settings.wake_timeout);
    format!("not ready within {limit}: {why}")
}

fn errors(turn: &Turn, destination: &Destination) -> Vec<Problem> {
    let mut errors: Vec<Problem> = turn.settings.problems.clone();
    errors.extend(turn.problems.iter().filter(|p| p.service.is_none()).cloned());
    for settings in &turn.settings.services {
        errors.extend(service_error(turn, settings));
    }
    let doors = turn.record.front.doors.iter();
    errors.extend(doors.filter_map(|(door, led)| {
        let failure = led.failure.as_ref()?;
        Some(Problem {
            code: failure.error.code,
            service: None,
            message: format!("{door}: {}", failure.error.message),
        })
    }));
    errors.extend(turn.refusal().map(|Error { code, message }| Problem {
        code,
        service: None,
        message,
    }));
    errors.extend(needs::errors(turn));
    if let Destination::Nowhere(error) = destination {
        errors.push(Problem {
            code: error.code,
            service: None,
            message: error.message.clone(),
        });
    }
    errors
}

fn service_error(turn: &Turn, settings: &ServiceSettings) -> Option<Problem> {
    let id = &settings.id;
    if let Some(Seen::Unknown(error)) = turn.seen.services.get(id) {
        return Some(Problem::of(id, error.clone()));
    }
    if let Some(failure) = turn.record.services.get(id).and_then(|r| r.failure.as_ref()) {
        return Some(Problem::of(id, failure.error.clone()));
    }
    let status = service_status(turn, settings);
    let message = status.detail.filter(|_| status.stage == Stage::Failing)?;
    Some(Problem {
        code: Code::NotBecomingReady,
        service: Some(id.clone()),
        message,
    })
}

/// Where a visitor goes with this path and query, if the app is ready.
#[must_use]
pub fn redirect(status: &Status, path: &str, query: &str) -> Option<String> {
    let url = status.url.as_deref().filter(|_| status.ready)?;
    AppUrl::parse(url).map(|url| url.join(path, query))
}
