//! Queries, which are answered from the table alone.

use dormouse_core::config::Config;
use dormouse_core::engine;
use dormouse_core::error::Error;
use dormouse_core::overview;
use dormouse_core::ports::World;
use dormouse_core::query::{Query, WhyQuery};
use futures_util::future::try_join;
use serde_json::{Value, json};

/// Answers a query.
///
/// # Errors
/// [`UnknownGroup`](dormouse_core::error::Code::UnknownGroup), and those of the store.
pub async fn answer<W: World>(world: &W, config: &Config, query: &Query) -> Result<Value, Error> {
    match query {
        Query::List => Ok(json!(groups(world).await?)),
        Query::Why(query) => why(world, config, query).await,
    }
}

/// All groups.
///
/// # Errors
/// Those of the store.
pub async fn groups<W: World>(world: &W) -> Result<overview::Overview, Error> {
    let (stored, discovered_at) = try_join(world.load_all(), world.discovered_at()).await?;
    Ok(overview::of(stored, discovered_at, world.now()))
}

async fn why<W: World>(world: &W, config: &Config, query: &WhyQuery) -> Result<Value, Error> {
    let group = &query.group;
    engine::find(world, group, &config.listed, &config.defaults).await?;
    let page = world.why(group, query.before.as_ref(), query.limit).await?;
    Ok(json!({"group": group, "entries": page.entries, "next": page.next}))
}
