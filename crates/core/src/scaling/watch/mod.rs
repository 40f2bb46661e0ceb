//! Watching: services whose connections decide are read every few seconds for as long as the function stays awake.
//!
//! One invocation stays until just before the next one. Its passes are due at equal distances: looks at counts and tasks
//! as far as they are due, questions to every task, a decision for each service. What is decided is done beside the
//! passes that follow, so that a slow call for one service holds up nobody else. Each decision is made anew, over a new
//! look at the service, before anything is changed.

mod act;
mod look;
mod read;
mod sample;
mod service;
mod steps;
mod summary;
mod tasks;

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, LocalBoxFuture, join, select};
use futures_util::stream::{FuturesUnordered, StreamExt};
use jiff::Timestamp;

use crate::duration;
use crate::error::Error;
use crate::ids::{GroupName, ServiceId};
use crate::ports::{Lease, ScalingWorld, Stored};
use crate::record::Record;
use crate::scaling::connections::LONGEST_GAP;
use crate::scaling::connections::window::Window;
use crate::scaling::turn::Report;
use crate::scaling::turn::look::{self as metrics, Metrics};
use act::{Acted, act};
use look::Looks;
use service::{Wants, Watched};
use steps::Steps;

pub use sample::{Request as SampleRequest, sample};
pub use summary::Summary;

/// From one invocation to the next: that of the template's schedule.
pub const MINUTE: Duration = Duration::from_secs(60);
/// No watch lasts longer, though it is prolonged: what the function's timeout leaves. Twice the minute less a step.
pub const LONGEST: Duration = Duration::from_secs(117);
/// An event may be so much earlier than a minute after the one before. If one was, the next may be in time again, so a
/// watch that was prolonged lasts as much longer than its lease.
const EARLY: Duration = Duration::from_secs(10);
/// The lease, and the name of the windows that are kept. One shard has all services.
const SHARD: &str = "scaling-1";

/// What a function remembers from one invocation to the next as long as it lives: all that it knows of the services that
/// it watched. With it the first pass of the next watch comes at once; without it there are first looks at everything.
#[derive(Debug, Default)]
pub struct Memory(Mutex<Option<Kept>>);

#[derive(Debug)]
struct Kept {
    at: Timestamp,
    watched: Vec<Watched>,
    /// What is left of ECS's read buckets does not begin anew with each watch.
    looks: Looks,
    /// Whether there are windows in the table.
    has_windows: bool,
}

impl Memory {
    /// What was kept, if it is from just before. Older than that, the table may know better.
    fn take(&self, now: Timestamp) -> Option<Kept> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        kept.filter(|kept| duration::between(kept.at, now) <= LONGEST_GAP)
    }

    fn keep(&self, kept: Kept) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
    }
}

/// Whether a service of these groups asks to be watched.
#[must_use]
pub fn is_wanted(groups: &BTreeMap<GroupName, Stored>) -> bool {
    groups
        .iter()
        .any(|(name, stored)| service::of(name, stored).next().is_some())
}

/// Watches the services that ask for it, a pass `every` so often, until just before the next invocation. If another
/// invocation watches already, that one is given the time of this one. `tell` hears of everything that was done.
///
/// # Errors
/// Those of the table, before the first pass. What fails for one service is told and harms no other.
pub async fn stay<W: ScalingWorld>(
    world: &W,
    memory: &Memory,
    every: Duration,
    owner: &str,
    groups: BTreeMap<GroupName, Stored>,
    tell: &mut dyn FnMut(&Report),
) -> Result<Summary, Error> {
    let begun = world.now();
    let longest = duration::after(begun, LONGEST);
    let mut lease = duration::after(begun, MINUTE.saturating_sub(every));
    let mut until = lease;
    if world.take_lease(SHARD, owner, lease).await? == Lease::Prolonged {
        return Ok(Summary {
            elsewhere: true,
            ..Summary::default()
        });
    }
    let mut watch = Watch::new(world, memory, groups).await;
    let mut steps = Steps::new(begun, every);
    loop {
        watch.pass().await;
        let next = steps.next(world.now());
        while next > until {
            match world.return_lease(SHARD, owner, lease).await {
                Ok(Some(longer)) => {
                    lease = longer;
                    if until < longest {
                        until = duration::after(longer, EARLY).min(longest);
                        watch.reload().await;
                    }
                    // Else it is given back all the same: nobody else watches as long as it is not.
                }
                _ => return Ok(watch.end(&steps, tell).await),
            }
        }
        watch.wait_until(next, tell).await;
    }
}

/// One pass over the services that ask for it, and what follows from it.
pub async fn once<W: ScalingWorld>(
    world: &W,
    groups: BTreeMap<GroupName, Stored>,
    tell: &mut dyn FnMut(&Report),
) -> Summary {
    let memory = Memory::default();
    let mut watch = Watch::new(world, &memory, groups).await;
    watch.pass().await;
    watch.finish(tell).await;
    Summary {
        passes: 1,
        ..watch.sum_up(&Steps::new(world.now(), MINUTE))
    }
}

/// A watch under way.
struct Watch<'a, W> {
    world: &'a W,
    memory: &'a Memory,
    watched: Vec<Watched>,
    records: BTreeMap<GroupName, Record>,
    metrics: Rc<Metrics>,
    looks: Looks,
    /// What is being done, and for which groups.
    acts: FuturesUnordered<LocalBoxFuture<'a, Option<Acted>>>,
    acting: BTreeSet<GroupName>,
    /// Tokens for UpdateService that groups have waited for.
    tokens: BTreeMap<GroupName, u32>,
    /// Whether there are windows in the table.
    has_windows: bool,
    summary: Summary,
}

impl<'a, W: ScalingWorld> Watch<'a, W> {
    async fn new(world: &'a W, memory: &'a Memory, groups: BTreeMap<GroupName, Stored>) -> Self {
        let kept = memory.take(world.now());
        let is_cold = kept.is_none();
        let (watched, looks, has_windows) = kept.map_or((Vec::new(), Looks::default(), true), |kept| {
            (kept.watched, kept.looks.uncounted(), kept.has_windows)
        });
        let mut watch = Self {
            world,
            memory,
            watched,
            records: BTreeMap::new(),
            metrics: Rc::default(),
            looks,
            acts: FuturesUnordered::new(),
            acting: BTreeSet::new(),
            tokens: BTreeMap::new(),
            has_windows,
            summary: Summary::default(),
        };
        watch.take_over(groups).await;
        if is_cold {
            watch.recall().await;
            // The first look is at counts, and the second at the tasks that they speak of.
            watch.look().await;
            watch.look().await;
        }
        watch
    }

    /// Takes the windows that are kept in the table. Without them nothing is scaled in for a while, which is no reason to
    /// add nothing either.
    async fn recall(&mut self) {
        let windows = self.world.windows(SHARD).await;
        self.has_windows = windows.as_ref().map_or(true, |windows| !windows.is_empty());
        let mut windows = windows.unwrap_or_default();
        for watched in &mut self.watched {
            watched.window = windows.remove(&watched.settings.id).unwrap_or_default();
        }
    }

    /// Watches the services of these groups from now on. What is known of them stays.
    async fn take_over(&mut self, groups: BTreeMap<GroupName, Stored>) {
        let before = std::mem::take(&mut self.watched);
        let mut before: BTreeMap<ServiceId, Watched> = before
            .into_iter()
            .map(|watched| (watched.settings.id.clone(), watched))
            .collect();
        let watched = groups.iter().flat_map(|(name, stored)| service::of(name, stored));
        let watched = watched.map(|new| match before.remove(&new.settings.id) {
            Some(known) => known.under(new.group, new.settings),
            None => new,
        });
        self.watched = watched.collect();
        let records = groups
            .into_iter()
            .filter_map(|(name, stored)| Some((name, stored.record?)));
        self.records = records.collect();
        let settings = self.watched.iter().map(|watched| &watched.settings);
        self.metrics = Rc::new(metrics::metrics(self.world, settings).await);
        self.summary.services = self.watched.len();
    }

    /// Takes over what has changed since the watch began, if the table tells; another minute has begun.
    async fn reload(&mut self) {
        let Ok(groups) = self.world.load_all().await else {
            return;
        };
        self.take_over(groups).await;
        self.look().await;
    }

    /// Looks at what is due.
    async fn look(&mut self) {
        let now = self.world.now();
        let seen = self.looks.take(self.world, &self.watched, now).await;
        seen.hand_out(&mut self.watched, now);
    }

    /// One pass: looks, readings, decisions.
    async fn pass(&mut self) {
        let now = self.world.now();
        let looking = self.looks.take(self.world, &self.watched, now);
        let (seen, answers) = join(looking, read::ask(self.world, &self.watched, now)).await;
        let now = self.world.now();
        seen.hand_out(&mut self.watched, now);
        for (watched, answers) in self.watched.iter_mut().zip(answers) {
            self.summary.asked += answers.answers.len() as u64;
            let told = watched.read(answers, now);
            self.summary.readings += u64::from(told);
            self.summary.unknown += u64::from(!told);
        }
        self.decide(now);
    }

    /// Begins what is to be done, a group at a time. A group for which something is being done is left alone.
    fn decide(&mut self, now: Timestamp) {
        let mut groups: BTreeMap<&GroupName, Vec<(Watched, Wants)>> = BTreeMap::new();
        for watched in self.watched.iter().filter(|w| !self.acting.contains(&w.group)) {
            let Some(record) = self.records.get(&watched.group) else {
                continue;
            };
            let service = record
                .services
                .get(&watched.settings.id)
                .cloned()
                .unwrap_or_default();
            match watched.wants(&self.metrics, &service, now) {
                Wants::Nothing => {}
                wants => groups
                    .entry(&watched.group)
                    .or_default()
                    .push((watched.clone(), wants)),
            }
        }
        let mut begun = Vec::new();
        for (group, services) in groups {
            let record = self.records[group].clone();
            let metrics = Rc::clone(&self.metrics);
            let tokens = self.tokens.remove(group).unwrap_or_default();
            let act = act(self.world, record, tokens, services, metrics);
            self.acts.push(Box::pin(act));
            begun.push(group.clone());
        }
        self.acting.extend(begun);
    }

    /// Takes over what was done.
    fn done(&mut self, acted: Acted, tell: &mut dyn FnMut(&Report)) {
        let now = self.world.now();
        self.acting.remove(&acted.group);
        for (id, wants, report) in &acted.reports {
            tell(report);
            let Some(watched) = self.watched.iter_mut().find(|w| w.settings.id == *id) else {
                continue;
            };
            match (report.decision, report.to) {
                ("scale-out", Some(to)) if report.errors.is_empty() => watched.raised(to),
                _ if *wants == Wants::Fewer => watched.rest(now),
                _ => {}
            }
        }
        if acted.tokens > 0 {
            self.tokens.insert(acted.group.clone(), acted.tokens);
        }
        self.records.insert(acted.group, acted.record);
    }

    /// Waits for the next pass, and does meanwhile what is being done.
    async fn wait_until(&mut self, next: Timestamp, tell: &mut dyn FnMut(&Report)) {
        loop {
            let left = duration::between(self.world.now(), next);
            let pause = pin!(self.world.pause(left));
            if self.acts.is_empty() {
                return pause.await;
            }
            match select(self.acts.next(), pause).await {
                Either::Left((Some(Some(acted)), _)) => self.done(acted, tell),
                Either::Left(_) => {}
                Either::Right(_) => return,
            }
        }
    }

    /// Does what is still being done.
    async fn finish(&mut self, tell: &mut dyn FnMut(&Report)) {
        while let Some(acted) = self.acts.next().await {
            if let Some(acted) = acted {
                self.done(acted, tell);
            }
        }
    }

    /// Ends, and keeps what the next watch needs.
    async fn end(mut self, steps: &Steps, tell: &mut dyn FnMut(&Report)) -> Summary {
        self.finish(tell).await;
        for watched in &self.watched {
            if let Err(error) = watched.state() {
                tell(&Report::failed(&watched.group, &watched.settings.id, error));
            }
        }
        let kept = self.watched.iter().filter(|watched| watched.counts_down());
        let kept = kept.map(|watched| (watched.settings.id.clone(), watched.window.clone()));
        let kept: BTreeMap<ServiceId, Window> = kept.collect();
        let nothing_new = kept.is_empty() && !self.has_windows;
        let summary = Summary {
            // If they are lost, a scale-in comes some minutes later.
            windows_lost: !nothing_new && self.world.save_windows(SHARD, &kept).await.is_err(),
            ..self.sum_up(steps)
        };
        self.memory.keep(Kept {
            at: self.world.now(),
            watched: self.watched,
            looks: self.looks,
            has_windows: !kept.is_empty() || summary.windows_lost,
        });
        summary
    }

    fn sum_up(&self, steps: &Steps) -> Summary {
        Summary {
            passes: steps.taken(),
            skipped: steps.skipped(),
            service_reads: self.looks.service_reads,
            task_reads: self.looks.task_reads,
            waited: self.looks.waited,
            ..self.summary.clone()
        }
    }
}
