//! The stack as those have it who let not everybody in: `cargo xtask test` deploys it so at the end, and runs these alone.

mod iam;
mod jwt;
mod links;
