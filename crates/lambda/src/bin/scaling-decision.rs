//! The scaling-decision function.

// The futures of the AWS SDK nest deeper than the compiler looks by default.
#![recursion_limit = "256"]

use dormouse_core::scaling::watch::Memory;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let memory = Memory::default();
    dormouse_lambda::run(async |aws, config, event, request_id| {
        scaling_decision::handle(aws, config, &memory, event, request_id).await
    })
    .await
}
