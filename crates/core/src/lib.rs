//! The words, rules and decisions of Dormouse, free of AWS, clocks and I/O.
//!
//! Everything a function does is `decide`d here from plain data; the adapters around it observe and act.
//! See `docs/ARCHITECTURE.md` for the map.

pub mod advice;
pub mod alarm;
pub mod branding;
pub mod config;
pub mod connections;
pub mod decide;
pub mod direct;
pub mod duration;
pub mod engine;
pub mod error;
pub mod eta;
pub mod front;
pub mod guard;
pub mod hours;
pub mod ids;
pub mod intent;
pub mod logs;
pub mod look;
pub mod minutes;
pub mod needs;
pub mod observation;
pub mod overview;
pub mod pipeline;
pub mod ports;
pub mod protection;
pub mod query;
pub mod quota;
pub mod readiness;
pub mod reading;
pub mod reason;
pub mod record;
pub mod report;
pub mod scalable;
pub mod scale_in;
pub mod scaling;
pub mod sessions;
pub mod settings;
pub mod status;
pub mod tags;
pub mod why;
