//! Model checking: small worlds, explored in every order in which functions, services, faults and people may take their
//! steps, with the shipped code in the functions.
//!
//! A function runs `dormouse_core::engine::turn`, a step of `dormouse_core::scale_in` or the scaling tick, over
//! [ports](port) that stop it at each call. Between two calls it is nothing but what it was called for and the answers it
//! has had ([`function`]): to go on, it is [replayed](jobs::replay) from the start up to its next call. So any two
//! functions interleave at every call, and any may die between two. The state machine of scale-in is the deployed one,
//! taken state by state ([`world::Execution`]).
//!
//! What must never happen is judged at each call and each stop of a task ([`ghost`]). What must happen in the end is
//! checked from every world in which no function is in flight, by [leaving it alone](rest): no more faults, and a tick a
//! minute. [`protocol`] is the seam in which tests put a bug, to see that the checker finds it.

pub mod calls;
pub mod function;
pub mod ghost;
pub mod invariant;
pub mod jobs;
pub mod kept;
pub mod model;
pub mod names;
pub mod port;
pub mod protocol;
pub mod report;
mod rest;
pub mod scene;
pub mod scenes;
pub mod world;

#[cfg(test)]
mod mutations;
