//! Findings for people.

use dormouse_core::settings::Problem;

use super::findings::{Findings, Outcome, Service, State};
use crate::view::table::table;

/// What a check cannot know.
const NOTE: &str = "\
These are your own permissions. The functions get roles of their own when the stack is deployed; what an organization
denies you, it may deny them too. Nothing that changes something was tried, such as ecs:UpdateService.";

/// Whose account it is, the groups with what is to be mended in them, and the permissions.
pub(crate) fn text(findings: &Findings) -> String {
    let caller = &findings.caller;
    let mut parts = vec![format!(
        "Account {}, Region {}, as {}",
        caller.account, findings.region, caller.arn
    )];
    for group in &findings.groups {
        parts.push(paragraph(group.name.as_str(), &group.services, &group.problems));
    }
    if !findings.strays.is_empty() {
        parts.push(paragraph(
            "in no group",
            &findings.strays,
            &findings.stray_problems,
        ));
    }
    let searched = findings
        .permissions
        .iter()
        .any(|permission| permission.action == "tag:GetResources" && permission.outcome == Outcome::Ok);
    if searched && findings.groups.is_empty() && findings.strays.is_empty() {
        parts.push("No service has a tag of Dormouse: opt in with the tag `dormouse:group`.".to_owned());
    }
    let rows: Vec<[String; 3]> = findings
        .permissions
        .iter()
        .map(|permission| {
            [
                permission.action.to_owned(),
                permission.outcome.words().to_owned(),
                permission.detail.clone().unwrap_or_default(),
            ]
        })
        .collect();
    parts.push(table(["PERMISSION", "", ""], &rows));
    parts.push(NOTE.to_owned());
    parts.join("\n\n")
}

fn paragraph(name: &str, services: &[Service], problems: &[Problem]) -> String {
    let services = services.iter().map(|service| match &service.state {
        State::Counts { desired, running } => format!("  {}  {running} of {desired} tasks run", service.id),
        State::Unknown { message, .. } => format!("  ! {message}"),
    });
    let problems = problems.iter().map(|problem| format!("  ! {}", problem.message));
    let lines: Vec<String> = std::iter::once(name.to_owned())
        .chain(services)
        .chain(problems)
        .collect();
    lines.join("\n")
}
