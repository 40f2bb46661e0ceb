//! The model under a virtual clock. Each test is a timeline.
#![expect(
    clippy::unwrap_used,
    reason = "a test that unwraps nothing fails with a clear message"
)]

mod changes;
mod failures;
mod random;
mod rollout;
mod rules;
mod scalable_targets;
mod scale_in;
mod service_api;
mod stages;
mod support;
mod targets;
