//! `dormouse check`: the tags and permissions of an account, before anything is deployed.

mod findings;
mod front;
mod needs;
mod text;

use std::collections::BTreeMap;

use dormouse_aws::{Trial, Tried};
use dormouse_core::error::Code;
use dormouse_core::ids::{GroupName, ServiceId};
use dormouse_core::observation::Seen;
use dormouse_core::settings::{Defaults, GroupSettings, Problem, ServiceSettings};
use dormouse_core::tags::{self, GROUP, PREFIX, TaggedService};
use serde_json::json;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::ports::Account;
use crate::report::Report;
use findings::{Findings, Group, Outcome, Permission, Service, State};

/// Looks at everything and changes nothing.
pub(crate) async fn run<A: Account>(account: &A, region: &str) -> Result<Report, Failure> {
    let caller = account.caller().await.map_err(Failure::Aws)?;
    let (services, discovery) = match account.services().await {
        Ok(services) => (services, Tried::Allowed),
        Err(error) if error.code == Code::AccessDenied => (Vec::new(), Tried::of(error)),
        Err(error) => return Err(Failure::Aws(error)),
    };
    let ours: Vec<TaggedService> = services.into_iter().filter(is_ours).collect();
    let (members, strays): (Vec<TaggedService>, Vec<TaggedService>) =
        ours.into_iter().partition(|service| group_of(service).is_some());
    let defaults = Defaults::default();
    let groups = tags::groups(&members, &[], &BTreeMap::new(), &defaults);

    let settings: Vec<ServiceSettings> = members
        .iter()
        .chain(&strays)
        .map(|service| settings_of(&service.id, &groups, &defaults))
        .collect();
    let all: Vec<&ServiceSettings> = settings.iter().collect();
    let seen = account.look(&all).await;
    let sample = all.iter().filter_map(|settings| match seen.get(&settings.id) {
        Some(Seen::Known(state)) => Some((state.running, &settings.id)),
        Some(Seen::Unknown(_)) | None => None,
    });
    // With tasks there is more to ask about.
    let sample = sample.max_by_key(|(running, _)| *running).map(|(_, id)| id);
    let mut trials = vec![Trial {
        action: "tag:GetResources",
        result: discovery,
    }];
    trials.extend(account.try_reads(sample).await);

    let fronts = front::problems(account, &all, &seen).await;
    let findings = Findings {
        caller,
        region: region.to_owned(),
        groups: groups
            .iter()
            .map(|(name, group)| Group {
                name: name.clone(),
                services: members
                    .iter()
                    .filter(|service| group_of(service).as_ref() == Some(name))
                    .map(|service| found(&service.id, &seen))
                    .collect(),
                problems: group
                    .problems
                    .iter()
                    .cloned()
                    .chain(front::of(&fronts, group))
                    .collect(),
            })
            .collect(),
        strays: strays.iter().map(|service| found(&service.id, &seen)).collect(),
        stray_problems: strays.iter().flat_map(|s| problems_of(s, &defaults)).collect(),
        permissions: trials
            .into_iter()
            .map(|trial| permission(trial, &all, &seen))
            .collect(),
    };
    let to_mend = findings.to_mend();
    let report = Report::done(json!(findings), text::text(&findings));
    Ok(if to_mend == 0 {
        report
    } else {
        report.but(Exit::Mend, format!("{to_mend} to mend"))
    })
}

fn is_ours(service: &TaggedService) -> bool {
    service.tags.iter().any(|(tag, _)| tag.starts_with(PREFIX))
}

/// The group that a service names; none if it names none that could be one.
fn group_of(service: &TaggedService) -> Option<GroupName> {
    let (_, value) = service.tags.iter().find(|(tag, _)| tag == GROUP)?;
    GroupName::parse(value).ok()
}

/// The settings of a service; the defaults where its tags are bad.
fn settings_of(
    id: &ServiceId,
    groups: &BTreeMap<GroupName, GroupSettings>,
    defaults: &Defaults,
) -> ServiceSettings {
    let mut good = groups.values().flat_map(|group| &group.services);
    good.find(|settings| settings.id == *id)
        .cloned()
        .unwrap_or_else(|| ServiceSettings::of(id.clone(), defaults))
}

fn problems_of(service: &TaggedService, defaults: &Defaults) -> Vec<Problem> {
    tags::parse(service, defaults).err().unwrap_or_default()
}

fn found(id: &ServiceId, seen: &BTreeMap<ServiceId, Seen>) -> Service {
    let state = match seen.get(id) {
        Some(Seen::Known(state)) => State::Counts {
            desired: state.desired,
            running: state.running,
        },
        Some(Seen::Unknown(error)) => State::Unknown {
            code: error.code,
            message: error.message.clone(),
        },
        None => State::Unknown {
            code: Code::Internal,
            message: "it was not looked at".to_owned(),
        },
    };
    Service {
        id: id.clone(),
        state,
    }
}

fn permission(trial: Trial, services: &[&ServiceSettings], seen: &BTreeMap<ServiceId, Seen>) -> Permission {
    let needed = needs::needed(trial.action, services, seen);
    let (outcome, detail) = match trial.result {
        Tried::Allowed => (Outcome::Ok, None),
        _ if !needed => (Outcome::NotNeeded, Some("as services are tagged now".to_owned())),
        Tried::Denied(why) => (Outcome::Denied, Some(why)),
        Tried::Failed(why) => (Outcome::Failed, Some(why)),
        Tried::Untried(why) => (Outcome::Untried, Some(why.to_owned())),
    };
    Permission {
        action: trial.action,
        outcome,
        detail,
    }
}

#[cfg(test)]
mod tests;
