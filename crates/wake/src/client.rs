//! Who asks: a person with a browser, a program, or something that must not wake anything.

/// The kind of client behind a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    /// A browser that shows what it gets to a person.
    Browser,
    /// A program.
    Program,
    /// A prefetch, a preview, a load balancer or uptime checker, a crawler: never wakes.
    Passive,
}

/// User agents of checkers, link previews and crawlers, in lower case. From their operators' documentation.
const PASSIVE_AGENTS: &[&str] = &[
    "elb-healthchecker",
    "amazon-route53-health-check-service",
    "cloudwatchsynthetics",
    "googlehc",
    "kube-probe",
    "pingdom",
    "uptimerobot",
    "uptime-kuma",
    "better uptime",
    "betterstack",
    "statuscake",
    "site24x7",
    "newrelicpinger",
    "datadog/synthetics",
    "datadogsynthetics",
    "checkly",
    "blackbox-exporter",
    "blackbox exporter",
    "nagios",
    "check_http",
    "zabbix",
    "hetrixtools",
    "freshping",
    "updown.io",
    "slackbot",
    "slack-imgproxy",
    "twitterbot",
    "facebookexternalhit",
    "linkedinbot",
    "discordbot",
    "telegrambot",
    "whatsapp",
    "skypeuripreview",
    "microsoftpreview",
    "googlebot",
    "bingbot",
    "yandexbot",
    "duckduckbot",
    "applebot",
    "ahrefsbot",
    "semrushbot",
    "gptbot",
    "claudebot",
    "ccbot",
    "bytespider",
    "baiduspider",
    "crawler",
    "spider/",
    "bot/",
    "bot;",
];

/// Tells the client by its request. `header` gives a header's value by its lower-case name.
pub(crate) fn of<'a>(method: &str, header: impl Fn(&str) -> Option<&'a str>) -> Client {
    let contains = |name: &str, parts: &[&str]| {
        header(name).is_some_and(|value| {
            let value = value.to_ascii_lowercase();
            parts.iter().any(|part| value.contains(part))
        })
    };
    if method == "HEAD" || is_ahead_of_time(&header) || contains("user-agent", PASSIVE_AGENTS) {
        Client::Passive
    } else if method == "GET" && contains("accept", &["text/html"]) {
        Client::Browser
    } else {
        Client::Program
    }
}

/// Whether a browser asks before a person does. `header` gives a header's value by its lower-case name.
pub(crate) fn is_ahead_of_time<'a>(header: impl Fn(&str) -> Option<&'a str>) -> bool {
    let mut values = ["sec-purpose", "purpose", "x-purpose", "x-moz"]
        .into_iter()
        .filter_map(header);
    values.any(|value| {
        let value = value.to_ascii_lowercase();
        ["prefetch", "prerender", "preview"]
            .iter()
            .any(|purpose| value.contains(purpose))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(method: &str, headers: &[(&str, &'static str)]) -> Client {
        let owned: Vec<(String, &'static str)> = headers.iter().map(|(n, v)| ((*n).to_owned(), *v)).collect();
        of(method, |name| {
            owned.iter().find(|(n, _)| n == name).map(|(_, value)| *value)
        })
    }

    #[test]
    fn browsers_accept_html_and_programs_do_not() {
        let firefox = (
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        );
        let html = (
            "accept",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        );
        assert_eq!(client("GET", &[firefox, html]), Client::Browser);
        assert_eq!(client("GET", &[firefox, ("accept", "*/*")]), Client::Program);
        assert_eq!(
            client("GET", &[("user-agent", "curl/8.5.0"), ("accept", "*/*")]),
            Client::Program
        );
        assert_eq!(client("POST", &[firefox, html]), Client::Program);
        assert_eq!(client("GET", &[]), Client::Program);
    }

    #[test]
    fn a_phone_with_bot_in_its_name_is_a_person() {
        let cubot = (
            "user-agent",
            "Mozilla/5.0 (Linux; Android 13; CUBOT KINGKONG 9) AppleWebKit/537.36",
        );
        assert_eq!(client("GET", &[cubot, ("accept", "text/html")]), Client::Browser);
    }

    #[test]
    fn nothing_that_looks_ahead_or_checks_wakes() {
        let html = ("accept", "text/html");
        assert_eq!(client("HEAD", &[html]), Client::Passive);
        for header in [
            ("sec-purpose", "prefetch;prerender"),
            ("purpose", "prefetch"),
            ("x-moz", "prefetch"),
            ("x-purpose", "preview"),
            ("user-agent", "ELB-HealthChecker/2.0"),
            (
                "user-agent",
                "Amazon-Route53-Health-Check-Service (ref 1; report http://amzn.to/1vsZADi)",
            ),
            (
                "user-agent",
                "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)",
            ),
            (
                "user-agent",
                "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
            ),
            (
                "user-agent",
                "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            ),
        ] {
            assert_eq!(client("GET", &[html, header]), Client::Passive, "{header:?}");
        }
    }
}
