//! Asks the stack's IAM whether a caller may do what a request demands.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::lock;
use super::stack::Stack;
use crate::model::Config;
use crate::protocol::{Demand, Refusal, Trail};

/// How long a decision holds. IAM itself takes seconds until a change of a policy holds everywhere.
const HOLDS: Duration = Duration::from_secs(5);

/// Decisions that are kept at most, the tags of each request being part of the question.
const KEPT: usize = 10_000;

/// The guard of the API.
pub(super) struct Guard {
    owner: String,
    stack: Stack,
    account: String,
    /// Access keys and whose they are. A key never gets another owner.
    callers: Mutex<HashMap<String, String>>,
    decisions: Mutex<HashMap<(String, Demand), (Instant, bool)>>,
    trail: Mutex<Trail>,
}

/// What is known of a caller.
#[derive(Default)]
pub(super) struct Judged {
    /// ARN of the principal, if it is not the owner.
    pub(super) caller: Option<String>,
    /// Why the request is not to be answered.
    pub(super) refusal: Option<Refusal>,
}

impl Guard {
    /// A guard that lets the key `owner` do everything.
    pub(super) fn new(owner: String, stack: Stack, world: &Config) -> Guard {
        Guard {
            owner,
            stack,
            account: world.account.clone(),
            callers: Mutex::default(),
            decisions: Mutex::default(),
            trail: Mutex::default(),
        }
    }

    /// What roles did so far.
    pub(super) fn trail(&self) -> MutexGuard<'_, Trail> {
        lock(&self.trail)
    }

    /// Judges a request; the first demand that is not allowed is what it is refused for.
    pub(super) async fn judge(&self, key: Option<&str>, demands: Vec<Demand>) -> Judged {
        let Some(key) = key else {
            return Judged {
                refusal: Some(Refusal::UnknownKey),
                ..Judged::default()
            };
        };
        if key == self.owner {
            return Judged::default();
        }
        let caller = match self.caller(key).await {
            Ok(caller) => caller,
            Err(refusal) => {
                return Judged {
                    caller: None,
                    refusal: Some(refusal),
                };
            }
        };
        Judged {
            refusal: self.refusal(&caller, demands).await,
            caller: Some(caller),
        }
    }

    async fn caller(&self, key: &str) -> Result<String, Refusal> {
        if let Some(known) = lock(&self.callers).get(key) {
            return Ok(known.clone());
        }
        let form = form([
            ("Action".into(), "GetAccessKeyInfo"),
            ("Version".into(), "2011-06-15"),
            ("AccessKeyId".into(), key),
        ]);
        let answer = self.stack.query("sts", form).await;
        let xml = answer.map_err(Refusal::NoAnswer)?;
        match texts(&xml, "Arn").next().filter(|arn| !arn.is_empty()) {
            Some(arn) => {
                lock(&self.callers).insert(key.into(), arn.into());
                Ok(arn.into())
            }
            None => Err(Refusal::UnknownKey),
        }
    }

    async fn refusal(&self, caller: &str, demands: Vec<Demand>) -> Option<Refusal> {
        // Those that differ in the resource alone are one question.
        let mut questions: BTreeMap<(String, BTreeMap<String, String>), Vec<Demand>> = BTreeMap::new();
        let mut denied = None;
        for demand in demands {
            match self.remembered(caller, &demand) {
                Some(true) => {}
                Some(false) => {
                    denied.get_or_insert(demand);
                }
                None => {
                    let question = (demand.action.clone(), demand.context.clone());
                    questions.entry(question).or_default().push(demand);
                }
            }
        }
        for demands in questions.into_values() {
            let decisions = match self.ask(caller, &demands).await {
                Ok(decisions) => decisions,
                Err(why) => return Some(Refusal::NoAnswer(why)),
            };
            for (demand, allowed) in demands.into_iter().zip(decisions) {
                self.remember(caller, &demand, allowed);
                if !allowed {
                    denied.get_or_insert(demand);
                }
            }
        }
        denied.map(|demand| Refusal::Denied {
            caller: caller.into(),
            demand,
        })
    }

    fn remembered(&self, caller: &str, demand: &Demand) -> Option<bool> {
        let decisions = lock(&self.decisions);
        let (at, allowed) = decisions.get(&(caller.to_owned(), demand.clone()))?;
        (at.elapsed() < HOLDS).then_some(*allowed)
    }

    fn remember(&self, caller: &str, demand: &Demand, allowed: bool) {
        lock(&self.trail).record(caller, demand, allowed);
        let mut decisions = lock(&self.decisions);
        if decisions.len() >= KEPT {
            decisions.retain(|_, (at, _)| at.elapsed() < HOLDS);
        }
        decisions.insert((caller.to_owned(), demand.clone()), (Instant::now(), allowed));
    }

    /// SimulatePrincipalPolicy for one action in one context, on each resource in turn.
    async fn ask(&self, caller: &str, demands: &[Demand]) -> Result<Vec<bool>, String> {
        let [first, ..] = demands else {
            return Ok(Vec::new());
        };
        let role = role_arn(&self.account, caller).ok_or_else(|| format!("{caller} is no role"))?;
        let mut fields: Vec<(String, &str)> = vec![
            ("Action".into(), "SimulatePrincipalPolicy"),
            ("Version".into(), "2010-05-08"),
            ("PolicySourceArn".into(), &role),
            ("ActionNames.member.1".into(), &first.action),
        ];
        for (n, demand) in demands.iter().enumerate() {
            fields.push((format!("ResourceArns.member.{}", n + 1), &demand.resource));
        }
        for (n, (key, value)) in first.context.iter().enumerate() {
            let entry = format!("ContextEntries.member.{}", n + 1);
            fields.push((format!("{entry}.ContextKeyName"), key));
            fields.push((format!("{entry}.ContextKeyType"), "string"));
            fields.push((format!("{entry}.ContextKeyValues.member.1"), value));
        }
        let xml = self.stack.query("iam", form(fields)).await?;
        let decisions: Vec<bool> = texts(&xml, "EvalDecision")
            .map(|decision| decision == "allowed")
            .collect();
        match decisions.len() == demands.len() {
            true => Ok(decisions),
            false => Err(format!(
                "{} decisions are not {}: {xml}",
                decisions.len(),
                demands.len()
            )),
        }
    }
}

fn form<'a>(fields: impl IntoIterator<Item = (String, &'a str)>) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
}

/// The role of a session, `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`.
fn role_arn(account: &str, session: &str) -> Option<String> {
    let (_, rest) = session.split_once(":assumed-role/")?;
    let (role, _) = rest.split_once('/')?;
    Some(format!("arn:aws:iam::{account}:role/{role}"))
}

/// The texts of all elements of this name.
fn texts<'a>(xml: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut rest = xml;
    std::iter::from_fn(move || {
        let (_, after) = rest.split_once(&open)?;
        let (text, left) = after.split_once(&close)?;
        rest = left;
        Some(text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_role_is_found_in_its_session() {
        assert_eq!(
            role_arn(
                "000000000000",
                "arn:aws:sts::000000000000:assumed-role/WakeRole/dormouse-wake"
            ),
            Some("arn:aws:iam::000000000000:role/WakeRole".into())
        );
        assert_eq!(
            role_arn("000000000000", "arn:aws:iam::000000000000:user/me"),
            None
        );
    }
}
