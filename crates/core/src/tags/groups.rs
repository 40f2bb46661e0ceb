//! The groups that services form.

use std::collections::{BTreeMap, BTreeSet};

use super::{GROUP, MODE, TaggedService, needs, parse};
use crate::ids::{GroupName, ServiceId};
use crate::settings::{Defaults, GroupSettings, Mode, Problem, ServiceSettings};

/// The groups that services form by their tags, or by the stack's parameters for services without a group tag.
///
/// `previous` gives the last good settings of services whose tags are bad now; one that never had any stays
/// unmanaged, and its group shows the problem if the group's name itself is good.
#[must_use]
pub fn groups(
    tagged: &[TaggedService],
    listed: &[ServiceSettings],
    previous: &BTreeMap<GroupName, GroupSettings>,
    defaults: &Defaults,
) -> BTreeMap<GroupName, GroupSettings> {
    // Good tags may be bad together; the last good settings of those may be bad beside the new ones of others.
    let mut bad_together = BTreeMap::new();
    loop {
        let formed = form(tagged, listed, previous, defaults, &bad_together);
        let found = needs::problems(&formed, tagged);
        if found.is_empty() {
            return needs::settle(formed.groups, tagged);
        }
        bad_together.extend(found);
    }
}

/// Groups in the making.
pub(super) struct Formed {
    /// The groups so far.
    pub(super) groups: BTreeMap<GroupName, GroupSettings>,
    /// The services whose tags hold: all others are at their last good settings.
    pub(super) fresh: BTreeSet<ServiceId>,
}

fn form(
    tagged: &[TaggedService],
    listed: &[ServiceSettings],
    previous: &BTreeMap<GroupName, GroupSettings>,
    defaults: &Defaults,
    bad_together: &BTreeMap<ServiceId, Problem>,
) -> Formed {
    let mut groups: BTreeMap<GroupName, GroupSettings> = BTreeMap::new();
    let mut fresh = BTreeSet::new();
    for service in tagged {
        let parsed = parse(service, defaults).and_then(|parsed| match bad_together.get(&service.id) {
            Some(problem) => Err(vec![problem.clone()]),
            None => Ok(parsed),
        });
        match parsed {
            Ok(parsed) => {
                fresh.insert(service.id.clone());
                entry(&mut groups, &parsed.group, defaults)
                    .services
                    .push(parsed.settings);
            }
            Err(problems) => {
                let (home, last_good) = last_good(service, previous, defaults);
                if let Some(home) = home {
                    let home = entry(&mut groups, &home, defaults);
                    home.services.extend(last_good);
                    home.problems.extend(problems);
                }
            }
        }
    }
    for settings in listed {
        if !tagged.iter().any(|t| t.id == settings.id) {
            entry(&mut groups, &GroupName::default_group(), defaults)
                .services
                .push(settings.clone());
        }
    }
    for group in groups.values_mut() {
        group.services.sort_by(|a, b| a.id.cmp(&b.id));
        group.services.dedup_by(|a, b| a.id == b.id);
        // There may be ten thousand groups of one service each, and a list makes room for four.
        group.services.shrink_to_fit();
        // They wake and sleep together, or not at all.
        let mode = group.mode();
        group.services.iter_mut().for_each(|service| service.mode = mode);
    }
    Formed { groups, fresh }
}

fn entry<'a>(
    groups: &'a mut BTreeMap<GroupName, GroupSettings>,
    name: &GroupName,
    defaults: &Defaults,
) -> &'a mut GroupSettings {
    groups.entry(name.clone()).or_insert_with(|| GroupSettings {
        name: name.clone(),
        services: Vec::new(),
        wake_timeout: defaults.wake_timeout,
        problems: Vec::new(),
        needed_by: BTreeSet::new(),
        usual_wakes_per_day: defaults.wakes_per_day,
    })
}

/// Where a service with bad tags belongs, and its last good settings.
fn last_good(
    service: &TaggedService,
    previous: &BTreeMap<GroupName, GroupSettings>,
    defaults: &Defaults,
) -> (Option<GroupName>, Option<ServiceSettings>) {
    for (name, group) in previous {
        if let Some(settings) = group.services.iter().find(|s| s.id == service.id) {
            // The mode that it had may have been that of another service of its group.
            let mode = service.tags.iter().find(|(tag, _)| tag == MODE);
            let mode = mode.and_then(|(_, value)| Mode::parse(value));
            let settings = ServiceSettings {
                mode: mode.unwrap_or(defaults.mode),
                ..settings.clone()
            };
            return (Some(name.clone()), Some(settings));
        }
    }
    let named = service.tags.iter().find(|(tag, _)| tag == GROUP);
    (named.and_then(|(_, value)| GroupName::parse(value).ok()), None)
}

#[cfg(test)]
mod tests {
    use super::super::tests::service;
    use super::*;

    fn of(
        service: &TaggedService,
        previous: &BTreeMap<GroupName, GroupSettings>,
    ) -> BTreeMap<GroupName, GroupSettings> {
        groups(std::slice::from_ref(service), &[], previous, &Defaults::default())
    }

    fn name(text: &str) -> GroupName {
        GroupName::parse(text).expect("a group name")
    }

    #[test]
    fn a_bad_tag_leaves_a_service_at_its_last_good_settings() {
        let good = of(
            &service(&[(GROUP, "dev"), ("dormouse:idle-after", "1m")]),
            &BTreeMap::new(),
        );
        let bad = of(
            &service(&[(GROUP, "dev"), ("dormouse:idle-after", "soon")]),
            &good,
        );
        assert_eq!(bad[&name("dev")].services, good[&name("dev")].services);
        assert_eq!(bad[&name("dev")].problems.len(), 1);
    }

    #[test]
    fn a_bad_tag_on_a_new_service_leaves_it_unmanaged_and_its_neighbour_alone() {
        let bad = service(&[(GROUP, "dev"), ("dormouse:idle-after", "soon")]);
        let good = TaggedService {
            id: ServiceId::new("dev", "api"),
            tags: vec![(GROUP.into(), "dev".into())],
        };
        let groups = groups(&[bad, good], &[], &BTreeMap::new(), &Defaults::default());
        let group = &groups[&name("dev")];
        assert_eq!(
            group
                .services
                .iter()
                .map(|s| s.id.to_string())
                .collect::<Vec<_>>(),
            ["dev/api"]
        );
        assert_eq!(group.problems.len(), 1);
    }

    #[test]
    fn one_service_in_observe_mode_makes_it_the_groups() {
        let tagged = ["api", "web"].map(|name| TaggedService {
            id: ServiceId::new("dev", name),
            tags: [
                (GROUP, "dev"),
                ("dormouse:mode", if name == "api" { "observe" } else { "act" }),
            ]
            .map(|(tag, value)| (tag.to_owned(), value.to_owned()))
            .to_vec(),
        });
        let groups = groups(&tagged, &[], &BTreeMap::new(), &Defaults::default());
        let modes: Vec<Mode> = groups[&name("dev")].services.iter().map(|s| s.mode).collect();
        assert_eq!(modes, [Mode::Observe, Mode::Observe]);
    }

    #[test]
    fn a_mode_that_a_service_had_from_another_one_is_not_its_last_good_one() {
        let tagged = |mode: &'static str, grace: &'static str| {
            let tags = |name: &str| match name {
                "api" => vec![(GROUP, "dev"), ("dormouse:mode", mode)],
                _ => vec![(GROUP, "dev"), ("dormouse:grace", grace)],
            };
            ["api", "web"].map(|name| TaggedService {
                id: ServiceId::new("dev", name),
                tags: tags(name)
                    .into_iter()
                    .map(|(tag, value)| (tag.to_owned(), value.to_owned()))
                    .collect(),
            })
        };
        let defaults = Defaults::default();
        let observed = groups(&tagged("observe", "5m"), &[], &BTreeMap::new(), &defaults);
        assert_eq!(observed[&name("dev")].mode(), Mode::Observe);
        let acting = groups(&tagged("act", "soon"), &[], &observed, &defaults);
        assert_eq!(acting[&name("dev")].problems.len(), 1);
        assert_eq!(acting[&name("dev")].mode(), Mode::Act);
    }

    #[test]
    fn services_of_the_parameters_form_the_default_group_unless_tagged() {
        let tagged = service(&[(GROUP, "dev")]);
        let listed = ["web", "batch"]
            .map(|name| ServiceSettings::of(ServiceId::new("dev", name), &Defaults::default()));
        let groups = groups(&[tagged], &listed, &BTreeMap::new(), &Defaults::default());
        let names = |group: &str| {
            groups[&name(group)]
                .services
                .iter()
                .map(|s| s.id.to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(names("dev"), ["dev/web"]);
        assert_eq!(names("default"), ["dev/batch"]);
    }
}
