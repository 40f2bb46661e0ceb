//! Where tests of the watch begin: tasks that share connections.

use std::time::Duration;

use dormouse_core::connections::Endpoint;
use dormouse_core::scaling::bounds::{Range, Scaling};
use dormouse_core::scaling::connections::mode::Mode;
use dormouse_core::scaling::connections::steps::Steps;
use dormouse_core::scaling::connections::target::Target;
use fargate_sim::model::Millis;

use crate::scene::{ALONE, BALANCED, Scene};
use crate::sim::{Sim, minutes};

/// What its owner says of connections.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asks {
    Target(&'static str),
    Steps(&'static str),
}

/// What differs from test to test.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watched {
    pub(super) balanced: bool,
    pub(super) asks: Asks,
    /// Tasks, of which `min` to `max` are allowed.
    pub(super) tasks: u32,
    pub(super) min: u32,
    pub(super) max: u32,
    pub(super) cpu: Option<&'static str>,
    pub(super) scale_in: bool,
    /// Connections of all tasks.
    pub(super) load: u64,
}

/// Two tasks with 75 connections each, which is as many as they should have.
pub(super) const CALM: Watched = Watched {
    balanced: true,
    asks: Asks::Target("100"),
    tasks: 2,
    min: 1,
    max: 20,
    cpu: None,
    scale_in: true,
    load: 150,
};

/// Six tasks that have just enough to do.
pub(super) const BUSY: Watched = Watched {
    tasks: 6,
    load: 550,
    ..CALM
};

impl Watched {
    /// The first scheduled event is due, at the beginning of a minute. Nobody has a session, and targets drain for five
    /// minutes.
    pub(super) fn open(self) -> Sim {
        let scene = if self.balanced { BALANCED } else { ALONE };
        let account = Scene {
            tasks: self.tasks,
            ..scene
        }
        .account();
        account.set_settings(|settings| {
            settings.connections = Endpoint::parse(":8080/nginx_status");
            settings.scaling = Scaling {
                min: self.min,
                max: Some(self.max),
                cpu: self.cpu.and_then(Range::parse),
                connections: Some(self.asks.mode()),
                scale_in: self.scale_in,
                ..Scaling::default()
            };
        });
        account.set_load(self.load);
        account.trace.borrow_mut().clear();
        let mut sim = Sim::new(account);
        sim.ticking = true;
        sim.watching = true;
        sim
    }
}

impl Asks {
    fn mode(self) -> Mode {
        match self {
            Self::Target(text) => Mode::Target(Target::parse(text).expect("a target")),
            Self::Steps(text) => Mode::Steps(Steps::parse(text).expect("steps")),
        }
    }
}

impl Sim {
    /// The load is another one from that long on.
    pub(super) fn load_after(&mut self, after: Duration, connections: u64) {
        self.plan(after, move |sim| sim.account.set_load(connections));
    }

    /// How long after a moment the count was first set.
    pub(super) fn set_after(&self, moment: Millis) -> Option<Duration> {
        let updates = self.account.updates.borrow();
        let first = updates.iter().find(|(at, ..)| *at >= moment);
        first.map(|(at, ..)| at.since(moment))
    }

    /// Lets everything happen until the present minute is over.
    pub(super) fn end_minute(&mut self) {
        let passed = self.account.at().0 % 60_000;
        self.run(minutes(1) - Duration::from_millis(passed + 1));
    }
}
