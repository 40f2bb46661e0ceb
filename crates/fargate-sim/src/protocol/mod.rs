//! The AWS protocols over the model: a request in, a response out, no I/O.

mod autoscaling;
mod calls;
mod cbor;
mod codepipeline;
mod demands;
mod ec2;
mod ecs;
mod elbv2;
mod endpoint;
mod event_pattern;
mod faults;
mod function_call;
mod params;
mod refusal;
mod state;
mod tagging;
mod trail;
mod wire;
mod xml;

pub use calls::{Calls, RecordedCall};
pub use codepipeline::{function_name, job_event, job_view};
pub use demands::Demand;
pub use ecs::task_state_change;
pub use endpoint::{AnyPort, Endpoint, Sockets};
pub use event_pattern::{EventPattern, PatternError};
pub use faults::{Fault, Faults};
pub use function_call::{FUNCTION_LIMIT, FunctionAnswer, FunctionRequest, function_answer, function_event};
pub use refusal::Refusal;
pub use state::state;
pub use trail::{Trail, Use};
pub use wire::{Call, Response};
