//! Tags of load balancers, target groups, listeners and rules.

use super::error::ApiError;
use super::tags::{Tag, merge_tags};
use super::world::World;

impl World {
    /// AddTags of ELBv2, on a load balancer, target group, listener or rule.
    pub fn add_elb_tags(&mut self, arn: &str, tags: &[Tag]) -> Result<(), ApiError> {
        let held = self.elb_tags_mut(arn)?;
        *held = merge_tags(held, tags);
        Ok(())
    }

    /// RemoveTags of ELBv2.
    pub fn remove_elb_tags(&mut self, arn: &str, keys: &[String]) -> Result<(), ApiError> {
        self.elb_tags_mut(arn)?.retain(|t| !keys.contains(&t.key));
        Ok(())
    }

    /// DescribeTags of ELBv2.
    pub fn elb_tags(&self, arn: &str) -> Result<&[Tag], ApiError> {
        match kind(arn) {
            "loadbalancer" => Ok(&self.load_balancer(arn)?.tags),
            "listener" => Ok(&self.listener(arn)?.tags),
            "listener-rule" => Ok(&self.rule(arn)?.tags),
            _ => Ok(&self.target_group(arn)?.tags),
        }
    }

    fn elb_tags_mut(&mut self, arn: &str) -> Result<&mut Vec<Tag>, ApiError> {
        // The one that reads knows what to say when there is none.
        self.elb_tags(arn)?;
        let found = match kind(arn) {
            "loadbalancer" => self.load_balancers.get_mut(arn).map(|b| &mut b.tags),
            "listener-rule" => {
                let mut rules = self.listeners.values_mut().flat_map(|l| &mut l.rules);
                rules.find(|r| r.arn == arn).map(|r| &mut r.tags)
            }
            "listener" => self.listeners.get_mut(arn).map(|l| &mut l.tags),
            _ => self.target_groups.get_mut(arn).map(|g| &mut g.tags),
        };
        found.ok_or_else(|| ApiError::validation(format!("'{arn}' has no tags")))
    }
}

/// The kind of resource that an ARN names.
fn kind(arn: &str) -> &str {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
    resource.split('/').next().unwrap_or_default()
}
