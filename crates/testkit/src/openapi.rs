//! The OpenAPI document of the HTTP API (`docs/openapi.json`), as a judge of answers.
//!
//! It knows the part of JSON Schema 2020-12 that the document uses, and takes everything else for a mistake, so that
//! nothing in the document goes unchecked. The validators that there are would turn on features (all of Unicode in the
//! regex engine, for one) in crates that the functions are made of, because the workspace is built as one.

mod schema;

use std::path::Path;

use serde_json::Value;

/// The document.
#[derive(Clone, Debug)]
pub struct Document(Value);

/// An answer of the HTTP API and what it answers.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    /// The request's method, in upper case.
    pub method: &'a str,
    /// The request's path, without its query.
    pub path: &'a str,
    /// The answer's HTTP status.
    pub status: u16,
    /// The answer's headers, names in lower case.
    pub headers: &'a [(String, String)],
    /// The answer's body.
    pub body: &'a str,
}

impl Document {
    /// Reads the document of this checkout.
    ///
    /// # Panics
    /// If it is no JSON.
    #[must_use]
    pub fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    }

    /// The document itself.
    #[must_use]
    pub fn json(&self) -> &Value {
        &self.0
    }

    /// The values of an `enum` of `components/schemas`, in their order.
    ///
    /// # Panics
    /// If there is no such schema.
    #[must_use]
    pub fn values(&self, schema: &str) -> Vec<&str> {
        let values = self.0["components"]["schemas"][schema]["enum"].as_array();
        let values = values.unwrap_or_else(|| panic!("no enum components/schemas/{schema}"));
        values.iter().filter_map(Value::as_str).collect()
    }

    /// What is wrong with `value` as the schema of this name; empty if nothing is.
    #[must_use]
    pub fn mismatches(&self, schema: &str, value: &Value) -> Vec<String> {
        let schema = &self.0["components"]["schemas"][schema];
        schema::mismatches(&self.0, schema, value, "")
    }

    /// What the document does not say about this answer; empty if it is documented.
    #[must_use]
    pub fn objections(&self, exchange: &Exchange<'_>) -> Vec<String> {
        let Some((template, item)) = self.path_item(exchange.path) else {
            return vec![format!("no path for {}", exchange.path)];
        };
        let status = exchange.status.to_string();
        let (place, response) = match item.get(exchange.method.to_lowercase()) {
            Some(operation) => (
                format!("{} {template} {status}", exchange.method),
                operation["responses"].get(&status),
            ),
            None => {
                // Nobody learns by another method what is there: an address that names no group says so first.
                let everywhere = match exchange.status {
                    404 => Some("NotFound"),
                    405 => Some("MethodNotAllowed"),
                    _ => None,
                };
                (
                    format!("{} {template}, which is not listed, {status}", exchange.method),
                    everywhere.map(|name| &self.0["components"]["responses"][name]),
                )
            }
        };
        let Some(response) = response else {
            return vec![format!("{place}: not documented: {}", exchange.body)];
        };
        let response = schema::resolved(&self.0, response);
        let mut found = self.header_mismatches(response, exchange);
        if exchange.method != "HEAD" {
            found.extend(self.body_mismatches(response, exchange));
        }
        found
            .iter()
            .map(|problem| format!("{place}: {problem}"))
            .collect()
    }

    /// The path item with the most literal segments first, as OpenAPI matches ("Patterned Fields" of the Paths Object).
    /// `{path}` is the one parameter that spans slashes.
    fn path_item(&self, path: &str) -> Option<(&str, &Value)> {
        let paths = self.0["paths"].as_object()?;
        // More than one slash at the front means what one does.
        let path = &format!("/{}", path.trim_start_matches('/'));
        let matching = paths.iter().filter(|(template, _)| matches(template, path));
        let best = matching.min_by_key(|(template, _)| template.matches('{').count())?;
        Some((best.0, best.1))
    }

    fn header_mismatches(&self, response: &Value, exchange: &Exchange<'_>) -> Vec<String> {
        let mut found = Vec::new();
        for (name, header) in response["headers"].as_object().into_iter().flatten() {
            let header = schema::resolved(&self.0, header);
            match exchange.header(name) {
                None if header["required"] == true => found.push(format!("header {name} is missing")),
                None => {}
                Some(text) => {
                    let integer = header["schema"]["type"] == "integer";
                    let number = text.parse::<u64>().ok().filter(|_| integer);
                    let value = number.map_or_else(|| Value::from(text), Value::from);
                    found.extend(schema::mismatches(&self.0, &header["schema"], &value, name));
                }
            }
        }
        found
    }

    fn body_mismatches(&self, response: &Value, exchange: &Exchange<'_>) -> Vec<String> {
        let Some(content) = response["content"].as_object() else {
            return if exchange.body.is_empty() {
                Vec::new()
            } else {
                vec![format!("a body where none is documented: {}", exchange.body)]
            };
        };
        let full = exchange.header("content-type").unwrap_or_default();
        let media = full.split(';').next().unwrap_or_default().trim();
        let Some(described) = content.get(media) else {
            return vec![format!("content type `{full}` is not documented")];
        };
        let value = if media == "application/json" {
            match serde_json::from_str(exchange.body) {
                Ok(value) => value,
                Err(error) => return vec![format!("no JSON: {error}: {}", exchange.body)],
            }
        } else {
            Value::from(exchange.body)
        };
        schema::mismatches(&self.0, &described["schema"], &value, "")
    }
}

impl Exchange<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

fn matches(template: &str, path: &str) -> bool {
    let (mut templates, mut parts) = (template.split('/'), path.split('/'));
    loop {
        match (templates.next(), parts.next()) {
            (None, None) => return true,
            (Some("{path}"), Some(_)) => return true,
            (Some(parameter), Some(part)) if parameter.starts_with('{') => {
                if part.is_empty() {
                    return false;
                }
            }
            (Some(literal), Some(part)) if literal == part => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objections(method: &str, path: &str, status: u16, content_type: &str, body: &str) -> Vec<String> {
        let headers = [
            ("cache-control", "no-store"),
            ("content-type", content_type),
            ("allow", "GET"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        Document::read().objections(&Exchange {
            method,
            path,
            status,
            headers: &headers,
            body,
        })
    }

    const NOT_FOUND: &str = r#"{"errors": [{"code": "UnknownGroup", "service": null, "message": "m"}]}"#;

    #[test]
    fn the_path_with_fewest_parameters_is_meant() {
        let document = Document::read();
        let template = |path: &str| document.path_item(path).map(|(template, _)| template);
        for (path, expected) in [
            ("/", "/"),
            ("/dev", "/{group}"),
            ("/dev/", "/{group}/{path}"),
            ("/dev/a/b", "/{group}/{path}"),
            ("/dev/-/status", "/{group}/-/status"),
            ("/dev/-/other", "/{group}/{path}"),
            ("/-/groups", "/-/groups"),
        ] {
            assert_eq!(template(path), Some(expected), "{path}");
        }
    }

    #[test]
    fn a_documented_answer_has_no_objection_and_each_departure_has_one() {
        let json = "application/json";
        assert_eq!(objections("GET", "/dev", 404, json, NOT_FOUND), [""; 0]);
        assert_eq!(objections("HEAD", "/dev", 404, json, ""), [""; 0]);
        assert_eq!(objections("PUT", "/-/groups", 404, json, NOT_FOUND), [""; 0]);
        for (what, found) in [
            ("status", objections("GET", "/dev", 418, json, NOT_FOUND)),
            ("method", objections("PUT", "/-/groups", 200, json, NOT_FOUND)),
            (
                "content type",
                objections("GET", "/dev", 404, "text/plain", NOT_FOUND),
            ),
            ("schema", objections("GET", "/dev", 404, json, "{}")),
            ("no JSON", objections("GET", "/dev", 404, json, "<html>")),
            ("header", objections("GET", "/dev", 503, "text/html", "<html>")),
            (
                "code",
                objections(
                    "GET",
                    "/dev",
                    404,
                    json,
                    &NOT_FOUND.replace("UnknownGroup", "Nonsense"),
                ),
            ),
        ] {
            assert_eq!(found.len(), 1, "{what}: {found:?}");
        }
    }
}
