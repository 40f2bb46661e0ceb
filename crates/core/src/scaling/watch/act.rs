//! Doing what a pass decided, beside the passes that follow.

use std::rc::Rc;

use crate::duration;
use crate::ids::{GroupName, ServiceId};
use crate::ports::ScalingWorld;
use crate::quota::PATIENCE;
use crate::record::Record;
use crate::scaling::turn::Report;
use crate::scaling::turn::act::Acting;
use crate::scaling::turn::look::Metrics;
use crate::settings::ServiceSettings;

use super::service::{Wants, Watched};

/// What came of it.
pub(super) struct Acted {
    pub(super) group: GroupName,
    pub(super) record: Record,
    /// Tokens that were waited for and are left: by then the readings were too old to decide on.
    pub(super) tokens: u32,
    pub(super) reports: Vec<(ServiceId, Wants, Report)>,
}

/// Acts for the services of one group, one after the other, because they share a record. Each is looked at anew first:
/// what the watch knows of it may be some seconds old.
pub(super) async fn act<W: ScalingWorld>(
    world: &W,
    record: Record,
    tokens: u32,
    services: Vec<(Watched, Wants)>,
    metrics: Rc<Metrics>,
) -> Option<Acted> {
    let (first, _) = services.first()?;
    let group = first.group.clone();
    let mut acting = Acting {
        name: group.clone(),
        record,
        tokens,
        patience_ends: duration::after(world.now(), PATIENCE),
    };
    let more: Vec<&ServiceSettings> = those(&services, Wants::More);
    let fewer: Vec<&ServiceSettings> = those(&services, Wants::Fewer);
    let mut seen = match more.is_empty() {
        true => Default::default(),
        false => world.observe_counts(&more).await,
    };
    if !fewer.is_empty() {
        seen.extend(world.observe_tasks(&fewer).await);
    }
    let mut reports = Vec::new();
    for (watched, wants) in &services {
        let id = &watched.settings.id;
        let evidence = watched.evidence(&metrics);
        let report = acting
            .report(world, &watched.settings, seen.get(id), &evidence)
            .await;
        reports.push((id.clone(), *wants, report));
    }
    Some(Acted {
        group,
        record: acting.record,
        tokens: acting.tokens,
        reports,
    })
}

fn those(services: &[(Watched, Wants)], wanted: Wants) -> Vec<&ServiceSettings> {
    let those = services.iter().filter(|(_, wants)| *wants == wanted);
    those.map(|(watched, _)| &watched.settings).collect()
}
