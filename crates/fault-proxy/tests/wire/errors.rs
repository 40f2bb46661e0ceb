//! The SDK reads each error as AWS means it.

use aws_config::SdkConfig;
use aws_sdk_ecs::error::ProvideErrorMetadata;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use fault_proxy::Fault;

use crate::upstream::{failing, sdk};

/// Status and code of an error that a service answered with.
fn told<E>(error: SdkError<E, HttpResponse>) -> (u16, Option<String>)
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    let status = error.raw_response().map(|response| response.status().as_u16());
    let status = status.unwrap_or_else(|| panic!("no answer of a service: {error:?}"));
    let code = error.code().map(str::to_owned);
    (status, code)
}

type Told = (u16, Option<String>);

async fn dynamodb(sdk: &SdkConfig) -> Told {
    let client = aws_sdk_dynamodb::Client::new(sdk);
    told(client.list_tables().send().await.expect_err("it fails"))
}

async fn ecs(sdk: &SdkConfig) -> Told {
    let client = aws_sdk_ecs::Client::new(sdk);
    told(client.list_clusters().send().await.expect_err("it fails"))
}

async fn sqs(sdk: &SdkConfig) -> Told {
    let client = aws_sdk_sqs::Client::new(sdk);
    told(client.list_queues().send().await.expect_err("it fails"))
}

async fn tagging(sdk: &SdkConfig) -> Told {
    let client = aws_sdk_resourcegroupstagging::Client::new(sdk);
    told(client.get_resources().send().await.expect_err("it fails"))
}

async fn cloudwatch(sdk: &SdkConfig) -> Told {
    let client = aws_sdk_cloudwatch::Client::new(sdk);
    told(client.list_metrics().send().await.expect_err("it fails"))
}

async fn elb(sdk: &SdkConfig) -> Told {
    let client = aws_sdk_elasticloadbalancingv2::Client::new(sdk);
    told(client.describe_rules().send().await.expect_err("it fails"))
}

async fn lambda(sdk: &SdkConfig) -> Told {
    let client = aws_sdk_lambda::Client::new(sdk);
    told(client.list_functions().send().await.expect_err("it fails"))
}

async fn each(fault: Fault) -> Vec<(&'static str, Told)> {
    let (server, heard) = failing(fault).await;
    let sdk = sdk(&server, 1);
    let told = vec![
        ("dynamodb", dynamodb(&sdk).await),
        ("ecs", ecs(&sdk).await),
        ("sqs", sqs(&sdk).await),
        ("tagging", tagging(&sdk).await),
        ("cloudwatch", cloudwatch(&sdk).await),
        ("elb", elb(&sdk).await),
        ("lambda", lambda(&sdk).await),
    ];
    assert!(heard.lock().expect("a lock").is_empty(), "the service saw none");
    told
}

fn expected(list: [(&'static str, u16, Option<&str>); 7]) -> Vec<(&'static str, Told)> {
    list.map(|(service, status, code)| (service, (status, code.map(str::to_owned))))
        .to_vec()
}

#[tokio::test]
async fn each_protocol_has_its_own_words_for_throttling() {
    let words = expected([
        ("dynamodb", 400, Some("ProvisionedThroughputExceededException")),
        ("ecs", 400, Some("ThrottlingException")),
        ("sqs", 400, Some("RequestThrottled")),
        ("tagging", 400, Some("ThrottledException")),
        ("cloudwatch", 400, Some("ThrottlingException")),
        ("elb", 400, Some("Throttling")),
        ("lambda", 429, Some("TooManyRequestsException")),
    ]);
    assert_eq!(each(Fault::Throttled).await, words);
}

#[tokio::test]
async fn each_protocol_has_its_own_words_for_a_failure() {
    let words = expected([
        ("dynamodb", 500, Some("InternalServerError")),
        ("ecs", 500, Some("ServerException")),
        ("sqs", 500, Some("InternalFailure")),
        ("tagging", 500, Some("InternalServiceException")),
        ("cloudwatch", 500, Some("InternalServiceFault")),
        ("elb", 500, Some("InternalFailure")),
        ("lambda", 500, Some("ServiceException")),
    ]);
    assert_eq!(each(Fault::Failed).await, words);
}

#[tokio::test]
async fn a_service_that_is_not_there_says_so() {
    let told = each(Fault::Unavailable).await;
    for (service, (status, code)) in told {
        let code = code.unwrap_or_default();
        assert!(
            status == 503 && code.starts_with("ServiceUnavailable"),
            "{service}: {code}"
        );
    }
}

#[tokio::test]
async fn a_page_has_a_status_and_no_code() {
    for (service, told) in each(Fault::Page).await {
        assert_eq!(told, (503, None), "{service}");
    }
}
