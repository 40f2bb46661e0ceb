//! What ARNs of listeners and rules say of each other ("ARNs", Elastic Load Balancing API reference).

use dormouse_core::front::DoorId;

/// Whether this is a rule; else it is a listener, whose default action is meant.
pub(super) fn is_rule(door: &DoorId) -> bool {
    door.0.contains(":listener-rule/")
}

/// The load balancer of a listener or rule; none if this is the ARN of neither.
///
/// `…:listener-rule/app/name/balancer/listener/rule`, `…:listener/app/name/balancer/listener` and
/// `…:loadbalancer/app/name/balancer` begin alike.
pub(super) fn balancer(door: &DoorId) -> Option<String> {
    let (prefix, path) = door
        .0
        .split_once(":listener-rule/")
        .or_else(|| door.0.split_once(":listener/"))?;
    let parts: Vec<&str> = path.split('/').collect();
    match parts[..] {
        [kind, name, id, _] | [kind, name, id, _, _] => {
            Some(format!("{prefix}:loadbalancer/{kind}/{name}/{id}"))
        }
        _ => None,
    }
}

/// The Region of an ARN.
pub(super) fn region(arn: &str) -> &str {
    arn.split(':').nth(3).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREFIX: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";

    #[test]
    fn a_door_names_its_load_balancer() {
        let rule = DoorId(format!("{PREFIX}:listener-rule/app/dev/b1/l1/r1"));
        let listener = DoorId(format!("{PREFIX}:listener/app/dev/b1/l1"));
        let expected = Some(format!("{PREFIX}:loadbalancer/app/dev/b1"));
        assert_eq!((balancer(&rule), is_rule(&rule)), (expected.clone(), true));
        assert_eq!((balancer(&listener), is_rule(&listener)), (expected, false));
        assert_eq!(balancer(&DoorId("nonsense".to_owned())), None);
        assert_eq!(region(&rule.0), "eu-west-1");
    }
}
