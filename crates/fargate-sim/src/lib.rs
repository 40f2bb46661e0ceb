//! A faithful model of the parts of AWS that Dormouse works with: the Amazon ECS service scheduler on
//! Fargate, Elastic Load Balancing v2 target groups and load balancers, the network interfaces of tasks, and the jobs
//! by which CodePipeline invokes functions.
//!
//! Three layers, each usable without the next:
//!
//! - [`model`] is pure: an explicit clock ([`model::Millis`]), no I/O, seeded ids. One method per API
//!   operation, and [`model::World::advance`] moves time on and says what the outside has to do. With
//!   [`model::VirtualClock`] it runs in simulation tests at no cost in real time.
//! - [`protocol`] speaks the AWS protocols over that model, again pure: request in, response out. Throttling,
//!   injected faults and the record of calls live here.
//! - [`server`] is the thin edge: sockets, the real clock, one process per task ([`app`]).

pub mod app;
pub mod model;
pub mod protocol;
pub mod server;
