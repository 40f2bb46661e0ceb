//! Where a redirect action leads.
//!
//! "Action types for listener rules", section redirect actions: parts of the request's own URL stand for `#{protocol}`,
//! `#{host}`, `#{port}`, `#{path}` (without its leading `/`) and `#{query}`. The port is always written out.

use super::action::Redirect;
use super::routing::RequestLine;

impl Redirect {
    /// Header Location for a request that came by this scheme.
    pub(crate) fn location(&self, request: &RequestLine, scheme: &str) -> String {
        let port = request.port.to_string();
        let path = request.path.strip_prefix('/').unwrap_or(&request.path);
        let fill = |part: &str| {
            let known = [
                ("#{protocol}", scheme),
                ("#{host}", request.host_name()),
                ("#{port}", &port),
                ("#{path}", path),
                ("#{query}", &request.query),
            ];
            replace(part, &known)
        };
        let protocol = fill(&self.protocol).to_ascii_lowercase();
        let (host, port, path) = (fill(&self.host), fill(&self.port), fill(&self.path));
        let query = fill(&self.query);
        let query = if query.is_empty() {
            query
        } else {
            format!("?{query}")
        };
        format!("{protocol}://{host}:{port}{path}{query}")
    }
}

/// One pass from left to right, so that what is put in is not read again.
fn replace(mut rest: &str, known: &[(&str, &str)]) -> String {
    let mut out = String::new();
    while let Some(at) = rest.find("#{") {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match known.iter().find(|(name, _)| rest.starts_with(name)) {
            Some((name, value)) => {
                out.push_str(value);
                rest = &rest[name.len()..];
            }
            None => {
                out.push_str("#{");
                rest = &rest[2..];
            }
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_are_not_changed_stay() {
        let request = RequestLine {
            host: "app.example.com:8081".into(),
            path: "/a/b".into(),
            query: "c=#{path}".into(),
            port: 8081,
            ..RequestLine::default()
        };
        let to = |change: fn(&mut Redirect)| {
            let mut redirect = Redirect::default();
            change(&mut redirect);
            redirect.location(&request, "http")
        };
        assert_eq!(
            to(|r| (r.protocol, r.port) = ("HTTPS".into(), "443".into())),
            "https://app.example.com:443/a/b?c=#{path}"
        );
        assert_eq!(
            to(|r| (r.path, r.query) = ("/new/#{path}".into(), String::new())),
            "http://app.example.com:8081/new/a/b"
        );
        assert_eq!(
            to(|r| (r.host, r.query) = ("#{host}.#{x}".into(), "from=#{host}&#{query}".into())),
            "http://app.example.com.#{x}:8081/a/b?from=app.example.com&c=#{path}"
        );
    }
}
