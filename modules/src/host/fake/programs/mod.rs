//! Programs of a fake host, with state: what they do is seen in its files and in what they answer
//! afterwards. They speak as the real ones do, in output recorded on Debian 12.

mod apt;
mod dpkg_status;
mod name_service;
mod shadow;
mod systemd;

pub use apt::{Apt, Offer};
pub use name_service::NameService;
pub use shadow::Shadow;
pub use systemd::{Systemd, Unit};

use crate::host::Output;

/// What a program that ended with an exit status gave back.
fn ended(code: i32, stdout: impl Into<String>, stderr: impl Into<String>) -> Output {
    Output {
        code: Some(code),
        signal: None,
        stdout: stdout.into(),
        stderr: stderr.into(),
        truncated: false,
    }
}

/// Splits arguments into options and the rest; an option named in `valued` takes the next word.
fn options<'w>(words: &'w [String], valued: &[&str]) -> (Vec<&'w str>, Vec<&'w str>) {
    let (mut options, mut rest) = (Vec::new(), Vec::new());
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        if word == "--" {
            rest.extend(words.by_ref());
        } else if valued.contains(&word) {
            options.extend(words.next());
        } else if word.starts_with('-') {
            options.push(word);
        } else {
            rest.push(word);
        }
    }
    (options, rest)
}
