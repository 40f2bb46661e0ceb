//! Scaling decisions as timelines: the load of minute after minute, and what follows.

mod scale_in;
mod scale_out;
mod whole_days;

use jiff::Timestamp;

use super::bounds::{Range, Scaling};
use super::load::{Metric, Sessions, Task, Tasks};
use super::reason::Utilization;
use super::*;
use crate::ids::ServiceId;
use crate::minutes::Point;
use crate::settings::Defaults;

/// A service under load that remembers what was decided.
struct Timeline {
    settings: ServiceSettings,
    load: Load,
    history: History,
    started: u32,
}

/// Second 0 is the beginning of a minute.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).expect("a moment")
}

impl Timeline {
    /// A service with this many free tasks, at least 1 and at most 10, and the range 30-70 for CPU, of which nothing
    /// is known yet.
    fn new(count: u32) -> Self {
        let mut settings = ServiceSettings::of(ServiceId::new("dev", "web"), &Defaults::default());
        settings.scaling = Scaling {
            max: Some(10),
            cpu: Range::parse("30-70"),
            ..Scaling::default()
        };
        let mut timeline = Self {
            settings,
            load: Load {
                desired: 0,
                running: 0,
                rollout: false,
                cpu: Metric::Known(Vec::new()),
                memory: Metric::Known(Vec::new()),
                connections: None,
                tasks: Tasks::Known(Vec::new()),
            },
            history: History::default(),
            started: 0,
        };
        timeline.has(count);
        timeline
    }

    /// Gives memory a range too.
    fn and_memory(mut self, range: &str) -> Self {
        self.settings.scaling.memory = Range::parse(range);
        self
    }

    fn scaling(&mut self, change: impl FnOnce(&mut Scaling)) -> &mut Self {
        change(&mut self.settings.scaling);
        self
    }

    fn tasks(&mut self) -> &mut Vec<Task> {
        match &mut self.load.tasks {
            Tasks::Known(tasks) => tasks,
            Tasks::Unknown(why) => panic!("no tasks: {why}"),
        }
    }

    /// As many tasks are wanted and run; new ones are free and called `t1`, `t2` and so on.
    fn has(&mut self, count: u32) -> &mut Self {
        while self.tasks().len() < count as usize {
            self.started += 1;
            let task = Task {
                id: format!("t{}", self.started),
                running: true,
                protected: false,
                sessions: Sessions::Free,
            };
            self.tasks().push(task);
        }
        self.load.desired = count;
        self.load.running = count;
        self
    }

    fn task(&mut self, id: &str, change: impl FnOnce(&mut Task)) -> &mut Self {
        let task = self.tasks().iter_mut().find(|task| task.id == id);
        change(task.expect("a task"));
        self
    }

    fn sessions(&mut self, id: &str, sessions: Sessions) -> &mut Self {
        self.task(id, |task| task.sessions = sessions)
    }

    fn metric(&mut self, of: Utilization) -> &mut Metric {
        match of {
            Utilization::Cpu => &mut self.load.cpu,
            Utilization::Memory => &mut self.load.memory,
        }
    }

    /// The minutes of a utilization from minute `first` on, in place of all that were known.
    fn reads(&mut self, of: Utilization, first: i64, values: &[f64]) -> &mut Self {
        let points = values.iter().zip(first..).map(|(value, minute)| Point {
            at: at(minute * 60),
            value: *value,
        });
        *self.metric(of) = Metric::Known(points.collect());
        self
    }

    fn cpu(&mut self, first: i64, values: &[f64]) -> &mut Self {
        self.reads(Utilization::Cpu, first, values)
    }

    fn memory(&mut self, first: i64, values: &[f64]) -> &mut Self {
        self.reads(Utilization::Memory, first, values)
    }

    /// What is decided at this second. Changes nothing.
    fn look(&self, seconds: i64) -> Decision {
        decide(&self.settings, &self.load, &self.history, at(seconds))
    }

    fn reason(&self, seconds: i64) -> Reason {
        self.look(seconds).reason
    }

    /// Decides and does it, at once.
    fn act(&mut self, seconds: i64) -> Decision {
        let decision = self.look(seconds);
        match &decision.action {
            Action::ScaleOut { to, .. } => {
                self.has(*to);
                self.history.scaled_out_at = Some(at(seconds));
            }
            Action::ScaleIn { to, candidates, .. } => {
                self.tasks().retain(|task| !candidates.contains(&task.id));
                self.has(*to);
                self.history.scaled_in_at = Some(at(seconds));
            }
            Action::Hold => {}
        }
        decision
    }
}

fn out(from: u32, to: u32, reason: Reason) -> Decision {
    Decision {
        action: Action::ScaleOut { from, to },
        reason,
    }
}

fn hold(reason: Reason) -> Decision {
    Decision {
        action: Action::Hold,
        reason,
    }
}

fn cpu_above(percent: u32) -> Reason {
    Reason::CpuAbove { percent, limit: 70 }
}

/// The tasks that may go.
fn candidates(decision: &Decision) -> Vec<&str> {
    match &decision.action {
        Action::ScaleIn { from, to, candidates } => {
            assert_eq!((from - to) as usize, candidates.len());
            candidates.iter().map(String::as_str).collect()
        }
        _ => Vec::new(),
    }
}
