//! Every decoder of outside input, and hostile inputs for each: a corpus of files (`corpus/<decoder>/`, and `events/` for
//! the functions), inputs that are made of these by mutation, and inputs that are made of them by growth.
//!
//! The tests prove three things of each decoder: it does not panic, its time grows with its input in proportion, and so
//! does its memory. An input that once broke one is a file of its corpus from then on.

mod corpus;
pub mod decoders;
pub mod growth;
pub mod json;
mod watchdog;

pub use corpus::Entry;
pub use decoders::Decoder;
pub use watchdog::Watchdog;
