//! Constraints on members, and the one error that tells all that are broken, in the words of AWS's JSON services.

use crate::model::ApiError;

/// Collects what is broken. A member that is not there breaks no rule but [`Rules::required`].
#[derive(Default)]
pub(super) struct Rules(Vec<String>);

impl Rules {
    /// A rule that no constraint of one member can tell.
    pub(super) fn broken(&mut self, text: &str) {
        self.0.push(text.into());
    }

    pub(super) fn required(&mut self, member: &str, value: Option<&str>) {
        if value.is_none() {
            let text =
                format!("Value null at '{member}' failed to satisfy constraint: Member must not be null");
            self.0.push(text);
        }
    }

    /// 1 to `max` characters.
    pub(super) fn length(&mut self, member: &str, value: Option<&str>, max: usize) {
        let Some(value) = value else { return };
        match value.chars().count() {
            0 => self.add(
                member,
                value,
                "Member must have length greater than or equal to 1",
            ),
            n if n > max => {
                let rule = format!("Member must have length less than or equal to {max}");
                self.add(member, value, &rule);
            }
            _ => {}
        }
    }

    pub(super) fn one_of(&mut self, member: &str, value: Option<&str>, choices: &[&str]) {
        if let Some(value) = value.filter(|v| !choices.contains(v)) {
            let rule = format!("Member must satisfy enum value set: [{}]", choices.join(", "));
            self.add(member, value, &rule);
        }
    }

    /// 0 to 100.
    pub(super) fn percentage(&mut self, member: &str, value: Option<i64>) {
        match value {
            Some(n) if n < 0 => {
                let rule = "Member must have value greater than or equal to 0";
                self.add(member, &n.to_string(), rule);
            }
            Some(n) if n > 100 => {
                let rule = "Member must have value less than or equal to 100";
                self.add(member, &n.to_string(), rule);
            }
            _ => {}
        }
    }

    /// Lower-case hex digits in groups of 8, 4, 4, 4 and 12.
    pub(super) fn job_id(&mut self, value: Option<&str>) {
        self.required("jobId", value);
        let is_hex = |group: &str| group.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if let Some(value) = value {
            let groups: Vec<&str> = value.split('-').collect();
            let lengths: Vec<usize> = groups.iter().map(|g| g.len()).collect();
            if lengths != [8, 4, 4, 4, 12] || !groups.into_iter().all(is_hex) {
                let pattern = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
                self.pattern("jobId", value, pattern);
            }
        }
    }

    pub(super) fn variable_name(&mut self, member: &str, name: &str) {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"@-_".contains(&b);
        if name.is_empty() || !name.bytes().all(fits) {
            self.pattern(member, name, "[A-Za-z0-9@\\-_]+");
        }
    }

    /// `ValidationException` if anything is broken.
    pub(super) fn done(self) -> Result<(), ApiError> {
        let errors = match self.0.len() {
            0 => return Ok(()),
            1 => "1 validation error".to_string(),
            n => format!("{n} validation errors"),
        };
        let text = format!("{errors} detected: {}", self.0.join("; "));
        Err(ApiError::new("ValidationException", text))
    }

    fn pattern(&mut self, member: &str, value: &str, pattern: &str) {
        let rule = format!("Member must satisfy regular expression pattern: {pattern}");
        self.add(member, value, &rule);
    }

    fn add(&mut self, member: &str, value: &str, rule: &str) {
        let value: String = value.chars().take(200).collect();
        self.0.push(format!(
            "Value '{value}' at '{member}' failed to satisfy constraint: {rule}"
        ));
    }
}
