//! A function that was invoked: the ports that it sees, each call of which takes time, can go wrong, and is a moment at
//! which everything else goes on.

mod aws;
pub(crate) use aws::whose;
mod checks;
mod scaling;
mod table;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use dormouse_core::error::{Code, Error};
use dormouse_core::ids::{Generation, GroupName, ServiceId};
use dormouse_core::reading::Signal;
use fargate_sim::model::Millis;
use jiff::{SignedDuration, Timestamp};

use crate::cloud::{Cloud, moment};
use crate::dice::Dice;
use crate::faults::{Kind, Part};

/// Who makes a call, for checks and for the story.
pub(crate) struct Who {
    /// The function and its event, in a few words.
    pub(crate) name: String,
    /// When it was invoked.
    pub(crate) begun: Millis,
    /// The generation that a sleep timer calls for, and whether it is an older one by now.
    pub(crate) timer: Option<(GroupName, Generation, bool)>,
    /// What the signals said that it has read, none if they said nothing.
    readings: RefCell<BTreeMap<(ServiceId, Signal), bool>>,
    /// When it last read which tasks are protected.
    protections_read: Cell<Option<Millis>>,
    /// Whether it died.
    dead: Cell<bool>,
    /// Whether anything went wrong with it.
    pub(crate) disturbed: Cell<bool>,
}

/// A function that was invoked.
pub(crate) struct Function {
    pub(crate) cloud: Rc<Cloud>,
    pub(crate) who: Rc<Who>,
    /// Whether it was given the sleep timer.
    pub(crate) has_timer: bool,
    skew: SignedDuration,
    dice: RefCell<Dice>,
}

/// What becomes of a call.
enum Fate {
    Well,
    DiesAfter,
    LosesAnswer,
    LandsAfter(Duration),
}

impl Function {
    pub(crate) fn new(
        cloud: &Rc<Cloud>,
        name: String,
        timer: Option<(GroupName, Generation)>,
        has_timer: bool,
    ) -> Self {
        let mut dice = Dice::of(cloud.script.seed, &name);
        let most = cloud.script.faults.skew.as_millis() as u64;
        let skew = dice.between(0, 2 * most) as i64 - most as i64;
        let timer = timer.map(|(group, generation)| {
            let table = cloud.table.borrow();
            let now = table.record(&group).map(|record| record.generation);
            (group, generation, now != Some(generation))
        });
        Self {
            cloud: Rc::clone(cloud),
            who: Rc::new(Who {
                name,
                begun: cloud.now(),
                timer,
                readings: RefCell::default(),
                protections_read: Cell::default(),
                dead: Cell::default(),
                disturbed: Cell::default(),
            }),
            has_timer,
            skew: SignedDuration::from_millis(skew),
            dice: RefCell::new(dice),
        }
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.who.dead.get()
    }

    /// Now, by its own clock.
    fn clock(&self) -> Timestamp {
        moment(self.cloud.now())
            .checked_add(self.skew)
            .unwrap_or_default()
    }

    /// A call that changes nothing.
    async fn read<T>(
        &self,
        part: Part,
        call: &'static str,
        work: impl FnOnce(&Cloud) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let fate = self.before(part, call, false).await?;
        let answer = work(&self.cloud);
        self.after(call, fate, answer).await
    }

    /// A call that changes something.
    async fn write<T>(
        &self,
        part: Part,
        call: &'static str,
        work: impl FnOnce(&Cloud) -> Result<T, Error> + 'static,
    ) -> Result<T, Error> {
        let fate = self.before(part, call, true).await?;
        if let Fate::LandsAfter(length) = fate {
            self.cloud.land_later(length, move |cloud| {
                let _ = work(cloud);
            });
            self.cloud.wait(Duration::from_secs(3)).await;
            return Err(unavailable(call, "no answer in time"));
        }
        let answer = work(&self.cloud);
        self.cloud.watch();
        self.after(call, fate, answer).await
    }

    fn draws(&self, kind: Kind) -> bool {
        let rate = self.cloud.script.faults.rate(kind);
        // Always drawn, so that leaving one kind out leaves the others where they were.
        let drawn = self.dice.borrow_mut().per_mille(rate);
        drawn && !self.cloud.is_calm.get()
    }

    fn disturb(&self, kind: Kind, call: &str) {
        self.who.disturbed.set(true);
        self.cloud.count(kind);
        self.cloud
            .note(format!("   * {kind:?} at {call} of {}", self.who.name));
    }

    async fn before(&self, part: Part, call: &'static str, writes: bool) -> Result<Fate, Error> {
        self.cloud.counted.borrow_mut().calls += 1;
        let most = self.cloud.script.faults.latency.as_millis() as u64;
        let mut length = self.dice.borrow_mut().millis(2, most);
        if self.draws(Kind::Slow) {
            self.disturb(Kind::Slow, call);
            length += self.dice.borrow_mut().millis(500, 8000);
        }
        self.cloud.wait(length).await;
        if self.draws(Kind::DieBefore) {
            self.disturb(Kind::DieBefore, call);
            self.die().await;
        }
        if self.cloud.is_out(part) {
            self.disturb(Kind::Refuse, call);
            self.cloud.wait(Duration::from_secs(2)).await;
            return Err(unavailable(call, "out of order"));
        }
        if self.draws(Kind::Refuse) {
            self.disturb(Kind::Refuse, call);
            return Err(Error::new(Code::Throttled, format!("{call}: too many requests")));
        }
        let dies = self.draws(Kind::DieAfter);
        let loses = self.draws(Kind::LoseAnswer);
        let late = self.draws(Kind::Late);
        let after = self.dice.borrow_mut().millis(100, 6000);
        Ok(match (dies, loses, late && writes) {
            (true, ..) => Fate::DiesAfter,
            (_, true, _) => Fate::LosesAnswer,
            (_, _, true) => {
                self.disturb(Kind::Late, call);
                Fate::LandsAfter(after)
            }
            _ => Fate::Well,
        })
    }

    async fn after<T>(&self, call: &'static str, fate: Fate, answer: Result<T, Error>) -> Result<T, Error> {
        let most = self.cloud.script.faults.latency.as_millis() as u64;
        let length = self.dice.borrow_mut().millis(0, most);
        self.cloud.wait(length).await;
        match fate {
            Fate::DiesAfter => {
                self.disturb(Kind::DieAfter, call);
                self.die().await;
                answer
            }
            Fate::LosesAnswer => {
                self.disturb(Kind::LoseAnswer, call);
                Err(unavailable(call, "the answer was lost"))
            }
            Fate::Well | Fate::LandsAfter(_) => answer,
        }
    }

    async fn die(&self) {
        self.who.dead.set(true);
        pending::<()>().await;
    }
}

fn unavailable(call: &str, why: &str) -> Error {
    Error::new(Code::Unavailable, format!("{call}: {why}"))
}
