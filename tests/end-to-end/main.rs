//! The real template on the local stack, over the real protocols. `cargo xtask test` starts the stack.

mod alarms;
mod bounds;
mod browser;
mod browser_pages;
mod calls;
mod cli;
mod connections;
mod events;
mod failing;
mod guarded;
mod hours;
mod logs;
mod losing_nothing;
mod missing;
mod needs;
mod overrides;
mod pipelines;
mod requests;
mod scaling;
mod sessions;
mod shared;
mod signals;
mod sleeping;
mod tags;
mod waking;
mod why;
