//! The API as SDKs see it: the protocols without a server, then the server with real apps.
#![expect(
    clippy::unwrap_used,
    reason = "a test that unwraps nothing fails with a clear message"
)]

mod autoscaling;
mod client;
mod codepipeline;
mod elb;
mod errors;
mod events;
mod function_targets;
mod functions;
mod guard;
mod jobs;
mod json;
mod query;
mod rules;
mod server;
mod sign_in;
mod sim;
mod stack;
