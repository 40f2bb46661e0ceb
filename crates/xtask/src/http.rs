//! The little HTTP/1.1 that talking to this machine takes: one request a connection, no TLS.
//!
//! Every `*.localhost` name is this machine (RFC 6761, section 6.3). Browsers know that; the system's
//! resolver often does not, so it is not asked.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// The wake function may hold a request for 25 s, and a call that hangs must still end.
const TIMEOUT: Duration = Duration::from_secs(40);

/// What a server answered.
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// The first header called `name`, in any case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as text, whatever it holds.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Result<serde_json::Value> {
        serde_json::from_slice(&self.body)
            .with_context(|| format!("the answer ({}) is not JSON: {}", self.status, self.text()))
    }
}

/// `GET url`.
pub(crate) fn get(url: &str, headers: &[(&str, &str)]) -> Result<Response> {
    send("GET", url, headers, &[])
}

/// Sends one request; redirects are the caller's to follow.
pub(crate) fn send(method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Response> {
    exchange(method, url, headers, body).with_context(|| format!("{method} {url}"))
}

fn exchange(method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Response> {
    let url = Url::parse(url)?;
    let mut stream = TcpStream::connect_timeout(&url.address()?, TIMEOUT).context("cannot connect")?;
    stream
        .set_read_timeout(Some(TIMEOUT))
        .context("cannot set a timeout")?;
    stream.set_nodelay(true).context("cannot set TCP_NODELAY")?;
    let mut request = format!(
        "{method} {} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n",
        url.target, url.authority
    );
    if !body.is_empty() || method == "POST" {
        request.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    let mut bytes = request.into_bytes();
    bytes.extend_from_slice(body);
    stream.write_all(&bytes).context("cannot send")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).context("no whole answer")?;
    parse(&answer)
}

struct Url<'a> {
    authority: &'a str,
    target: &'a str,
}

impl<'a> Url<'a> {
    fn parse(url: &'a str) -> Result<Self> {
        let rest = url
            .strip_prefix("http://")
            .context("only http:// is spoken here")?;
        match rest.find('/') {
            Some(slash) => Ok(Self {
                authority: &rest[..slash],
                target: &rest[slash..],
            }),
            None => Ok(Self {
                authority: rest,
                target: "/",
            }),
        }
    }

    fn address(&self) -> Result<SocketAddr> {
        let (host, port) = self.authority.rsplit_once(':').unwrap_or((self.authority, "80"));
        let port: u16 = port.parse().with_context(|| format!("no port number: {port}"))?;
        if host == "localhost" || host.ends_with(".localhost") {
            return Ok((Ipv4Addr::LOCALHOST, port).into());
        }
        (host, port)
            .to_socket_addrs()
            .with_context(|| format!("no address for {host}"))?
            .next()
            .with_context(|| format!("no address for {host}"))
    }
}

fn parse(answer: &[u8]) -> Result<Response> {
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .context("the answer has no headers")?;
    let head = std::str::from_utf8(&answer[..end]).context("the answer's headers are not text")?;
    let mut lines = head.split("\r\n");
    let status_line = lines.next().unwrap_or_default();
    let status = status_line
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .with_context(|| format!("no HTTP status: {status_line}"))?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    let mut response = Response {
        status,
        headers,
        body: answer[end + 4..].to_vec(),
    };
    if response
        .header("transfer-encoding")
        .is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"))
    {
        response.body = unchunk(&response.body)?;
    } else if let Some(length) = response.header("content-length") {
        let length: usize = length
            .parse()
            .with_context(|| format!("no content length: {length}"))?;
        if response.body.len() < length {
            bail!("the answer ends after {} of {length} bytes", response.body.len());
        }
        response.body.truncate(length);
    }
    Ok(response)
}

fn unchunk(mut rest: &[u8]) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = rest
            .windows(2)
            .position(|two| two == b"\r\n")
            .context("a chunk has no size")?;
        let size = std::str::from_utf8(&rest[..line])
            .ok()
            .and_then(|size| size.split(';').next());
        let size = size
            .and_then(|size| usize::from_str_radix(size.trim(), 16).ok())
            .context("a chunk's size is no number")?;
        if size == 0 {
            return Ok(body);
        }
        let data = rest
            .get(line + 2..line + 2 + size)
            .context("a chunk is cut short")?;
        body.extend_from_slice(data);
        rest = rest.get(line + 4 + size..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_answer_is_read() {
        let response =
            parse(b"HTTP/1.1 307 \r\nLocation: http://x/\r\ncontent-length: 2\r\n\r\nhi").expect("parses");
        assert_eq!(response.status, 307);
        assert_eq!(response.header("location"), Some("http://x/"));
        assert_eq!(response.text(), "hi");
    }

    #[test]
    fn a_chunked_answer_is_put_together() {
        let raw =
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
        assert_eq!(parse(raw).expect("parses").text(), "abcde");
    }

    #[test]
    fn a_cut_answer_is_an_error() {
        assert!(parse(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhi").is_err());
        assert!(parse(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nhi").is_err());
    }

    #[test]
    fn localhost_names_are_this_machine() {
        let url = Url::parse("http://a1.execute-api.localhost:4566/demo?x=1").expect("parses");
        assert_eq!(
            url.address().expect("an address"),
            SocketAddr::from((Ipv4Addr::LOCALHOST, 4566))
        );
        assert_eq!(url.target, "/demo?x=1");
    }
}
