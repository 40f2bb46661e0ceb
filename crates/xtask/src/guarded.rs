//! The same stack, deployed once more as somebody has it who lets not everybody in, and the tests of that.

use anyhow::Result;

use crate::repo::Repo;
use crate::stack::Stack;
use crate::tools::Tools;
use crate::{builds, parts};

/// What links are signed with, and what admins show.
const LINK_KEY: &str = "a-key-of-the-local-stack";
const ADMIN_TOKEN: &str = "local-admin-token";

/// The second is the SHA-256 of the token: `printf %s local-admin-token | openssl dgst -sha256 -r`.
const PARAMETERS: [&str; 9] = [
    "AdminAuth=token",
    "AdminTokenSha256=bc32a9a66697ce5242e5517f4a801fa2a3dccf9960459f666fec8a166289401e",
    "WakeAuth=link",
    "LinkKey=a-key-of-the-local-stack",
    "GroupsPage=off",
    "PageName=Badgers",
    "PageColor=#0b5fff",
    "PageLogo=data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7",
    "PageNote=Ask-the-badgers",
];

/// Deploys and tests. The tests are ignored elsewhere, because they fail on a stack that is open.
pub(crate) fn run(repo: &Repo, tools: &Tools, stack: &mut Stack) -> Result<()> {
    stack.deploy(repo, tools, &PARAMETERS)?;
    let mut tests = builds::cargo(repo, "test");
    tests
        .args(["--test", "end_to_end", "--", "--ignored", "guarded::"])
        .env("DORMOUSE_LOCAL", &stack.file)
        .env("DORMOUSE_LINK_KEY", LINK_KEY)
        .env("DORMOUSE_ADMIN_TOKEN", ADMIN_TOKEN);
    parts::run("cargo test", tests, None)
}
