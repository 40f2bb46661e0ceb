//! The auto-sleep function: wires configuration and clients to the handler.

// The futures of the AWS SDK nest deeper than the compiler looks by default.
#![recursion_limit = "256"]

use std::collections::HashMap;

use dormouse_aws::Aws;
use dormouse_core::config::Config;
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::tracing::init_default_subscriber();
    let env: HashMap<String, String> = std::env::vars().collect();
    let config = Config::from_env(&env)?;
    let aws = Aws::connect(&config, &env).await;
    let (aws, config) = (&aws, &config);
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        auto_sleep::handle(aws, config, event.payload, &event.context.request_id)
            .await
            .map_err(|error| Diagnostic {
                error_type: error.code.to_string(),
                error_message: error.message,
            })
    }))
    .await
}
