//! Listener rules over the model, the wake function behind one of its target groups, and clients that ask for the address
//! all the time.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use dormouse_core::error::{Code, Error};
use dormouse_core::front::{Asked, Condition, Door, DoorId, Forward, Place, Posted, Share, find};
use dormouse_core::ids::GroupName;
use dormouse_core::ports::{Doors, Saved};
use fargate_sim::model::{
    Action, ActionKind, Condition as Rule, Forward as Shares, Millis, Priority, RequestLine, Route, Stage,
    WeightedGroup,
};

use super::checks::alive;
use super::{Account, Part};

/// Between two requests: twenty a second.
const EVERY: Duration = Duration::from_millis(50);

#[derive(Default)]
pub(crate) struct Front {
    pub(crate) posted: RefCell<BTreeMap<(DoorId, GroupName), Posted>>,
    /// The target group of the wake function.
    pub(crate) wake: RefCell<String>,
    /// What clients ask for, while there are some: the listener, and the request.
    pub(crate) clients: RefCell<Vec<(String, RequestLine)>>,
    next: Cell<Millis>,
    /// How often the app and the wake function answered.
    pub(crate) answered: Cell<(u64, u64)>,
}

impl Doors for Account {
    async fn doors(
        &self,
        target_groups: &[String],
        known: &[DoorId],
    ) -> Result<BTreeMap<DoorId, Door>, Error> {
        let ask = || {
            let all = self.all_doors().into_iter();
            let names = |door: &Door| {
                target_groups
                    .iter()
                    .any(|name| door.forward.weight(name).is_some())
            };
            Ok(all
                .filter(|(id, door)| names(door) || known.contains(id))
                .collect())
        };
        self.call(Part::Elb, "doors", ask).await
    }

    async fn lead(&self, door: &DoorId, from: &Forward, to: &Forward) -> Result<Saved, Error> {
        let lead = || {
            let now = self.all_doors().remove(door);
            if now.is_none_or(|now| !now.forward.is_as(from)) {
                return Ok(Saved::Conflict);
            }
            self.owner_leads(door, to);
            Ok(Saved::Yes)
        };
        self.call(Part::Elb, "lead", lead).await
    }

    async fn prove(&self, group: &GroupName, door: &DoorId, place: &Place) -> Result<(), Error> {
        let ask = || {
            let sample = place.sample("word").expect("a sample");
            let request = RequestLine {
                host: sample.host,
                path: sample.target,
                ..RequestLine::default()
            };
            let listener = self.listener_of(door);
            let route = self.clock.borrow_mut().world.route(&listener, &request);
            match route {
                Route::Lambda { .. } if self.whose(&request).as_ref() == Some(group) => Ok(()),
                other => Err(Error::new(Code::FrontUnproven, format!("{door}: {other:?}"))),
            }
        };
        self.call(Part::Elb, "prove", ask).await
    }

    async fn post(&self, posted: &Posted) -> Result<(), Error> {
        let post = || {
            let key = (posted.door.clone(), posted.group.clone());
            self.front.posted.borrow_mut().insert(key, posted.clone());
            Ok(())
        };
        self.call(Part::Table, "post", post).await
    }

    async fn posted(&self) -> Result<Vec<Posted>, Error> {
        let ask = || Ok(self.front.posted.borrow().values().cloned().collect());
        self.call(Part::Table, "posted", ask).await
    }
}

impl Account {
    /// All doors of all listeners.
    pub(crate) fn all_doors(&self) -> BTreeMap<DoorId, Door> {
        let clock = self.clock.borrow();
        let world = &clock.world;
        let wake = self.front.wake.borrow().clone();
        let mut doors = BTreeMap::new();
        for balancer in world.load_balancers() {
            for listener in world.listeners_of(&balancer.arn) {
                for rule in world.rules_of(&listener.arn).expect("its rules") {
                    let Some(forward) = rule.actions.last().and_then(forward_of) else {
                        continue;
                    };
                    let (id, priority) = match rule.priority {
                        Priority::At(number) => (rule.arn.clone(), Some(number)),
                        Priority::Default => (listener.arn.clone(), None),
                    };
                    let place = Place {
                        host: balancer.name.clone(),
                        tls: false,
                        port: listener.port,
                        priority,
                        conditions: rule.conditions.iter().map(condition_of).collect(),
                        authenticates: rule.actions.len() > 1,
                    };
                    let wake = Ok(wake.clone());
                    doors.insert(DoorId(id), Door { forward, place, wake });
                }
            }
        }
        doors
    }

    /// Somebody leads a door elsewhere.
    pub(crate) fn owner_leads(&self, door: &DoorId, to: &Forward) {
        let mut clock = self.clock.borrow_mut();
        let now = clock.now;
        let world = &mut clock.world;
        if door.0.contains(":listener-rule/") {
            let mut actions = world.rule(&door.0).expect("a rule").actions.clone();
            replace(&mut actions, to);
            world
                .modify_rule(now, &door.0, None, Some(actions))
                .expect("ModifyRule");
        } else {
            let mut actions = world
                .listener(&door.0)
                .expect("a listener")
                .default_actions()
                .to_vec();
            replace(&mut actions, to);
            world
                .modify_listener(now, &door.0, actions)
                .expect("ModifyListener");
        }
    }

    fn listener_of(&self, door: &DoorId) -> String {
        let listener = door.0.replacen(":listener-rule/", ":listener/", 1);
        match door.0.contains(":listener-rule/") {
            true => listener.rsplit_once('/').expect("a rule").0.to_owned(),
            false => listener,
        }
    }

    /// The group that the wake function takes a request for.
    fn whose(&self, request: &RequestLine) -> Option<GroupName> {
        let posted: Vec<Posted> = self.front.posted.borrow().values().cloned().collect();
        let header = |name: &str| request.header_values(name).next().map(str::to_owned);
        let asked = Asked {
            port: request.port,
            method: &request.method,
            host: request.host_name(),
            path: &request.path,
            query: request.pairs().collect(),
            header: &header,
            source: Some(request.source),
        };
        find(&posted, &self.front.wake.borrow(), &asked).map(|posted| posted.group.clone())
    }

    /// Lets clients ask up to this moment, while the model goes on.
    pub(super) fn serve_clients(&self, end: Millis) {
        let clients = self.front.clients.borrow().clone();
        if clients.is_empty() {
            return;
        }
        let mut at = self.front.next.get().max(self.at());
        while at <= end {
            let length = at.since(self.at());
            self.clock.borrow_mut().run(length);
            for (listener, request) in &clients {
                self.serve(listener, request);
            }
            at = at + EVERY;
        }
        self.front.next.set(at);
    }

    /// One request: the app answers it, or the wake function for the right group.
    fn serve(&self, listener: &str, request: &RequestLine) {
        let route = self.clock.borrow_mut().world.route(listener, request);
        let (app, wake) = self.front.answered.get();
        match &route {
            Route::Target { target, .. } if self.app_runs(target.address) => {
                self.front.answered.set((app + 1, wake));
            }
            Route::Lambda { .. } if self.whose(request) == Some(super::group()) => {
                self.front.answered.set((app, wake + 1));
            }
            other => self.fail(&format!("{} is answered by {other:?}", request.path)),
        }
    }

    fn app_runs(&self, address: std::net::Ipv4Addr) -> bool {
        let clock = self.clock.borrow();
        let tasks = alive(&clock.world);
        tasks.iter().any(|task| {
            let own = task.interface.as_ref().map(|interface| interface.private);
            task.stage == Stage::Running && own == Some(address)
        })
    }
}

fn forward_of(action: &Action) -> Option<Forward> {
    let ActionKind::Forward(forward) = &action.kind else {
        return None;
    };
    let share = |group: &WeightedGroup| Share {
        target_group: group.target_group.clone(),
        weight: group.weight,
    };
    Some(Forward {
        shares: forward.groups.iter().map(share).collect(),
        sticky_seconds: forward.sticky_seconds.map(|seconds| seconds as u32),
    })
}

/// The same actions with another forward.
fn replace(actions: &mut [Action], to: &Forward) {
    let group = |share: &Share| WeightedGroup {
        target_group: share.target_group.clone(),
        weight: share.weight,
    };
    if let Some(last) = actions.last_mut() {
        last.kind = ActionKind::Forward(Shares {
            groups: to.shares.iter().map(group).collect(),
            sticky_seconds: to.sticky_seconds.map(u64::from),
        });
    }
}

fn condition_of(condition: &Rule) -> Condition {
    match condition {
        Rule::Host(values) => Condition::Host(values.clone()),
        Rule::Path(values) => Condition::Path(values.clone()),
        other => Condition::Other(format!("{other:?}")),
    }
}
