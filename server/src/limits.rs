//! The process's own limits.

/// A fleet's connections need a file descriptor each, and many systems allow a process a thousand
/// unless it asks for the more that it may have.
pub(crate) fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let found = getrlimit(Resource::Nofile);
    let wanted = Rlimit {
        current: found.maximum,
        maximum: found.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, wanted) {
        tracing::debug!(%error, "cannot raise the limit of open files");
    }
}
