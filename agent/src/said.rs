//! Errors as one line of text: what happened, and the chain of causes behind it.

use std::error::Error;

/// An error with its causes, outermost first; a cause that only repeats what stands before it is
/// left out.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !said.ends_with(&text) {
            said.push_str(": ");
            said.push_str(&text);
        }
        cause = error.source();
    }
    said
}
