//! The adapter over the real SDK: the model of Elastic Load Balancing answers it, and a table that takes all leases.

mod account;
mod leading;
mod looking;
mod proving;
