//! Whose groups there are. What the tags said last is in the table; the tick reads them again each minute.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join;
use jiff::Timestamp;

use crate::duration;
use crate::error::{Code, Error};
use crate::ids::GroupName;
use crate::ports::{Store, Stored, World};
use crate::record::Record;
use crate::settings::{Defaults, GroupSettings, ServiceSettings};
use crate::tags::{self, TaggedService};

/// Tags are not read again for an unknown group within so long, however many ask: whoever asks waits. Our choice: a
/// scanner must not use up the account's calls of the tagging API.
const READ_EVERY: Duration = Duration::from_secs(3);

/// A tick that finds the tags as they were says so in one minute of so many. Our choice: a write each minute would be a third
/// of what it costs to watch over groups that sleep.
pub const TOLD_IN_ONE_OF: i64 = 15;

/// All groups, and what kept the tags from being read.
#[derive(Debug)]
pub struct Discovered {
    /// Their settings, as new as could be had, and their records.
    pub groups: BTreeMap<GroupName, Stored>,
    /// Why the settings are those of before, if they are.
    pub stale: Option<Error>,
    /// When the tags were read.
    pub read: Read,
}

/// When the tags were read, if they were. Others are to know it; whoever has more to do may tell it meanwhile.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Read {
    at: Option<Timestamp>,
    /// Whether they said anything new.
    is_news: bool,
}

impl Read {
    /// Lets others know, so that they do not read them again at once.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn tell<W: Store>(self, world: &W) -> Result<(), Error> {
        match self.at {
            Some(at) => world.save_discovered_at(at).await,
            None => Ok(()),
        }
    }

    /// The same for those who read them every minute: if they said anything new, else four times an hour.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn tell_now_and_then<W: Store>(self, world: &W) -> Result<(), Error> {
        let minute = self.at.map_or(0, |at| at.as_second().div_euclid(60));
        if self.is_news || minute % TOLD_IN_ONE_OF == 0 {
            return self.tell(world).await;
        }
        Ok(())
    }
}

/// The settings of all groups as their owners have them now, and those stored before.
///
/// Settings that changed are written, those of vanished groups removed, so that a wake finds them in the table. If the
/// tags cannot be read, those stored before hold on.
///
/// # Errors
/// Those of the store.
pub async fn discover<W: World>(
    world: &W,
    listed: &[ServiceSettings],
    defaults: &Defaults,
) -> Result<Discovered, Error> {
    let now = world.now();
    let (tagged, stored) = join(world.tagged(), world.load_all()).await;
    let mut groups = stored?;
    let (is_news, stale) = match tagged {
        Ok(tagged) => (renew(world, tagged, listed, defaults, &mut groups).await?, None),
        Err(error) => (false, Some(error)),
    };
    groups.retain(|_, stored| stored.settings.is_some());
    let read = Read {
        at: stale.is_none().then_some(now),
        is_news,
    };
    Ok(Discovered { groups, stale, read })
}

/// Writes what the tags say now; whether it is anything new.
async fn renew<W: World>(
    world: &W,
    tagged: Vec<TaggedService>,
    listed: &[ServiceSettings],
    defaults: &Defaults,
    stored: &mut BTreeMap<GroupName, Stored>,
) -> Result<bool, Error> {
    // There may be ten thousand: they move, and what is not needed any more goes.
    let previous: BTreeMap<GroupName, GroupSettings> = stored
        .iter_mut()
        .filter_map(|(name, stored)| Some((name.clone(), stored.settings.take()?)))
        .collect();
    let current = tags::groups(&tagged, listed, &previous, defaults);
    drop(tagged);
    let mut is_news = false;
    for (vanished, before) in previous.iter().filter(|(name, _)| !current.contains_key(*name)) {
        if has_led_doors(stored.get(vanished)) {
            empty(world, vanished, before, stored).await?;
            continue;
        }
        is_news = true;
        world.remove_settings(vanished).await?;
        stored.remove(vanished);
    }
    for (name, settings) in current {
        if previous.get(&name) != Some(&settings) {
            is_news = true;
            world.save_settings(&settings).await?;
        }
        stored.entry(name).or_default().settings = Some(settings);
    }
    Ok(is_news)
}

/// Whether its address still leads to the wake function.
fn has_led_doors(stored: Option<&Stored>) -> bool {
    let record = stored.and_then(|stored| stored.record.as_ref());
    record.is_some_and(|record| !record.front.doors.is_empty())
}

/// Keeps a group without services, so that it has turns until its address leads where its owner wants.
async fn empty<W: World>(
    world: &W,
    name: &GroupName,
    before: &GroupSettings,
    stored: &mut BTreeMap<GroupName, Stored>,
) -> Result<(), Error> {
    let settings = GroupSettings::of(name, Vec::new());
    if *before != settings {
        world.save_settings(&settings).await?;
    }
    stored.entry(name.clone()).or_default().settings = Some(settings);
    Ok(())
}

/// The group with its record. If the table does not know it, the tags are read again.
///
/// # Errors
/// [`Code::UnknownGroup`], and those of discovery and the store.
pub async fn find<W: World>(
    world: &W,
    group: &GroupName,
    listed: &[ServiceSettings],
    defaults: &Defaults,
) -> Result<(GroupSettings, Option<Record>), Error> {
    let began = world.now();
    let mut stored = world.load(group).await?;
    while stored.settings.is_none() {
        let read_at = world.discovered_at().await?;
        if read_at.is_some_and(|at| at >= began) {
            // Somebody has read them since. What they found was written before that was, but maybe after it was loaded here.
            stored = world.load(group).await?;
            break;
        }
        match wait(read_at, world.now()) {
            Some(wait) => {
                world.pause(wait).await;
                stored = world.load(group).await?;
            }
            None => {
                let mut discovered = discover(world, listed, defaults).await?;
                discovered.read.tell(world).await?;
                stored = discovered.groups.remove(group).unwrap_or_default();
                if stored.settings.is_none() {
                    return Err(discovered.stale.unwrap_or_else(|| unknown(group)));
                }
            }
        }
    }
    match stored.settings {
        Some(settings) => Ok((settings, stored.record)),
        None => Err(unknown(group)),
    }
}

/// How long it is until the tags may be read again; none: they may.
fn wait(read_at: Option<Timestamp>, now: Timestamp) -> Option<Duration> {
    let left = READ_EVERY.checked_sub(duration::between(read_at?, now))?;
    (!left.is_zero()).then_some(left)
}

fn unknown(group: &GroupName) -> Error {
    let message = format!(
        "group `{group}`: no service has the tag `{}` with this value",
        tags::GROUP
    );
    Error::new(Code::UnknownGroup, message)
}
