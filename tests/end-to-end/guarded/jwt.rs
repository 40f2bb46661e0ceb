//! With JSON web tokens for everything: API Gateway lets nothing else through.

use end_to_end::Stack;

#[tokio::test]
#[ignore = "needs the guarded stack, which `cargo xtask test` deploys for it"]
async fn without_a_token_nothing_is_answered() {
    let stack = Stack::connect();
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/-/groups"),
        ("GET", "/-/openapi.json"),
        ("GET", "/by-jwt"),
        ("GET", "/by-jwt/-/status"),
        ("GET", "/by-jwt/-/page"),
        ("GET", "/by-jwt/-/why"),
        ("POST", "/by-jwt/-/wake"),
        ("POST", "/by-jwt/-/sleep"),
        ("POST", "/by-jwt/-/keep-awake?for=1h"),
    ] {
        let request = stack.wake(method, path);
        let answer = request
            .header("authorization", "Bearer no.token.atall")
            .send()
            .await;
        assert_eq!(answer.status, 401, "{method} {path}: {answer:?}");
        assert_eq!(
            stack.wake(method, path).send().await.status,
            401,
            "{method} {path}"
        );
    }
}
