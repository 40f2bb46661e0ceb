//! The ports of everything else that all functions use.

use std::collections::BTreeMap;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use dormouse_core::connections;
use dormouse_core::decide::Question;
use dormouse_core::duration;
use dormouse_core::error::{Code, Error};
use dormouse_core::front::{Asked, Door, DoorId, Forward, Place, Posted, find};
use dormouse_core::ids::{Generation, GroupName, ServiceId};
use dormouse_core::logs::{LogSource, search};
use dormouse_core::minutes::{self, LONGEST_LAG, PERIOD, Point};
use dormouse_core::observation::{Health, Seen, ServiceState, TaskStage};
use dormouse_core::pipeline::{JobResult, Reported};
use dormouse_core::ports::{
    Clock, Discovery, Doors, FanOut, Jobs, LoadBalancers, LogQueries, Plans, Protection, QueryState, Rejects,
    Saved, ScalableTargets, Services, SessionRows, Signals, Timers,
};
use dormouse_core::protection;
use dormouse_core::reading::{Reading, Signal};
use dormouse_core::scalable::{Bounds, Suspended};
use dormouse_core::sessions::{self, TaskKey};
use dormouse_core::settings::ServiceSettings;
use dormouse_core::tags::{GROUP, TaggedService};
use fargate_sim::model::{Millis, RequestLine, Route};
use futures_util::future::{Either, select};
use jiff::Timestamp;
use serde_json::json;

use super::{Function, unavailable};
use crate::cloud::{Cloud, Outgoing, moment};
use crate::faults::Part;
use crate::sabotage::Sabotage;

impl Clock for Function {
    fn now(&self) -> Timestamp {
        self.clock()
    }

    async fn pause(&self, length: Duration) {
        self.cloud.wait(length).await;
    }

    async fn within<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        match select(pin!(work), self.cloud.wait(limit)).await {
            Either::Left((done, _)) => Some(done),
            Either::Right(_) => None,
        }
    }
}

impl Discovery for Function {
    async fn tagged(&self) -> Result<Vec<TaggedService>, Error> {
        self.read(Part::Other, "tagged", |cloud| {
            let all = cloud.tags().into_iter();
            let tagged = |tags: &[(String, String)]| tags.iter().any(|(name, _)| name == GROUP);
            let mut ours: Vec<TaggedService> = all.map(|(id, tags)| TaggedService { id, tags }).collect();
            if cloud.has(Sabotage::AdoptsStrangers) {
                let strangers = ours.iter_mut().filter(|service| !tagged(&service.tags));
                strangers.for_each(|service| service.tags.push((GROUP.to_owned(), "a".to_owned())));
            }
            ours.retain(|service| tagged(&service.tags));
            Ok(ours)
        })
        .await
    }
}

impl FanOut for Function {
    async fn hand_over(&self, message: &str) -> Result<(), Error> {
        Err(unavailable("hand_over", message))
    }
}

impl Services for Function {
    async fn observe(&self, services: &[&ServiceSettings]) -> BTreeMap<ServiceId, Seen> {
        let ids = || services.iter().map(|settings| settings.id.clone());
        let lags: Vec<bool> = ids().map(|_| self.dice.borrow_mut().below(2) == 0).collect();
        let look = |cloud: &Cloud| {
            let may_lag = |lags| lags && !cloud.is_calm.get();
            let mut seen: BTreeMap<ServiceId, Seen> = ids()
                .zip(&lags)
                .map(|(id, lags)| (id.clone(), cloud.as_ecs_says(&id, may_lag(*lags))))
                .collect();
            if cloud.has(Sabotage::SeesTasksReady) {
                seen.values_mut().for_each(seems_ready);
            }
            Ok(seen)
        };
        let seen = self.read(Part::Ecs, "observe", look).await;
        seen.unwrap_or_else(|error| ids().map(|id| (id, Seen::Unknown(error.clone()))).collect())
    }

    async fn set_desired(&self, service: &ServiceId, count: u32) -> Result<(), Error> {
        let (service, who) = (service.clone(), Rc::clone(&self.who));
        self.write(Part::Ecs, "set_desired", move |cloud| {
            who.sets(cloud, &service, count);
            if cloud.has(Sabotage::NeverStarts) && cloud.desired(&service) == Some(0) {
                return Ok(());
            }
            cloud.update(&service, |input| input.desired_count = Some(count.into()))
        })
        .await
    }
}

/// As if all tasks answered.
fn seems_ready(seen: &mut Seen) {
    if let Seen::Known(state) = seen {
        for task in &mut state.tasks {
            task.stage = TaskStage::Running;
            task.targets = state.target_groups.iter().map(|_| Health::Healthy).collect();
        }
    }
}

impl ScalableTargets for Function {
    async fn bounds(
        &self,
        services: &[&ServiceSettings],
    ) -> BTreeMap<ServiceId, Result<Option<Bounds>, Error>> {
        let ids = || services.iter().map(|settings| settings.id.clone());
        let ask = |cloud: &Cloud| Ok(ids().map(|id| (id.clone(), Ok(cloud.bounds(&id)))).collect());
        let found = self.read(Part::Other, "bounds", ask).await;
        found.unwrap_or_else(|error| ids().map(|id| (id, Err(error.clone()))).collect())
    }

    async fn suspend(&self, service: &ServiceId, suspended: Suspended) -> Result<(), Error> {
        let (service, who) = (service.clone(), Rc::clone(&self.who));
        self.write(Part::Other, "suspend", move |cloud| {
            who.touches(cloud, &service);
            cloud.note(format!("{}: suspend {service} {suspended:?}", who.name));
            cloud.suspend(&service, suspended)
        })
        .await
    }
}

impl Doors for Function {
    async fn doors(
        &self,
        target_groups: &[String],
        known: &[DoorId],
    ) -> Result<BTreeMap<DoorId, Door>, Error> {
        self.read(Part::Elb, "doors", |cloud| {
            let names = |door: &Door| {
                let mut groups = target_groups.iter();
                groups.any(|name| door.forward.weight(name).is_some())
            };
            let all = cloud.doors().into_iter();
            Ok(all
                .filter(|(id, door)| names(door) || known.contains(id))
                .collect())
        })
        .await
    }

    /// As `dormouse-aws` does it: alone, by a lease, and read anew before it is changed.
    async fn lead(&self, door: &DoorId, from: &Forward, to: &Forward) -> Result<Saved, Error> {
        const LEASE: Duration = Duration::from_secs(20);
        let lease = format!("door:{door}");
        let (owner, until) = (self.who.name.clone(), duration::after(self.clock(), LEASE));
        let (name, now) = (lease.clone(), self.clock());
        let (theirs, who) = (owner.clone(), Rc::clone(&self.who));
        let take = move |cloud: &Cloud| {
            let mut table = cloud.table.borrow_mut();
            Ok(table.take_free_lease(&name, &theirs, until, now))
        };
        if self.write(Part::Table, "take_lease", take).await? == Saved::Conflict {
            return Ok(Saved::Conflict);
        }
        let found = self.read(Part::Elb, "describe_rule", |cloud| Ok(cloud.doors().remove(door)));
        let found = found.await?.map(|door| door.forward);
        let saved = match found {
            Some(found) if found.is_as(to) => Saved::Yes,
            Some(found) if found.is_as(from) => {
                let (door, to) = (door.clone(), to.clone());
                self.write(Part::Elb, "modify_rule", move |cloud| {
                    who.leads(cloud, &door, &to);
                    cloud.lead(&door, &to)
                })
                .await?;
                Saved::Yes
            }
            _ => Saved::Conflict,
        };
        let _ = self
            .write(Part::Table, "return_lease", move |cloud| {
                Ok(cloud.table.borrow_mut().return_lease(&lease, &owner, until))
            })
            .await;
        Ok(saved)
    }

    async fn prove(&self, group: &GroupName, door: &DoorId, place: &Place) -> Result<(), Error> {
        self.read(Part::Elb, "prove", |cloud| {
            if cloud.has(Sabotage::ForgetsDoors) {
                return Ok(());
            }
            let unproven = |why: String| Error::new(Code::FrontUnproven, format!("{door}: {why}"));
            let sample = place
                .sample("word")
                .map_err(|error| unproven(error.to_string()))?;
            let request = RequestLine {
                host: sample.host,
                path: sample.target,
                ..RequestLine::default()
            };
            let balancer = cloud.balancer_of(door).unwrap_or_default();
            match cloud.route(&balancer, &request) {
                Some(Route::Lambda { target_group, .. })
                    if whose(cloud, &target_group, &request).as_ref() == Some(group) =>
                {
                    Ok(())
                }
                other => Err(unproven(format!("{other:?}"))),
            }
        })
        .await
    }

    async fn post(&self, posted: &Posted) -> Result<(), Error> {
        self.post_door(posted).await
    }

    async fn posted(&self) -> Result<Vec<Posted>, Error> {
        self.read(Part::Table, "posted", |cloud| {
            Ok(cloud.table.borrow().posted.values().cloned().collect())
        })
        .await
    }
}

/// The group that the wake function takes a request for.
pub(crate) fn whose(cloud: &Cloud, wake: &str, request: &RequestLine) -> Option<GroupName> {
    let posted: Vec<Posted> = cloud.table.borrow().posted.values().cloned().collect();
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
    find(&posted, wake, &asked).map(|posted| posted.group.clone())
}

impl Signals for Function {
    /// As `dormouse-aws` does it.
    async fn read(&self, question: Question<'_>, idle_after: Duration, now: Timestamp) -> Reading {
        let Question {
            service,
            state,
            signal,
        } = question;
        let reading = match signal {
            Signal::Requests => self.requests(&service.id, idle_after, now).await,
            Signal::Logs => match &service.logs {
                Some(source) => search::read(self, source, idle_after, now).await,
                None => Reading::Unknown("no log group".to_owned()),
            },
            Signal::Connections => self.connections_of(&service.id, state, now).await,
            Signal::Sessions => self.sessions_of(&service.id, state, idle_after, now).await,
            Signal::Protection => self.protections_of(&service.id, state, now).await,
            Signal::Cpu => Reading::Unknown("nobody asks for it here".to_owned()),
        };
        let is_known = !matches!(reading, Reading::Unknown(_));
        self.who
            .readings
            .borrow_mut()
            .insert((service.id.clone(), signal), is_known);
        if !is_known && self.cloud.has(Sabotage::UnknownIsQuiet) {
            return Reading::Quiet {
                since: duration::before(now, idle_after),
                until: now,
            };
        }
        reading
    }
}

impl Function {
    /// Minutes with requests, and minutes that are known, which CloudWatch shows a minute after they end.
    async fn requests(&self, service: &ServiceId, idle_after: Duration, now: Timestamp) -> Reading {
        let answer = Function::read(self, Part::Other, "get_metric_data", |cloud| {
            let minute = |at: Millis| at.0 / 60_000;
            let last = minute(cloud.now()).saturating_sub(2);
            let window = (idle_after + LONGEST_LAG + 2 * PERIOD).as_secs() / 60;
            let point = |minute: u64, value: f64| Point {
                at: moment(Millis(minute * 60_000)),
                value,
            };
            let known = (last.saturating_sub(window)..=last).map(|n| point(n, 1.0));
            let uses = cloud.truth.borrow().uses(service, "requests", cloud.now());
            let used = uses.into_iter().map(minute).filter(|n| *n <= last);
            let used = used.map(|n| point(n, 1.0)).collect::<Vec<_>>();
            Ok((used, known.collect::<Vec<_>>()))
        });
        match answer.await {
            Ok((used, known)) => minutes::judge(&used, &known, "HealthyHostCount", now),
            Err(error) => Reading::Unknown(error.message),
        }
    }

    async fn connections_of(&self, _: &ServiceId, state: &ServiceState, now: Timestamp) -> Reading {
        let answers = Function::read(self, Part::Other, "connections", |cloud| {
            let model = cloud.model.borrow();
            let running = state.tasks.iter().filter(|task| task.stage == TaskStage::Running);
            let ask = |id: &String| {
                let task = model.world.task(&fargate_sim::model::TaskId(id.clone()));
                let up = task.filter(|task| task.stage == fargate_sim::model::Stage::Running);
                up.map(|task| task.load.connections)
                    .ok_or_else(|| format!("task {id} does not answer"))
            };
            Ok(running.map(|task| ask(&task.id)).collect::<Vec<_>>())
        });
        match answers.await {
            Ok(answers) => connections::judge(&answers, now),
            Err(error) => Reading::Unknown(error.message),
        }
    }

    async fn sessions_of(
        &self,
        service: &ServiceId,
        state: &ServiceState,
        idle_after: Duration,
        now: Timestamp,
    ) -> Reading {
        let key = |id: &String| TaskKey::parse(&format!("{}/{id}", service.cluster)).ok();
        let tasks: Vec<TaskKey> = state.tasks.iter().filter_map(|task| key(&task.id)).collect();
        match self.rows(&tasks).await {
            Ok(rows) => sessions::judge(rows.values().map(|stored| &stored.row), idle_after, now),
            Err(error) => Reading::Unknown(error.message),
        }
    }

    async fn protections_of(&self, service: &ServiceId, state: &ServiceState, now: Timestamp) -> Reading {
        let running = state.tasks.iter().filter(|task| task.stage == TaskStage::Running);
        let ids: Vec<String> = running.map(|task| task.id.clone()).collect();
        let protections = self.protected_until(&service.cluster, &ids).await;
        match (protections, self.plan(service).await) {
            (Ok(protections), Ok(plan)) => protection::judge(&protections, plan.as_ref(), now),
            (Err(error), _) | (_, Err(error)) => Reading::Unknown(error.message),
        }
    }
}

impl LogQueries for Function {
    async fn start_query(
        &self,
        source: &LogSource,
        start: Timestamp,
        _end: Timestamp,
    ) -> Result<String, Error> {
        let group = source.group.as_str().to_owned();
        Function::read(self, Part::Other, "start_query", |_| {
            Ok(format!("{} {group}", start.as_millisecond()))
        })
        .await
    }

    async fn query_state(&self, id: &str) -> Result<QueryState, Error> {
        Function::read(self, Part::Other, "query_state", |cloud| {
            let Some((start, group)) = id.split_once(' ') else {
                return Err(unavailable("query_state", id));
            };
            let name = group.rsplit('/').next().unwrap_or_default();
            let service = crate::cloud::service_id(name);
            let start = Millis(start.parse().unwrap_or_default());
            let uses = cloud.truth.borrow().uses(&service, "logs", cloud.now());
            let last = uses.into_iter().filter(|at| *at >= start).max();
            Ok(QueryState::Complete(last.map(moment)))
        })
        .await
    }

    async fn stop_query(&self, _: &str) {}
}

impl Timers for Function {
    async fn start(
        &self,
        group: &GroupName,
        generation: Generation,
        woken_at: Timestamp,
        at: Timestamp,
    ) -> Result<(), Error> {
        if !self.has_timer {
            return Ok(());
        }
        let name = format!("{group}-g{generation}-{}", woken_at.as_second());
        let input = json!({"group": group, "generation": generation, "at": at});
        self.write(Part::Other, "start_execution", move |cloud| {
            cloud.execute("sleep-timer", name, input);
            Ok(())
        })
        .await
    }
}

impl Cloud {
    /// Starts an execution, unless there is or was one of this name.
    pub(crate) fn execute(&self, machine: &'static str, name: String, input: serde_json::Value) {
        let known = self.executions.borrow_mut().insert(name.clone(), true);
        match known {
            None => self
                .outgoing
                .borrow_mut()
                .push(Outgoing::Execution(machine, name, input)),
            Some(runs) => {
                self.executions.borrow_mut().insert(name, runs);
            }
        }
    }
}

impl LoadBalancers for Function {
    async fn target_groups(&self, _: &str) -> Result<Vec<String>, Error> {
        Ok(Vec::new())
    }
}

impl Jobs for Function {
    async fn report(&self, job: &str, result: &JobResult) -> Result<Reported, Error> {
        let (job, result) = (job.to_owned(), result.clone());
        self.write(Part::Other, "put_job_result", move |cloud| {
            Ok(cloud.job_reported(&job, &result))
        })
        .await
    }
}

impl Rejects for Function {
    async fn reject(&self, body: &str, error: &Error) -> Result<(), Error> {
        let what = format!("a report of a session is refused: {error}: {body}");
        self.write(Part::Other, "reject", move |cloud| {
            cloud.violate(7, what);
            Ok(())
        })
        .await
    }
}
