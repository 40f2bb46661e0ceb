//! The wake function.

// The futures of the AWS SDK nest deeper than the compiler looks by default.
#![recursion_limit = "256"]

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    dormouse_lambda::run(wake::handle).await
}
