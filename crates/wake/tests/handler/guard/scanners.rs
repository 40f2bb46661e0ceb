//! Bots and scanners never wake.

use super::*;

#[tokio::test]
async fn scanners_look_and_wake_nothing() {
    let world = asleep();
    for agent in [
        "Mozilla/5.00 (Nikto/2.1.6) (Evasions:None) (Test:Port Check)",
        "sqlmap/1.7.2#stable (https://sqlmap.org)",
        "Mozilla/5.0 zgrab/0.x",
        "Mozilla/5.0 (compatible; CensysInspect/1.1; +https://about.censys.io/)",
        "Expanse, a Palo Alto Networks company, searches across the global IPv4 space",
    ] {
        let as_agent = |name: &str| with_header(event(name), "user-agent", agent);
        let page = answer(&world, as_agent("http-api-browser.json")).await;
        assert_eq!(status_of(&page), 503, "{agent}");
        let looked = answer(&world, as_agent("http-api-program.json")).await;
        assert_eq!(
            (status_of(&looked), &body(&looked)["phase"]),
            (503, &json!("asleep")),
            "{agent}"
        );
        let refused = answer(
            &world,
            with_header(event("http-api-wake.json"), "user-agent", agent),
        )
        .await;
        assert_eq!(
            (status_of(&refused), error_of(&refused)),
            (403, json!("Forbidden"))
        );
    }
    assert_eq!(world.changes(), [""; 0]);
}

#[tokio::test]
async fn probes_below_a_group_wake_nothing_and_its_own_paths_do() {
    let world = asleep();
    for path in [
        "/dev/.env",
        "/dev/.git/config",
        "/dev/.aws/credentials",
        "/dev/a/b/wp-login.php",
        "/dev/wp-admin/",
        "/dev/xmlrpc.php",
        "/dev/phpMyAdmin/",
        "/dev/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php",
        "/dev/cgi-bin/luci",
        "/dev/%2e%65nv",
        "/dev/../../etc/passwd",
    ] {
        for accept in ["*/*", "text/html"] {
            assert_eq!(status_of(&answer(&world, get(path, accept)).await), 503, "{path}");
        }
    }
    assert_eq!(world.changes(), [""; 0]);
    let own = answer(&world, get("/dev/.well-known/openid-configuration", "*/*")).await;
    assert_eq!((status_of(&own), world.desired("dev/web")), (503, 1));
}

#[tokio::test]
async fn curl_python_and_php_apps_wake() {
    for (path, agent) in [
        ("/dev/", "curl/8.5.0"),
        ("/dev/", "python-requests/2.32.3"),
        ("/dev/", "Go-http-client/2.0"),
        ("/dev/index.php", "Wget/1.21.4"),
    ] {
        let world = asleep();
        answer(&world, with_header(get(path, "*/*"), "user-agent", agent)).await;
        assert_eq!(world.desired("dev/web"), 1, "{path} {agent}");
    }
}

#[tokio::test]
async fn at_the_top_a_probe_is_404_before_anything_is_read() {
    let world = asleep();
    for what in ["table", "GetResources", "DescribeServices"] {
        world.break_(what, Code::Internal);
    }
    for path in [
        "/.env",
        "/.git/HEAD",
        "/.aws/credentials",
        "/wp-login.php",
        "/wp-admin/setup-config.php",
        "/xmlrpc.php",
        "/phpmyadmin/",
        "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php",
        "/cgi-bin/luci",
        "/index.php",
        "/default.asp",
        "/actuator/heapdump",
        "/wp-login.php/-/status",
        "/phpmyadmin/-/wake",
    ] {
        for event in [get(path, "*/*"), get(path, "text/html")] {
            assert_eq!(status_of(&answer(&world, event).await), 404, "{path}");
        }
    }
    assert_eq!((world.discoveries(), world.looks()), (0, 0));
    assert_eq!(
        status_of(&answer(&world, get("/dev", "*/*")).await),
        502,
        "a group is read"
    );
}

#[tokio::test]
async fn a_group_may_not_be_called_as_probes_are() {
    let world = World::with(&["dev/web"], &[("dormouse:group", "phpmyadmin")], 0);
    let config = config(&[]);
    let found = dormouse_core::engine::discover(&world, &config.listed, &config.defaults)
        .await
        .expect("groups");
    let group = found
        .groups
        .values()
        .next()
        .and_then(|stored| stored.settings.as_ref());
    let group = group.expect("a group that shows what is wrong");
    assert_eq!(group.services.len(), 0, "nothing is managed under such a name");
    let message = &group.problems[0].message;
    assert!(
        message.contains("`phpmyadmin`: must not be a name that scanners ask"),
        "{message}"
    );
}
