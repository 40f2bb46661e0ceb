//! What an operation costs: its calls to AWS and which of them wait for each other, and how long a function takes from
//! its start. They want a stack of their own, so they only run when asked for: `cargo xtask test` and `cargo xtask bench`
//! do.

mod bill;
mod calls;
mod cost;
mod ingest;
mod operations;
mod scale;
mod sizes;
mod starts;

/// Keeps figures of which a picture is drawn, if somebody draws one.
fn keep(name: &str, figures: &serde_json::Value) {
    let Some(directory) = std::env::var_os("DORMOUSE_FIGURES") else {
        return;
    };
    let path = std::path::Path::new(&directory).join(name);
    std::fs::write(&path, figures.to_string()).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// Whether the functions were linked as those that are deployed.
fn as_deployed() -> bool {
    std::env::var_os("DORMOUSE_AS_DEPLOYED").is_some()
}
