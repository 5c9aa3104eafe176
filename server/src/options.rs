//! What `holdfast serve` is told.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use holdfast_schemas::MAX_HOST_NAME;

/// Where agents reach the server unless it is said otherwise: the loopback, so that nothing is
/// open to a network before somebody decides so.
pub const AGENTS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7440);

/// Where operators reach it.
pub const OPERATORS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7441);

/// How a server is run.
#[derive(Debug, Clone, clap::Args)]
pub struct ServeOptions {
    /// The catalog repo: a folder, a bare or working Git repository, or a Git URL
    #[arg(long, value_name = "PATH-OR-GIT-URL")]
    pub site: String,
    /// Where the server keeps what it must not lose; made if it is not there
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Where agents reach the server
    #[arg(long, value_name = "ADDR", default_value_t = AGENTS)]
    pub agents: SocketAddr,
    /// Where operators reach the server
    #[arg(long, value_name = "ADDR", default_value_t = OPERATORS)]
    pub operators: SocketAddr,
    /// The branch that is served; the repository's own default unless said
    #[arg(long, value_name = "BRANCH")]
    pub branch: Option<String>,
    /// A further name or address by which hosts and operators reach the server; may be repeated
    #[arg(long = "name", value_name = "NAME", value_parser = reachable_name)]
    pub names: Vec<String>,
    /// A file of age identities that open the repo's secrets; may be repeated. Without it the
    /// server makes one, DATA/age-identity
    #[arg(long = "identity", value_name = "FILE")]
    pub identities: Vec<PathBuf>,
}

/// Longest label of a DNS name (RFC 1035, 2.3.4).
const MAX_LABEL: usize = 63;

/// A name that a certificate can hold and a client can look up: an address, or a DNS name.
fn reachable_name(text: &str) -> Result<String, String> {
    let name = text.trim().to_lowercase();
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_label = |label: &str| {
        let bytes = label.as_bytes();
        bytes.len() <= MAX_LABEL
            && bytes.first().is_some_and(|&first| inner(first))
            && bytes.last().is_some_and(|&last| inner(last))
            && bytes.iter().all(|&byte| inner(byte) || byte == b'-')
    };
    let is_name = name.len() <= MAX_HOST_NAME && name.split('.').all(is_label);
    match is_name || name.parse::<IpAddr>().is_ok() {
        true => Ok(name),
        false => Err("a name or an address alone, without `https://` and port".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::reachable_name;

    #[test]
    fn a_name_is_what_a_certificate_can_hold() {
        for good in [
            "Deploy.Example",
            "deploy",
            "10.0.0.7",
            "2001:db8::1",
            "a-1.b",
        ] {
            assert_eq!(reachable_name(good), Ok(good.to_lowercase()));
        }
        for bad in [
            "",
            "https://deploy.example",
            "deploy.example:7440",
            "deploy..example",
            "-deploy",
            "de ploy",
            "*.example",
            "ä.example",
        ] {
            assert!(reachable_name(bad).is_err(), "{bad:?}");
        }
    }
}
