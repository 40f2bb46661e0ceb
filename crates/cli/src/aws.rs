//! AWS, with the user's own credentials.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_lambda::primitives::Blob;
use dormouse_aws::{Aws, Trial, chain, failed};
use dormouse_core::config::Config;
use dormouse_core::error::{Code, Error};
use dormouse_core::front::{Door, DoorId};
use dormouse_core::ids::ServiceId;
use dormouse_core::observation::Seen;
use dormouse_core::ports::{Clock as _, Doors, Services};
use dormouse_core::settings::ServiceSettings;
use dormouse_core::tags::TaggedService;
use jiff::Timestamp;
use serde_json::Value;

use crate::args::Place;
use crate::failure::Failure;
use crate::ports::{Account, Caller, Clock, Function};

/// One attempt of a call may take this long: the wake function ends after 29 s, and it may have to start.
const ATTEMPT: Duration = Duration::from_secs(40);

/// The configuration of all clients: profile, Region and endpoints from the command line, else as the SDKs find them.
///
/// Credentials are fetched once: a command is over before they expire, and what keeps them away is told in its own words.
///
/// # Errors
/// [`Failure::Usage`] if no Region is known, [`Failure::NoCredentials`].
pub(crate) async fn configuration(place: &Place) -> Result<SdkConfig, Failure> {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(dormouse_aws::http_client())
        .timeout_config(
            TimeoutConfig::builder()
                .operation_attempt_timeout(ATTEMPT)
                .build(),
        );
    if let Some(profile) = &place.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = &place.region {
        loader = loader.region(Region::new(region.clone()));
    }
    let sdk = loader.load().await;
    if sdk.region().is_none() {
        let what = "no AWS Region is known: give --region, set AWS_REGION, or put one into your profile";
        return Err(Failure::Usage(what.to_owned()));
    }
    let provider = sdk
        .credentials_provider()
        .ok_or_else(|| Failure::NoCredentials("nothing provides them".to_owned()))?;
    let credentials = provider.provide_credentials().await;
    let credentials = credentials.map_err(|error| Failure::NoCredentials(chain(&error)))?;
    let fetched = SharedCredentialsProvider::new(credentials);
    Ok(sdk.into_builder().credentials_provider(fetched).build())
}

/// Whose credentials these are.
///
/// # Errors
/// If there are none, they are not good, or nothing answers: the call itself needs no permission.
pub(crate) async fn caller(sdk: &SdkConfig) -> Result<Caller, Error> {
    let call = aws_sdk_sts::Client::new(sdk).get_caller_identity();
    let answer = call.send().await;
    let answer = answer.map_err(|error| failed("GetCallerIdentity", &error))?;
    Ok(Caller {
        account: answer.account.unwrap_or_default(),
        arn: answer.arn.unwrap_or_default(),
    })
}

/// The wake function of a stack.
pub(crate) struct WakeFunction {
    client: aws_sdk_lambda::Client,
    name: String,
    region: String,
}

impl WakeFunction {
    /// The function with this name or ARN.
    pub(crate) fn new(sdk: &SdkConfig, name: String) -> Self {
        Self {
            client: aws_sdk_lambda::Client::new(sdk),
            name,
            region: sdk.region().map(ToString::to_string).unwrap_or_default(),
        }
    }

    fn missing(&self) -> Failure {
        let Self { name, region, .. } = self;
        let message = format!(
            "Region {region} has no function `{name}`: name the stack with --stack or DORMOUSE_STACK, or its Region \
             with --region"
        );
        Failure::Aws(Error::new(Code::Rejected, message))
    }
}

impl Function for WakeFunction {
    async fn call(&self, event: &Value) -> Result<Value, Failure> {
        let call = self.client.invoke().function_name(&self.name);
        let answer = call.payload(Blob::new(event.to_string())).send().await;
        let answer = answer.map_err(|error| match error.as_service_error() {
            Some(refusal) if refusal.is_resource_not_found_exception() => self.missing(),
            _ => Failure::Aws(failed(&format!("Invoke {}", self.name), &error)),
        })?;
        let payload = answer.payload.unwrap_or_else(|| Blob::new(""));
        let payload = serde_json::from_slice(payload.as_ref()).map_err(|error| {
            let message = format!("Invoke {}: the answer is no JSON: {error}", self.name);
            Failure::Aws(Error::new(Code::Rejected, message))
        })?;
        if answer.function_error.is_some() {
            return Err(Failure::of_function(&payload));
        }
        Ok(payload)
    }
}

/// This machine's clock.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the clock that all else is passed"
)]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

impl Clock for WakeFunction {
    fn now(&self) -> Timestamp {
        now()
    }

    async fn pause(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// The account, seen through the same adapters as the functions have.
pub(crate) struct Live {
    sdk: SdkConfig,
    aws: Aws,
    env: HashMap<String, String>,
    function: String,
}

impl Live {
    /// The account of these credentials. `env` may name the endpoint of EC2; `function` is the wake function, if there is
    /// one already.
    ///
    /// # Errors
    /// None: the adapters ask for the name of a table, which is never used here.
    pub(crate) fn new(
        sdk: SdkConfig,
        env: &HashMap<String, String>,
        function: String,
    ) -> Result<Self, Failure> {
        let aws = adapter(&sdk, env, &[]).map_err(Failure::Aws)?;
        Ok(Self {
            sdk,
            aws,
            env: env.clone(),
            function,
        })
    }
}

/// The adapters, with these target groups of the wake function.
fn adapter(sdk: &SdkConfig, env: &HashMap<String, String>, front: &[String]) -> Result<Aws, Error> {
    let settings = HashMap::from([
        ("TABLE_NAME".to_owned(), "unused".to_owned()),
        ("FRONT_TARGET_GROUPS".to_owned(), front.join(",")),
    ]);
    Ok(Aws::new(&Config::from_env(&settings)?, env, sdk))
}

impl Account for Live {
    async fn caller(&self) -> Result<Caller, Error> {
        caller(&self.sdk).await
    }

    async fn services(&self) -> Result<Vec<TaggedService>, Error> {
        self.aws.services_with_tags().await
    }

    async fn look(&self, services: &[&ServiceSettings]) -> BTreeMap<ServiceId, Seen> {
        self.aws.observe_counts(services).await
    }

    async fn doors(&self, target_groups: &[String]) -> Result<BTreeMap<DoorId, Door>, Error> {
        let front = self.aws.target_groups_of_function(&self.function).await?;
        let aws = adapter(&self.sdk, &self.env, &front)?;
        aws.doors(target_groups, &[]).await
    }

    async fn try_reads(&self, service: Option<&ServiceId>) -> Vec<Trial> {
        self.aws.try_reads(service, self.aws.now()).await
    }
}
