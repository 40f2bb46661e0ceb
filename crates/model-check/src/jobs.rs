//! What functions do: the shipped code, from its first call to its last.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use dormouse_core::engine::{self, Round};
use dormouse_core::error::Error;
use dormouse_core::ids::Generation;
use dormouse_core::intent::{Action, Cause, Intent, Wake};
use dormouse_core::ports::Store;
use dormouse_core::scale_in;
use dormouse_core::scale_in::request::Request;
use dormouse_core::scaling::turn;
use dormouse_core::settings::GroupSettings;
use dormouse_testkit::state_machine::Failure;
use serde_json::{Value, json};

use crate::calls::{Answer, Call};
use crate::kept::Kept;
use crate::port::Port;
use crate::protocol::Protocol;

/// What a function was called for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Job {
    /// Somebody asks for the group, perhaps with so many tasks.
    Wake(Option<u32>),
    /// Somebody asks for sleep.
    Sleep,
    /// A status page looks.
    Look,
    /// The tick of auto-sleep, and whether it is the group's turn to be looked at, though it may be at rest.
    Tick(bool),
    /// The sleep timer of a generation.
    Timer(u64),
    /// A step of the scale-in.
    Step(Kept<Value>),
    /// The tick of scaling.
    ScalingTick,
}

/// A call that was answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    /// The number of the call, in the order in which the function made them.
    pub number: u8,
    /// The answer.
    pub answer: Answer,
    /// When it came.
    pub now: u32,
}

/// How far a function is.
#[derive(Clone, Debug)]
pub enum Progress {
    /// It waits for the answers of these calls, by their numbers.
    Waits(Vec<(u8, Call)>),
    /// It is over, with this answer.
    Over(Result<Value, Failure>),
}

/// Takes a function from its start through what was answered so far, up to the calls whose answers it needs next. The same
/// answers lead to the same calls, so these are all that a function is between two steps.
#[must_use]
pub fn replay(
    settings: &GroupSettings,
    protocol: &dyn Protocol,
    job: &Job,
    started: u32,
    events: &[Event],
) -> Progress {
    let port = Port::new(settings, started);
    let mut function = pin!(body(&port, settings, protocol, job));
    let mut context = Context::from_waker(Waker::noop());
    for event in std::iter::once(None).chain(events.iter().map(Some)) {
        if let Some(event) = event {
            port.answer(event.number, event.answer.clone(), event.now);
        }
        if let Poll::Ready(result) = function.as_mut().poll(&mut context) {
            return Progress::Over(result);
        }
    }
    Progress::Waits(port.open())
}

/// Runs a function, asking for the answer of each of its calls in turn.
pub fn run(
    settings: &GroupSettings,
    protocol: &dyn Protocol,
    job: &Job,
    now: u32,
    mut answer: impl FnMut(&Call) -> Answer,
) -> Progress {
    let port = Port::new(settings, now);
    let mut function = pin!(body(&port, settings, protocol, job));
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(result) = function.as_mut().poll(&mut context) {
            return Progress::Over(result);
        }
        let open = port.open();
        let Some((number, call)) = open.first() else {
            return Progress::Waits(open);
        };
        port.answer(*number, answer(call), now);
    }
}

async fn body(
    port: &Port<'_>,
    settings: &GroupSettings,
    protocol: &dyn Protocol,
    job: &Job,
) -> Result<Value, Failure> {
    let (action, cause) = match job {
        Job::Wake(count) => {
            let wake = Wake {
                desired_count: *count,
                ..Wake::default()
            };
            (Action::Wake(wake), Cause::Http)
        }
        Job::Sleep => (Action::Sleep, Cause::Direct),
        Job::Look => (Action::Look, Cause::Http),
        Job::Tick(due) => {
            let none = BTreeSet::new();
            let round = Round {
                due: (!due).then_some(&none),
                parts: 1,
            };
            let groups = port.load_all().await.map_err(failure)?;
            let intent = Intent::of(Action::Tick, Cause::Tick);
            engine::turn_all(port, groups, &intent, round, &mut |_, _| {}).await;
            return Ok(Value::Null);
        }
        Job::Timer(generation) => {
            let generation = Generation(*generation);
            (Action::Timer { generation }, Cause::SleepTimer)
        }
        Job::Step(payload) => {
            let request = Request::parse(payload).map_err(failure)?;
            let answer = scale_in::take(port, &request).await.map_err(failure)?;
            return Ok(json!(answer));
        }
        Job::ScalingTick => {
            let stored = port.load(&settings.name).await.map_err(failure)?;
            turn::tick(port, BTreeMap::from([(settings.name.clone(), stored)])).await;
            return Ok(Value::Null);
        }
    };
    let stored = port.load(&settings.name).await.map_err(failure)?;
    let intent = protocol.intent(Intent::of(action, cause), stored.record.as_ref());
    engine::turn(port, settings, stored.record, &intent)
        .await
        .map_err(failure)?;
    Ok(Value::Null)
}

/// As a state machine sees it. What it says besides its name decides nothing.
fn failure(error: Error) -> Failure {
    (error.code.to_string(), String::new())
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wake(None) => f.write_str("wake"),
            Self::Wake(Some(count)) => write!(f, "wake to {count}"),
            Self::Sleep => f.write_str("sleep"),
            Self::Look => f.write_str("look"),
            Self::Tick(_) => f.write_str("tick"),
            Self::Timer(generation) => write!(f, "timer of generation {generation}"),
            Self::Step(payload) => write!(f, "step {}", payload["step"].as_str().unwrap_or("?")),
            Self::ScalingTick => f.write_str("scaling tick"),
        }
    }
}
