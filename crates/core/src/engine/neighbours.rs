//! Groups that need each other: looking at them beside the own one, and waking those that are needed.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;

use futures_util::future::join_all;

use super::{Turn, Way, turn_by};
use crate::error::{Code, Error};
use crate::ids::GroupName;
use crate::intent::{Action, Cause, Intent};
use crate::observation::{GroupState, Neighbour};
use crate::ports::{Stored, World};
use crate::record::Phase;
use crate::settings::{GroupSettings, ServiceSettings};

/// How many groups wake one after the other in one turn, each because the one before needs it. Our choice: far more than
/// anybody has. The next look goes on where a turn stops.
const DEEPEST: u32 = 8;

/// What a look at the neighbours of a group gave.
#[derive(Default)]
pub(super) struct Neighbourhood {
    /// The groups that it needs, and those that need it.
    pub(super) groups: BTreeMap<GroupName, Neighbour>,
    /// Services of others that it needs.
    pub(super) services: Vec<ServiceSettings>,
}

/// Looks at the groups that this one needs, and at those that need it, in the table alone.
pub(super) async fn look<W: World>(world: &W, settings: &GroupSettings) -> Neighbourhood {
    let names: BTreeSet<&GroupName> = settings
        .needed_groups()
        .into_iter()
        .chain(&settings.needed_by)
        .collect();
    let loads = names.into_iter().map(async |name| (name, world.load(name).await));
    let mut seen = Neighbourhood::default();
    for (name, loaded) in join_all(loads).await {
        let neighbour = match loaded {
            Ok(stored) => {
                seen.services.extend(needed(settings, name, &stored));
                Neighbour::Known(state(stored))
            }
            Err(error) => Neighbour::Unknown(error),
        };
        seen.groups.insert(name.clone(), neighbour);
    }
    seen
}

/// The services of another group that this one needs.
fn needed(settings: &GroupSettings, other: &GroupName, stored: &Stored) -> Vec<ServiceSettings> {
    let theirs = stored
        .settings
        .as_ref()
        .map_or(&[][..], |settings| &settings.services);
    let mut ids = BTreeSet::new();
    for service in &settings.services {
        let needs = service.needs.iter();
        for need in needs.filter(|need| need.group.as_ref() == Some(other)) {
            ids.extend(need.resolve(&service.id, theirs.iter().map(|service| &service.id)));
        }
    }
    theirs
        .iter()
        .filter(|service| ids.contains(&service.id))
        .cloned()
        .collect()
}

/// A group whose services are gone is not up any more, whatever its record remembers.
fn state(stored: Stored) -> GroupState {
    let services = stored
        .settings
        .map_or_else(Vec::new, |settings| settings.services);
    let record = stored.record.filter(|_| !services.is_empty());
    let failures = record.iter().flat_map(|record| &record.services);
    GroupState {
        phase: record.as_ref().map_or(Phase::Asleep, |record| record.phase),
        since: record.as_ref().map(|record| record.since),
        put_to_sleep: record
            .as_ref()
            .is_some_and(|record| record.reason.is_of_somebody()),
        failures: failures
            .filter_map(|(id, service)| Some((id.clone(), service.failure.as_ref()?.error.clone())))
            .collect(),
        services: services.into_iter().map(|service| service.id).collect(),
    }
}

/// Wakes a group because another one needs it, in a turn of its own. `way` is that of the turn that led here.
///
/// # Errors
/// Those of a turn, [`Code::UnknownGroup`] if it is gone, and [`Code::NeedsTooDeep`].
pub(super) fn wake<'a, W: World>(
    world: &'a W,
    needing: &'a GroupName,
    needed: &'a GroupName,
    way: &'a Way,
) -> Pin<Box<dyn Future<Output = Result<Turn, Error>> + 'a>> {
    // A turn that wakes a group is a turn within a turn, so one of them has to be boxed.
    Box::pin(async move {
        if way.depth >= DEEPEST {
            let message = format!(
                "group `{needed}`, which `{needing}` needs, is the last of {} groups that need each other: it is woken by \
                 the next look",
                way.depth + 1
            );
            return Err(Error::new(Code::NeedsTooDeep, message));
        }
        let stored = world.load(needed).await?;
        let Some(settings) = stored.settings else {
            let message = format!("group `{needed}`, which `{needing}` needs, has no services");
            return Err(Error::new(Code::UnknownGroup, message));
        };
        let intent = intent(needing);
        let way = Way {
            depth: way.depth + 1,
            ..Way::until(way.patience_ends)
        };
        turn_by(world, &settings, stored.record, &intent, way, &()).await
    })
}

/// The intent with which a group wakes those that it needs.
#[must_use]
pub fn intent(needing: &GroupName) -> Intent {
    Intent::of(Action::wake(), Cause::Needed).by(Some(needing.to_string()))
}
