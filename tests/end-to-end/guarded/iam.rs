//! With IAM for admins: API Gateway asks who they are before the function does.

use end_to_end::{Service, Stack};

#[tokio::test]
#[ignore = "needs the guarded stack, which `cargo xtask test` deploys for it"]
async fn without_credentials_nobody_is_an_admin_and_everybody_wakes() {
    let stack = Stack::connect();
    Service::new("by-iam").sleeps_after("10m").create(&stack).await;
    for action in ["sleep", "keep-awake?for=1h"] {
        let answer = stack.wake("POST", &format!("/by-iam/-/{action}")).send().await;
        assert_eq!(answer.status, 403, "{answer:?}");
    }
    assert_eq!(stack.status("by-iam").await["phase"], "asleep");
    assert_eq!(stack.wake("POST", "/by-iam/-/wake").send().await.status, 202);
}
