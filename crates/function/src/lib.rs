//! What every handler shares: its log, direct calls about one group, and queries.

pub mod direct;
pub mod log;
pub mod query;
pub mod turn;
