//! Who may do what: admins, signed links, budgets, scanners, redirects.

mod admin;
mod budget;
mod links;
mod redirects;
mod scanners;

use super::*;

async fn answer_of(world: &World, variables: &[(&str, &str)], event: Value) -> Value {
    world.forget_looks();
    wake::handle(
        world,
        &config(variables),
        event,
        "11111111-2222-3333-4444-555555555555",
    )
    .await
    .expect("an answer")
}

/// The event with a query, as API Gateway gives it.
fn with_query(mut event: Value, query: &str) -> Value {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    event["rawQueryString"] = json!(query);
    event["queryStringParameters"] = pairs
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect();
    event
}

fn with_header(mut event: Value, name: &str, value: &str) -> Value {
    event["headers"][name] = json!(value);
    event
}

fn error_of(answer: &Value) -> Value {
    body(answer)["errors"][0]["code"].clone()
}
