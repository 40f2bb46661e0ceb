//! The addresses that the function answers (design: HTTP contract in docs/ARCHITECTURE.md).

use dormouse_core::guard::scanners;
use dormouse_core::ids::GroupName;

/// What an address stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// `/{group}` and everything below it: the app.
    App {
        /// The group.
        group: GroupName,
        /// The path of the app, empty or beginning with `/`.
        path: String,
    },
    /// An address of the app itself, which its load balancer leads here while it sleeps.
    Front {
        /// The group.
        group: GroupName,
        /// The path.
        path: String,
    },
    /// `/{group}/-/status`
    Status(GroupName),
    /// `/{group}/-/page`
    Page(GroupName),
    /// `/{group}/-/why`
    Why(GroupName),
    /// `/{group}/-/wake`
    Wake(GroupName),
    /// `/{group}/-/sleep` and `/{group}/-/keep-awake`
    Admin(GroupName, Admin),
    /// `/`
    Home,
    /// `/-/groups`
    Groups,
    /// `/-/openapi.json`
    OpenApi,
    /// Anything else.
    Nowhere,
}

/// What only admins may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admin {
    /// Put a group to sleep.
    Sleep,
    /// Keep it awake.
    KeepAwake,
}

impl Admin {
    /// The action of a direct call that does the same, and the last part of the address.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Sleep => "sleep",
            Self::KeepAwake => "keep-awake",
        }
    }
}

impl Route {
    /// The group that it is about.
    pub(crate) fn group(&self) -> Option<&GroupName> {
        match self {
            Self::App { group, .. }
            | Self::Front { group, .. }
            | Self::Status(group)
            | Self::Page(group)
            | Self::Why(group)
            | Self::Wake(group)
            | Self::Admin(group, _) => Some(group),
            Self::Home | Self::Groups | Self::OpenApi | Self::Nowhere => None,
        }
    }

    /// The methods that it answers, as a header `Allow` lists them (RFC 9110, section 10.2.1).
    pub(crate) fn methods(&self) -> &'static str {
        match self {
            Self::App { .. } | Self::Front { .. } | Self::Nowhere => "GET, HEAD, POST, PUT, PATCH, DELETE",
            Self::Status(_) | Self::Page(_) | Self::Why(_) | Self::Home | Self::Groups | Self::OpenApi => {
                "GET, HEAD"
            }
            Self::Wake(_) | Self::Admin(..) => "POST",
        }
    }
}

/// What browsers and crawlers ask of any host; never a group.
const WELL_KNOWN: [&str; 2] = ["favicon.ico", "robots.txt"];

/// Whether no person asks an app for this path: what only probes ask for, and what browsers and crawlers ask of any host.
pub(crate) fn is_asked_by_machines(path: &str) -> bool {
    scanners::is_probe(path) || WELL_KNOWN.contains(&path.trim_start_matches('/'))
}

/// Finds the route of a path.
pub(crate) fn of(path: &str) -> Route {
    let rest = path.trim_start_matches('/');
    match rest {
        "" => return Route::Home,
        "-/groups" => return Route::Groups,
        "-/openapi.json" => return Route::OpenApi,
        _ => {}
    }
    let (name, app) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
    let Ok(group) = GroupName::parse(name) else {
        return Route::Nowhere;
    };
    if WELL_KNOWN.contains(&name) || scanners::is_no_group(rest) {
        return Route::Nowhere;
    }
    match app.strip_prefix("/-/") {
        None if app == "/-" => Route::Nowhere,
        None => Route::App {
            group,
            path: app.to_owned(),
        },
        Some("status") => Route::Status(group),
        Some("page") => Route::Page(group),
        Some("why") => Route::Why(group),
        Some("wake") => Route::Wake(group),
        Some("sleep") => Route::Admin(group, Admin::Sleep),
        Some("keep-awake") => Route::Admin(group, Admin::KeepAwake),
        Some(_) => Route::Nowhere,
    }
}

/// A path as it may stand in a Location header. API Gateway hands paths over decoded, so what is not legal in a
/// path is encoded again; escapes that are there are kept (RFC 3986, section 3.3).
pub(crate) fn encoded(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut text = String::with_capacity(path.len());
    for (index, byte) in bytes.iter().enumerate() {
        let escape = *byte == b'%'
            && bytes.get(index + 1).is_some_and(u8::is_ascii_hexdigit)
            && bytes.get(index + 2).is_some_and(u8::is_ascii_hexdigit);
        if escape || byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(byte) {
            text.push(char::from(*byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// A query as it may stand in a Location header: as it came, without what is legal nowhere in an address (RFC 3986,
/// appendix A).
pub(crate) fn encoded_query(query: &str) -> String {
    let mut text = String::with_capacity(query.len());
    for byte in query.bytes() {
        if byte.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group() -> GroupName {
        GroupName::parse("dev").expect("a name")
    }

    #[test]
    fn the_first_part_names_the_group_and_the_rest_belongs_to_the_app() {
        let app = |path: &str| Route::App {
            group: group(),
            path: path.to_owned(),
        };
        assert_eq!(of("/dev"), app(""));
        assert_eq!(of("/dev/"), app("/"));
        assert_eq!(of("/dev/a/b"), app("/a/b"));
        assert_eq!(of("/dev/a/-/status"), app("/a/-/status"));
        assert_eq!(of("/dev//evil.example"), app("//evil.example"));
        assert_eq!(of("/dev/-/status"), Route::Status(group()));
        assert_eq!(of("/dev/-/page"), Route::Page(group()));
        assert_eq!(of("/dev/-/why"), Route::Why(group()));
        assert_eq!(of("/dev/-/wake"), Route::Wake(group()));
        assert_eq!(of("/dev/-/sleep"), Route::Admin(group(), Admin::Sleep));
        assert_eq!(of("/dev/-/keep-awake"), Route::Admin(group(), Admin::KeepAwake));
        assert_eq!(of("/-/groups"), Route::Groups);
        assert_eq!(of("/-/openapi.json"), Route::OpenApi);
        assert_eq!((of("/"), of("")), (Route::Home, Route::Home));
        for nowhere in [
            "/-",
            "/-/other",
            "/dev/-/other",
            "/dev/-",
            "/.env",
            "/favicon.ico",
            "/wp-login.php",
            "/index.php",
            "/vendor/phpunit/x",
            "/a b/c",
        ] {
            assert_eq!(of(nowhere), Route::Nowhere, "{nowhere:?}");
        }
    }

    #[test]
    fn a_path_is_encoded_again_and_cannot_break_a_header() {
        assert_eq!(encoded("/a b/ü"), "/a%20b/%C3%BC");
        assert_eq!(encoded("/a%20b"), "/a%20b");
        assert_eq!(encoded("/50%"), "/50%25");
        assert_eq!(encoded("/x\r\nset-cookie: y"), "/x%0D%0Aset-cookie:%20y");
        assert_eq!(encoded("/a?b#c"), "/a%3Fb%23c");
        assert_eq!(encoded("/\\evil.example"), "/%5Cevil.example");
    }

    #[test]
    fn a_query_goes_on_as_it_came_and_cannot_break_a_header() {
        assert_eq!(encoded_query("a=%20b&c[]=/?@:'"), "a=%20b&c[]=/?@:'");
        assert_eq!(
            encoded_query("a=1\r\nset-cookie: y#f"),
            "a=1%0D%0Aset-cookie:%20y%23f"
        );
        assert_eq!(encoded_query("ü"), "%C3%BC");
    }
}
