//! The permission bits of a file or folder.

use holdfast_schemas::resource::Mode;

use crate::shown::Shown;

/// Shows the bits that were found, if something was, and the ones that are wanted.
pub(crate) fn show(shown: &mut Shown, found: Option<Mode>, wanted: Mode) {
    let found = found.map(|mode| mode.to_string());
    shown.push("mode", found, Some(wanted.to_string()));
}
