//! A fleet of services under a virtual clock: the real function over the real adapter and the real SDK, and behind them the
//! simulator, whose throttles are those of ECS. It shows how many calls to AWS the watch makes, what that costs, and how
//! fast a spike is answered. Nothing sleeps for real.

// The futures of the AWS SDK nest deeper than the compiler looks by default.
#![recursion_limit = "256"]

mod calls;
mod cloud;
mod cost;
mod fleet;
mod ports;
mod stopwatch;
mod table;
mod time;

mod spikes;
mod steady;
mod throttled;

mod many;
