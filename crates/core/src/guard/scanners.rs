//! What asks every host for the same things: scanners and probes. They never wake, and what they ask for is never a group.
//!
//! The lists are short on purpose: they name what introduces itself, and what no app of ours is asked for by its users.
//! Programs that people use on purpose (curl, Python, Go, browsers without a head) are not in them.

/// User agents of scanners, in lower case.
///
/// Sources: OWASP Core Rule Set, `rules/scanners-user-agents.data`, without what is part of other words; and what those who
/// measure the whole Internet say of themselves (docs.censys.com/docs/opt-out-of-data-collection, `Expanse, a Palo Alto
/// Networks company`, internet-measurement.com, stretchoid.com, leakix.net, shadowserver.org, onyphe.io, docs.getodin.com,
/// modat.io, netcraft.com).
const AGENTS: &[&str] = &[
    "acunetix",
    "appspider",
    "arachni",
    "bewica-security-scan",
    "cmsmap",
    "commix",
    "detectify",
    "dirbuster",
    "dotdotpwn",
    "droopescan",
    "feroxbuster",
    "fimap.googlecode",
    "fuzz faster",
    "ghauri",
    "gobuster",
    "graphql-cop",
    "graphw00f",
    "havij",
    "hexometer",
    "ironwasp",
    "jbrofuzz",
    "joomscan",
    "jorgee",
    "jsql",
    "l9explore",
    "l9scan",
    "l9tcpid",
    "libwhisker",
    "masscan",
    "morfeus",
    "mozlila",
    "n-stalker",
    "nessus",
    "netlab360",
    "netsparker",
    "nettacker",
    "nikto",
    "nmap nse",
    "nmap scripting",
    "noseyparker",
    "nuclei",
    "openvas",
    "qualys",
    "shortscan",
    "sitelockspider",
    "skipfish",
    "sqlmap",
    "sqlninja",
    "sysscan",
    "trufflehog",
    "tsunamisecurityscanner",
    "w3af",
    "wapiti",
    "webbandit",
    "webshag",
    "wfuzz",
    "whatwaf",
    "whatweb",
    "wpprobe",
    "wprecon",
    "wpscan",
    "xsser",
    "xsstrike",
    "zgrab",
    "zmeu",
    // Those who measure the Internet.
    "binaryedge",
    "censys",
    "cortex xpanse",
    "cortex-xpanse",
    "criminalip",
    "expanse, a palo alto",
    "internet-measurement",
    "internetmeasurement",
    "leakix",
    "modatscanner",
    "netcraft",
    "netsystemsresearch",
    "odin; https://",
    "onyphe",
    "palo alto networks",
    "project sonar",
    "shadowserver",
    "shodan",
    "stretchoid",
    "zoominfobot",
];

/// Parts of a path that nobody but a probe asks for, in lower case, wherever they stand.
///
/// Sources: OWASP Core Rule Set, `rules/restricted-files.data`; WordPress's own entry points (developer.wordpress.org,
/// "Brute Force Attacks": `wp-login.php`, `xmlrpc.php`); phpMyAdmin's default paths; CVE-2017-9841 (`eval-stdin.php`).
/// Whoever runs WordPress asleep wakes it by any other page.
const NAMES: &[&str] = &[
    "adminer.php",
    "boaform",
    "cgi-bin",
    "eval-stdin.php",
    "hnap1",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "id_rsa",
    "jmx-console",
    "php-my-admin",
    "phpinfo.php",
    "phpmyadmin",
    "server-status",
    "shell.php",
    "thinkphp",
    "web-inf",
    "wlwmanifest.xml",
    "wp-admin",
    "wp-config.php",
    "wp-config.php.bak",
    "wp-login",
    "wp-login.php",
    "xmlrpc.php",
];

/// The same of two parts, the second of which is harmless alone or the first of which is. Health checks and metrics of
/// Spring's actuator are asked for by many; its heap dump, environment and gateway routes (CVE-2022-22947) are not.
const PAIRS: &[(&str, &str)] = &[
    ("_ignition", "execute-solution"),
    ("actuator", "env"),
    ("actuator", "gateway"),
    ("actuator", "heapdump"),
    ("etc", "passwd"),
    ("vendor", "phpunit"),
];

/// Ends of names that are files of somebody else's server and no groups.
const EXTENSIONS: &[&str] = &[
    ".7z", ".ashx", ".asp", ".aspx", ".bak", ".cgi", ".env", ".gz", ".ini", ".jsp", ".jspx", ".php", ".php5",
    ".php7", ".phtml", ".rar", ".sql", ".tar", ".tgz", ".zip",
];

/// How often an escape is undone: probes escape escapes, too.
const LAYERS: usize = 3;

/// Whether this user agent is that of a scanner.
#[must_use]
pub fn is_scanner(user_agent: &str) -> bool {
    let agent = user_agent.to_ascii_lowercase();
    AGENTS.iter().any(|scanner| agent.contains(scanner))
}

/// Whether nobody but a probe asks an app for this path.
#[must_use]
pub fn is_probe(path: &str) -> bool {
    let plain = plain(path);
    let parts = parts(&plain);
    (0..parts.len()).any(|place| begins_probe(&parts[place..]))
}

/// Whether this whole path asks for what is never a group: a probe, or a file of somebody else's server.
#[must_use]
pub fn is_no_group(path: &str) -> bool {
    let plain = plain(path);
    let parts = parts(&plain);
    let name = parts.first().copied().unwrap_or_default();
    begins_probe(&parts) || EXTENSIONS.iter().any(|end| name.ends_with(end))
}

fn begins_probe(parts: &[&str]) -> bool {
    let Some(first) = parts.first() else { return false };
    let is_hidden = first.starts_with('.') && !matches!(*first, "." | ".well-known");
    let is_pair = |(one, other): &(&str, &str)| first == one && parts.get(1) == Some(other);
    is_hidden || NAMES.contains(first) || PAIRS.iter().any(is_pair)
}

/// The parts between slashes of both kinds.
fn parts(path: &str) -> Vec<&str> {
    path.split(['/', '\\']).filter(|part| !part.is_empty()).collect()
}

/// In lower case and without escapes.
fn plain(path: &str) -> String {
    let mut text = path.to_ascii_lowercase();
    for _ in 0..LAYERS {
        if !text.contains('%') {
            break;
        }
        text = decoded(&text).to_ascii_lowercase();
    }
    text
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                plain.push(u8::try_from(high * 16 + low).unwrap_or_default());
                at += 3;
            }
            _ => {
                plain.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scanners_are_known_by_what_they_call_themselves() {
        for agent in [
            "Mozilla/5.00 (Nikto/2.1.6) (Evasions:None) (Test:Port Check)",
            "sqlmap/1.7.2#stable (https://sqlmap.org)",
            "Mozilla/5.0 (compatible; Nmap Scripting Engine; https://nmap.org/book/nse.html)",
            "masscan/1.3 (https://github.com/robertdavidgraham/masscan)",
            "Mozilla/5.0 zgrab/0.x",
            "Mozilla/5.0 (compatible; Nuclei - Open-source project (github.com/projectdiscovery/nuclei))",
            "WPScan v3.8.22 (https://wpscan.com/wordpress-security-scanner)",
            "gobuster/3.6",
            "feroxbuster/2.10.0",
            "Mozilla/5.0 (compatible; CensysInspect/1.1; +https://about.censys.io/)",
            "Expanse, a Palo Alto Networks company, searches across the global IPv4 space multiple times per day",
            "Mozilla/5.0 (compatible; InternetMeasurement/1.0; +https://internet-measurement.com/)",
            "Fuzz Faster U Fool v2.1.0",
        ] {
            assert!(is_scanner(agent), "{agent}");
        }
    }

    #[test]
    fn people_and_their_programs_are_no_scanners() {
        for agent in [
            "",
            "curl/8.5.0",
            "OpenMapTiles/3.14",
            "WiFiMap/5.2 (Android)",
            "Wget/1.21.4",
            "python-requests/2.32.3",
            "python-httpx/0.27.0",
            "Go-http-client/2.0",
            "okhttp/4.12.0",
            "axios/1.7.2",
            "PostmanRuntime/7.39.0",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/140.0.0.0 Safari/537.36",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Vivaldi/7.0",
        ] {
            assert!(!is_scanner(agent), "{agent}");
        }
    }

    #[test]
    fn probes_are_found_wherever_they_stand_and_however_they_are_written() {
        for path in [
            "/.env",
            "/.env.production",
            "/.git/config",
            "/.aws/credentials",
            "/a/b/.ssh/id_rsa",
            "/wp-login.php",
            "/blog/wp-admin/setup-config.php",
            "/xmlrpc.php",
            "/phpMyAdmin/index.php",
            "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php",
            "/cgi-bin/luci",
            "/%2eenv",
            "/%252e%65nv",
            "/..%2f..%2fetc/passwd",
            "\\..\\.env",
            "/actuator/heapdump",
            "/WEB-INF/web.xml",
        ] {
            assert!(is_probe(path), "{path}");
        }
    }

    #[test]
    fn what_apps_are_asked_for_is_no_probe() {
        for path in [
            "",
            "/",
            "/reports/42",
            "/.well-known/openid-configuration",
            "/index.php",
            "/a.b/c.php",
            "/actuator/health",
            "/environment",
            "/vendor/list",
            "/manager/html",
            "/solr/admin/cores",
            "/wp-content/uploads/logo.png",
            "/50%",
            "/a%20b/%C3%BC",
            "/git/config",
            "/./a",
        ] {
            assert!(!is_probe(path), "{path}");
        }
    }

    #[test]
    fn at_the_top_files_of_other_servers_are_no_groups() {
        for path in [
            "/.env",
            "//.git/HEAD",
            "/wp-login.php",
            "/index.php",
            "/default.asp",
            "/backup.zip",
            "/vendor/phpunit/x",
            "/cgi-bin",
        ] {
            assert!(is_no_group(path), "{path}");
        }
        for path in [
            "/dev",
            "/dev/index.php",
            "/dev/.env",
            "/vendor",
            "/release-1.2",
            "/php",
            "/my.zip.app",
            "",
        ] {
            assert!(!is_no_group(path), "{path}");
        }
    }
}
