//! The AWS protocols over the model: a request in, a response out, no I/O.

mod calls;
mod cbor;
mod ec2;
mod ecs;
mod elbv2;
mod endpoint;
mod faults;
mod params;
mod state;
mod tagging;
mod wire;
mod xml;

pub use calls::{Calls, RecordedCall};
pub use endpoint::{AnyPort, Endpoint, Sockets};
pub use faults::{Fault, Faults};
pub use state::state;
pub use wire::{Call, Response};
