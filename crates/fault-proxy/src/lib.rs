//! A proxy between AWS clients and endpoints that makes calls fail as they fail on AWS.
//!
//! It listens on a port for each endpoint and hands requests on as they came, signature and all. Some calls, as many as
//! it is told, it answers with an error in the shape of the service's own protocol, or it breaks the connection, before
//! or after the call has had its effect, or it is slow, or it ends in the middle of the answer. Which ones follows from a
//! seed.

mod counts;
mod dice;
mod fault;
mod protocol;
mod proxy;
mod server;
mod shape;

pub use counts::Counts;
pub use dice::Dice;
pub use fault::Fault;
pub use protocol::operation;
pub use proxy::hand_on;
pub use server::{Config, Server, Upstream};
