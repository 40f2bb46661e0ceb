//! The doors of load balancers: rules of listeners, and their default actions.

mod arn;
mod lead;
mod look;
mod posted;
mod prove;
mod read;
#[cfg(test)]
mod tests;
mod tls;
mod wake;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_elasticloadbalancingv2::operation::describe_load_balancers::DescribeLoadBalancersError;
use aws_sdk_elasticloadbalancingv2::operation::describe_target_groups::DescribeTargetGroupsError;
use aws_sdk_elasticloadbalancingv2::types::TargetGroup;
use dormouse_core::error::Error;
use dormouse_core::front::{Door, DoorId, Forward, Place, Posted};
use dormouse_core::ids::GroupName;
use dormouse_core::ports::{Doors, Saved};
use futures_util::future::try_join_all;

use crate::Aws;
use crate::errors::failed;
use look::Look;
use wake::Usage;

/// Target groups in one DescribeTargetGroups call. Our choice: the API names no limit.
const PER_CALL: usize = 20;

/// What is known of load balancers between calls.
pub(crate) struct Doorways {
    /// The target groups of the wake function.
    wake: Vec<String>,
    /// The last look at each load balancer. Whoever looks holds the lock, and those who wait for it share what was seen.
    looks: Mutex<HashMap<String, Slot>>,
    /// The load balancers of target groups, as last seen.
    balancers: Mutex<HashMap<String, Vec<String>>>,
    /// The DNS names of load balancers, which never change.
    hosts: Mutex<HashMap<String, String>>,
}

/// What target groups are called by.
#[derive(Clone, Copy)]
enum By {
    Arn,
    Name,
}

type Slot = Arc<tokio::sync::Mutex<Option<Arc<Look>>>>;

impl Doorways {
    pub(crate) fn new(wake: Vec<String>) -> Self {
        Self {
            wake,
            looks: Mutex::default(),
            balancers: Mutex::default(),
            hosts: Mutex::default(),
        }
    }

    fn slot(&self, balancer: &str) -> Slot {
        let mut looks = locked(&self.looks);
        Arc::clone(looks.entry(balancer.to_owned()).or_default())
    }

    /// Forgets what was seen of a load balancer, also by a look that is under way.
    async fn forget(&self, balancer: &str) {
        let slot = self.slot(balancer);
        *slot.lock().await = None;
    }
}

impl Doors for Aws {
    async fn doors(
        &self,
        target_groups: &[String],
        known: &[DoorId],
    ) -> Result<BTreeMap<DoorId, Door>, Error> {
        let mut balancers: BTreeSet<String> = known.iter().filter_map(arn::balancer).collect();
        let mut unsure = Vec::new();
        for target_group in target_groups {
            match locked(&self.doors.balancers).get(target_group) {
                Some(remembered) => balancers.extend(remembered.iter().cloned()),
                None => unsure.push(target_group.clone()),
            }
        }
        let mut looks = self.looks(balancers).await?;
        // One that went to another load balancer is not found where it was.
        let lost = target_groups
            .iter()
            .filter(|name| !looks.values().any(|look| look.names(name)));
        unsure.extend(lost.cloned());
        unsure.sort();
        unsure.dedup();
        let found = self.balancers_of(&unsure).await?;
        let new = found.into_iter().filter(|balancer| !looks.contains_key(balancer));
        let new = self.looks(new.collect()).await?;
        looks.extend(new);
        Ok(select(&looks, target_groups, known))
    }

    async fn lead(&self, door: &DoorId, from: &Forward, to: &Forward) -> Result<Saved, Error> {
        let saved = self.lead_alone(door, from, to).await;
        if let Some(balancer) = arn::balancer(door) {
            self.doors.forget(&balancer).await;
        }
        saved
    }

    async fn prove(&self, group: &GroupName, door: &DoorId, place: &Place) -> Result<(), Error> {
        prove::prove(group, door, place).await
    }

    async fn post(&self, posted: &Posted) -> Result<(), Error> {
        self.post_door(posted).await
    }

    async fn posted(&self) -> Result<Vec<Posted>, Error> {
        self.posted_doors().await
    }
}

/// Those that name one of these target groups, and those that are known.
fn select(
    looks: &BTreeMap<String, Arc<Look>>,
    target_groups: &[String],
    known: &[DoorId],
) -> BTreeMap<DoorId, Door> {
    let mut given = BTreeSet::new();
    let mut doors = BTreeMap::new();
    for (balancer, look) in looks {
        let wake = look
            .wake
            .clone()
            .and_then(|configured| wake::choose(balancer, &configured, &mut given));
        for (id, found) in &look.doors {
            let names = |forward: &Forward| {
                let mut shares = forward.shares.iter();
                shares.any(|share| target_groups.contains(&share.target_group))
            };
            if !found.forward.as_ref().is_some_and(names) && !known.contains(id) {
                continue;
            }
            let door = Door {
                // One that forwards nothing any more leads elsewhere.
                forward: found.forward.clone().unwrap_or(Forward {
                    shares: Vec::new(),
                    sticky_seconds: None,
                }),
                place: found.place.clone(),
                wake: found.refusal.clone().map_or_else(|| wake.clone(), Err),
            };
            doors.insert(id.clone(), door);
        }
    }
    doors
}

impl Aws {
    async fn looks(&self, balancers: BTreeSet<String>) -> Result<BTreeMap<String, Arc<Look>>, Error> {
        let looks = balancers.into_iter().map(async |balancer| {
            let look = self.look_at_doors(&balancer).await?;
            Ok::<_, Error>((balancer, look))
        });
        let looks = try_join_all(looks).await?;
        Ok(looks
            .into_iter()
            .filter_map(|(balancer, look)| Some((balancer, look?)))
            .collect())
    }

    /// The load balancers of target groups, which are remembered.
    async fn balancers_of(&self, target_groups: &[String]) -> Result<BTreeSet<String>, Error> {
        let usages = self.usages(target_groups, By::Arn).await?;
        let mut remembered = locked(&self.doors.balancers);
        for target_group in target_groups {
            remembered.remove(target_group);
        }
        let mut found = BTreeSet::new();
        for usage in usages {
            found.extend(usage.balancers.iter().cloned());
            // One that belongs to none may get one any time.
            if !usage.balancers.is_empty() {
                remembered.insert(usage.target_group, usage.balancers);
            }
        }
        Ok(found)
    }

    /// The load balancers that use target groups. Those that are gone are not in the answer.
    async fn usages(&self, target_groups: &[String], by: By) -> Result<Vec<Usage>, Error> {
        let calls = target_groups.chunks(PER_CALL).map(async |some| {
            match self.describe_groups(some, by).await? {
                Some(found) => Ok::<_, Error>(found),
                // One that is gone hides the others of the call.
                None => {
                    let singly = some
                        .iter()
                        .map(|one| self.describe_groups(std::slice::from_ref(one), by));
                    let found = try_join_all(singly).await?;
                    Ok(found.into_iter().flatten().flatten().collect())
                }
            }
        });
        Ok(try_join_all(calls).await?.into_iter().flatten().collect())
    }

    /// None: one of them is gone.
    async fn describe_groups(&self, target_groups: &[String], by: By) -> Result<Option<Vec<Usage>>, Error> {
        let call = self.elb.client.describe_target_groups();
        let call = match by {
            By::Arn => call.set_target_group_arns(Some(target_groups.to_vec())),
            By::Name => call.set_names(Some(target_groups.to_vec())),
        };
        match call.send().await {
            Ok(answer) => Ok(Some(answer.target_groups().iter().filter_map(usage).collect())),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DescribeTargetGroupsError::is_target_group_not_found_exception) =>
            {
                Ok(None)
            }
            Err(error) => {
                let what = format!("DescribeTargetGroups {}", target_groups.join(" "));
                Err(failed(&what, &error))
            }
        }
    }

    /// The DNS name of a load balancer; none: it is gone.
    async fn host(&self, balancer: &str) -> Result<Option<String>, Error> {
        if let Some(host) = locked(&self.doors.hosts).get(balancer) {
            return Ok(Some(host.clone()));
        }
        let call = self
            .elb
            .client
            .describe_load_balancers()
            .load_balancer_arns(balancer);
        let answer = match call.send().await {
            Ok(answer) => answer,
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DescribeLoadBalancersError::is_load_balancer_not_found_exception) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(failed(&format!("DescribeLoadBalancers {balancer}"), &error)),
        };
        let found = answer.load_balancers().first();
        // A Gateway Load Balancer has none.
        let host = found.map(|found| found.dns_name.clone().unwrap_or_default());
        if let Some(host) = &host {
            locked(&self.doors.hosts).insert(balancer.to_owned(), host.clone());
        }
        Ok(host)
    }
}

fn usage(target_group: &TargetGroup) -> Option<Usage> {
    Some(Usage {
        target_group: target_group.target_group_arn.clone()?,
        balancers: target_group.load_balancer_arns().to_vec(),
    })
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
