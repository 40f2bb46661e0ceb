//! Listener rules and their API.
//!
//! "Listener rules for your Application Load Balancer"
//! (<https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-rules.html>); errors as "CreateRule",
//! "ModifyRule" and "SetRulePriorities" in the API reference name them.

use std::fmt;

use super::action::{Action, check_actions, keep_secrets};
use super::condition::{Condition, check_conditions};
use super::error::ApiError;
use super::routing::RequestLine;
use super::tags::Tag;
use super::time::Millis;
use super::world::World;

/// When a rule is looked at. The default rule comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// 1 to 50000, the lowest first.
    At(u32),
    /// After all others.
    Default,
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Priority::At(number) => number.fmt(f),
            Priority::Default => f.write_str("default"),
        }
    }
}

/// A rule of a listener.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its ARN.
    pub arn: String,
    /// When it is looked at.
    pub priority: Priority,
    /// All must be met; none on the default rule.
    pub conditions: Vec<Condition>,
    /// What it does, in order.
    pub actions: Vec<Action>,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// Credits of the smooth weighted round robin, one for each target group.
    pub(crate) credits: Vec<i64>,
}

impl Rule {
    pub(crate) fn new(
        arn: String,
        priority: Priority,
        conditions: Vec<Condition>,
        actions: Vec<Action>,
    ) -> Rule {
        Rule {
            arn,
            priority,
            conditions,
            actions,
            tags: Vec::new(),
            credits: Vec::new(),
        }
    }

    /// Whether it takes a request.
    pub fn takes(&self, request: &RequestLine) -> bool {
        self.conditions.iter().all(|c| c.is_met(request))
    }

    /// ARNs of the target groups that it names, those with weight 0 too.
    pub fn target_groups(&self) -> impl Iterator<Item = &str> {
        self.actions.iter().flat_map(Action::target_groups)
    }
}

/// Input of CreateRule.
#[derive(Clone, Debug)]
pub struct CreateRule {
    /// ARN of the listener.
    pub listener: String,
    /// 1 to 50000.
    pub priority: u32,
    /// At least one.
    pub conditions: Vec<Condition>,
    /// What it does.
    pub actions: Vec<Action>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

impl World {
    /// CreateRule.
    pub fn create_rule(&mut self, now: Millis, input: CreateRule) -> Result<&Rule, ApiError> {
        let listener = self.listener(&input.listener)?;
        check_priority(input.priority)?;
        let priority = Priority::At(input.priority);
        if listener.rules.iter().any(|r| r.priority == priority) {
            return Err(priority_in_use(input.priority));
        }
        check_conditions(&input.conditions)?;
        let balancer = listener.load_balancer.clone();
        let actions = keep_secrets(check_actions(input.actions)?, &[])?;
        self.check_groups(&balancer, &actions)?;
        let arn = format!(
            "{}/{}",
            input.listener.replacen(":listener/", ":listener-rule/", 1),
            self.ids.hex(16)
        );
        let mut rule = Rule::new(arn.clone(), priority, input.conditions, actions);
        rule.tags = input.tags;
        self.change_rules(now, &input.listener, |rules| rules.push(rule));
        self.rule(&arn)
    }

    /// A rule by ARN, a default rule too.
    pub fn rule(&self, arn: &str) -> Result<&Rule, ApiError> {
        self.rule_at(arn).map(|(_, rule)| rule)
    }

    /// The rules of a listener in the order in which they are looked at, the default rule last.
    pub fn rules_of(&self, listener: &str) -> Result<&[Rule], ApiError> {
        Ok(&self.listener(listener)?.rules)
    }

    /// ModifyRule: replaces all conditions, all actions or both. The default rule is changed by ModifyListener.
    pub fn modify_rule(
        &mut self,
        now: Millis,
        arn: &str,
        conditions: Option<Vec<Condition>>,
        actions: Option<Vec<Action>>,
    ) -> Result<&Rule, ApiError> {
        let (listener, rule) = self.rule_at(arn)?;
        if rule.priority == Priority::Default {
            return Err(not_the_default(arn, "modified"));
        }
        let before = rule.actions.clone();
        if let Some(conditions) = &conditions {
            check_conditions(conditions)?;
        }
        let actions = actions
            .map(|a| keep_secrets(check_actions(a)?, &before))
            .transpose()?;
        let balancer = self.listener(&listener)?.load_balancer.clone();
        self.check_groups(&balancer, actions.as_deref().unwrap_or_default())?;
        self.change_rules(now, &listener, |rules| {
            if let Some(rule) = rules.iter_mut().find(|r| r.arn == arn) {
                if let Some(conditions) = conditions {
                    rule.conditions = conditions;
                }
                if let Some(actions) = actions {
                    rule.actions = actions;
                    rule.credits.clear();
                }
            }
        });
        self.rule(arn)
    }

    /// DeleteRule.
    pub fn delete_rule(&mut self, now: Millis, arn: &str) -> Result<(), ApiError> {
        let (listener, rule) = self.rule_at(arn)?;
        if rule.priority == Priority::Default {
            return Err(not_the_default(arn, "deleted"));
        }
        self.change_rules(now, &listener, |rules| rules.retain(|r| r.arn != arn));
        Ok(())
    }

    /// SetRulePriorities: all or none; two rules may change places. Gives the rules that were named.
    pub fn set_rule_priorities(
        &mut self,
        now: Millis,
        priorities: &[(String, u32)],
    ) -> Result<Vec<&Rule>, ApiError> {
        let mut listeners = Vec::new();
        for (arn, priority) in priorities {
            let (listener, rule) = self.rule_at(arn)?;
            check_priority(*priority)?;
            if rule.priority == Priority::Default {
                return Err(not_the_default(arn, "modified"));
            }
            if !listeners.contains(&listener) {
                listeners.push(listener);
            }
        }
        let wanted = |rule: &Rule| {
            let named = priorities.iter().find(|(arn, _)| *arn == rule.arn);
            named.map_or(rule.priority, |(_, p)| Priority::At(*p))
        };
        for listener in &listeners {
            let mut taken: Vec<Priority> = self.rules_of(listener)?.iter().map(wanted).collect();
            taken.sort_unstable();
            if let Some(pair) = taken.windows(2).find(|pair| pair[0] == pair[1])
                && let Priority::At(number) = pair[0]
            {
                return Err(priority_in_use(number));
            }
        }
        for listener in &listeners {
            self.change_rules(now, listener, |rules| {
                rules.iter_mut().for_each(|r| r.priority = wanted(r));
            });
        }
        priorities.iter().map(|(arn, _)| self.rule(arn)).collect()
    }

    /// A rule and the ARN of its listener.
    fn rule_at(&self, arn: &str) -> Result<(String, &Rule), ApiError> {
        let found = self.listeners.values().find_map(|l| {
            let rule = l.rules.iter().find(|r| r.arn == arn)?;
            Some((l.arn.clone(), rule))
        });
        found.ok_or_else(|| ApiError::new("RuleNotFound", format!("Rule '{arn}' not found")))
    }
}

fn check_priority(priority: u32) -> Result<(), ApiError> {
    match (1..=50_000).contains(&priority) {
        true => Ok(()),
        false => Err(ApiError::validation(format!(
            "Rule priority '{priority}' must be between 1 and 50000"
        ))),
    }
}

fn priority_in_use(priority: u32) -> ApiError {
    ApiError::new(
        "PriorityInUse",
        format!("Priority '{priority}' is currently in use"),
    )
}

fn not_the_default(arn: &str, done: &str) -> ApiError {
    ApiError::new(
        "OperationNotPermitted",
        format!("Default rule '{arn}' cannot be {done}"),
    )
}
