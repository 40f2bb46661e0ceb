//! AWS as the SDK reaches it: the simulator's endpoint and the tasks of its model, behind an HTTP client without sockets.
//!
//! The model of time: a request arrives half of its latency after it was made, and the answer comes after the other half,
//! whatever else is under way. Calls that are made together overlap; nothing of ours has to wait for a processor.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use fargate_sim::model::{Millis, ServiceKey, Stage, VirtualClock, World};
use fargate_sim::protocol::{self, AnyPort, Endpoint};

use crate::calls::{Call, Calls};
use crate::time::Time;

/// A call to AWS takes this long, to the table too. Our estimate; so is the next.
pub(crate) const AWS_LATENCY: Duration = Duration::from_millis(40);
/// A task of the same Region takes this long to answer.
pub(crate) const TASK_LATENCY: Duration = Duration::from_millis(3);
/// The port and path at which tasks say how many connections they have.
pub(crate) const STATUS: (u16, &str) = (8080, "/nginx_status");

/// AWS. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Cloud {
    pub(crate) time: Time,
    shared: Arc<Mutex<Shared>>,
}

pub(crate) struct Shared {
    pub(crate) endpoint: Endpoint,
    pub(crate) calls: Calls,
    /// UpdateService calls that were done: when, and the body.
    pub(crate) updates: Vec<(Millis, serde_json::Value)>,
    /// How long the endpoint and the model have worked, for real.
    pub(crate) simulated: Duration,
    /// Open connections of each service, which its running tasks share evenly.
    loads: BTreeMap<ServiceKey, u64>,
    /// Until when the model has gone, unless somebody has touched it since.
    settled: Option<Millis>,
    /// What each address answers; none: that must be found out anew.
    answers: Option<HashMap<IpAddr, u64>>,
}

impl Cloud {
    pub(crate) fn new(world: World, time: &Time) -> Self {
        let shared = Shared {
            endpoint: Endpoint::new(world),
            calls: Calls::default(),
            updates: Vec::new(),
            simulated: Duration::ZERO,
            loads: BTreeMap::new(),
            settled: None,
            answers: None,
        };
        Self {
            time: time.clone(),
            shared: Arc::new(Mutex::new(shared)),
        }
    }

    /// Everything, as it is now.
    pub(crate) fn shared(&self) -> MutexGuard<'_, Shared> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.advance(self.time.now());
        shared
    }

    /// A call that the model does not answer, with its units.
    pub(crate) async fn call(&self, operation: &str, reads: u64, writes: u64) {
        self.time.pause(AWS_LATENCY / 2).await;
        let call = Call::new(self.time.now(), operation);
        self.shared().calls.0.push(Call {
            reads,
            writes,
            ..call
        });
        self.time.pause(AWS_LATENCY / 2).await;
    }

    /// What the task at this address answers.
    pub(crate) async fn ask(&self, address: IpAddr) -> Option<u64> {
        self.time.pause(TASK_LATENCY / 2).await;
        let answer = self.shared().connections(address);
        self.time.pause(TASK_LATENCY / 2).await;
        answer
    }

    async fn answer(self, request: HttpRequest) -> HttpResponse {
        let uri = request.uri().to_owned();
        let (host, path) = uri
            .split_once("://")
            .map_or("", |(_, rest)| rest)
            .split_once('/')
            .unwrap_or_default();
        if let Ok(SocketAddr::V4(at)) = host.parse() {
            let runs = self.ask(IpAddr::V4(*at.ip())).await;
            return match runs.filter(|_| at.port() == STATUS.0) {
                Some(connections) if STATUS.1.strip_prefix('/') == Some(path) => {
                    response(200, stub_status(connections))
                }
                Some(_) if path.is_empty() => response(200, ""),
                _ => response(404, ""),
            };
        }
        if host.starts_with("dynamodb.") {
            // Only the note that ECS has throttled goes this way; the table itself is elsewhere.
            self.call("UpdateItem", 0, 1).await;
            return response(200, "{}");
        }
        self.time.pause(AWS_LATENCY / 2).await;
        let answer = self.shared().handle(&request, self.time.now());
        self.time.pause(AWS_LATENCY / 2).await;
        let mut response = response(answer.status, answer.body);
        for (name, value) in answer.headers {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

impl Shared {
    /// The connections of a service from now on.
    pub(crate) fn set_load(&mut self, service: ServiceKey, connections: u64) {
        self.loads.insert(service, connections);
        self.answers = None;
    }

    fn advance(&mut self, now: Millis) {
        if self.settled.replace(now) == Some(now) {
            return;
        }
        let begun = Instant::now();
        let world = &mut self.endpoint.world;
        let answer = VirtualClock::well_behaved_answers();
        while let Some(due) = world.next_due().filter(|due| *due <= now) {
            self.answers = None;
            for effect in world.advance(due) {
                if let Some(answer) = answer(world, &effect) {
                    world.answer(due, answer);
                }
            }
        }
        self.simulated += begun.elapsed();
    }

    fn handle(&mut self, request: &HttpRequest, now: Millis) -> protocol::Response {
        let begun = Instant::now();
        self.settled = None;
        let header = |name: &str| request.headers().get(name).map(str::to_owned);
        let call = protocol::Call {
            path: request
                .uri()
                .splitn(4, '/')
                .nth(3)
                .map_or("/".to_owned(), |path| format!("/{path}")),
            target: header("x-amz-target"),
            content_type: header("content-type"),
            authorization: header("authorization"),
            caller: None,
            user_agent: None,
            body: request.body().bytes().expect("a body in memory").to_vec(),
        };
        let answer = self.endpoint.handle(now, &call, &mut AnyPort);
        let made = self.endpoint.calls.since(0).last().expect("the call").clone();
        self.endpoint.calls.clear();
        if made.operation == "UpdateService" && made.outcome == "ok" {
            self.answers = None;
            self.updates.push((now, made.parameters));
        }
        self.calls.0.push(Call {
            outcome: made.outcome,
            ..Call::new(now, &made.operation)
        });
        self.simulated += begun.elapsed();
        answer
    }

    fn connections(&mut self, address: IpAddr) -> Option<u64> {
        let (world, loads) = (&self.endpoint.world, &self.loads);
        let answers = self.answers.get_or_insert_with(|| shares(world, loads));
        answers.get(&address).copied()
    }
}

/// The connections of each task that runs, at its public address.
fn shares(world: &World, loads: &BTreeMap<ServiceKey, u64>) -> HashMap<IpAddr, u64> {
    let mut running: BTreeMap<&ServiceKey, Vec<IpAddr>> = BTreeMap::new();
    for task in world.tasks() {
        let address = task.interface.as_ref().and_then(|interface| interface.public);
        if let Some(address) = address.filter(|_| task.stage == Stage::Running) {
            running.entry(&task.service).or_default().push(address.into());
        }
    }
    let mut shares = HashMap::new();
    for (service, addresses) in running {
        let (load, tasks) = (loads.get(service).copied().unwrap_or(0), addresses.len() as u64);
        for (number, address) in addresses.into_iter().enumerate() {
            shares.insert(address, (load + number as u64) / tasks);
        }
    }
    shares
}

/// What nginx says, which counts the connection that asks (nginx documentation, `ngx_http_stub_status_module`).
fn stub_status(connections: u64) -> String {
    let active = connections + 1;
    format!(
        "Active connections: {active} \nserver accepts handled requests\n 16630948 16630948 31070465 \nReading: 0 Writing: 1 Waiting: {connections} \n"
    )
}

fn response(status: u16, body: impl Into<SdkBody>) -> HttpResponse {
    HttpResponse::new(status.try_into().expect("a status"), body.into())
}

impl fmt::Debug for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cloud")
    }
}

impl HttpConnector for Cloud {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let cloud = self.clone();
        HttpConnectorFuture::new(async move { Ok(cloud.answer(request).await) })
    }
}

impl HttpClient for Cloud {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
