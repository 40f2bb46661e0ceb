//! Runs a Lambda function as a process of its own, beside a tap that its calls to AWS go through.
//!
//! The [`Tap`] hands calls on and records them, or plays a record back at once, so that the function's own time can be
//! measured without that of a local stack. The [`Function`] is a program that is fed by a Lambda runtime API of its own
//! ("Using the Lambda runtime API for custom runtimes",
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>).

mod function;
mod listen;
mod tap;
mod tape;

pub use function::{Answer, Function, Program};
pub use tap::Tap;
pub use tape::{Call, Tape};
