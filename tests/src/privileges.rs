//! What the functions' roles may do, as the stack's IAM judges it.

use crate::stack::Stack;

impl Stack {
    /// Whether IAM lets the function that an output names do this, with these condition keys.
    ///
    /// # Panics
    /// If there is no such function, or IAM does not answer.
    pub async fn may(&self, function: &str, action: &str, resource: &str, context: &[(&str, &str)]) -> bool {
        let path = format!("/2015-03-31/functions/{}/configuration", self.output(function));
        let function = self.request("lambda", "GET", &path).send().await.json();
        let role = function["Role"].as_str().expect("a role");
        let mut form = vec![
            ("Action".to_owned(), "SimulatePrincipalPolicy"),
            ("Version".to_owned(), "2010-05-08"),
            ("PolicySourceArn".to_owned(), role),
            ("ActionNames.member.1".to_owned(), action),
            ("ResourceArns.member.1".to_owned(), resource),
        ];
        for (n, (key, value)) in context.iter().enumerate() {
            let entry = format!("ContextEntries.member.{}", n + 1);
            form.push((format!("{entry}.ContextKeyName"), key));
            form.push((format!("{entry}.ContextKeyType"), "string"));
            form.push((format!("{entry}.ContextKeyValues.member.1"), value));
        }
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let answer = self.query_api("iam", &form).await;
        assert_eq!(answer.matches("<EvalDecision>").count(), 1, "{answer}");
        answer.contains("<EvalDecision>allowed</EvalDecision>")
    }
}
