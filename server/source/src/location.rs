//! Where a site is: a path, or a URL that only harmless protocols may have.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The protocols that a URL may have. `ext::` and other remote helpers run programs.
pub(crate) const PROTOCOLS: &[&str] = &["https", "http", "ssh", "git", "file"];

/// Longest location, in bytes: that of a path (PATH_MAX).
const MAX_LOCATION: usize = 4096;

/// Where a site is.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A folder or a repository on this machine.
    Path(PathBuf),
    /// A Git URL, or `host:path` for ssh.
    Url(String),
}

/// Text that is no location.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// Nothing, too much, or what a program would take for an option.
    #[error(
        "a site's location is a path or a Git URL, and does not begin with `-` or hold control characters"
    )]
    Malformed,
    /// Another protocol than those that are allowed.
    #[error("a site cannot be fetched by {0:?}; use one of https, http, ssh, git, file or a path")]
    Protocol(String),
}

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        let malformed = text.is_empty()
            || text.len() > MAX_LOCATION
            || text.starts_with('-')
            || text.chars().any(char::is_control);
        if malformed {
            return Err(LocationError::Malformed);
        }
        if Path::new(text).exists() {
            return Ok(Self::Path(text.into()));
        }
        if let Some((helper, _)) = text.split_once("::")
            && !helper.contains(['/', '.'])
        {
            return Err(LocationError::Protocol(helper.to_owned()));
        }
        if let Some((protocol, rest)) = text.split_once("://") {
            if !PROTOCOLS.contains(&protocol) {
                return Err(LocationError::Protocol(protocol.to_owned()));
            }
            return Self::url(text, rest);
        }
        match text.split_once(':') {
            // A host and a path as scp writes them; a slash before the colon makes it a path.
            Some((host, path)) if !host.contains('/') && !path.is_empty() => Self::url(text, host),
            _ => Ok(Self::Path(text.into())),
        }
    }
}

impl Location {
    /// A URL, unless the host or user would be an option of ssh.
    fn url(text: &str, authority: &str) -> Result<Self, LocationError> {
        let host = authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host);
        if authority.starts_with('-') || host.starts_with('-') {
            return Err(LocationError::Malformed);
        }
        Ok(Self::Url(text.to_owned()))
    }
}

impl fmt::Display for Location {
    /// Shows it without user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Url(url) => f.write_str(&without_credentials(url)),
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Location({self})")
    }
}

/// A URL without what stands before the host.
fn without_credentials(url: &str) -> String {
    let Some((protocol, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{protocol}://{host}/{path}"),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn paths_and_urls_are_told_apart() {
        let url = |text: &str| matches!(text.parse(), Ok(Location::Url(_)));
        let path = |text: &str| matches!(text.parse(), Ok(Location::Path(_)));
        assert!(url("https://git.example/site.git"));
        assert!(url("file:///srv/site.git"));
        assert!(url("git@git.example:team/site.git"));
        assert!(path("/srv/site"));
        assert!(path("./a:b"));
        assert!(path("site"));
    }

    #[test]
    fn what_would_run_something_is_refused() {
        for text in [
            "",
            "-uexec",
            "--upload-pack=touch /tmp/x",
            "ext::sh -c id",
            "fd::17",
            "ftp://x/y",
            "ssh://-oProxyCommand=id/x",
            "ssh://git@-oProxyCommand=id/x",
            "-oProxyCommand=id:x",
            "a\nb",
        ] {
            let parsed: Result<Location, _> = text.parse();
            assert!(parsed.is_err(), "{text:?} became {parsed:?}");
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        let location: Location = "https://bob:hunter2@git.example/site.git".parse().unwrap();
        assert_eq!(location.to_string(), "https://git.example/site.git");
    }
}
