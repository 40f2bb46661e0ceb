//! Whose groups there are. What the tags said last is in the table; the tick reads them again each minute.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::duration;
use crate::error::{Code, Error};
use crate::ids::GroupName;
use crate::ports::{Store, Stored, World};
use crate::record::Record;
use crate::settings::{Defaults, GroupSettings, ServiceSettings};
use crate::tags;

/// Tags are not read again for an unknown group within so long, however many ask: whoever asks waits. Our choice: a
/// scanner must not use up the account's calls of the tagging API.
const READ_EVERY: Duration = Duration::from_secs(3);

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

/// When the tags were read, if they were. Others are to know it, so that they do not read them again at once; whoever has
/// more to do may tell it meanwhile.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Read(Option<Timestamp>);

impl Read {
    /// Lets others know.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn tell<W: Store>(self, world: &W) -> Result<(), Error> {
        match self.0 {
            Some(at) => world.save_discovered_at(at).await,
            None => Ok(()),
        }
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
    let (tagged, stored) = futures_util::future::join(world.tagged(), world.load_all()).await;
    let mut groups = stored?;
    let stale = match tagged {
        Ok(tagged) => {
            renew(world, &tagged, listed, defaults, &mut groups).await?;
            None
        }
        Err(error) => Some(error),
    };
    groups.retain(|_, stored| stored.settings.is_some());
    let read = Read(stale.is_none().then_some(now));
    Ok(Discovered { groups, stale, read })
}

async fn renew<W: World>(
    world: &W,
    tagged: &[tags::TaggedService],
    listed: &[ServiceSettings],
    defaults: &Defaults,
    stored: &mut BTreeMap<GroupName, Stored>,
) -> Result<(), Error> {
    let previous = stored
        .iter()
        .filter_map(|(name, stored)| Some((name.clone(), stored.settings.clone()?)))
        .collect::<BTreeMap<_, _>>();
    let current = tags::groups(tagged, listed, &previous, defaults);
    for (vanished, before) in previous.iter().filter(|(name, _)| !current.contains_key(*name)) {
        if has_led_doors(stored.get(vanished)) {
            empty(world, vanished, before, stored).await?;
            continue;
        }
        world.remove_settings(vanished).await?;
        stored.remove(vanished);
    }
    for (name, settings) in current {
        if previous.get(&name) != Some(&settings) {
            world.save_settings(&settings).await?;
        }
        stored.entry(name).or_default().settings = Some(settings);
    }
    Ok(())
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
