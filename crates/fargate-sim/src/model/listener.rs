//! Listeners, and which target groups their rules put into use.

use std::collections::BTreeSet;

use super::action::{Action, check_actions, keep_secrets};
use super::error::ApiError;
use super::rule::{Priority, Rule};
use super::tags::Tag;
use super::time::Millis;
use super::world::World;

/// Input of CreateListener.
#[derive(Clone, Debug, Default)]
pub struct CreateListener {
    /// ARN of the load balancer.
    pub load_balancer: String,
    /// `HTTP` or `HTTPS`. Both speak plain HTTP here; `HTTPS` is what requests are told that they came by.
    pub protocol: String,
    /// Port it listens on.
    pub port: u16,
    /// What it does with requests that no rule takes.
    pub actions: Vec<Action>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// A listener.
#[derive(Clone, Debug)]
pub struct Listener {
    /// Its ARN.
    pub arn: String,
    /// ARN of its load balancer.
    pub load_balancer: String,
    /// `HTTP` or `HTTPS`.
    pub protocol: String,
    /// Port it listens on.
    pub port: u16,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// In the order in which they are looked at; the last is the default rule.
    pub(crate) rules: Vec<Rule>,
    pub(crate) settling: Option<Settling>,
}

/// The rules as they were before a change that is not everywhere yet.
#[derive(Clone, Debug)]
pub(crate) struct Settling {
    pub(crate) rules: Vec<Rule>,
    pub(crate) until: Millis,
    /// Whether the last request went by the old rules.
    pub(crate) last_was_old: bool,
}

impl Listener {
    /// What it does with requests that no rule takes.
    pub fn default_actions(&self) -> &[Action] {
        self.rules.last().map_or(&[], |rule| &rule.actions)
    }

    /// Whether a rule or default action names a target group, also with weight 0.
    fn names(&self, group: &str) -> bool {
        self.rules.iter().any(|r| r.target_groups().any(|g| g == group))
    }

    /// The same on the data plane, where a change may still be on its way.
    fn leads_to(&self, group: &str) -> bool {
        let old = self.settling.iter().flat_map(|s| &s.rules);
        self.names(group) || old.flat_map(Rule::target_groups).any(|g| g == group)
    }

    fn groups(&self) -> BTreeSet<String> {
        let old = self.settling.iter().flat_map(|s| &s.rules);
        let rules = self.rules.iter().chain(old);
        rules.flat_map(Rule::target_groups).map(str::to_string).collect()
    }
}

impl World {
    /// CreateListener.
    pub fn create_listener(&mut self, now: Millis, input: CreateListener) -> Result<&Listener, ApiError> {
        let balancer = self.load_balancer(&input.load_balancer)?;
        let name = balancer.dimension().to_string();
        if !matches!(input.protocol.as_str(), "HTTP" | "HTTPS") {
            let text = format!(
                "Listener protocol '{}' is not simulated: only HTTP and HTTPS are",
                input.protocol
            );
            return Err(ApiError::validation(text));
        }
        let actions = keep_secrets(check_actions(input.actions)?, &[])?;
        self.check_groups(&input.load_balancer, &actions)?;
        if self
            .listeners_of(&input.load_balancer)
            .any(|l| l.port == input.port)
        {
            let text = format!(
                "A listener already exists on this port '{}' for this load balancer",
                input.port
            );
            return Err(ApiError::new("DuplicateListener", text));
        }
        let id = self.ids.hex(16);
        let path = format!("{name}/{id}");
        let arn = self.config.elb_arn(&format!("listener/{path}"));
        // Not the next id: a default rule must not shift all ids of a seed.
        let rule: String = id.chars().rev().collect();
        let rule = format!("listener-rule/{path}/{rule}");
        let rule = self.config.elb_arn(&rule);
        let listener = Listener {
            arn: arn.clone(),
            load_balancer: input.load_balancer,
            protocol: input.protocol,
            port: input.port,
            tags: input.tags,
            rules: vec![Rule::new(rule, Priority::Default, Vec::new(), actions)],
            settling: None,
        };
        let groups = listener.groups();
        self.listeners.insert(arn.clone(), listener);
        self.uses_changed(groups, now);
        self.listener(&arn)
    }

    /// A listener by ARN.
    pub fn listener(&self, arn: &str) -> Result<&Listener, ApiError> {
        let missing = || ApiError::new("ListenerNotFound", format!("Listener '{arn}' not found"));
        self.listeners.get(arn).ok_or_else(missing)
    }

    /// The listeners of a load balancer.
    pub fn listeners_of(&self, balancer: &str) -> impl Iterator<Item = &Listener> {
        self.listeners
            .values()
            .filter(move |l| l.load_balancer == balancer)
    }

    /// ModifyListener: replaces all default actions.
    pub fn modify_listener(
        &mut self,
        now: Millis,
        arn: &str,
        actions: Vec<Action>,
    ) -> Result<&Listener, ApiError> {
        let listener = self.listener(arn)?;
        let balancer = listener.load_balancer.clone();
        let actions = keep_secrets(check_actions(actions)?, listener.default_actions())?;
        self.check_groups(&balancer, &actions)?;
        self.change_rules(now, arn, |rules| {
            if let Some(rule) = rules.last_mut() {
                rule.actions = actions;
                rule.credits.clear();
            }
        });
        self.listener(arn)
    }

    /// DeleteListener, with its rules.
    pub fn delete_listener(&mut self, now: Millis, arn: &str) -> Result<(), ApiError> {
        self.listener(arn)?;
        self.remove_listener(now, arn);
        Ok(())
    }

    pub(crate) fn remove_listener(&mut self, now: Millis, arn: &str) {
        if let Some(listener) = self.listeners.remove(arn) {
            self.uses_changed(listener.groups(), now);
        }
    }

    /// Changes a listener's rules; see [`super::Config::rule_propagation`].
    pub(crate) fn change_rules(&mut self, now: Millis, listener: &str, change: impl FnOnce(&mut Vec<Rule>)) {
        let propagation = self.config.timing.scaled(self.config.rule_propagation);
        let Some(listener) = self.listeners.get_mut(listener) else {
            return;
        };
        let mut groups = listener.groups();
        let old = (!propagation.is_zero()).then(|| listener.rules.clone());
        change(&mut listener.rules);
        listener.rules.sort_by_key(|r| r.priority);
        listener.settling = old.map(|rules| Settling {
            rules,
            until: now + propagation,
            last_was_old: false,
        });
        groups.extend(listener.groups());
        self.uses_changed(groups, now);
    }

    /// When the next change of rules is everywhere.
    pub(crate) fn rules_settle(&self) -> impl Iterator<Item = Option<Millis>> {
        let settling = self.listeners.values().filter_map(|l| l.settling.as_ref());
        settling.map(|s| Some(s.until))
    }

    /// Changes of rules that are everywhere by now.
    pub(crate) fn settle_rules(&mut self, now: Millis) {
        let mut groups = BTreeSet::new();
        for listener in self.listeners.values_mut() {
            if listener.settling.as_ref().is_some_and(|s| s.until <= now) {
                groups.extend(listener.groups());
                listener.settling = None;
            }
        }
        self.uses_changed(groups, now);
    }

    /// The target groups of actions must exist and lead from no other load balancer ("Target groups for your
    /// Application Load Balancers": a target group can be associated with only one load balancer).
    pub(crate) fn check_groups(&self, balancer: &str, actions: &[Action]) -> Result<(), ApiError> {
        for group in actions.iter().flat_map(Action::target_groups) {
            self.target_group(group)?;
            if self.balancers_of(group).iter().any(|b| *b != balancer) {
                let text = format!(
                    "The following target groups cannot be associated with more than one load balancer: {group}"
                );
                return Err(ApiError::new("TargetGroupAssociationLimit", text));
            }
        }
        Ok(())
    }

    /// ARNs of the load balancers that lead to a target group: one at most.
    pub fn balancers_of(&self, group: &str) -> Vec<&str> {
        let mut arns: Vec<&str> = self
            .listeners
            .values()
            .filter(|l| l.names(group))
            .map(|l| l.load_balancer.as_str())
            .collect();
        arns.sort_unstable();
        arns.dedup();
        arns
    }

    /// Whether a load balancer leads to a target group, also with weight 0.
    pub(crate) fn is_used(&self, group: &str) -> bool {
        self.listeners.values().any(|l| l.leads_to(group))
    }

    /// The listener at an address, if there is one.
    pub fn listener_at(&self, address: std::net::SocketAddrV4) -> Option<&Listener> {
        self.listeners.values().find(|l| {
            let balancer = self.load_balancers.get(&l.load_balancer);
            l.port == address.port() && balancer.is_some_and(|b| b.address == *address.ip())
        })
    }

    fn uses_changed(&mut self, groups: BTreeSet<String>, now: Millis) {
        for group in groups {
            self.use_changed(&group, now);
        }
    }
}
