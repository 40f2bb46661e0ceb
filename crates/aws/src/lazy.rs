//! Clients that are made when they are needed: one takes about as long to make as a decision, and most events need three of
//! a dozen.

use std::sync::LazyLock;

use aws_config::SdkConfig;

/// A client, once somebody needs it.
pub(crate) type Lazy<C> = LazyLock<C, Box<dyn FnOnce() -> C + Send>>;

/// A client over this configuration.
pub(crate) fn lazy<C>(sdk: &SdkConfig, make: fn(&SdkConfig) -> C) -> Lazy<C>
where
    C: 'static,
{
    let sdk = sdk.clone();
    LazyLock::new(Box::new(move || make(&sdk)))
}
