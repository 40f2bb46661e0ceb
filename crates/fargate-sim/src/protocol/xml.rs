//! Just enough XML to answer Query requests.

/// An element or text.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    /// Name and content.
    Element(String, Vec<Node>),
    /// Text, escaped when written.
    Text(String),
}

/// An element with content.
pub(crate) fn element(name: &str, content: Vec<Node>) -> Node {
    Node::Element(name.into(), content)
}

/// An element with text.
pub(crate) fn text(name: &str, text: impl ToString) -> Node {
    Node::Element(name.into(), vec![Node::Text(text.to_string())])
}

/// A list of the Query protocol: `<name><member>…</member>…</name>`.
pub(crate) fn list(name: &str, members: impl IntoIterator<Item = Vec<Node>>) -> Node {
    element(
        name,
        members
            .into_iter()
            .map(|content| element("member", content))
            .collect(),
    )
}

/// A list of EC2's protocol: `<name><item>…</item>…</name>`.
pub(crate) fn set(name: &str, items: impl IntoIterator<Item = Vec<Node>>) -> Node {
    element(
        name,
        items
            .into_iter()
            .map(|content| element("item", content))
            .collect(),
    )
}

/// A list of plain values.
pub(crate) fn texts<'a>(name: &str, values: impl IntoIterator<Item = &'a str>) -> Node {
    list(name, values.into_iter().map(|v| vec![Node::Text(v.to_string())]))
}

/// A document whose root has a namespace.
pub(crate) fn root(name: &str, namespace: &str, content: Vec<Node>) -> String {
    let mut out = format!("<{name} xmlns=\"{namespace}\">");
    content.iter().for_each(|n| write(n, &mut out));
    out + &format!("</{name}>")
}

/// A document.
pub(crate) fn document(root: Node) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    write(&root, &mut out);
    out
}

fn write(node: &Node, out: &mut String) {
    match node {
        Node::Text(text) => {
            for c in text.chars() {
                match c {
                    '<' => out.push_str("&lt;"),
                    '>' => out.push_str("&gt;"),
                    '&' => out.push_str("&amp;"),
                    '"' => out.push_str("&quot;"),
                    c => out.push(c),
                }
            }
        }
        Node::Element(name, content) => {
            out.push_str(&format!("<{name}>"));
            content.iter().for_each(|n| write(n, out));
            out.push_str(&format!("</{name}>"));
        }
    }
}
