//! The app's page.

/// A friendly page that says who answered, and to what.
pub(super) fn page(service: &str, task: &str, path: &str) -> String {
    let (service, task, path) = (escape(service), escape(task), escape(path));
    format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{service} is awake</title>
<style>
  body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 36rem; margin: 15vh auto; padding: 0 1rem;
         color: #1d2b24; background: #f3f7f1 }}
  h1 {{ font-weight: 600 }}
  code {{ background: #dfe9da; padding: .1em .4em; border-radius: .3em; overflow-wrap: anywhere }}
</style>
</head>
<body>
<h1>Good morning, this is {service}.</h1>
<p>You asked for <code id="path">{path}</code>.</p>
<p>Task <code id="task">{task}</code> answered.</p>
</body>
</html>
"#
    )
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_shown_and_cannot_break_out() {
        let page = page("web", "abc", "/a?b=<script>'x'</script>&c");
        assert!(page.contains("/a?b=&lt;script&gt;&#39;x&#39;&lt;/script&gt;&amp;c"));
    }
}
