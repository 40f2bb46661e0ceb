//! The real template on the local stack, over the real protocols. `cargo xtask test` starts the stack.

mod events;
mod failing;
mod missing;
mod requests;
mod sleeping;
mod waking;
