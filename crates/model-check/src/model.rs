//! The model: every order in which functions, services, faults and people may take their steps.

use std::collections::HashMap;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::time::Instant;

use stateright::{Model, Property};

use crate::calls::Call;
use crate::function::Function;
use crate::invariant::Invariant;
use crate::jobs::Job;
use crate::rest::Verdict;
use crate::scene::Scene;
use crate::world::{How, Session, World};

/// A world and the functions in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// All that is outside of functions.
    pub world: World,
    /// Those in flight.
    pub functions: Vec<Function>,
    /// What was broken on the way here.
    pub broken: Option<Invariant>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// A function starts.
    Start(Job),
    /// A function makes one of its calls.
    Step {
        /// Which function.
        function: usize,
        /// What it does.
        job: Job,
        /// Which call.
        number: u8,
        /// What that is.
        call: Call,
        /// How it goes.
        how: How,
    },
    /// A function dies.
    Crash {
        /// Which function.
        function: usize,
        /// What it did.
        job: Job,
    },
    /// A call that was given up lands.
    Land(usize, Call),
    /// A call that was given up never lands.
    Drop(usize, Call),
    /// Time goes by, up to this second; perhaps a tick comes.
    Pass(u32),
    /// ECS starts the tasks that are missing.
    StartTasks(usize),
    /// ECS stops a task.
    StopTask(usize, u8),
    /// Application Auto Scaling sets a count.
    Scale(usize, u32),
    /// Somebody begins to use a task.
    Begin(u8),
    /// That is reported.
    Report(u8),
    /// Nobody uses it any more.
    End(u8),
    /// More tasks are needed.
    Burst,
    /// The execution of the state machine is lost.
    Lose,
}

/// A scene to be explored.
#[derive(Debug)]
pub struct Small {
    /// The scene.
    pub scene: Scene,
    /// What becomes of worlds that are left alone, by their fingerprints.
    pub(crate) verdicts: Mutex<HashMap<u64, Verdict>>,
    /// The most ticks that a wake took to have its count.
    pub slowest: AtomicU8,
    /// When to explore no further.
    pub deadline: Option<Instant>,
    /// Whether exploring is over.
    pub over: AtomicBool,
    /// Whether that was before the end.
    pub gave_up: AtomicBool,
    /// How many worlds without a function in flight were left alone.
    pub left_alone: AtomicUsize,
}

impl Small {
    /// A scene of which nothing is known yet.
    #[must_use]
    pub fn new(scene: Scene) -> Self {
        Self {
            scene,
            verdicts: Mutex::default(),
            slowest: AtomicU8::new(0),
            deadline: None,
            over: AtomicBool::new(false),
            gave_up: AtomicBool::new(false),
            left_alone: AtomicUsize::new(0),
        }
    }

    /// The next moment at which something may happen, if time may go by up to there.
    fn next_moment(&self, state: &State) -> Option<u32> {
        let world = &state.world;
        let next = world.next_moment(self.scene.between);
        let starts = if next.is_multiple_of(60) {
            self.scene.ticks.len()
        } else {
            0
        };
        let is_free = next <= self.scene.horizon
            && state.functions.len() + starts <= self.scene.at_once
            && state
                .functions
                .iter()
                .all(|f| next <= f.started + self.scene.lifetime)
            && world.late.iter().all(|late| next <= late.until)
            && !world.calls_for_step()
            && !world.has_unreported();
        is_free.then_some(next)
    }

    fn start(&self, state: &mut State, job: Job) {
        let mut function = Function::start(&self.scene, job, state.world.now);
        // Nothing hangs on when it begins, only on when it first asks.
        if let [(number, Call::Load)] = *function.open {
            let _ = function.step(&self.scene, &mut state.world, number, How::Well);
        }
        state.functions.push(function);
    }

    /// What nobody else can change now is read together with the call before: only time could come in between.
    fn read_on(&self, state: &mut State) {
        let scales = |function: &Function| matches!(function.job, Job::Step(_) | Job::ScalingTick);
        let alone = state.functions.iter().filter(|function| scales(function)).count() == 1;
        let Some(n) = state.functions.iter().position(scales).filter(|_| alone) else {
            return;
        };
        while state.broken.is_none() {
            let world = &state.world;
            let still = world
                .services
                .iter()
                .all(|service| service.count() == service.desired);
            let unused = world.budget.begins + world.budget.ends == 0 && !world.has_unreported();
            let is_fixed = |call: &Call| match call {
                Call::Plan => true,
                Call::Targets | Call::ProtectedUntil(_) => still,
                Call::Rows(_) => still && unused,
                _ => false,
            };
            let Some(function) = state.functions.get_mut(n) else {
                return;
            };
            let Some((number, _)) = function.open.iter().find(|(_, call)| is_fixed(call)).cloned() else {
                return;
            };
            let job = function.job.clone();
            let (outcome, broken) = function.step(&self.scene, &mut state.world, number, How::Well);
            state.broken = broken;
            if let Some(outcome) = outcome {
                state.functions.remove(n);
                self.over(state, &job, outcome);
                return;
            }
        }
    }

    /// What follows once a function is over.
    fn over(&self, state: &mut State, job: &Job, outcome: crate::function::Outcome) {
        if matches!(job, Job::Step(_))
            && let Some(execution) = state.world.execution.take()
        {
            state.world.execution = execution.answered(state.world.now, outcome);
        }
    }
}

impl Model for Small {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let state = |world: &World| State {
            world: world.clone(),
            functions: Vec::new(),
            broken: None,
        };
        self.scene.begins.iter().map(state).collect()
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.broken.is_some() {
            return;
        }
        let late = |deadline: Instant| !self.over.load(Ordering::Relaxed) && Instant::now() > deadline;
        if self.deadline.is_some_and(late) {
            self.gave_up.store(true, Ordering::Relaxed);
            return;
        }
        let world = &state.world;
        for (function, running) in state.functions.iter().enumerate() {
            let job = &running.job;
            for (number, call) in &running.open {
                for how in world.ways(call) {
                    actions.push(Action::Step {
                        function,
                        job: job.clone(),
                        number: *number,
                        call: call.clone(),
                        how,
                    });
                }
            }
            if world.budget.crashes > 0 {
                let job = job.clone();
                actions.push(Action::Crash { function, job });
            }
        }
        if state.functions.len() < self.scene.at_once {
            actions.extend(world.may_start().into_iter().map(Action::Start));
        }
        for (n, late) in world.late.iter().enumerate() {
            actions.push(Action::Land(n, late.call.clone()));
            actions.push(Action::Drop(n, late.call.clone()));
        }
        world.may_happen(actions);
        actions.extend(self.next_moment(state).map(Action::Pass));
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Start(job) => {
                state.world.count_start(&job);
                self.start(&mut state, job);
            }
            Action::Step {
                function,
                job,
                number,
                how,
                ..
            } => {
                let running = state.functions.get_mut(function)?;
                let (outcome, broken) = running.step(&self.scene, &mut state.world, number, how);
                state.broken = broken;
                if let Some(outcome) = outcome {
                    state.functions.remove(function);
                    self.over(&mut state, &job, outcome);
                }
            }
            Action::Crash { function, job } => {
                state.world.budget.crashes -= 1;
                state.functions.remove(function);
                let died = Err(("Lambda.Unknown".to_owned(), String::new()));
                self.over(&mut state, &job, died);
            }
            Action::Land(n, call) => {
                state.world.late.remove(n);
                state.world.land(&call);
            }
            Action::Drop(n, _) => {
                state.world.late.remove(n);
            }
            Action::Pass(until) => {
                state.world.pass(until);
                if until.is_multiple_of(60) {
                    for job in self.scene.ticks.clone() {
                        self.start(&mut state, job);
                    }
                }
            }
            Action::StartTasks(service) => state.world.services.get_mut(service)?.start_missing(),
            Action::StopTask(service, task) => state.broken = state.world.stop(service, task),
            Action::Scale(service, count) => state.world.services.get_mut(service)?.desired = count,
            Action::Begin(task) => {
                state.world.budget.begins -= 1;
                state.world.use_task(task, Session::Begun);
            }
            Action::Report(task) => state.world.use_task(task, Session::Live),
            Action::End(task) => {
                state.world.budget.ends -= 1;
                state.world.use_task(task, Session::None);
            }
            Action::Burst => {
                state.world.budget.bursts -= 1;
                state.world.high = true;
            }
            Action::Lose => {
                state.world.budget.lost -= 1;
                state.world.execution = None;
            }
        }
        self.read_on(&mut state);
        state.functions.sort_by_cached_key(Function::rank);
        if state.broken.is_none() && state.functions.is_empty() && state.world.late.is_empty() {
            state.world.forget_versions();
            state.broken = self.left_alone(&state.world);
        }
        // What this scene cannot show is not shown by accident.
        state.broken = state.broken.filter(|broken| self.scene.can_break(*broken));
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        // The checker wants functions without an environment, so there is one for each.
        let holds: [fn(&Self, &State) -> bool; 6] = [
            |_, state| state.broken != Some(Invariant::Sessions),
            |_, state| state.broken != Some(Invariant::Wake),
            |_, state| state.broken != Some(Invariant::Unknown),
            |_, state| state.broken != Some(Invariant::Restored),
            |_, state| state.broken != Some(Invariant::Stale),
            |_, state| state.broken != Some(Invariant::Rest),
        ];
        let all = Invariant::ALL.into_iter().zip(holds);
        let can_break = all.filter(|(invariant, _)| self.scene.can_break(*invariant));
        can_break
            .map(|(invariant, holds)| Property::always(invariant.name(), holds))
            .collect()
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(job) => write!(f, "{job}: starts, and loads the record"),
            Self::Step { job, call, how, .. } => {
                write!(f, "{job}: {call}")?;
                match how {
                    How::Well if *call == Call::Read => f.write_str(": quiet"),
                    How::Well => Ok(()),
                    How::InUse => f.write_str(": in use"),
                    How::Unknown => f.write_str(": unknown"),
                    How::Unsure => f.write_str(" and gets no answer"),
                }
            }
            Self::Crash { job, .. } => write!(f, "{job}: dies"),
            Self::Land(_, call) => write!(f, "late: {call}"),
            Self::Drop(_, call) => write!(f, "never: {call}"),
            Self::Pass(until) => write!(f, "time goes by up to {until} s"),
            Self::StartTasks(service) => write!(f, "ECS starts the missing tasks of service {service}"),
            Self::StopTask(service, task) => write!(f, "ECS stops t{task} of service {service}"),
            Self::Scale(service, count) => {
                write!(
                    f,
                    "Application Auto Scaling sets the count of service {service} to {count}"
                )
            }
            Self::Begin(task) => write!(f, "a session begins on t{task}"),
            Self::Report(task) => write!(f, "the session on t{task} is reported"),
            Self::End(task) => write!(f, "the session on t{task} ends"),
            Self::Burst => f.write_str("more tasks are needed"),
            Self::Lose => f.write_str("the execution is lost"),
        }
    }
}
