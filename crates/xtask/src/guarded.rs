//! The same stack, deployed again as those have it who let not everybody in, and the tests of that.

use anyhow::Result;

use crate::repo::Repo;
use crate::stack::Stack;
use crate::tools::Tools;
use crate::{builds, parts};

/// What links are signed with, and what admins show.
const LINK_KEY: &str = "a-key-of-the-local-stack";
const ADMIN_TOKEN: &str = "local-admin-token";

/// Who may do what in turn, with the tests of it. What a set does not name stays as the one before left it.
const SETS: [(&str, &[&str]); 3] = [
    (
        "guarded::links",
        &[
            "AdminAuth=token",
            // `printf %s local-admin-token | openssl dgst -sha256 -r`
            "AdminTokenSha256=bc32a9a66697ce5242e5517f4a801fa2a3dccf9960459f666fec8a166289401e",
            "WakeAuth=link",
            "LinkKey=a-key-of-the-local-stack",
            "GroupsPage=off",
            "PageName=Badgers",
            "PageColor=#0b5fff",
            "PageLogo=data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7",
            "PageNote=Ask-the-badgers",
            // That the template's own target group can be deployed; no load balancer here knows it.
            "Front=on",
        ],
    ),
    ("guarded::iam", &["AdminAuth=iam", "WakeAuth=open"]),
    (
        "guarded::jwt",
        &[
            "AdminAuth=jwt",
            "WakeAuth=jwt",
            "JwtIssuer=https://issuer.example",
            "JwtAudience=app",
            "AdminScope=admin",
        ],
    ),
];

/// Deploys and tests each. The tests are ignored elsewhere, because they fail on a stack that is open.
pub(crate) fn run(repo: &Repo, tools: &Tools, stack: &mut Stack) -> Result<()> {
    for (tests, parameters) in SETS {
        stack.deploy(repo, tools, parameters)?;
        let mut command = builds::cargo(repo, "test");
        command
            .args(["--test", "end_to_end", "--", "--ignored", tests])
            .env("DORMOUSE_LOCAL", &stack.file)
            .env("DORMOUSE_LINK_KEY", LINK_KEY)
            .env("DORMOUSE_ADMIN_TOKEN", ADMIN_TOKEN);
        parts::run("cargo test", command, None)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::SETS;

    /// A filter that matches no test would succeed.
    #[test]
    fn each_set_has_the_tests_that_it_names() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/end-to-end");
        for (tests, _) in SETS {
            let path = format!("{folder}/{}.rs", tests.replace("::", "/"));
            let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
            assert!(text.contains("#[tokio::test]\n#[ignore"), "{path}");
        }
    }
}
