//! Whose groups there are.

use std::collections::BTreeMap;

use crate::error::{Code, Error};
use crate::ids::GroupName;
use crate::ports::{Stored, World};
use crate::record::Record;
use crate::settings::{Defaults, GroupSettings, ServiceSettings};
use crate::tags;

/// The settings of all groups as their owners have them now, and those stored before.
///
/// Settings that changed are written, those of vanished groups removed, so that a wake finds them in the table.
///
/// # Errors
/// Those of discovery and the store. If the services cannot be discovered, nothing stored is changed.
pub async fn discover<W: World>(
    world: &W,
    listed: &[ServiceSettings],
    defaults: &Defaults,
) -> Result<BTreeMap<GroupName, Stored>, Error> {
    let (tagged, stored) = futures_util::future::join(world.tagged(), world.load_all()).await;
    let (tagged, mut stored) = (tagged?, stored?);
    let previous = stored
        .iter()
        .filter_map(|(name, stored)| Some((name.clone(), stored.settings.clone()?)))
        .collect::<BTreeMap<_, _>>();
    let current = tags::groups(&tagged, listed, &previous, defaults);
    for vanished in previous.keys().filter(|name| !current.contains_key(*name)) {
        world.remove_settings(vanished).await?;
        stored.remove(vanished);
    }
    for (name, settings) in current {
        if previous.get(&name) != Some(&settings) {
            world.save_settings(&settings).await?;
        }
        stored.entry(name).or_default().settings = Some(settings);
    }
    stored.retain(|_, stored| stored.settings.is_some());
    Ok(stored)
}

/// The group with its record; discovered afresh if the table does not know it yet.
///
/// # Errors
/// [`Code::UnknownGroup`], and those of discovery and the store.
pub async fn find<W: World>(
    world: &W,
    group: &GroupName,
    listed: &[ServiceSettings],
    defaults: &Defaults,
) -> Result<(GroupSettings, Option<Record>), Error> {
    let mut stored = world.load(group).await?;
    if stored.settings.is_none() {
        stored = discover(world, listed, defaults)
            .await?
            .remove(group)
            .unwrap_or_default();
    }
    match stored.settings {
        Some(settings) => Ok((settings, stored.record)),
        None => Err(Error::new(
            Code::UnknownGroup,
            format!(
                "group `{group}`: no service has the tag `{}` with this value",
                tags::GROUP
            ),
        )),
    }
}
