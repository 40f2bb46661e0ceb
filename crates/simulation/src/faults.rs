//! What goes wrong, and how often.

use std::fmt;
use std::time::Duration;

use crate::dice::Dice;

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A function dies before a call.
    DieBefore,
    /// A function dies after a call, before it knows how that went.
    DieAfter,
    /// A call is refused, and nothing was done.
    Refuse,
    /// A call is done, and its caller sees an error.
    LoseAnswer,
    /// A write is done, but only a while after its caller has seen an error.
    Late,
    /// A call takes seconds.
    Slow,
    /// An event that AWS may lose is lost, or a tick does not come.
    LoseEvent,
    /// An event comes twice.
    RepeatEvent,
    /// An event comes late, so after later ones.
    DelayEvent,
    /// An execution of a state machine is stopped.
    StopExecution,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 10] = [
        Self::DieBefore,
        Self::DieAfter,
        Self::Refuse,
        Self::LoseAnswer,
        Self::Late,
        Self::Slow,
        Self::LoseEvent,
        Self::RepeatEvent,
        Self::DelayEvent,
        Self::StopExecution,
    ];
}

/// What can be out of order together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// DynamoDB.
    Table,
    /// ECS.
    Ecs,
    /// Load balancers.
    Elb,
    /// CloudWatch, its logs, Step Functions, Application Auto Scaling, the topic, the tagging API.
    Other,
}

/// A part of AWS that answers nobody for a while.
#[derive(Clone, Copy, Debug)]
pub struct Outage {
    /// Which.
    pub part: Part,
    /// From this second of the run.
    pub from: u64,
    /// For so many seconds.
    pub seconds: u64,
}

/// The faults of a run.
#[derive(Clone, Debug)]
pub struct Faults {
    /// How often each kind happens, times in a thousand, in the order of [`Kind::ALL`].
    pub rates: [u32; Kind::ALL.len()],
    /// Whole parts of AWS that are out of order.
    pub outages: Vec<Outage>,
    /// For so long after a write, ECS may still answer as before it.
    pub lag: Duration,
    /// How far the clock of a function may be off, either way.
    pub skew: Duration,
    /// How long an ordinary call takes at most.
    pub latency: Duration,
}

impl Faults {
    /// Not every run has every kind: a run with few kinds goes further into what they do (Groce and others, "Swarm
    /// Testing", ISSTA 2012).
    pub(crate) fn draw(seed: u64, length: u64) -> Self {
        let mut dice = Dice::of(seed, "faults");
        let rates = Kind::ALL.map(|kind| {
            let scale = if kind == Kind::StopExecution { 5 } else { 1 };
            if dice.below(2) == 0 {
                0
            } else {
                dice.one_of(&[2, 10, 40]) * scale
            }
        });
        let outages = (0..dice.one_of(&[0, 0, 1, 3]))
            .map(|_| Outage {
                part: dice.one_of(&[Part::Table, Part::Ecs, Part::Elb, Part::Other]),
                from: dice.below(length),
                seconds: dice.between(5, 400),
            })
            .collect();
        Self {
            rates,
            outages,
            lag: Duration::from_secs(dice.one_of(&[0, 1, 4])),
            skew: Duration::from_millis(dice.one_of(&[0, 100, 2000])),
            latency: Duration::from_millis(dice.one_of(&[20, 100, 1000])),
        }
    }

    pub(crate) fn rate(&self, kind: Kind) -> u32 {
        self.rates[kind as usize]
    }

    /// The same without one kind.
    pub(crate) fn without(&self, kind: Kind) -> Self {
        let mut faults = self.clone();
        faults.rates[kind as usize] = 0;
        faults
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for kind in Kind::ALL {
            let rate = self.rate(kind);
            if rate > 0 {
                write!(f, "{kind:?} {rate} ‰, ")?;
            }
        }
        for outage in &self.outages {
            let Outage { part, from, seconds } = outage;
            write!(f, "{part:?} out of order from {from} s for {seconds} s, ")?;
        }
        let Self {
            lag, skew, latency, ..
        } = self;
        write!(f, "lag {lag:?}, skew {skew:?}, latency {latency:?}")
    }
}
