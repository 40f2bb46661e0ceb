//! Network interfaces of tasks (awsvpc), with addresses of the loopback network so that they answer for real.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use super::config::AddressBase;
use super::ids::Ids;
use super::task::TaskId;
use super::world::World;

/// An elastic network interface: one for each task, made with it and deleted with it ("Fargate task networking",
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-networking.html>).
#[derive(Clone, Debug)]
pub struct Interface {
    /// `eni-` and 17 hex digits.
    pub id: String,
    /// Id of the task's attachment.
    pub attachment: String,
    /// Id of the attachment in EC2's eyes.
    pub ec2_attachment: String,
    /// Hardware address.
    pub mac: String,
    /// Subnet it lies in.
    pub subnet: String,
    /// Security groups on it.
    pub security_groups: Vec<String>,
    /// Address inside.
    pub private: Ipv4Addr,
    /// Address outside, if the service assigns public ones.
    pub public: Option<Ipv4Addr>,
    number: u16,
}

/// Hands out addresses in turn, so that one is not used again soon.
#[derive(Clone, Debug, Default)]
pub(crate) struct Network {
    last: u16,
    used: BTreeSet<u16>,
    balancers: u16,
}

const TASK_ADDRESSES: u16 = 62_500;

impl Network {
    pub(crate) fn attach(
        &mut self,
        base: AddressBase,
        ids: &mut Ids,
        subnet: String,
        groups: Vec<String>,
        public: bool,
    ) -> Interface {
        loop {
            self.last = (self.last + 1) % TASK_ADDRESSES;
            if self.used.len() >= usize::from(TASK_ADDRESSES) || self.used.insert(self.last) {
                break;
            }
        }
        let mac = ids.hex(10);
        let pairs: Vec<&str> = (0..5).map(|i| &mac[2 * i..2 * i + 2]).collect();
        Interface {
            id: format!("eni-{}", ids.hex(17)),
            attachment: ids.uuid(),
            ec2_attachment: format!("eni-attach-{}", ids.hex(17)),
            mac: format!("0e:{}", pairs.join(":")),
            subnet,
            security_groups: groups,
            private: base.private(self.last),
            public: public.then(|| base.public(self.last)),
            number: self.last,
        }
    }

    pub(crate) fn release(&mut self, interface: &Interface) {
        self.used.remove(&interface.number);
    }

    pub(crate) fn balancer(&mut self, base: AddressBase) -> Ipv4Addr {
        self.balancers += 1;
        base.balancer(self.balancers)
    }
}

impl World {
    /// The interfaces that exist now, with their tasks.
    pub fn interfaces(&self) -> impl Iterator<Item = (&TaskId, &Interface)> {
        self.tasks
            .values()
            .filter(|t| t.interface_exists())
            .filter_map(|t| Some((&t.id, t.interface.as_ref()?)))
    }
}
