//! What services need, judged together: a need that names nothing, and services or groups that wait for each other, are
//! bad tags of the services that ask for it, and of no others.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::groups::Formed;
use super::parse::problem;
use super::{GROUP, PREFIX, TaggedService};
use crate::ids::{GroupName, ServiceId};
use crate::needs::Need;
use crate::settings::{GroupSettings, Problem, ServiceSettings};

type Groups = BTreeMap<GroupName, GroupSettings>;

/// One problem for each service whose tags are good by themselves, but not beside those of the others.
pub(super) fn problems(formed: &Formed, tagged: &[TaggedService]) -> BTreeMap<ServiceId, Problem> {
    let groups = &formed.groups;
    let mut problems = BTreeMap::new();
    for (group, service) in services(groups).filter(|(_, service)| formed.fresh.contains(&service.id)) {
        let rule = dangling(group, service, groups, tagged).or_else(|| cycle(group, service, groups));
        if let Some(rule) = rule {
            problems
                .extend(bad_needs(&service.id, tagged, &rule).map(|problem| (service.id.clone(), problem)));
        }
    }
    problems
}

/// The groups as they are to be, once no service with new tags is at fault: last good settings that need what is gone
/// show it, and those that wait for each other by now wait for nobody; groups know who needs them.
pub(super) fn settle(mut groups: Groups, tagged: &[TaggedService]) -> Groups {
    let mut found = Vec::new();
    for (group, service) in services(&groups) {
        let in_circles = cycle(group, service, &groups);
        let rule = in_circles
            .clone()
            .or_else(|| dangling(group, service, &groups, tagged));
        if let Some(rule) = rule {
            found.push((group.name.clone(), service.id.clone(), rule, in_circles.is_some()));
        }
    }
    for (group, id, rule, in_circles) in found {
        let Some(group) = groups.get_mut(&group) else {
            continue;
        };
        let problem = bad_needs(&id, tagged, &rule);
        group
            .problems
            .extend(problem.filter(|problem| !group.problems.contains(problem)));
        for service in group.services.iter_mut().filter(|s| s.id == id && in_circles) {
            service.needs.clear();
        }
    }
    let mut needed_by: BTreeMap<GroupName, BTreeSet<GroupName>> = BTreeMap::new();
    for (group, service) in services(&groups) {
        for need in &service.needs {
            if let Some(name) = &need.group
                && !resolved(group, service, need, &groups).is_empty()
            {
                needed_by
                    .entry(name.clone())
                    .or_default()
                    .insert(group.name.clone());
            }
        }
    }
    for (needed, by) in needed_by {
        if let Some(group) = groups.get_mut(&needed) {
            group.needed_by = by;
        }
    }
    groups
}

fn services(groups: &Groups) -> impl Iterator<Item = (&GroupSettings, &ServiceSettings)> {
    groups
        .values()
        .flat_map(|group| group.services.iter().map(move |service| (group, service)))
}

/// The tag `dormouse:needs` of a service as a problem; none if it has no such tag (any more).
fn bad_needs(id: &ServiceId, tagged: &[TaggedService], rule: &str) -> Option<Problem> {
    let service = tagged.iter().find(|service| service.id == *id)?;
    let mut tags = service.tags.iter();
    let (tag, value) = tags.find(|(tag, _)| tag.strip_prefix(PREFIX) == Some("needs"))?;
    Some(problem(service, tag, value, rule))
}

fn resolved<'a>(
    group: &GroupSettings,
    service: &ServiceSettings,
    need: &Need,
    groups: &'a Groups,
) -> Vec<&'a ServiceId> {
    let named = groups.get(need.group.as_ref().unwrap_or(&group.name));
    let among = named.into_iter().flat_map(|group| &group.services);
    need.resolve(&service.id, among.map(|service| &service.id))
}

/// The rule that a service breaks if it needs what nobody has. A service that is only unmanaged because of its own bad
/// tags is not nobody: its fault is not that of those who need it.
fn dangling(
    group: &GroupSettings,
    service: &ServiceSettings,
    groups: &Groups,
    tagged: &[TaggedService],
) -> Option<String> {
    let missing = service.needs.iter().find(|need| {
        let named = need.group.as_ref().unwrap_or(&group.name);
        let mut others = tagged.iter().filter(|other| other.id.name == need.service);
        let is_tagged = others.any(|other| {
            let mut tags = other.tags.iter();
            tags.any(|(tag, value)| tag == GROUP && value == named.as_str())
        });
        !is_tagged && resolved(group, service, need, groups).is_empty()
    })?;
    let named = missing.group.as_ref().unwrap_or(&group.name);
    Some(format!(
        "must name services that exist, and the group `{named}` has no service `{}`",
        missing.service
    ))
}

/// The rule that a service breaks if it is one of those that wait for each other, or its group one of such groups: a
/// group that is awake keeps those that it needs awake.
fn cycle(group: &GroupSettings, service: &ServiceSettings, groups: &Groups) -> Option<String> {
    let own = |id: &ServiceId| -> Vec<ServiceId> {
        let services = group.services.iter().filter(|service| service.id == *id);
        let needs = services.flat_map(|service| service.needs.iter().map(move |need| (service, need)));
        needs
            .filter(|(_, need)| need.group.is_none())
            .flat_map(|(service, need)| resolved(group, service, need, groups))
            .cloned()
            .collect()
    };
    let foreign = |name: &GroupName| -> Vec<GroupName> {
        let group = groups.get(name).into_iter();
        group.flat_map(GroupSettings::needed_groups).cloned().collect()
    };
    let back = own(&service.id)
        .into_iter()
        .find_map(|needed| path(&needed, &service.id, own));
    if let Some(back) = back {
        let names = std::iter::once(&service.id)
            .chain(&back)
            .map(|id| id.name.as_str());
        return Some(format!("must not go in a circle: {}", chain(names)));
    }
    let mut others = service.needs.iter().filter_map(|need| need.group.as_ref());
    let back = others.find_map(|other| path(other, &group.name, foreign))?;
    let names = std::iter::once(&group.name).chain(&back).map(GroupName::as_str);
    Some(format!(
        "must not go in a circle between groups: {}",
        chain(names)
    ))
}

fn chain<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(" needs ")
}

/// The shortest way from one to the other, both included.
fn path<N: Ord + Clone>(from: &N, to: &N, next: impl Fn(&N) -> Vec<N>) -> Option<Vec<N>> {
    let mut ways = VecDeque::from([vec![from.clone()]]);
    let mut reached = BTreeSet::from([from.clone()]);
    while let Some(way) = ways.pop_front() {
        let last = way.last()?;
        if last == to {
            return Some(way);
        }
        for neighbour in next(last) {
            if reached.insert(neighbour.clone()) {
                ways.push_back(way.iter().cloned().chain([neighbour]).collect());
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::groups;
    use super::*;
    use crate::settings::Defaults;

    /// Services `cluster/name` of a group, with what each needs; nothing if empty.
    fn tagged(services: &[(&str, &str, &str)]) -> Vec<TaggedService> {
        let service = |(group, id, needs): &(&str, &str, &str)| {
            let mut tags = vec![(GROUP.to_owned(), (*group).to_owned())];
            if !needs.is_empty() {
                tags.push(("dormouse:needs".to_owned(), (*needs).to_owned()));
            }
            TaggedService {
                id: ServiceId::parse(id).expect("an id"),
                tags,
            }
        };
        services.iter().map(service).collect()
    }

    fn of(services: &[(&str, &str, &str)], previous: &Groups) -> Groups {
        groups(&tagged(services), &[], previous, &Defaults::default())
    }

    fn new(services: &[(&str, &str, &str)]) -> Groups {
        of(services, &Groups::new())
    }

    fn group<'a>(groups: &'a Groups, name: &str) -> &'a GroupSettings {
        &groups[&GroupName::parse(name).expect("a name")]
    }

    /// The services of a group with what they need, such as `web: api db`.
    fn needs(groups: &Groups, name: &str) -> Vec<String> {
        let line = |service: &ServiceSettings| {
            let needs: Vec<String> = service.needs.iter().map(Need::to_string).collect();
            format!("{}: {}", service.id.name, needs.join(" "))
        };
        group(groups, name).services.iter().map(line).collect()
    }

    fn messages<'a>(groups: &'a Groups, name: &str) -> Vec<&'a str> {
        let problems = group(groups, name).problems.iter();
        problems.map(|problem| problem.message.as_str()).collect()
    }

    const NOTHING: [&str; 0] = [];

    #[test]
    fn a_diamond_is_no_circle() {
        let diamond = new(&[
            ("dev", "dev/a", ""),
            ("dev", "dev/b", "a"),
            ("dev", "dev/c", "a"),
            ("dev", "dev/d", "b c"),
            ("dev", "dev/e", "d"),
        ]);
        assert_eq!(needs(&diamond, "dev"), ["a: ", "b: a", "c: a", "d: b c", "e: d"]);
        assert_eq!(messages(&diamond, "dev"), NOTHING);
    }

    #[test]
    fn services_in_a_circle_are_named_with_it_and_their_neighbours_are_managed() {
        let two = new(&[
            ("dev", "dev/web", "api"),
            ("dev", "dev/api", "web db"),
            ("dev", "dev/db", ""),
            ("dev", "dev/front", "web"),
        ]);
        assert_eq!(needs(&two, "dev"), ["db: ", "front: web"]);
        assert_eq!(
            messages(&two, "dev"),
            [
                "service `dev/web`, tag `dormouse:needs`, value `api`: must not go in a circle: web needs api needs web",
                "service `dev/api`, tag `dormouse:needs`, value `web db`: must not go in a circle: api needs web needs api",
            ]
        );
        let three = new(&[
            ("dev", "dev/a", "b"),
            ("dev", "dev/b", "c"),
            ("dev", "dev/c", "a"),
            ("dev", "dev/d", ""),
        ]);
        assert_eq!(needs(&three, "dev"), ["d: "]);
        assert!(messages(&three, "dev")[1].ends_with("b needs c needs a needs b"));
    }

    #[test]
    fn nobody_needs_himself() {
        for need in ["web", "dev/web"] {
            let groups = new(&[("dev", "dev/web", need), ("dev", "dev/db", "")]);
            assert_eq!(needs(&groups, "dev"), ["db: "]);
            assert!(
                messages(&groups, "dev")[0].ends_with("in a circle: web needs web"),
                "{need}"
            );
        }
    }

    #[test]
    fn a_new_circle_leaves_the_last_good_order() {
        let good = new(&[("dev", "dev/web", "api"), ("dev", "dev/api", "")]);
        let bad = of(&[("dev", "dev/web", "api"), ("dev", "dev/api", "web")], &good);
        assert_eq!(needs(&bad, "dev"), ["api: ", "web: api"]);
        assert_eq!(messages(&bad, "dev").len(), 2);
        let again = of(&[("dev", "dev/web", "api"), ("dev", "dev/api", "web")], &bad);
        assert_eq!(again, bad, "what is shown stays while it lasts");
    }

    #[test]
    fn last_good_settings_that_close_a_circle_with_new_ones_cost_the_new_ones() {
        let good = new(&[("dev", "dev/web", "api"), ("dev", "dev/api", "")]);
        // The new tags of `web` are bad by themselves, so it goes on needing `api`, which now wants to need it.
        let bad = of(&[("dev", "dev/web", "a/b/c"), ("dev", "dev/api", "web")], &good);
        assert_eq!(needs(&bad, "dev"), ["api: ", "web: api"]);
        assert!(messages(&bad, "dev")[1].contains("service `dev/api`"));
    }

    #[test]
    fn last_good_settings_that_close_a_circle_among_themselves_wait_for_nobody() {
        let good = new(&[
            ("dev", "blue/db", ""),
            ("dev", "blue/web", "db"),
            ("dev", "green/db", "web"),
        ]);
        // Only now does `db` mean that of the other cluster; and the tags of both are bad.
        let bad = of(
            &[("dev", "blue/web", "db a/b/c"), ("dev", "green/db", "web a/b/c")],
            &good,
        );
        assert_eq!(needs(&bad, "dev"), ["web: ", "db: "]);
        assert_eq!(messages(&bad, "dev").len(), 4);
    }

    #[test]
    fn groups_in_a_circle_are_named_even_if_their_services_are_none() {
        let groups = new(&[
            ("dev", "dev/web", "shared/db"),
            ("dev", "dev/auth", ""),
            ("shared", "dev/db", ""),
            ("shared", "dev/mq", "dev/auth"),
        ]);
        assert_eq!(
            (needs(&groups, "dev"), needs(&groups, "shared")),
            (vec!["auth: ".to_owned()], vec!["db: ".to_owned()])
        );
        assert_eq!(
            messages(&groups, "dev"),
            [
                "service `dev/web`, tag `dormouse:needs`, value `shared/db`: must not go in a circle between groups: \
                 dev needs shared needs dev"
            ]
        );
        assert_eq!(messages(&groups, "shared").len(), 1);
    }

    #[test]
    fn a_need_that_names_nothing_is_a_bad_tag_of_whoever_has_it() {
        let groups = new(&[
            ("dev", "dev/web", "db"),
            ("dev", "dev/api", "shared/db"),
            ("dev", "dev/batch", ""),
        ]);
        assert_eq!(needs(&groups, "dev"), ["batch: "]);
        assert_eq!(
            messages(&groups, "dev"),
            [
                "service `dev/web`, tag `dormouse:needs`, value `db`: must name services that exist, and the group `dev` \
                 has no service `db`",
                "service `dev/api`, tag `dormouse:needs`, value `shared/db`: must name services that exist, and the group \
                 `shared` has no service `db`",
            ]
        );
    }

    #[test]
    fn a_needed_service_that_is_deleted_is_shown_and_its_name_kept() {
        let good = new(&[("dev", "dev/web", "db"), ("dev", "dev/db", "")]);
        let gone = of(&[("dev", "dev/web", "db")], &good);
        assert_eq!(needs(&gone, "dev"), ["web: db"]);
        assert_eq!(messages(&gone, "dev").len(), 1);
        let back = of(&[("dev", "dev/web", "db"), ("dev", "dev/db", "")], &gone);
        assert_eq!(back, good);
    }

    #[test]
    fn a_needed_service_with_bad_tags_costs_nobody_else_anything() {
        let mut services = tagged(&[("dev", "dev/web", "db"), ("dev", "dev/db", "")]);
        services[1]
            .tags
            .push(("dormouse:idle-after".into(), "soon".into()));
        let groups = groups(&services, &[], &Groups::new(), &Defaults::default());
        assert_eq!(needs(&groups, "dev"), ["web: db"]);
        assert_eq!(messages(&groups, "dev").len(), 1);
    }

    #[test]
    fn a_group_knows_who_needs_it() {
        let groups = new(&[
            ("dev", "dev/web", "shared/db"),
            ("stage", "stage/web", "shared/db api"),
            ("stage", "stage/api", ""),
            ("shared", "shared/db", ""),
        ]);
        let by: Vec<&str> = group(&groups, "shared")
            .needed_by
            .iter()
            .map(GroupName::as_str)
            .collect();
        assert_eq!(by, ["dev", "stage"]);
        assert!(group(&groups, "stage").needed_by.is_empty());
    }
}
