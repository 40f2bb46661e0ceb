//! The signal `sessions`: what apps report of their live sessions, and what one row a task remembers of it.
//!
//! Reports come at least once and in any order. A row is made of registers in which the newest report wins, so every
//! order and any repetition of the same reports ends in the same row.

mod fields;
pub mod ids;
pub mod message;
pub mod row;
pub mod signal;
pub mod update;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use ids::{SessionId, TaskKey};
pub use message::{Event, Message, Order, Report};
pub use row::{Count, MOST, REMEMBERED, Row, Session};
pub use signal::judge;
pub use update::update;
