//! What an operation costs: its calls to AWS and which of them wait for each other, and how long a function takes from
//! its start. They want a stack of their own, so they only run when asked for: `cargo xtask test` and `cargo xtask bench`
//! do.

mod calls;
mod ingest;
mod operations;
mod sizes;
mod starts;

/// Whether the functions were linked as those that are deployed.
fn as_deployed() -> bool {
    std::env::var_os("DORMOUSE_AS_DEPLOYED").is_some()
}
