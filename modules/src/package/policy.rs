//! Which version of a package apt would install: `apt-cache policy`, needed only for `latest`.

use crate::host::{HostError, Probe, Query};
use crate::programs;

/// What apt would install of one package.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Policy {
    /// The version it would install; none for a name that no repository has.
    pub(crate) candidate: Option<String>,
}

impl Policy {
    /// Asks apt, or remembers what it said.
    pub(crate) fn of(package: &str, probe: &dyn Probe) -> Result<Self, HostError> {
        if let Some(known) = probe.memo().and_then(|memo| memo.policy(package)) {
            return Ok(known);
        }
        let output = probe.query(&Query::PackagePolicy {
            packages: vec![package.to_owned()],
        })?;
        if !output.success() {
            return Err(programs::failure("apt-cache policy", &output));
        }
        let policy = Self::parse(&output.stdout, package);
        if let Some(memo) = probe.memo() {
            memo.keep_policy(package, &policy);
        }
        Ok(policy)
    }

    /// Finds one package's block. Others may be there: a name that apt does not know is tried as a
    /// regular expression.
    fn parse(text: &str, package: &str) -> Self {
        let heading = |line: &&str| line.strip_suffix(':') == Some(package);
        let mut block = text.lines().skip_while(|line| !heading(line)).skip(1);
        let candidate = block
            .by_ref()
            .take_while(|line| line.starts_with(' '))
            .find_map(|line| line.trim_start().strip_prefix("Candidate: "));
        let named = candidate.filter(|version| *version != "(none)");
        Self {
            candidate: named.map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As apt-cache 2.6 prints it on Debian 12.
    const RECORDED: &str = "\
mail-transport-agent:
  Installed: (none)
  Candidate: (none)
  Version table:
bash:
  Installed: 5.2.15-2+b8
  Candidate: 5.2.15-2+b13
  Version table:
     5.2.15-2+b13 500
        500 http://deb.debian.org/debian bookworm/main amd64 Packages
 *** 5.2.15-2+b8 100
        100 /var/lib/dpkg/status
";

    #[test]
    fn the_block_of_exactly_this_package_counts() {
        let candidate = |package| Policy::parse(RECORDED, package).candidate;
        assert_eq!(candidate("bash"), Some("5.2.15-2+b13".to_owned()));
        assert_eq!(candidate("mail-transport-agent"), None);
        assert_eq!(candidate("ba.h"), None);
    }
}
