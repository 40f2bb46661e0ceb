//! Whether the load balancers of services with `dormouse:front=on` can lead to the wake function.

use std::collections::{BTreeMap, BTreeSet};

use dormouse_core::error::{Code, Error};
use dormouse_core::front::{Door, DoorId, MOST_TARGET_GROUPS};
use dormouse_core::ids::ServiceId;
use dormouse_core::observation::Seen;
use dormouse_core::settings::{GroupSettings, Problem, ServiceSettings};

use crate::ports::Account;

/// What is to be mended, by service.
pub(super) async fn problems<A: Account>(
    account: &A,
    services: &[&ServiceSettings],
    seen: &BTreeMap<ServiceId, Seen>,
) -> BTreeMap<ServiceId, Vec<Problem>> {
    let mut found = BTreeMap::new();
    for service in services.iter().filter(|service| service.front) {
        let Some(Seen::Known(state)) = seen.get(&service.id) else {
            continue;
        };
        let errors = match account.doors(&state.target_groups).await {
            Ok(doors) => of_doors(&state.target_groups, &doors),
            Err(error) => vec![error],
        };
        let problems = errors.into_iter().map(|error| {
            let message = format!("service `{}`: {}", service.id, error.message);
            Problem::of(&service.id, Error::new(error.code, message))
        });
        found.insert(service.id.clone(), problems.collect());
    }
    found
}

/// Those of a group's services.
pub(super) fn of(found: &BTreeMap<ServiceId, Vec<Problem>>, group: &GroupSettings) -> Vec<Problem> {
    let services = group.services.iter();
    let problems = services.filter_map(|service| found.get(&service.id));
    problems.flatten().cloned().collect()
}

fn of_doors(target_groups: &[String], doors: &BTreeMap<DoorId, Door>) -> Vec<Error> {
    if doors.is_empty() {
        let message = "the tag dormouse:front is on, but no listener or rule of a load balancer forwards to the service";
        return vec![Error::new(Code::FrontNotLed, message)];
    }
    let away: BTreeSet<String> = target_groups.iter().cloned().collect();
    doors
        .iter()
        .filter_map(|(id, door)| of_door(&away, id, door))
        .collect()
}

fn of_door(away: &BTreeSet<String>, id: &DoorId, door: &Door) -> Option<Error> {
    let wake = match &door.wake {
        Ok(wake) => wake,
        Err(error) => return Some(error.clone()),
    };
    if door.forward.away(away, wake).shares.len() > MOST_TARGET_GROUPS {
        let message = format!(
            "{id} forwards to {MOST_TARGET_GROUPS} target groups already, the most there can be: there is no room for that of \
             the wake function"
        );
        return Some(Error::new(Code::FrontNotLed, message));
    }
    let sample = door.place.sample("check");
    sample.err().map(|why| {
        let message = format!(
            "{id}: it cannot be tried whether it leads to the wake function, so it never will: {why}"
        );
        Error::new(Code::FrontUnproven, message)
    })
}

#[cfg(test)]
mod tests {
    use dormouse_core::front::{Condition, Forward, Place};

    use super::*;

    fn door(
        forward: Forward,
        conditions: Vec<Condition>,
        wake: Result<String, Error>,
    ) -> BTreeMap<DoorId, Door> {
        let place = Place {
            host: "lb.example".to_owned(),
            tls: true,
            port: 443,
            priority: Some(1),
            conditions,
            authenticates: false,
        };
        BTreeMap::from([(DoorId("the-rule".to_owned()), Door { forward, place, wake })])
    }

    fn found(doors: &BTreeMap<DoorId, Door>) -> Vec<String> {
        let errors = of_doors(&["tg0".to_owned()], doors);
        errors.into_iter().map(|error| error.message).collect()
    }

    #[test]
    fn a_door_that_can_be_led_and_proven_is_good() {
        let wake = || Ok("wake".to_owned());
        assert!(found(&door(Forward::to("tg0"), vec![], wake())).is_empty());
        let source = vec![Condition::Source(vec!["10.0.0.0/8".to_owned()])];
        let unproven = found(&door(Forward::to("tg0"), source, wake()));
        assert!(
            unproven[0].contains("the-rule") && unproven[0].contains("10.0.0.0/8"),
            "{unproven:?}"
        );
        let mut full = Forward::to("tg0");
        for n in 1..5 {
            full.shares.extend(Forward::to(&format!("tg{n}")).shares);
        }
        assert!(found(&door(full, vec![], wake()))[0].contains("5 target groups already"));
        let untagged = Error::new(Code::FrontNotLed, "has no tag");
        assert_eq!(
            found(&door(Forward::to("tg0"), vec![], Err(untagged))),
            ["has no tag"]
        );
        assert!(found(&BTreeMap::new())[0].contains("no listener or rule"));
    }
}
