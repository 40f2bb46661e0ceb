//! The programs that Lambda starts: each function's handler over the AWS SDK. The handlers themselves are crates that
//! know nothing of it, so that their tests need not compile it.

use std::collections::HashMap;

use dormouse_aws::Aws;
use dormouse_core::config::Config;
use dormouse_core::error::Error;
use lambda_runtime::tracing::subscriber::filter::LevelFilter;
use lambda_runtime::tracing::subscriber::fmt;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::Value;

/// Reads the configuration, makes the clients and hands every event to `handle`, with its request id. The code of an
/// error becomes the error type that state machines match.
///
/// # Errors
/// If the environment is not as the template sets it, or the Lambda runtime API is gone.
pub async fn run<H>(handle: H) -> Result<(), lambda_runtime::Error>
where
    H: AsyncFn(&Aws, &Config, Value, &str) -> Result<Value, Error>,
{
    let env: HashMap<String, String> = std::env::vars().collect();
    log_as_told(&env);
    let config = Config::from_env(&env)?;
    let aws = Aws::connect(&config, &env).await;
    let (handle, aws, config) = (&handle, &aws, &config);
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        handle(aws, config, event.payload, &event.context.request_id)
            .await
            .map_err(|error| Diagnostic {
                error_type: error.code.to_string(),
                error_message: error.message,
            })
    }))
    .await
}

/// Logs in the format and from the level on that the function's `LoggingConfig` says (AWS Lambda Developer Guide, "Configuring
/// advanced logging controls"). The runtime's own subscriber does the same, and also reads filters for single modules, for
/// which it brings an engine of regular expressions.
fn log_as_told(env: &HashMap<String, String>) {
    let variable = |name: &str| env.get(name).map_or("", String::as_str);
    let level = variable("AWS_LAMBDA_LOG_LEVEL")
        .parse()
        .unwrap_or(LevelFilter::INFO);
    let lines = fmt().with_target(false).without_time().with_max_level(level);
    if variable("AWS_LAMBDA_LOG_FORMAT").eq_ignore_ascii_case("json") {
        lines.json().init();
    } else {
        lines.init();
    }
}
