//! The one door to all services: names the operation, lets faults and throttles speak first, records the call.

use std::net::SocketAddrV4;

use serde_json::{Value, json};

use super::calls::{Calls, RecordedCall};
use super::demands::{self, Demand};
use super::faults::Faults;
use super::params::Params;
use super::refusal::Refusal;
use super::wire::{Call, Output, Response, Wire};
use super::{autoscaling, cbor, codepipeline, ec2, ecs, elbv2, tagging};
use crate::model::{ApiError, Ids, Millis, Throttle, World};

/// Where load balancers listen. Real sockets are the server's business.
pub trait Sockets {
    /// Opens a listener's socket before the listener is made.
    ///
    /// Errors: why the address cannot be bound, for people.
    fn open(&mut self, address: SocketAddrV4) -> Result<(), String>;
}

/// Sockets that always open and lead nowhere, for tests without a server.
#[derive(Clone, Copy, Debug)]
pub struct AnyPort;

impl Sockets for AnyPort {
    fn open(&mut self, _: SocketAddrV4) -> Result<(), String> {
        Ok(())
    }
}

/// The API over a world.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The world.
    pub world: World,
    /// Throttle buckets; `None` lets everything through.
    pub throttle: Option<Throttle>,
    /// Faults that are set.
    pub faults: Faults,
    /// Calls so far.
    pub calls: Calls,
    request_ids: Ids,
}

const ECS: &str = "AmazonEC2ContainerServiceV20141113";
const AUTOSCALING: &str = "AnyScaleFrontendService";
const CODEPIPELINE: &str = "CodePipeline_20150709";
const TAGGING: &str = "ResourceGroupsTaggingAPI_20170126";
const ELB_NAMESPACE: &str = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/";
const EC2_NAMESPACE: &str = "http://ec2.amazonaws.com/doc/2016-11-15/";

/// A request, read.
struct Reading {
    wire: Wire,
    service: &'static str,
    operation: String,
    input: Input,
}

enum Input {
    Json(Value),
    Form(Params),
}

impl Endpoint {
    /// An API with real throttles and no faults.
    pub fn new(world: World) -> Endpoint {
        let request_ids = Ids::new(world.config.seed ^ 0x5eed);
        Endpoint {
            world,
            throttle: Some(Throttle::default()),
            faults: Faults::default(),
            calls: Calls::default(),
            request_ids,
        }
    }

    /// Answers one request.
    pub fn handle(&mut self, now: Millis, call: &Call, sockets: &mut dyn Sockets) -> Response {
        let request_id = self.request_ids.uuid();
        let reading = match read(call) {
            Ok(reading) => reading,
            Err((wire, error)) => return wire.error(&error, request_id),
        };
        let body = String::from_utf8_lossy(&call.body);
        let result = self
            .faults
            .strike(&reading.operation, &body)
            .and_then(|()| match &mut self.throttle {
                Some(throttle) if reading.service == "ecs" => throttle.admit(&reading.operation, now),
                _ => Ok(()),
            })
            .and_then(|()| self.perform(now, &reading, sockets));
        self.answer(now, call, &reading, request_id, result)
    }

    /// What the caller's policies must allow before this request is answered; nothing if it cannot be read.
    pub fn demands(&self, call: &Call) -> Vec<Demand> {
        let Ok(reading) = read(call) else {
            return Vec::new();
        };
        let (service, operation) = (reading.service, reading.operation.as_str());
        match &reading.input {
            Input::Json(input) => demands::of_json(&self.world, service, operation, input),
            Input::Form(params) => demands::of_form(&self.world, service, operation, params),
        }
    }

    /// Answers one request that its caller may not make.
    pub fn refuse(&mut self, now: Millis, call: &Call, refusal: &Refusal) -> Response {
        let request_id = self.request_ids.uuid();
        match read(call) {
            Ok(reading) => {
                let error = refusal.error(reading.wire);
                self.answer(now, call, &reading, request_id, Err(error))
            }
            Err((wire, error)) => wire.error(&error, request_id),
        }
    }

    /// Records the call with what became of it.
    fn answer(
        &mut self,
        now: Millis,
        call: &Call,
        reading: &Reading,
        request_id: String,
        result: Result<Output, ApiError>,
    ) -> Response {
        self.calls.record(RecordedCall {
            seq: 0,
            at: now,
            service: reading.service.into(),
            operation: reading.operation.clone(),
            access_key_id: call.access_key_id().map(str::to_string),
            caller: call.caller.clone(),
            user_agent: call.user_agent.clone(),
            parameters: short(&reading.input),
            outcome: result.as_ref().err().map_or("ok".into(), |e| e.code.clone()),
        });
        match result {
            Ok(output) => reading.wire.success(&reading.operation, output, request_id),
            Err(error) => reading.wire.error(&error, request_id),
        }
    }

    fn perform(
        &mut self,
        now: Millis,
        reading: &Reading,
        sockets: &mut dyn Sockets,
    ) -> Result<Output, ApiError> {
        let operation = reading.operation.as_str();
        match (&reading.input, reading.service) {
            (Input::Json(input), "ecs") => {
                ecs::perform(&mut self.world, now, operation, input).map(Output::Value)
            }
            (Input::Json(input), "application-autoscaling") => {
                autoscaling::perform(&mut self.world, now, operation, input).map(Output::Value)
            }
            (Input::Json(input), "codepipeline") => {
                codepipeline::perform(&mut self.world, now, operation, input).map(Output::Value)
            }
            (Input::Json(input), _) => tagging::perform(&self.world, operation, input).map(Output::Value),
            (Input::Form(params), "ec2") => ec2::perform(&self.world, operation, params).map(Output::Xml),
            (Input::Form(params), _) => {
                elbv2::perform(&mut self.world, now, operation, params, sockets).map(Output::Xml)
            }
        }
    }
}

/// Finds out who is meant, and reads the input.
fn read(call: &Call) -> Result<Reading, (Wire, ApiError)> {
    if let Some(target) = &call.target {
        let (prefix, operation) = target.split_once('.').unwrap_or((target, ""));
        let service = json_service(prefix).ok_or_else(|| (Wire::Json, unknown(target)))?;
        let empty = call.body.iter().all(u8::is_ascii_whitespace);
        let input = if empty {
            Ok(json!({}))
        } else {
            serde_json::from_slice(&call.body)
        };
        let input =
            input.map_err(|e| (Wire::Json, ApiError::new("SerializationException", e.to_string())))?;
        return Ok(Reading {
            wire: Wire::Json,
            service,
            operation: operation.into(),
            input: Input::Json(input),
        });
    }
    if let Some((prefix, operation)) = call
        .path
        .strip_prefix("/service/")
        .and_then(|p| p.split_once("/operation/"))
    {
        let service = json_service(prefix).ok_or_else(|| (Wire::Cbor, unknown(prefix)))?;
        let input = if call.body.is_empty() {
            Some(json!({}))
        } else {
            cbor::decode(&call.body)
        };
        let broken = || {
            (
                Wire::Cbor,
                ApiError::new("SerializationException", "the body is no valid CBOR"),
            )
        };
        let input = Input::Json(input.ok_or_else(broken)?);
        return Ok(Reading {
            wire: Wire::Cbor,
            service,
            operation: operation.into(),
            input,
        });
    }
    let params = Params::parse(&call.body);
    let operation = params.get("Action").unwrap_or_default().to_string();
    let (wire, service) = match params.get("Version") {
        Some("2015-12-01") => (Wire::Query(ELB_NAMESPACE), "elasticloadbalancing"),
        Some("2016-11-15") => (Wire::Ec2(EC2_NAMESPACE), "ec2"),
        version => {
            let text = format!(
                "fargate-sim knows no service for path `{}`, Action `{operation}`, Version `{}`",
                call.path,
                version.unwrap_or_default()
            );
            return Err((
                Wire::Query(ELB_NAMESPACE),
                ApiError::new("UnknownOperationException", text),
            ));
        }
    };
    Ok(Reading {
        wire,
        service,
        operation,
        input: Input::Form(params),
    })
}

fn json_service(prefix: &str) -> Option<&'static str> {
    match prefix {
        ECS => Some("ecs"),
        AUTOSCALING => Some("application-autoscaling"),
        CODEPIPELINE => Some("codepipeline"),
        TAGGING => Some("tagging"),
        _ => None,
    }
}

/// The error for what is not modelled.
pub(crate) fn unknown(operation: &str) -> ApiError {
    ApiError::new(
        "UnknownOperationException",
        format!("fargate-sim does not simulate `{operation}`"),
    )
}

fn short(input: &Input) -> Value {
    let value = match input {
        Input::Json(value) => value.clone(),
        Input::Form(params) => json!(params.all()),
    };
    let text = value.to_string();
    if text.len() <= 2000 {
        value
    } else {
        Value::String(text.chars().take(2000).collect())
    }
}
