//! EC2: DescribeNetworkInterfaces of tasks.

use super::endpoint::unknown;
use super::params::Params;
use super::xml::{Node, element, set, text};
use crate::model::{ApiError, Interface, World};

pub(crate) fn perform(world: &World, operation: &str, params: &Params) -> Result<Vec<Node>, ApiError> {
    if operation != "DescribeNetworkInterfaces" {
        return Err(ApiError {
            code: "InvalidAction".into(),
            ..unknown(operation)
        });
    }
    let wanted = params.list("NetworkInterfaceId");
    let all: Vec<&Interface> = world.interfaces().map(|(_, i)| i).collect();
    if let Some(missing) = wanted.iter().find(|id| !all.iter().any(|i| i.id == **id)) {
        let text = format!("The networkInterface ID '{missing}' does not exist");
        return Err(ApiError::new("InvalidNetworkInterfaceID.NotFound", text));
    }
    let mut found: Vec<&Interface> = all
        .into_iter()
        .filter(|i| wanted.is_empty() || wanted.contains(&i.id))
        .collect();
    for filter in params.structures("Filter") {
        let (name, values) = (
            filter.get("Name").unwrap_or_default().to_string(),
            filter.list("Value"),
        );
        let value: fn(&Interface) -> String = match name.as_str() {
            "network-interface-id" => |i| i.id.clone(),
            "addresses.private-ip-address" | "private-ip-address" => |i| i.private.to_string(),
            "subnet-id" => |i| i.subnet.clone(),
            "association.public-ip" => |i| i.public.map(|p| p.to_string()).unwrap_or_default(),
            _ => {
                return Err(ApiError::new(
                    "InvalidParameterValue",
                    format!("Filter '{name}' is not simulated"),
                ));
            }
        };
        found.retain(|i| values.contains(&value(i)));
    }
    Ok(vec![set(
        "networkInterfaceSet",
        found.into_iter().map(|i| describe(world, i)),
    )])
}

fn describe(world: &World, interface: &Interface) -> Vec<Node> {
    let association = interface.public.map(|public| {
        element(
            "association",
            vec![
                text("ipOwnerId", "amazon"),
                text("publicDnsName", public),
                text("publicIp", public),
            ],
        )
    });
    let private_name = format!(
        "ip-{}.ec2.internal",
        interface.private.to_string().replace('.', "-")
    );
    let mut address = vec![
        text("primary", true),
        text("privateDnsName", &private_name),
        text("privateIpAddress", interface.private),
    ];
    address.extend(association.clone());
    let mut nodes = vec![
        text("networkInterfaceId", &interface.id),
        text("subnetId", &interface.subnet),
        text("vpcId", "vpc-simulated"),
        text("availabilityZone", format!("{}a", world.config.region)),
        text(
            "description",
            format!(
                "arn:aws:ecs:{}:{}:attachment/{}",
                world.config.region, world.config.account, interface.attachment
            ),
        ),
        text("ownerId", &world.config.account),
        text("requesterManaged", true),
        text("status", "in-use"),
        text("interfaceType", "interface"),
        text("macAddress", &interface.mac),
        text("privateIpAddress", interface.private),
        text("privateDnsName", &private_name),
        text("sourceDestCheck", true),
        set(
            "groupSet",
            interface
                .security_groups
                .iter()
                .map(|g| vec![text("groupId", g), text("groupName", g)]),
        ),
        element(
            "attachment",
            vec![
                text("attachmentId", &interface.ec2_attachment),
                text("deviceIndex", 1),
                text("status", "attached"),
                text("deleteOnTermination", false),
            ],
        ),
        set("privateIpAddressesSet", [address]),
    ];
    nodes.extend(association);
    nodes
}
