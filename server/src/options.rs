//! What `holdfast serve` is told.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// Where agents reach the server unless it is said otherwise: the loopback, so that nothing is
/// open to a network before somebody decides so.
pub const AGENTS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 7440);

/// Where operators reach it.
pub const OPERATORS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 7441);

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
    #[arg(long = "name", value_name = "NAME")]
    pub names: Vec<String>,
}
