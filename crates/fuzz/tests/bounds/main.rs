//! Time and memory of every decoder grow with its input in proportion, and what AWS lets in at most fits a function.
//!
//! The tests here take turns: memory is counted for the whole process.

mod growth;
mod limits;
mod meter;
