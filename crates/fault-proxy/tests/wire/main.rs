//! The proxy over real sockets, mostly with the real SDK as its client.

mod bytes;
mod calls;
mod errors;
mod upstream;
