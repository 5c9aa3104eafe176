//! What a file holds: found, compared, and shown as a unified diff or as digests.

use std::io::Read;
use std::time::Duration;

use holdfast_schemas::Digest;
use holdfast_schemas::resource::{Content, File};
use holdfast_schemas::secret::SecretName;
use similar::TextDiff;

use crate::host::{Facility, FileType, HostError, Probe, Stat, Support, named};
use crate::shown::Shown;

/// Longest content, old or new, that is compared line by line, in bytes: both are in memory then,
/// and what a report can show of them is a thirtieth of it.
const MAX_COMPARED: usize = 256 * 1024;

/// Longest file whose digest is told although its length alone says that it differs, in bytes: a
/// sparse file of a terabyte would take an hour to read, for a line of a report.
const MAX_DIGESTED: u64 = 64 * 1024 * 1024;

/// How long lines are compared before a coarser diff has to do: a report must not cost more than
/// the change.
const COMPARING: Duration = Duration::from_millis(100);

/// What stands for a diff of what is not text.
const BINARY: &str = "binary content differs\n";

/// What stands for a diff that would be too much work.
const LARGE: &str = "content differs; it is too long to be compared line by line\n";

/// How the content found compares with the one that is wanted.
#[derive(Debug)]
pub(super) enum Found {
    /// It is the same, or it is not managed.
    Same,
    /// It is another, or there is none yet.
    Differs(Comparison),
}

/// Content that differs, fit to be shown.
#[derive(Debug)]
pub(super) struct Comparison {
    from: Option<String>,
    to: String,
    diff: String,
}

impl Comparison {
    /// Of content with secrets in it nothing is shown, not even the digest of what was found: it
    /// may be the secret of yesterday.
    fn of_secrets(secrets: &[SecretName], present: Option<&Stat>) -> Self {
        let to = named(secrets);
        Self {
            from: present.map(|_| "other content".to_owned()),
            diff: format!("content with {to}, which is not shown\n"),
            to,
        }
    }
}

impl Found {
    pub(super) fn show(&self, shown: &mut Shown) {
        if let Self::Differs(comparison) = self {
            let (from, to) = (comparison.from.clone(), comparison.to.clone());
            shown.push("content", from, Some(to));
            shown.diff = Some(comparison.diff.clone());
        }
    }
}

/// Compares what is at the path with the content wanted.
pub(super) fn find(
    file: &File,
    stat: Option<&Stat>,
    probe: &dyn Probe,
) -> Result<Found, HostError> {
    let Some(wanted) = &file.content else {
        return Ok(Found::Same);
    };
    let present = stat.filter(|stat| stat.file_type == FileType::File);
    let same = match present {
        None => false,
        Some(_) if !file.replace => true,
        Some(stat) => probe.holds(&file.path, stat, wanted)?,
    };
    match same {
        true => Ok(Found::Same),
        false => compare(file, wanted, present, probe).map(Found::Differs),
    }
}

/// Why the check that new content has to pass cannot be run on this host, if that is so.
pub(super) fn no_check(file: &File, probe: &dyn Probe) -> Option<String> {
    file.validate.as_ref()?;
    match probe.supports(Facility::Programs) {
        Support::Yes => None,
        Support::No(why) => Some(why),
    }
}

fn compare(
    file: &File,
    wanted: &Content,
    present: Option<&Stat>,
    probe: &dyn Probe,
) -> Result<Comparison, HostError> {
    if let Content::Sealed { secrets, .. } = wanted {
        return Ok(Comparison::of_secrets(secrets, present));
    }
    let (digest, size) = probe.measure(wanted)?;
    let short = |size: u64| size <= MAX_COMPARED as u64;
    let name = |digest: Digest| format!("blake3:{digest}");
    let (from, old) = match present {
        None => (None, Some(Vec::new())),
        Some(stat) if short(stat.size) => {
            let old = probe.read(&file.path, MAX_COMPARED)?;
            (Some(name(Digest::of(&old))), Some(old))
        }
        Some(stat) if stat.size != size && stat.size > MAX_DIGESTED => {
            (Some(format!("{} bytes", stat.size)), None)
        }
        Some(_) => (Some(name(probe.digest(&file.path)?)), None),
    };
    let new = match short(size) {
        true => Some(take(file, (wanted, digest), probe)?),
        false => None,
    };
    let diff = match (old, new) {
        (Some(old), Some(new)) => unified(&old, &new, file, present),
        _ => LARGE.to_owned(),
    };
    Ok(Comparison {
        from,
        to: name(digest),
        diff,
    })
}

/// The content wanted, refused when it is not what its digest says.
fn take(
    file: &File,
    (wanted, digest): (&Content, Digest),
    probe: &dyn Probe,
) -> Result<Vec<u8>, HostError> {
    let mut bytes = Vec::new();
    let mut bounded = probe.content(wanted)?.take(MAX_COMPARED as u64 + 1);
    let read = bounded.read_to_end(&mut bytes);
    read.map_err(|source| HostError::Content { digest, source })?;
    let found = Digest::of(&bytes);
    match found == digest {
        true => Ok(bytes),
        false => Err(HostError::WrongContent {
            path: file.path.to_string(),
            wanted: digest,
            found,
        }),
    }
}

fn unified(old: &[u8], new: &[u8], file: &File, present: Option<&Stat>) -> String {
    let (Some(old), Some(new)) = (text(old), text(new)) else {
        return BINARY.to_owned();
    };
    let path = file.path.as_str();
    let before = match present {
        Some(_) => path,
        None => "/dev/null",
    };
    TextDiff::configure()
        .timeout(COMPARING)
        .diff_lines(old, new)
        .unified_diff()
        .header(before, path)
        .to_string()
}

fn text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    (!text.contains('\0')).then_some(text)
}
